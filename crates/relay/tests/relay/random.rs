//! Any sequence of events, against a model that only knows the relay's answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gc_model::id::{ParticipantId, SessionId};
use gc_model::time::Moment;
use gc_relay::{ControlId, Output, Relay, SESSION_WAIT, Side, Ticket};
use proptest::prelude::*;

use crate::{machine, participant, session, tickets};

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
