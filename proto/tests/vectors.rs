//! The bytes on the wire, as committed in `proto/vectors/`: a change that breaks
//! an installed agent or viewer shows here. `UPDATE_GOLDEN=1` writes them anew.

use std::fmt::Debug;
use std::path::Path;

use gc_proto::v1::{agent_control, agent_message, key_chord, server_control, viewer_message};
use gc_proto::{Message, v1};

/// Compares a message with its vector, both ways, and with a field from the future appended.
fn check<M: Message + Default + PartialEq + Debug>(name: &str, message: &M) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(format!("{name}.hex"));
    let bytes = message.encode_to_vec();
    let hex = bytes
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a file in a folder"))
            .expect("make the folder");
        std::fs::write(&path, format!("{hex}\n")).expect("write the vector");
    }
    let vector = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    assert_eq!(vector.trim(), hex, "{name}");

    assert_eq!(
        &M::decode(&*bytes).expect("our own bytes"),
        message,
        "{name}"
    );
    // Field 1000, a text, of a newer version.
    let newer = [&bytes[..], &[0xc2, 0x3e, 3], b"new"].concat();
    assert_eq!(
        &M::decode(&*newer).expect("unknown fields are tolerated"),
        message,
        "{name}"
    );
}

fn agent(body: agent_message::Body) -> v1::AgentMessage {
    v1::AgentMessage { body: Some(body) }
}

fn viewer(body: viewer_message::Body) -> v1::ViewerMessage {
    v1::ViewerMessage { body: Some(body) }
}

#[test]
fn handshake_payloads_keep_their_bytes() {
    let capabilities = v1::Capabilities {
        wire_version: 1,
        encodings: vec![v1::Encoding::ZstdBgrx.into()],
        features: vec![
            v1::Feature::Cursor.into(),
            v1::Feature::SecureAttention.into(),
        ],
        software: "agent 0.1.0".into(),
        os_family: v1::OsFamily::Windows.into(),
    };
    let display = v1::Display {
        id: 7,
        name: "DP-1".into(),
        x: -1920,
        y: 0,
        width: 1920,
        height: 1080,
        primary: true,
    };
    let layout = v1::DisplayLayout {
        generation: 1,
        width: 3840,
        height: 1080,
        displays: vec![display],
        only: Some(2),
    };
    let preferences = v1::ViewerPreferences {
        quality: v1::Quality::Medium.into(),
        view_only: true,
    };
    check(
        "opening",
        &v1::Opening {
            signed_grant: vec![1, 2, 3].into(),
            capabilities: Some(capabilities.clone()),
            preferences: Some(preferences),
            words_commitment: vec![5; 32].into(),
        },
    );
    let rights = vec![v1::Right::View.into(), v1::Right::Control.into()];
    let accepted = v1::Accepted {
        capabilities: Some(capabilities),
        layout: Some(layout),
        rights,
        consent_pending: true,
    };
    check(
        "answer_accepted",
        &v1::Answer {
            result: Some(v1::answer::Result::Accepted(accepted)),
        },
    );
    let refused = v1::Refused {
        reason: v1::RefusalReason::Busy.into(),
        detail: "one viewer at a time".into(),
    };
    check(
        "answer_refused",
        &v1::Answer {
            result: Some(v1::answer::Result::Refused(refused)),
        },
    );
}

#[test]
fn a_films_encoder_keeps_its_bytes() {
    let film = v1::FilmFrame {
        maker: Some(v1::FilmMaker {
            name: "Intel Quick Sync Video H.264 Encoder MFT".to_owned(),
            hardware: true,
        }),
        ..Default::default()
    };
    let frame = v1::VideoFrame {
        film: Some(film),
        ..Default::default()
    };

    check("film_maker", &agent(agent_message::Body::Frame(frame)));
}

#[test]
fn agent_messages_keep_their_bytes() {
    use agent_message::Body;
    let link = v1::LinkReport {
        rtt_us: 40_000,
        base_rtt_us: 38_000,
        delivered_rate: 2_500_000,
        limit: 2,
    };
    let frame = v1::VideoFrame {
        sequence: 300,
        layout_generation: 2,
        encoding: v1::Encoding::ZstdBgrx.into(),
        starts_stream: true,
        rects: vec![0, 0, 64, 16, 64, 16, 5, 6],
        data: vec![0x28, 0xb5, 0x2f, 0xfd].into(),
        capture_us: 900,
        encode_us: 1_200,
        complete: true,
        input_sequence: 17,
        reduced: true,
        link: Some(link),
        moves: Some(v1::Moves {
            from_dy: -54,
            rects: vec![0, 64, 640, 300],
            from_dx: 12,
        }),
        photos: vec![0, 1],
        photo_data: vec![0x28, 0xb5].into(),
        film: Some(v1::FilmFrame {
            stream: 4,
            encoding: v1::Encoding::Vp9.into(),
            key: true,
            area: vec![128, 64, 640, 360],
            coded_width: 320,
            coded_height: 180,
            rects: vec![128, 64, 640, 32],
            data: vec![0x82, 0x49, 0x83, 0x42].into(),
            maker: None,
        }),
    };
    check("frame", &agent(Body::Frame(frame)));
    let response = v1::ConsentResponse {
        request_id: 3,
        outcome: v1::ConsentOutcome::Declined.into(),
        rights: vec![v1::Right::View.into()],
        waited_ms: 12_000,
    };
    check("consent_response", &agent(Body::Consent(response)));
    check("paused", &agent(Body::Paused(v1::Paused { paused: true })));
    check(
        "picture_key",
        &agent(Body::PictureKey(v1::PictureKey {
            epoch: 1,
            key: vec![9; 32].into(),
        })),
    );
    let shape = v1::CursorShape {
        id: 3,
        width: 2,
        height: 1,
        hot_x: 1,
        hot_y: 0,
        rgba_zstd: vec![1, 2].into(),
    };
    check("cursor_shape", &agent(Body::CursorShape(shape)));
    check(
        "cursor_position",
        &agent(Body::CursorPosition(v1::CursorPosition {
            x: -4,
            y: 70,
            visible: true,
        })),
    );
    check(
        "error",
        &agent(Body::Error(v1::SessionError {
            code: 1,
            detail: "broken".into(),
        })),
    );
    check(
        "notice",
        &agent(Body::Notice(v1::Notice {
            code: 2,
            detail: "no".into(),
        })),
    );
    check("agent_ping", &agent(Body::Ping(v1::Ping { token: 5 })));
    check("agent_pong", &agent(Body::Pong(v1::Pong { token: 5 })));
}

#[test]
fn viewer_messages_keep_their_bytes() {
    use viewer_message::Body;
    check(
        "ack",
        &viewer(Body::Ack(v1::FrameAck {
            sequence: 300,
            shown_us: 3_000,
            own_us: 2_000,
        })),
    );
    let mouse = v1::MouseEvent {
        sequence: 1,
        x: 640,
        y: -1,
        buttons: 0b101,
        wheel_x: -120,
        wheel_y: 240,
        layout_generation: 3,
    };
    check("mouse", &viewer(Body::Mouse(mouse)));
    let key = v1::KeyEvent {
        sequence: 2,
        usage: 0x14,
        down: true,
        text: "@".into(),
        modifiers: 0b1_0000,
        repeat: true,
    };
    check("key", &viewer(Body::Key(key)));
    let chord = v1::KeyChord {
        sequence: 3,
        kind: key_chord::Kind::Usages.into(),
        usages: vec![0xe3, 0x15],
    };
    check("chord", &viewer(Body::Chord(chord)));
    check(
        "release_all",
        &viewer(Body::ReleaseAll(v1::ReleaseAll { sequence: 4 })),
    );
    let preferences = v1::ViewerPreferences {
        quality: v1::Quality::High.into(),
        view_only: false,
    };
    check(
        "preferences",
        &viewer(Body::Preferences(v1::SetPreferences {
            preferences: Some(preferences),
        })),
    );
    check(
        "refresh",
        &viewer(Body::Refresh(v1::RefreshRequest {
            without_films: true,
            without: vec![],
        })),
    );
    check(
        "goodbye",
        &viewer(Body::Goodbye(v1::Goodbye {
            reason: "closed".into(),
        })),
    );
}

#[test]
fn control_and_grants_keep_their_bytes() {
    let facts = v1::MachineFacts {
        host_name: "front-desk".into(),
        os_family: "windows".into(),
        os_name: "Windows 10 Pro".into(),
        os_version: "10.0.19045".into(),
        architecture: "x86_64".into(),
        current_user: "CORP\\ada".into(),
        boot_time_unix: 1_800_000_000,
    };
    let hello = v1::AgentHello {
        control_version: 1,
        software_version: "0.1.0".into(),
        facts: Some(facts),
        power_actions: Vec::new(),
    };
    check(
        "agent_hello",
        &v1::AgentControl {
            body: Some(agent_control::Body::Hello(hello)),
        },
    );
    let offer = v1::SessionOffer {
        session_id: "s".into(),
        participant_id: "p".into(),
        path: "/ws/x".into(),
    };
    check(
        "session_offer",
        &v1::ServerControl {
            body: Some(server_control::Body::Offer(offer)),
        },
    );
    let grant = v1::Grant {
        session_id: "s".into(),
        participant_id: "p".into(),
        machine_id: "m".into(),
        user_id: "u".into(),
        technician: "Ada".into(),
        rights: vec![v1::Right::View.into()],
        issued_at: 1_800_000_000,
        expires_at: 1_800_000_060,
    };
    check("grant", &grant);
    let signed = v1::SignedGrant {
        grant: grant.encode_to_vec().into(),
        signature: vec![6; 64].into(),
    };
    check("signed_grant", &signed);
}
