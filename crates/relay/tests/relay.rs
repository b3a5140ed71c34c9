//! What the relay promises, told event by event, and then held against random
//! sequences of events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::time::Moment;
use gc_relay::{
    AGENT_WAIT, CloseWhy, ControlClose, ControlId, Direction, NotAllowed, Output, Relay,
    SESSION_WAIT, Side, TICKET_LIFE, Ticket, Tickets, Usage,
};
use proptest::prelude::*;

const START: Moment = Moment::from_micros(1_000_000);

fn machine(name: &str) -> MachineId {
    MachineId::parse(name).expect("an id")
}

fn session(name: &str) -> SessionId {
    SessionId::parse(name).expect("an id")
}

fn participant(name: &str) -> ParticipantId {
    ParticipantId::parse(name).expect("an id")
}

fn ticket(number: u64) -> Ticket {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Ticket::from_random(bytes)
}

fn tickets(number: u64) -> Tickets {
    Tickets {
        viewer: ticket(2 * number),
        agent: ticket(2 * number + 1),
    }
}

fn outputs(relay: &mut Relay) -> Vec<Output> {
    std::iter::from_fn(|| relay.poll_output()).collect()
}

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

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(u64),
    Connect(u8),
    Disconnect(u8),
    Revoke(u8),
    Open(u8),
    Invite(u8),
    Viewer(u64),
    Agent(u64, u8),
    OfferFailed(u8, u8),
    Left(u64, bool),
    End(u8),
    Count,
}

fn step() -> impl Strategy<Value = Step> {
    let small = 0..3_u8;
    let number = 0..24_u64;
    prop_oneof![
        1 => (0..40_000_u64).prop_map(Step::Wait),
        1 => small.clone().prop_map(Step::Connect),
        1 => small.clone().prop_map(Step::Disconnect),
        1 => small.clone().prop_map(Step::Revoke),
        1 => small.clone().prop_map(Step::Open),
        3 => small.clone().prop_map(Step::Invite),
        4 => number.clone().prop_map(Step::Viewer),
        4 => (number.clone(), small.clone()).prop_map(|(n, m)| Step::Agent(n, m)),
        1 => (small.clone(), small.clone()).prop_map(|(m, s)| Step::OfferFailed(m, s)),
        1 => (number, any::<bool>()).prop_map(|(n, viewer)| Step::Left(n, viewer)),
        1 => small.prop_map(Step::End),
        1 => Just(Step::Count),
    ]
}

/// What must be true, kept beside the relay from its answers alone.
#[derive(Default)]
struct Model {
    relay: Relay,
    now: Moment,
    invitations: u64,
    controls: u64,
    used: BTreeSet<Ticket>,
    offered: BTreeMap<Ticket, (ParticipantId, SessionId)>,
    /// Session of every participant whose viewer is connected.
    viewers: BTreeMap<ParticipantId, SessionId>,
    joined: BTreeSet<ParticipantId>,
    open: BTreeSet<SessionId>,
}

impl Model {
    fn play(&mut self, step: Step) {
        let machine = |n: u8| machine(&format!("m{n}"));
        // Session n is of machine n: what is offered can be checked.
        let session = |n: u8| session(&format!("s{n}"));
        let name = |n: u64| participant(&format!("p{n}"));
        match step {
            Step::Wait(millis) => {
                self.now = self.now + Duration::from_millis(millis);
                self.relay.handle_timeout(self.now);
            }
            Step::Connect(m) => {
                self.controls += 1;
                self.relay
                    .handle_control_connected(&machine(m), ControlId(self.controls));
            }
            Step::Disconnect(m) => {
                self.relay
                    .handle_control_closed(&machine(m), ControlId(self.controls));
            }
            Step::Revoke(m) => self.relay.handle_machine_revoked(&machine(m)),
            Step::Open(s) => {
                self.open.insert(session(s));
                self.relay.open_session(self.now, session(s), machine(s));
            }
            Step::Invite(s) => {
                let n = self.invitations;
                let invited = self
                    .relay
                    .invite(self.now, &session(s), name(n), tickets(n));
                assert_eq!(invited.is_ok(), self.open.contains(&session(s)));
                self.invitations += u64::from(invited.is_ok());
            }
            Step::Viewer(n) => {
                let ticket = tickets(n).viewer;
                if let Ok(who) = self.relay.handle_viewer_connected(self.now, &ticket) {
                    assert!(self.used.insert(ticket), "a viewer's ticket worked twice");
                    assert_eq!(who, name(n));
                    self.drain();
                    self.viewers.insert(who, self.session_of(n));
                }
            }
            Step::Agent(n, m) => {
                let ticket = tickets(n).agent;
                let met = self
                    .relay
                    .handle_agent_connected(self.now, &ticket, &machine(m));
                if let Ok((who, _)) = met {
                    assert!(
                        self.used.insert(ticket.clone()),
                        "an agent's ticket worked twice"
                    );
                    let (offered_to, of) =
                        self.offered.get(&ticket).expect("joined without an offer");
                    assert_eq!(
                        (offered_to, of),
                        (&who, &session(m)),
                        "a foreign machine joined"
                    );
                    assert!(self.viewers.contains_key(&who), "joined without a viewer");
                    assert!(self.joined.insert(who), "joined twice");
                }
            }
            Step::OfferFailed(m, s) => {
                self.relay
                    .handle_offer_failed(self.now, &machine(m), &session(s));
            }
            Step::Left(n, viewer) => {
                let side = if viewer { Side::Viewer } else { Side::Agent };
                self.relay.handle_left(self.now, &name(n), side);
            }
            Step::End(s) => {
                let ended = self.relay.end_session(self.now, &session(s));
                assert_eq!(ended.is_some(), self.open.remove(&session(s)));
                self.drain();
                let left = self.viewers.values().any(|of| *of == session(s));
                assert!(!left, "an ended session has a live end");
            }
            Step::Count => drop(self.relay.take_usage(self.now)),
        }
        self.drain();
        self.check();
    }

    fn session_of(&self, n: u64) -> SessionId {
        let ticket = tickets(n).agent;
        match self.offered.get(&ticket) {
            Some((_, session)) => session.clone(),
            // Not offered while its machine is away: any open one will do, the
            // relay names it when it closes.
            None => session("unknown"),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.relay.poll_output() {
            match output {
                Output::Offer {
                    participant,
                    session,
                    ticket,
                    ..
                } => {
                    if let Some(of) = self.viewers.get_mut(&participant) {
                        *of = session.clone();
                    }
                    assert!(!self.used.contains(&ticket), "a used ticket was offered");
                    self.offered.insert(ticket, (participant, session));
                }
                Output::CloseParticipant { participant, .. } => {
                    self.viewers.remove(&participant);
                    self.joined.remove(&participant);
                }
                Output::Presence { .. }
                | Output::CloseControl { .. }
                | Output::TellEnded { .. }
                | Output::Live { .. }
                | Output::Abandoned { .. } => {}
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.relay.live_count(), self.joined.len());
        let machines = ["m0", "m1", "m2"].map(machine);
        let open = machines
            .iter()
            .flat_map(|machine| self.relay.sessions_of(machine));
        assert_eq!(open.cloned().collect::<BTreeSet<_>>(), self.open);
        let mut viewed = BTreeSet::new();
        for (who, of) in self
            .viewers
            .iter()
            .filter(|(_, of)| of.as_str() != "unknown")
        {
            assert!(viewed.insert(of), "two viewers in one session: {who}");
            assert!(
                self.open.contains(of),
                "a viewer in a session that is not open"
            );
        }
        if let Some(due) = self.relay.poll_timeout() {
            assert!(due + SESSION_WAIT >= self.now, "a deadline was forgotten");
        }
    }
}

proptest! {
    #[test]
    fn no_sequence_of_events_breaks_a_promise(steps in prop::collection::vec(step(), 1..120)) {
        let mut model = Model::default();
        for step in steps {
            model.play(step);
        }
    }
}
