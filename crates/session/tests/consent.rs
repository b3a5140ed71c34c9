//! What the person at the machine allows, and what nobody does without them.

mod support;

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;
use gc_proto::v1;
use gc_session::viewer::{EndCode, ViewerEvent};
use gc_session::words::TwoWords;
use gc_session::{
    Answer, CloseReason, Consent, ConsentOutcome, Elevation, Given, Host, HostConfig, HostOutput,
    Preferences, Rights, Viewer, ViewerOutput, agent_public_key,
};
use proptest::prelude::*;
use support::{Session, host_with, signed_grant, viewer};

const TIMEOUT: Duration = Duration::from_mins(1);

fn asking(config: &mut HostConfig) {
    config.consent = Consent::Required {
        timeout: TIMEOUT,
        given: None,
    };
}

/// A session that is open and whose person has not answered yet.
fn asked() -> Session {
    let mut session = Session::over(100_000_000, Duration::from_millis(10));
    session.host = host_with(asking);
    session.connect();
    session.run_for(Duration::from_millis(100));
    session
}

fn answer(session: &mut Session, answer: Answer) {
    session.host.handle_answer(session.now, 0, answer);
    session.run_for(Duration::from_millis(500));
}

fn settled(session: &Session) -> Vec<(Rights, ConsentOutcome)> {
    let settled = session.questions.iter().filter_map(|output| match output {
        HostOutput::Settled {
            rights, outcome, ..
        } => Some((*rights, *outcome)),
        _ => None,
    });
    settled.collect()
}

fn end_of(session: &Session) -> Option<EndCode> {
    session.events.iter().find_map(|event| match event {
        ViewerEvent::Ended { code, .. } => Some(*code),
        _ => None,
    })
}

fn press(session: &mut Session) {
    let now = session.now;
    session.viewer.handle_pointer(now, 5, 5, 1);
    session
        .viewer
        .handle_key(now, "KeyA", true, Some("a"), 0, false);
    session.run_for(Duration::from_millis(100));
}

const CORNER: Rect = Rect {
    x: 0,
    y: 0,
    width: 16,
    height: 16,
};

#[test]
fn nothing_is_captured_before_the_person_allows_it_and_everything_after() {
    let mut session = asked();
    session.draw(CORNER, 1);
    session.run_for(Duration::from_secs(5));
    assert_eq!(session.captures, 0);
    assert!(matches!(
        session.questions[..],
        [HostOutput::Ask {
            request_id: 0,
            rights: Rights::CONTROL,
            ..
        }]
    ));

    answer(&mut session, Answer::Allow);

    assert!(session.is_exact());
    press(&mut session);
    assert!(!session.injected.is_empty());
    assert_eq!(
        settled(&session),
        [(Rights::CONTROL, ConsentOutcome::Allowed)]
    );
}

#[test]
fn a_viewer_that_lies_about_the_answer_makes_no_input() {
    let mut session = asked();
    session.viewer.believe_for_fuzzing(Rights::CONTROL);
    press(&mut session);

    assert!(session.injected.is_empty());
    assert_eq!(session.captures, 0);
    assert!(session.ended.is_none());
}

#[test]
fn no_answer_in_time_means_no() {
    let mut session = asked();

    session.run_for(TIMEOUT + Duration::from_secs(1));

    assert_eq!(
        settled(&session),
        [(Rights::CONTROL, ConsentOutcome::TimedOut)]
    );
    assert_eq!(end_of(&session), Some(EndCode::NoAnswer));
    assert_eq!(session.captures, 0);
    session.host.handle_answer(session.now, 0, Answer::Allow);
    assert!(session.host.is_ended(), "too late is no");
}

#[test]
fn declining_ends_the_session_in_words() {
    let mut session = asked();

    answer(&mut session, Answer::Decline);

    assert_eq!(end_of(&session), Some(EndCode::Declined));
    assert_eq!(
        settled(&session),
        [(Rights::CONTROL, ConsentOutcome::Declined)]
    );
    assert_eq!(session.captures, 0);
}

#[test]
fn the_question_leaves_the_screen_when_the_technician_leaves() {
    for goodbye in [true, false] {
        let mut session = asked();

        if goodbye {
            session.viewer.handle_goodbye(session.now);
            session.run_for(Duration::from_millis(100));
        } else {
            session.host.handle_disconnected(session.now);
            session.run_for(Duration::from_millis(1));
        }

        assert_eq!(
            settled(&session),
            [(Rights::CONTROL, ConsentOutcome::Withdrawn)]
        );
    }
}

#[test]
fn control_can_be_asked_for_after_looking() {
    let mut session = Session::over(100_000_000, Duration::from_millis(10));
    session.host = host_with(asking);
    session.viewer = support::viewer_with(|config| config.preferences.view_only = true);
    session.connect();
    session.run_for(Duration::from_millis(50));
    answer(&mut session, Answer::Allow);
    assert_eq!(settled(&session), [(Rights::VIEW, ConsentOutcome::Allowed)]);
    session
        .viewer
        .handle_preferences(session.now, Preferences::default());
    session.viewer.believe_for_fuzzing(Rights::CONTROL);
    press(&mut session);
    assert!(session.injected.is_empty(), "only looking was allowed");

    let request = session.viewer.handle_request(session.now, Rights::CONTROL);
    session.run_for(Duration::from_millis(50));
    session
        .host
        .handle_answer(session.now, request, Answer::Allow);
    session.run_for(Duration::from_millis(50));
    press(&mut session);

    assert!(!session.injected.is_empty());
    assert!(session.events.contains(&ViewerEvent::Consent {
        request_id: request,
        outcome: ConsentOutcome::Allowed,
        rights: Rights::CONTROL,
    }));
}

#[test]
fn a_declined_request_for_more_leaves_the_session_as_it_was() {
    let mut session = Session::over(100_000_000, Duration::from_millis(10));
    session.host = host_with(asking);
    session.viewer = support::viewer_with(|config| config.preferences.view_only = true);
    session.connect();
    session.run_for(Duration::from_millis(50));
    answer(&mut session, Answer::Allow);

    let request = session.viewer.handle_request(session.now, Rights::CONTROL);
    session.run_for(Duration::from_millis(50));
    session
        .host
        .handle_answer(session.now, request, Answer::Decline);
    session.draw(CORNER, 7);
    session.run_for(Duration::from_secs(1));

    assert!(session.is_exact() && session.ended.is_none());
    assert_eq!(session.host.rights(), Rights::VIEW);
}

#[test]
fn a_right_that_the_grant_lacks_is_never_asked_for() {
    let mut session = Session::over(100_000_000, Duration::from_millis(10));
    session.host = host_with(asking);
    session.viewer = viewer(signed_grant(|grant| {
        grant.rights = vec![v1::Right::View.into()];
    }));
    session.connect();
    session.run_for(Duration::from_millis(50));
    answer(&mut session, Answer::Allow);

    session.viewer.handle_request(session.now, Rights::CONTROL);
    session.run_for(Duration::from_millis(50));

    assert_eq!(settled(&session), [(Rights::VIEW, ConsentOutcome::Allowed)]);
    assert_eq!(session.questions.len(), 2, "one question and its end");
}

#[test]
fn a_paused_session_shows_and_does_nothing_until_it_goes_on() {
    let mut session = asked();
    answer(&mut session, Answer::Allow);
    press(&mut session);
    let held = session.injected.len();

    session.host.handle_pause(session.now, true);
    session.run_for(Duration::from_millis(50));
    let (injected, captures) = (session.injected.len(), session.captures);
    assert!(injected > held, "what was held is released");
    session.draw(CORNER, 3);
    press(&mut session);
    session.run_for(Duration::from_secs(2));

    assert_eq!(
        (session.injected.len(), session.captures),
        (injected, captures)
    );
    assert!(!session.is_exact());
    session.host.handle_pause(session.now, false);
    session.run_for(Duration::from_secs(1));
    assert!(session.is_exact());
    assert!(session.events.contains(&ViewerEvent::Paused(true)));
    assert!(session.events.contains(&ViewerEvent::Paused(false)));
}

/// A session in which looking alone was allowed, on a machine with that way to administrator rights.
fn looking(elevation: Elevation) -> Session {
    let mut session = Session::over(100_000_000, Duration::from_millis(10));
    session.host = host_with(|config| {
        asking(config);
        config.elevation = elevation;
    });
    session.viewer = support::viewer_with(|config| config.preferences.view_only = true);
    session.connect();
    session.run_for(Duration::from_millis(50));
    answer(&mut session, Answer::Allow);
    session
}

fn request(session: &mut Session, rights: Rights, answer: Answer) {
    let request = session.viewer.handle_request(session.now, rights);
    session.run_for(Duration::from_millis(50));
    session.host.handle_answer(session.now, request, answer);
    session.run_for(Duration::from_millis(50));
}

#[test]
fn administrator_rights_are_a_question_of_their_own_each_time() {
    let mut session = looking(Elevation::Possible);
    let both = Rights {
        control: true,
        ..Rights::ELEVATION
    };

    request(&mut session, both, Answer::Allow);
    assert_eq!(settled(&session).len(), 1, "not together with anything");
    for _ in 0..2 {
        request(&mut session, Rights::ELEVATION, Answer::Allow);
    }

    let yes = (Rights::ELEVATION, ConsentOutcome::Allowed);
    assert_eq!(settled(&session)[1..], [yes, yes]);
    assert_eq!(session.host.rights(), Rights::VIEW);
}

#[test]
fn nobody_is_asked_for_administrator_rights_where_there_are_none_to_give() {
    for elevation in [Elevation::Unavailable, Elevation::Elevated] {
        let mut session = looking(elevation);

        request(&mut session, Rights::ELEVATION, Answer::Allow);

        assert_eq!(settled(&session).len(), 1);
        let told = session.events.iter().any(|event| {
            matches!(event, ViewerEvent::Connected { elevation: told, asks_person: true, .. } if *told == elevation)
        });
        assert!(told, "{:?}", session.events);
    }
}

#[test]
fn a_viewer_can_not_press_the_answer_to_a_question_on_the_screen() {
    let mut session = asked();
    answer(&mut session, Answer::Allow);
    press(&mut session);
    let held = session.injected.len();

    session.host.handle_hold(session.now, true);
    session.run_for(Duration::from_millis(50));
    let released = session.injected.len();
    press(&mut session);
    session.run_for(Duration::from_millis(50));

    assert!(released > held, "what was held is released");
    assert_eq!(session.injected.len(), released);
    session.draw(CORNER, 3);
    session.run_for(Duration::from_secs(1));
    assert!(session.is_exact(), "it is still seen");
    session.host.handle_hold(session.now, false);
    press(&mut session);
    session.run_for(Duration::from_millis(50));
    assert!(session.injected.len() > released);
}

#[test]
fn what_was_allowed_lasts_for_the_same_technician_on_a_new_connection() {
    for (technician, captured) in [("Ada", true), ("Eve", false)] {
        let mut session = Session::over(100_000_000, Duration::from_millis(10));
        session.host = host_with(|config| {
            config.consent = Consent::Required {
                timeout: TIMEOUT,
                given: Some(Given {
                    technician: technician.to_owned(),
                    rights: Rights::CONTROL,
                }),
            };
        });
        session.connect();
        session.run_for(Duration::from_secs(1));

        assert_eq!(session.captures > 0, captured, "{technician}");
    }
}

#[test]
fn disconnecting_at_the_machine_says_so() {
    let mut session = asked();
    answer(&mut session, Answer::Allow);

    session.host.close(session.now, CloseReason::EndedByPerson);
    session.run_for(Duration::from_millis(100));

    assert_eq!(end_of(&session), Some(EndCode::EndedByPerson));
}

/// Carries messages until both are silent; the words at both ends.
fn exchange(host: &mut Host, viewer: &mut Viewer) -> (Option<TwoWords>, Option<TwoWords>) {
    let mut words = (None, None);
    loop {
        let mut silent = true;
        while let Some(output) = viewer.poll_output() {
            match output {
                ViewerOutput::Send(message) => {
                    silent = false;
                    host.handle_message(Moment::ZERO, &message);
                }
                ViewerOutput::Event(ViewerEvent::Connected { words: told, .. }) => {
                    words.1 = Some(told);
                }
                _ => {}
            }
        }
        while let Some(output) = host.poll_output() {
            match output {
                HostOutput::Send(message) => {
                    silent = false;
                    viewer.handle_message(Moment::ZERO, &message);
                }
                HostOutput::Words(told) => words.0 = Some(told),
                _ => {}
            }
        }
        if silent {
            return words;
        }
    }
}

#[test]
fn a_relay_in_the_middle_shows_other_words_on_each_side() {
    let mut differ = 0;
    for seed in 0..20 {
        // The relay pretends to be the machine, with a key that the server's word names.
        let middle_key = agent_public_key(&[66; 32]).expect("32 bytes");
        let mut viewer = support::viewer_with(|config| {
            config.seed = [seed; 32];
            config.agent_public_key = middle_key;
        });
        let mut middle_host = host_with(|config| {
            asking(config);
            config.static_secret = [66; 32];
            config.seed = [seed + 50; 32];
        });
        let mut middle_viewer = support::viewer_with(|config| config.seed = [seed + 100; 32]);
        let mut host = host_with(|config| {
            asking(config);
            config.seed = [seed + 150; 32];
        });

        let (_, at_technician) = exchange(&mut middle_host, &mut viewer);
        let (at_machine, _) = exchange(&mut host, &mut middle_viewer);

        assert!(at_technician.is_some() && at_machine.is_some());
        differ += usize::from(at_technician != at_machine);
    }
    assert_eq!(differ, 20);
}

proptest! {
    #[test]
    fn both_ends_show_the_same_words(host_seed in any::<[u8; 32]>(), viewer_seed in any::<[u8; 32]>()) {
        let mut host = host_with(|config| { asking(config); config.seed = host_seed; });
        let mut viewer = support::viewer_with(|config| config.seed = viewer_seed);

        let (at_machine, at_technician) = exchange(&mut host, &mut viewer);

        prop_assert!(at_machine.is_some());
        prop_assert_eq!(at_machine, at_technician);
    }

    /// Whatever the people do in whatever order: no right without a yes, and nothing held while paused.
    #[test]
    fn rights_come_from_answers_only(steps in prop::collection::vec((0_u8..7, any::<bool>(), 0_u32..3), 0..40)) {
        let mut session = asked();
        let mut yes = 0;
        for (step, flag, number) in steps {
            let now = session.now;
            match step {
                0 => {
                    let answer = if flag { Answer::Allow } else { Answer::Decline };
                    yes += usize::from(flag);
                    session.host.handle_answer(now, number, answer);
                }
                1 => session.host.handle_pause(now, flag),
                2 => { session.viewer.handle_request(now, Rights::CONTROL); }
                3 => { session.viewer.believe_for_fuzzing(Rights::CONTROL); press(&mut session); }
                4 => session.run_for(Duration::from_secs(u64::from(number) * 20)),
                5 => session.draw(CORNER, number),
                _ => session.viewer.handle_refresh(now),
            }
            session.run_for(Duration::from_millis(20));
            prop_assert!(yes > 0 || (session.captures == 0 && session.injected.is_empty()));
        }
    }
}
