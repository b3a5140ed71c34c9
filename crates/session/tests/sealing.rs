//! What the relay sees, and what happens when it does not just forward.

mod support;

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::input::InputEvent;
use gc_model::time::Moment;
use gc_session::viewer::{EndCode, ViewerEvent};
use gc_session::{Host, HostOutput, Viewer, ViewerOutput, agent_public_key};
use support::{Session, host, signed_grant, viewer, viewer_expecting};

/// Everything one side wants to send.
fn sent_by_host(host: &mut Host) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    while let Some(output) = host.poll_output() {
        if let HostOutput::Send(message) = output {
            sent.push(message);
        }
    }
    sent
}

fn sent_by_viewer(viewer: &mut Viewer) -> (Vec<Vec<u8>>, Vec<ViewerEvent>) {
    let (mut sent, mut events) = (Vec::new(), Vec::new());
    while let Some(output) = viewer.poll_output() {
        match output {
            ViewerOutput::Send(message) => sent.push(message),
            ViewerOutput::Event(event) => events.push(event),
            ViewerOutput::Frame(_) => {}
        }
    }
    (sent, events)
}

fn end_of(events: &[ViewerEvent]) -> Option<(EndCode, &str)> {
    events.iter().find_map(|event| match event {
        ViewerEvent::Ended { code, message } => Some((*code, message.as_str())),
        _ => None,
    })
}

/// A pair that finished its handshake.
fn connected() -> (Host, Viewer) {
    let (mut host, mut viewer) = (host(), viewer(signed_grant(|_| {})));
    for message in sent_by_viewer(&mut viewer).0 {
        host.handle_message(Moment::ZERO, &message);
    }
    for message in sent_by_host(&mut host) {
        viewer.handle_message(Moment::ZERO, &message);
    }
    let (_, events) = sent_by_viewer(&mut viewer);
    assert!(matches!(events[0], ViewerEvent::Connected { .. }));
    (host, viewer)
}

fn typed(viewer: &mut Viewer, text: &str) -> Vec<Vec<u8>> {
    for character in text.chars() {
        viewer.handle_key(
            Moment::ZERO,
            "",
            true,
            Some(character.encode_utf8(&mut [0; 4])),
            0,
            false,
        );
    }
    sent_by_viewer(viewer).0
}

#[test]
fn a_recording_relay_finds_neither_colours_nor_typed_text() {
    let mut session = Session::over(100_000_000, Duration::from_millis(10));
    session.connect();
    // Colours that do not compress: zstd stores them as they are.
    let mut value = 1_u32;
    let pattern: Vec<u8> = std::iter::repeat_with(|| {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (value >> 24) as u8
    })
    .take(support::WIDTH as usize * 16 * 4)
    .collect();
    session.screen[..pattern.len()].copy_from_slice(&pattern);
    let whole = Rect {
        x: 0,
        y: 0,
        width: support::WIDTH,
        height: support::HEIGHT,
    };
    session.changed(whole);
    session.run_for(Duration::from_secs(2));

    let words = ["correct horse", "battery staple"];
    for word in words {
        session
            .viewer
            .handle_key(session.now, "", true, Some(word), 0, false);
    }
    session.run_for(Duration::from_secs(1));

    // Photographs travel as differences of neighbours, here of the greens.
    let greens: Vec<u8> = pattern.iter().copied().skip(1).step_by(4).collect();
    let differences: Vec<u8> = greens
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    assert!(
        contains_run(&session.updates, &differences),
        "the search finds the pattern where it is"
    );
    assert!(!contains_run(&session.recorded, &differences));
    assert!(!contains_run(&session.recorded, &pattern));
    assert!(!contains_run(&session.recorded, &session.updates));
    for word in words {
        assert!(typed_at(&session.injected, word), "the machine typed it");
        assert!(
            !session
                .recorded
                .windows(5)
                .any(|window| window == &word.as_bytes()[..5])
        );
    }
    assert!(session.recorded.len() > session.updates.len());
}

fn typed_at(injected: &[InputEvent], word: &str) -> bool {
    injected.iter().any(|event| {
        matches!(event, InputEvent::Key(key) if key.text.as_ref().is_some_and(|text| text.as_str() == word))
    })
}

/// True when 12 bytes of `pattern` stand together somewhere in `haystack`.
fn contains_run(haystack: &[u8], pattern: &[u8]) -> bool {
    pattern
        .windows(12)
        .step_by(97)
        .any(|run| haystack.windows(run.len()).any(|window| window == run))
}

#[test]
fn a_changed_message_ends_the_session_with_an_error() {
    let (mut host, mut viewer) = connected();
    let mut message = typed(&mut viewer, "a").remove(0);
    let last = message.len() - 1;
    message[last] ^= 1;

    host.handle_message(Moment::ZERO, &message);

    assert!(host.is_ended());
    let told = sent_by_host(&mut host);
    viewer.handle_message(Moment::ZERO, told.last().expect("the viewer is told"));
    let (_, events) = sent_by_viewer(&mut viewer);
    let (code, message) = end_of(&events).expect("an end");
    assert_eq!(code, EndCode::Protocol);
    assert!(
        message.contains("changed, repeated, lost or reordered"),
        "{message}"
    );
}

#[test]
fn a_changed_header_ends_the_session() {
    for byte in 0..4 {
        let (mut host, mut viewer) = connected();
        let mut message = typed(&mut viewer, "a").remove(0);
        message[byte] ^= 1;

        host.handle_message(Moment::ZERO, &message);

        assert!(host.is_ended(), "byte {byte}");
    }
}

#[test]
fn a_replayed_message_types_nothing_twice_and_ends_the_session() {
    let (mut host, mut viewer) = connected();
    let message = typed(&mut viewer, "a").remove(0);
    host.handle_message(Moment::ZERO, &message);
    let injected = |host: &mut Host| {
        std::iter::from_fn(|| host.poll_output())
            .filter(|output| matches!(output, HostOutput::Inject(InputEvent::Key(key)) if key.down))
            .count()
    };
    assert_eq!(injected(&mut host), 1);

    host.handle_message(Moment::ZERO, &message);

    assert_eq!(injected(&mut host), 0);
    assert!(host.is_ended());
}

#[test]
fn reordered_messages_end_the_session() {
    let (mut host, mut viewer) = connected();
    let messages = typed(&mut viewer, "ab");

    host.handle_message(Moment::ZERO, &messages[1]);

    assert!(host.is_ended());
}

#[test]
fn a_message_moved_to_the_viewer_or_from_another_lane_does_not_open() {
    let (mut host, mut viewer) = connected();
    viewer.handle_refresh(Moment::ZERO);
    let own = sent_by_viewer(&mut viewer).0.remove(0);

    // Reflected to where it came from: the directions have different keys.
    viewer.handle_message(Moment::ZERO, &own);

    let (_, events) = sent_by_viewer(&mut viewer);
    assert_eq!(end_of(&events).expect("an end").0, EndCode::Tampered);
    let mut moved = own;
    moved[1] = 2;
    host.handle_message(Moment::ZERO, &moved);
    assert!(host.is_ended());
}

#[test]
fn the_viewer_refuses_a_changed_picture_in_words() {
    let (mut host, mut viewer) = connected();
    host.handle_notice(
        Moment::ZERO,
        gc_session::HostNotice::InputUnavailable,
        "no keyboard",
    );
    let mut message = sent_by_host(&mut host).remove(0);
    message[10] ^= 0x80;

    viewer.handle_message(Moment::ZERO, &message);

    let (_, events) = sent_by_viewer(&mut viewer);
    let (code, text) = end_of(&events).expect("an end");
    assert_eq!(code, EndCode::Tampered);
    assert!(text.contains("on its way"), "{text}");
}

#[test]
fn a_machine_with_another_key_than_the_enrolled_one_is_refused_in_words() {
    let other = agent_public_key(&[8; 32]).expect("32 bytes");
    let (mut host, mut viewer) = (host(), viewer_expecting(other, signed_grant(|_| {})));
    for message in sent_by_viewer(&mut viewer).0 {
        host.handle_message(Moment::ZERO, &message);
    }
    assert!(
        host.is_ended(),
        "the machine learns nothing and shows nothing"
    );

    for message in sent_by_host(&mut host) {
        viewer.handle_message(Moment::ZERO, &message);
    }

    let (_, events) = sent_by_viewer(&mut viewer);
    let (code, text) = end_of(&events).expect("an end");
    assert_eq!(code, EndCode::AgentKeyMismatch);
    assert!(
        text.contains("does not hold the key that this machine enrolled with"),
        "{text}"
    );
}

#[test]
fn a_grant_of_another_kind_is_refused_in_words() {
    let cases: [(&str, Vec<u8>, EndCode); 7] = [
        (
            "another session",
            signed_grant(|grant| grant.session_id = "other".to_owned()),
            EndCode::Refused,
        ),
        (
            "another session",
            signed_grant(|grant| grant.participant_id = "other".to_owned()),
            EndCode::Refused,
        ),
        (
            "another session",
            signed_grant(|grant| grant.machine_id = "other".to_owned()),
            EndCode::Refused,
        ),
        (
            "expired",
            signed_grant(|grant| grant.expires_at = support::UNIX_SECONDS - 301),
            EndCode::GrantExpired,
        ),
        (
            "expired",
            signed_grant(|grant| grant.issued_at = support::UNIX_SECONDS + 301),
            EndCode::GrantExpired,
        ),
        (
            "does not allow",
            signed_grant(|grant| grant.rights.clear()),
            EndCode::Refused,
        ),
        ("not signed", Vec::new(), EndCode::Refused),
    ];
    for (words, grant, code) in cases {
        let (mut host, mut viewer) = (host(), viewer(grant));
        for message in sent_by_viewer(&mut viewer).0 {
            host.handle_message(Moment::ZERO, &message);
        }
        for message in sent_by_host(&mut host) {
            viewer.handle_message(Moment::ZERO, &message);
        }

        assert!(host.is_ended());
        let (_, events) = sent_by_viewer(&mut viewer);
        let (ended, text) = end_of(&events).expect("an end");
        assert_eq!(ended, code, "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_grant_signed_by_another_server_is_refused() {
    use gc_proto::{Message as _, v1};
    let mut signed = v1::SignedGrant::decode(&*signed_grant(|_| {})).expect("a grant");
    let mut signature = signed.signature.to_vec();
    signature[0] ^= 1;
    signed.signature = signature.into();
    let (mut host, mut viewer) = (host(), viewer(signed.encode_to_vec()));

    for message in sent_by_viewer(&mut viewer).0 {
        host.handle_message(Moment::ZERO, &message);
    }

    assert!(host.is_ended());
}
