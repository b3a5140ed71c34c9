//! One promise after the other.

use std::time::Duration;

use gc_relay::{
    AGENT_WAIT, CloseWhy, ControlClose, ControlId, Direction, NotAllowed, Output, Relay,
    SESSION_WAIT, Side, TICKET_LIFE, Usage,
};

use crate::{START, machine, outputs, participant, session, tickets};

/// Machine `desk` is connected, session `s` is open, participant `p1` is invited.
fn invited() -> Relay {
    let mut relay = Relay::default();
    relay.handle_control_connected(&machine("desk"), ControlId(1));
    relay.open_session(START, session("s"), machine("desk"));
    relay
        .invite(START, &session("s"), participant("p1"), tickets(1))
        .expect("the session is open");
    outputs(&mut relay);
    relay
}

/// The same, with both ends of `p1` connected.
fn joined() -> Relay {
    let mut relay = invited();
    let tickets = tickets(1);
    relay
        .handle_viewer_connected(START, &tickets.viewer)
        .expect("invited");
    relay
        .handle_agent_connected(START, &tickets.agent, &machine("desk"))
        .expect("offered");
    outputs(&mut relay);
    relay
}

#[test]
fn a_viewer_meets_the_agent_that_was_asked_for_it() {
    let mut relay = invited();
    let tickets = tickets(1);

    let waiting = relay.handle_viewer_connected(START, &tickets.viewer);
    let offer = outputs(&mut relay);
    let (met, _) = relay
        .handle_agent_connected(START, &tickets.agent, &machine("desk"))
        .expect("offered");

    assert_eq!(waiting, Ok(participant("p1")));
    assert_eq!(
        offer,
        [Output::Offer {
            control: ControlId(1),
            session: session("s"),
            participant: participant("p1"),
            ticket: tickets.agent,
        }]
    );
    assert_eq!(met, participant("p1"));
    let live = Output::Live {
        session: session("s"),
        machine: machine("desk"),
        live: true,
    };
    assert_eq!(outputs(&mut relay), [live]);
    assert!(relay.is_live(&session("s")));
}

#[test]
fn tickets_work_once_for_their_side_and_in_time() {
    let tickets = tickets(1);
    let mut relay = invited();
    assert_eq!(
        relay.handle_viewer_connected(START, &tickets.agent),
        Err(NotAllowed)
    );
    let too_early = relay.handle_agent_connected(START, &tickets.agent, &machine("desk"));
    assert!(too_early.is_err());
    assert!(
        relay
            .handle_viewer_connected(START, &tickets.viewer)
            .is_ok()
    );
    assert_eq!(
        relay.handle_viewer_connected(START, &tickets.viewer),
        Err(NotAllowed)
    );

    let other = relay.handle_agent_connected(START, &tickets.agent, &machine("other"));
    assert!(other.is_err(), "another machine's agent");
    assert!(
        relay
            .handle_agent_connected(START, &tickets.agent, &machine("desk"))
            .is_ok()
    );
    assert!(
        relay
            .handle_agent_connected(START, &tickets.agent, &machine("desk"))
            .is_err()
    );

    let mut relay = invited();
    let late = relay.handle_viewer_connected(START + TICKET_LIFE, &tickets.viewer);
    assert_eq!(late, Err(NotAllowed));
}

#[test]
fn a_new_invitation_takes_the_unused_one_back() {
    let mut relay = invited();
    relay
        .invite(START, &session("s"), participant("p2"), tickets(2))
        .expect("open");

    assert_eq!(
        relay.handle_viewer_connected(START, &tickets(1).viewer),
        Err(NotAllowed)
    );
    assert_eq!(
        relay.handle_viewer_connected(START, &tickets(2).viewer),
        Ok(participant("p2"))
    );
}

#[test]
fn a_viewer_who_comes_back_takes_the_place_of_the_old_one() {
    let mut relay = joined();
    relay
        .invite(START, &session("s"), participant("p2"), tickets(2))
        .expect("open");
    assert!(relay.is_live(&session("s")), "until the new viewer is here");

    relay
        .handle_viewer_connected(START, &tickets(2).viewer)
        .expect("invited");

    let outputs = outputs(&mut relay);
    let replaced = Output::CloseParticipant {
        participant: participant("p1"),
        why: CloseWhy::Replaced,
    };
    assert!(outputs.contains(&replaced), "{outputs:?}");
    assert!(
        matches!(outputs.last(), Some(Output::Offer { .. })),
        "{outputs:?}"
    );
}

#[test]
fn who_is_left_hears_that_the_other_end_went() {
    for (side, why) in [
        (Side::Agent, CloseWhy::AgentLeft),
        (Side::Viewer, CloseWhy::ViewerLeft),
    ] {
        let mut relay = joined();
        relay.handle_left(START, &participant("p1"), side);

        let gone = Output::Live {
            session: session("s"),
            machine: machine("desk"),
            live: false,
        };
        let close = Output::CloseParticipant {
            participant: participant("p1"),
            why,
        };
        assert_eq!(outputs(&mut relay), [gone, close]);
        relay.handle_left(START, &participant("p1"), Side::Viewer);
        assert_eq!(outputs(&mut relay), []);
    }
}

#[test]
fn a_viewer_waits_ten_seconds_for_the_agent() {
    let mut relay = invited();
    relay
        .handle_viewer_connected(START, &tickets(1).viewer)
        .expect("invited");
    outputs(&mut relay);
    assert_eq!(relay.poll_timeout(), Some(START + AGENT_WAIT));

    relay.handle_timeout(START + AGENT_WAIT);

    let unreachable = CloseWhy::AgentUnreachable;
    let close = Output::CloseParticipant {
        participant: participant("p1"),
        why: unreachable,
    };
    assert_eq!(outputs(&mut relay), [close]);
    let late =
        relay.handle_agent_connected(START + AGENT_WAIT, &tickets(1).agent, &machine("desk"));
    assert!(late.is_err());
}

#[test]
fn an_agent_that_reconnects_is_asked_again_for_waiting_viewers() {
    let mut relay = invited();
    relay.handle_control_closed(&machine("desk"), ControlId(1));
    relay
        .handle_viewer_connected(START, &tickets(1).viewer)
        .expect("invited");
    let offline = Output::Presence {
        machine: machine("desk"),
        online: false,
    };
    assert_eq!(outputs(&mut relay), [offline], "nobody to ask");

    relay.handle_control_connected(&machine("desk"), ControlId(2));

    let outputs = outputs(&mut relay);
    let asked = |output: &Output| {
        matches!(
            output,
            Output::Offer {
                control: ControlId(2),
                ..
            }
        )
    };
    assert!(outputs.iter().any(asked), "{outputs:?}");
}

#[test]
fn an_agent_that_cannot_come_ends_the_wait_at_once() {
    let mut relay = invited();
    relay
        .handle_viewer_connected(START, &tickets(1).viewer)
        .expect("invited");
    outputs(&mut relay);

    relay.handle_offer_failed(START, &machine("other"), &session("s"));
    assert_eq!(outputs(&mut relay), [], "not its session");
    relay.handle_offer_failed(START, &machine("desk"), &session("s"));

    let unreachable = CloseWhy::AgentUnreachable;
    let close = Output::CloseParticipant {
        participant: participant("p1"),
        why: unreachable,
    };
    assert_eq!(outputs(&mut relay), [close]);
}

#[test]
fn a_second_control_connection_replaces_the_first() {
    let mut relay = Relay::default();
    relay.handle_control_connected(&machine("desk"), ControlId(1));
    relay.handle_control_connected(&machine("desk"), ControlId(2));
    // The first one's end arrives late.
    relay.handle_control_closed(&machine("desk"), ControlId(1));

    let online = Output::Presence {
        machine: machine("desk"),
        online: true,
    };
    let replaced = ControlClose::Replaced;
    let close = Output::CloseControl {
        control: ControlId(1),
        why: replaced,
    };
    assert_eq!(outputs(&mut relay), [online, close]);
    assert!(relay.is_online(&machine("desk")));
}

#[test]
fn an_ended_session_closes_everything_and_tells_the_agent() {
    let mut relay = joined();
    relay
        .invite(START, &session("s"), participant("p2"), tickets(2))
        .expect("open");

    let usage = relay.end_session(START, &session("s"));

    assert_eq!(
        usage,
        Some(Usage {
            session: session("s"),
            seconds: 0,
            bytes: 0
        })
    );
    let ended = CloseWhy::SessionEnded;
    let outputs = outputs(&mut relay);
    let close = Output::CloseParticipant {
        participant: participant("p1"),
        why: ended,
    };
    let tell = Output::TellEnded {
        control: ControlId(1),
        session: session("s"),
    };
    assert!(
        outputs.contains(&close) && outputs.contains(&tell),
        "{outputs:?}"
    );
    assert_eq!(
        relay.handle_viewer_connected(START, &tickets(2).viewer),
        Err(NotAllowed)
    );
    assert!(
        relay
            .invite(START, &session("s"), participant("p3"), tickets(3))
            .is_err()
    );
    assert_eq!(relay.end_session(START, &session("s")), None);
}

#[test]
fn a_session_without_a_viewer_is_abandoned_after_a_minute() {
    let mut relay = joined();
    let left = START + Duration::from_secs(100);
    relay.handle_timeout(left);
    assert_eq!(outputs(&mut relay), [], "a viewer is here");
    relay.handle_left(left, &participant("p1"), Side::Viewer);
    outputs(&mut relay);
    assert_eq!(relay.poll_timeout(), Some(left + SESSION_WAIT));

    relay.handle_timeout(left + SESSION_WAIT);

    assert_eq!(
        outputs(&mut relay),
        [Output::Abandoned {
            session: session("s")
        }]
    );
}

#[test]
fn a_revoked_machine_is_disconnected() {
    let mut relay = joined();

    relay.handle_machine_revoked(&machine("desk"));

    let why = ControlClose::KeyRevoked;
    let close = Output::CloseControl {
        control: ControlId(1),
        why,
    };
    assert_eq!(outputs(&mut relay)[0], close);
    assert!(!relay.is_online(&machine("desk")));
    assert_eq!(
        relay.sessions_of(&machine("desk")).count(),
        1,
        "for the driver to end"
    );
}

#[test]
fn stopping_closes_everything_and_leaves_sessions_to_come_back_to() {
    let mut relay = joined();

    relay.handle_shutdown(START);

    let outputs = outputs(&mut relay);
    let away = CloseWhy::GoingAway;
    let close = Output::CloseParticipant {
        participant: participant("p1"),
        why: away,
    };
    assert!(outputs.contains(&close), "{outputs:?}");
    let control = Output::CloseControl {
        control: ControlId(1),
        why: ControlClose::GoingAway,
    };
    assert!(outputs.contains(&control), "{outputs:?}");
    assert!(
        !outputs
            .iter()
            .any(|output| matches!(output, Output::Abandoned { .. }))
    );
}

#[test]
fn time_and_bytes_of_every_viewer_are_counted_once() {
    let mut relay = invited();
    relay
        .handle_viewer_connected(START, &tickets(1).viewer)
        .expect("invited");
    let later = |millis| START + Duration::from_millis(millis);
    let (_, traffic) = relay
        .handle_agent_connected(later(1_000), &tickets(1).agent, &machine("desk"))
        .expect("offered");
    let used = |seconds, bytes| {
        vec![Usage {
            session: session("s"),
            seconds,
            bytes,
        }]
    };

    traffic.record(Direction::ToViewer, 1_000);
    traffic.record(Direction::ToAgent, 24);
    assert_eq!(relay.take_usage(later(3_700)), used(2, 1_024));
    assert_eq!(relay.take_usage(later(3_900)), []);
    traffic.record(Direction::ToViewer, 1);
    relay.handle_left(later(4_200), &participant("p1"), Side::Viewer);

    // 3.2 seconds in all, 2 of them told before.
    assert_eq!(relay.take_usage(later(9_000)), used(1, 1));
    assert_eq!(
        relay
            .end_session(later(9_000), &session("s"))
            .map(|used| used.seconds),
        Some(0)
    );
    assert_eq!(
        (
            traffic.messages(Direction::ToViewer),
            traffic.bytes(Direction::ToAgent)
        ),
        (2, 24)
    );
}
