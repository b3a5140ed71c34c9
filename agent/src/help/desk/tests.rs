use proptest::prelude::*;

use super::*;

const NOW: Moment = Moment::from_micros(0);

fn desk() -> HelpDesk {
    let desk = HelpDesk::new("support.example.com", "m1");
    desk.handle_connected();
    desk
}

fn ask(desk: &HelpDesk, user: &str, text: &str) {
    desk.wish(NOW, user, Wish::Ask(text.to_owned()));
}

fn posted(desk: &HelpDesk) -> Vec<Body> {
    desk.lock().outbox.drain(..).collect()
}

fn state(phase: v1::GuestPhase, user: &str, technician: &str) -> v1::GuestState {
    v1::GuestState {
        phase: phase.into(),
        technician: technician.to_owned(),
        user: user.to_owned(),
        ..v1::GuestState::default()
    }
}

fn line(id: u64, client_id: &str, text: &str) -> v1::ChatLine {
    v1::ChatLine {
        id,
        client_id: client_id.to_owned(),
        from_guest: !client_id.is_empty(),
        author: "Ada".to_owned(),
        text: text.to_owned(),
        at_unix: 0,
    }
}

/// The name of the only line that is on its way.
fn name_of(bodies: &[Body]) -> String {
    match bodies {
        [Body::SupportRequest(request)] => request.text.as_ref().expect("a text").client_id.clone(),
        other => panic!("one request, not {other:?}"),
    }
}

#[test]
fn what_is_asked_waits_until_the_server_has_it_and_then_stands_in_the_chat() {
    let desk = desk();
    ask(&desk, "grace", "  It does not print ");
    let name = name_of(&posted(&desk));
    assert_eq!(desk.standing("grace").unsent, ["It does not print"]);

    // The line broke before it arrived.
    desk.handle_lost();
    desk.handle_connected();
    assert_eq!(name_of(&posted(&desk)), name);
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    desk.handle_line(&line(1, &name, "It does not print"));
    let standing = desk.standing("grace");
    assert_eq!(standing.stage, Stage::Waiting);
    assert_eq!(standing.lines[0].text, "It does not print");
    assert!(standing.unsent.is_empty());

    desk.handle_state(state(v1::GuestPhase::Accepted, "grace", "Ada\u{202e}"));
    desk.handle_line(&line(2, "", "I look"));
    let standing = desk.standing("grace");
    assert_eq!(
        (standing.stage, standing.technician.as_str()),
        (Stage::Taken, "Ada")
    );
    assert_eq!(standing.lines[1].author, "Ada");
}

#[test]
fn nobody_else_at_the_machine_reads_or_ends_a_request() {
    let desk = desk();
    ask(&desk, "grace", "My salary slip does not print");
    let name = name_of(&posted(&desk));
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    desk.handle_line(&line(1, &name, "My salary slip does not print"));

    ask(&desk, "mallory", "Me too");
    desk.wish(NOW, "mallory", Wish::TakeBack);

    assert_eq!(posted(&desk), []);
    let standing = desk.standing("mallory");
    assert_eq!(standing.stage, Stage::OfOther);
    assert!(standing.lines.is_empty() && standing.technician.is_empty());
    desk.handle_state(state(v1::GuestPhase::Completed, "grace", "Ada"));
    assert_eq!(desk.standing("mallory").stage, Stage::Nothing);
    ask(&desk, "mallory", "Me now");
    assert_eq!(posted(&desk).len(), 1);
}

#[test]
fn a_request_is_taken_back_on_its_way_and_after_it() {
    let desk = desk();
    desk.handle_lost();
    ask(&desk, "grace", "Help");
    desk.wish(NOW, "grace", Wish::TakeBack);
    desk.handle_connected();
    assert_eq!(posted(&desk), []);

    ask(&desk, "grace", "Help");
    posted(&desk);
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    desk.wish(NOW, "grace", Wish::TakeBack);
    assert_eq!(posted(&desk), [Body::GuestLeaves(v1::GuestLeaves {})]);
}

#[test]
fn a_program_that_asks_without_end_is_slowed_and_says_so() {
    let desk = desk();
    for _ in 0..50 {
        ask(&desk, "grace", "Help");
    }
    assert_eq!(posted(&desk).len(), BURST as usize);
    assert_eq!(desk.standing("grace").problem, Some(Problem::TooFast));
    assert_eq!(desk.standing("ada").problem, None);
}

#[test]
fn what_the_server_refuses_is_said_and_not_sent_again() {
    let desk = desk();
    ask(&desk, "grace", "Help");
    let client_id = name_of(&posted(&desk));
    desk.handle_refused(&v1::RequestRefused {
        client_id,
        reason: v1::RequestRefusal::TooOften.into(),
    });
    desk.handle_connected();

    assert_eq!(posted(&desk), []);
    assert_eq!(desk.standing("grace").problem, Some(Problem::TooOften));
}

#[test]
fn a_new_request_does_not_show_the_lines_of_the_one_before() {
    let desk = desk();
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    desk.handle_line(&line(1, "a", "Old"));
    desk.handle_state(state(v1::GuestPhase::Completed, "grace", ""));
    assert_eq!(desk.standing("grace").lines.len(), 1);

    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    assert!(desk.standing("grace").lines.is_empty());
}

proptest! {
    #[test]
    fn whatever_happens_a_user_sees_no_more_than_fits_and_only_their_own(
        steps in prop::collection::vec((0_u8..6, 0_u8..3, ".{0,600}"), 0..60),
    ) {
        let desk = desk();
        for (at, (kind, who, text)) in steps.into_iter().enumerate() {
            let user = ["", "grace", "ada"][usize::from(who)];
            let now = Moment::from_micros(at as u64 * 1_000_000);
            match kind {
                0 => desk.wish(now, user, Wish::Ask(text)),
                1 => desk.wish(now, user, Wish::TakeBack),
                2 => desk.handle_state(state(v1::GuestPhase::Waiting, user, &text)),
                3 => desk.handle_state(state(v1::GuestPhase::Completed, user, &text)),
                4 => desk.handle_line(&line(at as u64, &text, &text)),
                _ => desk.handle_lost(),
            }
            let mut readers = 0;
            for reader in ["", "grace", "ada"] {
                let standing = desk.standing(reader);
                let size = serde_json::to_vec(&standing).expect("plain data").len();
                prop_assert!(size <= super::super::messages::MAX_STANDING_BYTES);
                readers += usize::from(!standing.lines.is_empty());
            }
            prop_assert!(readers <= 1);
            prop_assert!(desk.lock().unsent.len() <= MAX_UNSENT);
        }
    }
}
