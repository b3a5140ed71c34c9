use proptest::prelude::*;

use super::*;

const NOW: Moment = Moment::from_micros(0);

fn desk() -> HelpDesk {
    let desk = HelpDesk::new("support.example.com", "m1");
    connect(&desk);
    desk
}

/// Connects where nothing is open.
fn connect(desk: &HelpDesk) {
    desk.handle_connected();
    desk.handle_state(v1::GuestState::default());
}

fn ask(desk: &HelpDesk, user: &str, text: &str) {
    desk.wish(NOW, user, Wish::Ask(text.to_owned()));
}

/// Grace has asked, and the server has it.
fn desk_with(text: &str) -> HelpDesk {
    let (desk, name) = asked(text);
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    desk.handle_line(&line(1, &name, text));
    desk
}

/// Grace has asked, and the server has not answered; the name of her line.
fn asked(text: &str) -> (HelpDesk, String) {
    let desk = desk();
    ask(&desk, "grace", text);
    let name = name_of(&posted(&desk));
    (desk, name)
}

/// The server does not take a line.
fn refuse(desk: &HelpDesk, client_id: String, reason: v1::RequestRefusal) {
    desk.handle_refused(&v1::RequestRefused {
        client_id,
        reason: reason.into(),
    });
}

fn posted(desk: &HelpDesk) -> Vec<Body> {
    let mut state = desk.lock();
    std::iter::from_fn(|| state.next_post()).collect()
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
    let (desk, name) = asked("  It does not print ");
    assert_eq!(desk.standing("grace").unsent, ["It does not print"]);

    // The line broke before it arrived.
    desk.handle_lost();
    desk.handle_connected();
    assert_eq!(posted(&desk), []);
    desk.handle_state(v1::GuestState::default());
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
    let desk = desk_with("My salary slip does not print");

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
    connect(&desk);
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
    let (desk, client_id) = asked("Help");
    refuse(&desk, client_id, v1::RequestRefusal::TooOften);
    connect(&desk);

    assert_eq!(posted(&desk), []);
    assert_eq!(desk.standing("grace").problem, Some(Problem::TooOften));
}

#[test]
fn a_line_for_a_full_chat_is_refused_in_words_and_kept_to_be_read() {
    let desk = desk_with("Help");
    desk.handle_state(state(v1::GuestPhase::Accepted, "grace", "Ada"));
    ask(&desk, "grace", "One more thing");
    let client_id = name_of(&posted(&desk));

    refuse(&desk, client_id, v1::RequestRefusal::ChatFull);

    let standing = desk.standing("grace");
    assert_eq!(standing.problem, Some(Problem::ChatFull));
    assert_eq!(standing.stage, Stage::Taken);
    assert!(standing.unsent.is_empty());
    assert_eq!(standing.not_taken, ["One more thing"]);
    assert_eq!(desk.standing("ada").not_taken, [""; 0]);
    // It is not sent again, and gone with the request.
    desk.handle_lost();
    desk.handle_connected();
    desk.handle_state(state(v1::GuestPhase::Accepted, "grace", "Ada"));
    assert_eq!(posted(&desk), []);
    desk.handle_state(state(v1::GuestPhase::Completed, "grace", "Ada"));
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    assert!(desk.standing("grace").not_taken.is_empty());
}

#[test]
fn what_cannot_be_seen_is_not_asked_and_keeps_nobody_from_asking() {
    let desk = desk();
    ask(&desk, "mallory", "\u{200b}\u{feff} \u{2066}");

    assert_eq!(posted(&desk), []);
    assert_ne!(desk.standing("grace").stage, Stage::OfOther);
}

#[test]
fn what_was_answered_while_the_machine_was_away_is_done_and_not_asked_again() {
    let desk = desk();
    ask(&desk, "grace", "Help");
    let name = name_of(&posted(&desk));
    desk.handle_lost();
    connect(&desk);
    assert_eq!(name_of(&posted(&desk)), name);

    // The server knows the line.
    desk.handle_state(state(v1::GuestPhase::Completed, "grace", "Ada"));
    desk.handle_line(&line(1, &name, "Help"));

    let standing = desk.standing("grace");
    assert_eq!((standing.stage, standing.unsent.len()), (Stage::Done, 0));
    assert_eq!(standing.lines[0].text, "Help");
    assert_eq!(desk.standing("ada").stage, Stage::Nothing);
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

const LEAVES: Body = Body::GuestLeaves(v1::GuestLeaves {});

#[test]
fn the_next_user_who_asks_does_not_read_what_was_said_before() {
    let desk = desk_with("My salary slip does not print");
    desk.handle_line(&line(2, "", "It is 4,000, is it not?"));
    desk.handle_state(state(v1::GuestPhase::Completed, "grace", "Ada"));

    desk.handle_lost();
    ask(&desk, "mallory", "Me now");

    let standing = desk.standing("mallory");
    assert_eq!((standing.stage, standing.lines.len()), (Stage::Nothing, 0));
    assert_eq!(standing.technician, "");
    assert_eq!(desk.standing("grace").lines, []);
}

#[test]
fn what_one_user_wrote_offline_does_not_join_the_request_of_another() {
    let desk = desk();
    desk.handle_lost();
    ask(&desk, "mallory", "Give me the password");

    desk.handle_connected();
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));

    assert_eq!(posted(&desk), []);
    assert!(desk.standing("grace").unsent.is_empty());
    assert_eq!(desk.standing("mallory").stage, Stage::OfOther);
}

#[test]
fn a_request_that_ended_while_the_machine_was_away_is_over_there_too() {
    let desk = desk_with("Help");
    desk.handle_lost();

    connect(&desk);

    let standing = desk.standing("grace");
    assert_eq!((standing.stage, standing.lines.len()), (Stage::Done, 1));
    ask(&desk, "ada", "Me too");
    assert_eq!(posted(&desk).len(), 1);
}

#[test]
fn a_request_is_taken_back_though_the_line_broke_at_that_moment() {
    let desk = desk_with("Help");
    desk.handle_lost();
    desk.wish(NOW, "grace", Wish::TakeBack);
    assert_eq!(desk.standing("grace").stage, Stage::Done);

    // What is asked after it is another matter.
    ask(&desk, "grace", "Help after all");
    desk.handle_connected();
    assert_eq!(posted(&desk), []);
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    let bodies = posted(&desk);
    assert_eq!(bodies[0], LEAVES);
    name_of(&bodies[1..]);
    desk.handle_state(state(v1::GuestPhase::Completed, "grace", ""));
    desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
    assert_eq!(desk.standing("grace").stage, Stage::Waiting);
}

#[test]
fn a_request_is_taken_back_though_the_server_has_not_answered_it() {
    for is_lost in [false, true] {
        let desk = desk();
        ask(&desk, "grace", "Help");
        let name = name_of(&posted(&desk));
        if is_lost {
            desk.handle_lost();
        }
        desk.wish(NOW, "grace", Wish::TakeBack);
        if is_lost {
            desk.handle_connected();
        }

        desk.handle_state(state(v1::GuestPhase::Waiting, "grace", ""));
        desk.handle_line(&line(1, &name, "Help"));
        assert_eq!(posted(&desk), [LEAVES], "{is_lost}");
        assert_eq!(desk.standing("grace").stage, Stage::Done);
        desk.handle_state(state(v1::GuestPhase::Completed, "grace", ""));

        desk.handle_lost();
        connect(&desk);
        assert_eq!(posted(&desk), []);
        ask(&desk, "ada", "Me too");
        assert_eq!(posted(&desk).len(), 1);
    }
}

#[test]
fn nothing_is_taken_back_of_what_the_server_refused() {
    let (desk, client_id) = asked("Help");
    desk.wish(NOW, "grace", Wish::TakeBack);
    refuse(&desk, client_id, v1::RequestRefusal::TooOften);
    posted(&desk);

    ask(&desk, "ada", "Me too");
    assert_eq!(posted(&desk).len(), 1);
}

#[test]
fn no_user_uses_up_what_the_others_may_ask() {
    let desk = desk();
    for _ in 0..50 {
        ask(&desk, "mallory", "Help");
        desk.wish(NOW, "mallory", Wish::TakeBack);
        desk.handle_state(v1::GuestState::default());
    }
    posted(&desk);

    ask(&desk, "grace", "Help");
    assert_eq!(posted(&desk).len(), 1);
    assert_eq!(desk.standing("grace").problem, None);
}

#[test]
fn taking_back_where_nothing_was_asked_costs_nothing() {
    let desk = desk();
    for _ in 0..50 {
        desk.wish(NOW, "grace", Wish::TakeBack);
    }

    ask(&desk, "grace", "Help");
    assert_eq!(posted(&desk).len(), 1);
}

#[test]
fn however_many_users_there_are_the_desk_remembers_few() {
    let desk = desk();
    for user in 0..100 {
        ask(&desk, &user.to_string(), "Help");
        desk.wish(NOW, &user.to_string(), Wish::TakeBack);
        desk.handle_state(v1::GuestState::default());
    }
    assert_eq!(desk.lock().allowances.0.len(), MAX_VISITORS);
}

proptest! {
    #[test]
    fn whatever_happens_a_user_sees_no_more_than_fits_and_only_their_own(
        steps in prop::collection::vec((0_u8..9, 0_u8..3, ".{0,600}"), 0..60),
    ) {
        let desk = desk();
        // Whose request the server has: it sends lines of no other.
        let mut live: Option<&str> = None;
        for (at, (kind, who, text)) in steps.into_iter().enumerate() {
            let user = ["root", "grace", "ada"][usize::from(who)];
            let now = Moment::from_micros(at as u64 * 1_000_000);
            match kind {
                0 => desk.wish(now, user, Wish::Ask(format!("of {user}: {text}"))),
                1 => desk.wish(now, user, Wish::TakeBack),
                2 => {
                    live = Some(live.unwrap_or(user));
                    desk.handle_state(state(v1::GuestPhase::Waiting, live.expect("set"), &text));
                }
                3 => if let Some(owner) = live.take() {
                    desk.handle_state(state(v1::GuestPhase::Completed, owner, &text));
                },
                4 => if let Some(owner) = live {
                    let said = format!("of {owner}: {text}");
                    desk.handle_line(&line(at as u64, &text, &said));
                },
                5 => {
                    live = None;
                    connect(&desk);
                }
                6 => {
                    posted(&desk);
                }
                7 => {
                    let line = desk.lock().unsent.back().map(|line| line.text.client_id.clone());
                    desk.handle_refused(&v1::RequestRefused {
                        client_id: line.unwrap_or_default(),
                        reason: v1::RequestRefusal::ChatFull.into(),
                    });
                }
                _ => desk.handle_lost(),
            }
            for reader in ["root", "grace", "ada"] {
                let standing = desk.standing(reader);
                let size = serde_json::to_vec(&standing).expect("plain data").len();
                prop_assert!(size <= super::super::messages::MAX_STANDING_BYTES);
                let own = format!("of {reader}:");
                let said = standing.lines.iter().map(|line| &line.text);
                let own_only = standing.unsent.iter().chain(&standing.not_taken);
                for text in said.chain(own_only) {
                    prop_assert!(text.starts_with(&own), "{reader} reads {text:?}");
                }
            }
            prop_assert!(desk.lock().unsent.len() <= MAX_UNSENT);
            prop_assert!(desk.lock().not_taken.len() <= MAX_UNSENT);
        }
    }
}
