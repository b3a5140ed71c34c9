//! The state machine. The driver tells it what happened with `handle_…`, drains
//! [`Relay::poll_output`] after each, and calls [`Relay::handle_timeout`] when
//! [`Relay::poll_timeout`] has come.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::time::Moment;

use crate::ticket::{TICKET_LIFE, Ticket};
use crate::traffic::Traffic;
use crate::words::{
    CloseWhy, ControlClose, ControlId, NotAllowed, Output, Side, Tickets, UnknownSession, Usage,
};

/// How long a viewer waits for the agent's end.
pub const AGENT_WAIT: Duration = Duration::from_secs(10);

/// How long a session stays open without a viewer: a reload, a lost network or
/// a restarted server come back within it.
pub const SESSION_WAIT: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Debug, Default)]
pub struct Relay {
    controls: BTreeMap<MachineId, ControlId>,
    sessions: BTreeMap<SessionId, OpenSession>,
    // INVARIANT: every participant belongs to an open session, and is that
    // session's only one that has a viewer.
    participants: BTreeMap<ParticipantId, Participant>,
    // INVARIANT: a ticket stands here exactly while it can be used; using it
    // takes it out.
    tickets: BTreeMap<Ticket, (ParticipantId, Side)>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct OpenSession {
    machine: MachineId,
    empty_since: Option<Moment>,
    unreported_time: Duration,
    unreported_bytes: u64,
}

#[derive(Debug)]
struct Participant {
    session: SessionId,
    agent_ticket: Ticket,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The viewer has a ticket.
    Invited {
        viewer_ticket: Ticket,
        until: Moment,
    },
    /// The viewer is here.
    Waiting { until: Moment },
    /// Both are here.
    Live {
        counted_until: Moment,
        counted_bytes: u64,
        traffic: Arc<Traffic>,
    },
}

impl Relay {
    /// Makes a session known: a new one, or one from before a restart.
    pub fn open_session(&mut self, now: Moment, session: SessionId, machine: MachineId) {
        self.sessions.entry(session).or_insert(OpenSession {
            machine,
            empty_since: Some(now),
            unreported_time: Duration::ZERO,
            unreported_bytes: 0,
        });
    }

    /// Invites a viewer to a session. An earlier invitation that was not used ends.
    ///
    /// # Errors
    /// The session is not open.
    pub fn invite(
        &mut self,
        now: Moment,
        session: &SessionId,
        participant: ParticipantId,
        tickets: Tickets,
    ) -> Result<(), UnknownSession> {
        if !self.sessions.contains_key(session) {
            return Err(UnknownSession);
        }
        self.forget_where(|other| {
            other.session == *session && matches!(other.state, State::Invited { .. })
        });
        self.tickets
            .insert(tickets.viewer.clone(), (participant.clone(), Side::Viewer));
        let state = State::Invited {
            viewer_ticket: tickets.viewer,
            until: now + TICKET_LIFE,
        };
        let invited = Participant {
            session: session.clone(),
            agent_ticket: tickets.agent,
            state,
        };
        self.participants.insert(participant, invited);
        Ok(())
    }

    /// An agent's control connection is up. An earlier one of the same machine ends.
    pub fn handle_control_connected(&mut self, machine: &MachineId, control: ControlId) {
        let output = match self.controls.insert(machine.clone(), control) {
            Some(old) => Output::CloseControl {
                control: old,
                why: ControlClose::Replaced,
            },
            None => Output::Presence {
                machine: machine.clone(),
                online: true,
            },
        };
        self.outputs.push_back(output);
        let waiting: Vec<ParticipantId> = self
            .participants
            .iter()
            .filter(|(_, participant)| matches!(participant.state, State::Waiting { .. }))
            .filter(|(_, participant)| self.machine_of(participant) == Some(machine))
            .map(|(id, _)| id.clone())
            .collect();
        for id in waiting {
            self.offer(&id);
        }
    }

    /// A control connection is gone. Sessions go on: they have their own.
    pub fn handle_control_closed(&mut self, machine: &MachineId, control: ControlId) {
        if self.controls.get(machine) == Some(&control) {
            self.controls.remove(machine);
            self.outputs.push_back(Output::Presence {
                machine: machine.clone(),
                online: false,
            });
        }
    }

    /// A machine lost its right to be here. Its sessions are the driver's to end.
    pub fn handle_machine_revoked(&mut self, machine: &MachineId) {
        if let Some(control) = self.controls.remove(machine) {
            self.outputs.push_back(Output::CloseControl {
                control,
                why: ControlClose::KeyRevoked,
            });
            self.outputs.push_back(Output::Presence {
                machine: machine.clone(),
                online: false,
            });
        }
    }

    /// A viewer presents its ticket.
    ///
    /// # Errors
    /// The ticket does not allow it.
    pub fn handle_viewer_connected(
        &mut self,
        now: Moment,
        ticket: &Ticket,
    ) -> Result<ParticipantId, NotAllowed> {
        let id = self.redeem(now, ticket, Side::Viewer)?;
        let participant = self.participants.get_mut(&id).ok_or(NotAllowed)?;
        participant.state = State::Waiting {
            until: now + AGENT_WAIT,
        };
        let session = participant.session.clone();
        self.close_where(now, CloseWhy::Replaced, |other, participant| {
            *other != id && participant.session == session
        });
        if let Some(open) = self.sessions.get_mut(&session) {
            open.empty_since = None;
        }
        self.offer(&id);
        Ok(id)
    }

    /// An agent presents the ticket that it was offered: from now on both ends
    /// are joined, and what passes is counted in the answer.
    ///
    /// # Errors
    /// The ticket does not allow it.
    pub fn handle_agent_connected(
        &mut self,
        now: Moment,
        ticket: &Ticket,
        machine: &MachineId,
    ) -> Result<(ParticipantId, Arc<Traffic>), NotAllowed> {
        let (id, _) = self.tickets.get(ticket).ok_or(NotAllowed)?;
        let participant = self.participants.get(id).ok_or(NotAllowed)?;
        if self.machine_of(participant) != Some(machine) {
            return Err(NotAllowed);
        }
        let id = self.redeem(now, ticket, Side::Agent)?;
        let traffic = Arc::new(Traffic::default());
        let participant = self.participants.get_mut(&id).ok_or(NotAllowed)?;
        participant.state = State::Live {
            counted_until: now,
            counted_bytes: 0,
            traffic: Arc::clone(&traffic),
        };
        let session = participant.session.clone();
        self.outputs.push_back(Output::Live {
            session,
            machine: machine.clone(),
            live: true,
        });
        Ok((id, traffic))
    }

    /// An agent says that it cannot open its end of a session.
    pub fn handle_offer_failed(&mut self, now: Moment, machine: &MachineId, session: &SessionId) {
        if self
            .sessions
            .get(session)
            .is_some_and(|open| open.machine == *machine)
        {
            self.close_where(now, CloseWhy::AgentUnreachable, |_, participant| {
                participant.session == *session
                    && matches!(participant.state, State::Waiting { .. })
            });
        }
    }

    /// One end of a participant is gone.
    pub fn handle_left(&mut self, now: Moment, participant: &ParticipantId, side: Side) {
        let why = match side {
            Side::Viewer => CloseWhy::ViewerLeft,
            Side::Agent => CloseWhy::AgentLeft,
        };
        self.close_where(now, why, |id, _| id == participant);
    }

    /// A session ended for good. `None` when it was not open.
    pub fn end_session(&mut self, now: Moment, session: &SessionId) -> Option<Usage> {
        self.close_where(now, CloseWhy::SessionEnded, |_, participant| {
            participant.session == *session
        });
        let open = self.sessions.remove(session)?;
        if let Some(&control) = self.controls.get(&open.machine) {
            self.outputs.push_back(Output::TellEnded {
                control,
                session: session.clone(),
            });
        }
        // The last part of a second counts when it is the larger part.
        let seconds = (open.unreported_time + Duration::from_millis(500)).as_secs();
        Some(Usage {
            session: session.clone(),
            seconds,
            bytes: open.unreported_bytes,
        })
    }

    /// The server stops: everything is closed, sessions stay open in the database.
    pub fn handle_shutdown(&mut self, now: Moment) {
        self.close_where(now, CloseWhy::GoingAway, |_, _| true);
        for (machine, control) in std::mem::take(&mut self.controls) {
            self.outputs.push_back(Output::CloseControl {
                control,
                why: ControlClose::GoingAway,
            });
            self.outputs.push_back(Output::Presence {
                machine,
                online: false,
            });
        }
    }

    /// What every session used since the last call.
    pub fn take_usage(&mut self, now: Moment) -> Vec<Usage> {
        for participant in self.participants.values_mut() {
            if let Some(open) = self.sessions.get_mut(&participant.session) {
                count(now, participant, open);
            }
        }
        let mut usage = Vec::new();
        for (session, open) in &mut self.sessions {
            let seconds = open.unreported_time.as_secs();
            open.unreported_time -= Duration::from_secs(seconds);
            let bytes = std::mem::take(&mut open.unreported_bytes);
            if seconds > 0 || bytes > 0 {
                usage.push(Usage {
                    session: session.clone(),
                    seconds,
                    bytes,
                });
            }
        }
        usage
    }

    /// Ends what has waited too long.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.forget_where(
            |participant| matches!(participant.state, State::Invited { until, .. } if until <= now),
        );
        self.close_where(
            now,
            CloseWhy::AgentUnreachable,
            |_, participant| matches!(participant.state, State::Waiting { until } if until <= now),
        );
        for (session, open) in &mut self.sessions {
            if open
                .empty_since
                .is_some_and(|since| since + SESSION_WAIT <= now)
            {
                // Asked once more after the same wait, should ending it fail.
                open.empty_since = Some(now);
                self.outputs.push_back(Output::Abandoned {
                    session: session.clone(),
                });
            }
        }
    }

    /// When [`Relay::handle_timeout`] is next due.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let participants = self.participants.values().filter_map(|p| match p.state {
            State::Invited { until, .. } | State::Waiting { until } => Some(until),
            State::Live { .. } => None,
        });
        let sessions = self
            .sessions
            .values()
            .filter_map(|open| Some(open.empty_since? + SESSION_WAIT));
        participants.chain(sessions).min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// True while the machine's agent is connected.
    pub fn is_online(&self, machine: &MachineId) -> bool {
        self.controls.contains_key(machine)
    }

    /// Machines whose agent is connected.
    pub fn online(&self) -> impl ExactSizeIterator<Item = &MachineId> {
        self.controls.keys()
    }

    /// Open sessions of a machine.
    pub fn sessions_of(&self, machine: &MachineId) -> impl Iterator<Item = &SessionId> {
        self.sessions
            .iter()
            .filter(move |(_, open)| open.machine == *machine)
            .map(|(id, _)| id)
    }

    /// True while a viewer and the agent are connected in this session.
    pub fn is_live(&self, session: &SessionId) -> bool {
        self.participants
            .values()
            .any(|p| p.session == *session && matches!(p.state, State::Live { .. }))
    }

    /// Sessions in which a viewer and the agent are connected.
    pub fn live_count(&self) -> usize {
        self.participants
            .values()
            .filter(|p| matches!(p.state, State::Live { .. }))
            .count()
    }

    fn machine_of(&self, participant: &Participant) -> Option<&MachineId> {
        self.sessions
            .get(&participant.session)
            .map(|open| &open.machine)
    }

    fn offer(&mut self, id: &ParticipantId) {
        let Some(participant) = self.participants.get(id) else {
            return;
        };
        let Some(machine) = self.machine_of(participant) else {
            return;
        };
        let Some(&control) = self.controls.get(machine) else {
            return;
        };
        let ticket = participant.agent_ticket.clone();
        let session = participant.session.clone();
        self.tickets
            .insert(ticket.clone(), (id.clone(), Side::Agent));
        self.outputs.push_back(Output::Offer {
            control,
            session,
            participant: id.clone(),
            ticket,
        });
    }

    /// Takes a ticket out, whether or not it is still good.
    fn redeem(
        &mut self,
        now: Moment,
        ticket: &Ticket,
        side: Side,
    ) -> Result<ParticipantId, NotAllowed> {
        if self.tickets.get(ticket).is_none_or(|(_, of)| *of != side) {
            return Err(NotAllowed);
        }
        let (id, _) = self.tickets.remove(ticket).ok_or(NotAllowed)?;
        let until = match self.participants.get(&id).map(|p| &p.state) {
            Some(State::Invited { until, .. }) if side == Side::Viewer => *until,
            Some(State::Waiting { until }) if side == Side::Agent => *until,
            _ => return Err(NotAllowed),
        };
        if until <= now {
            Err(NotAllowed)
        } else {
            Ok(id)
        }
    }

    /// Drops invitations, of which nothing is open yet.
    fn forget_where(&mut self, which: impl Fn(&Participant) -> bool) {
        let gone: Vec<_> = self.participants.extract_if(.., |_, p| which(p)).collect();
        for (_, participant) in gone {
            self.drop_tickets(&participant);
        }
    }

    fn close_where(
        &mut self,
        now: Moment,
        why: CloseWhy,
        which: impl Fn(&ParticipantId, &Participant) -> bool,
    ) {
        let gone: Vec<_> = self
            .participants
            .extract_if(.., |id, p| which(id, p))
            .collect();
        for (id, mut participant) in gone {
            self.drop_tickets(&participant);
            let was_live = matches!(participant.state, State::Live { .. });
            let had_viewer = !matches!(participant.state, State::Invited { .. });
            let session = participant.session.clone();
            if let Some(open) = self.sessions.get_mut(&session) {
                count(now, &mut participant, open);
                let another = self.participants.values().any(|other| {
                    other.session == session && !matches!(other.state, State::Invited { .. })
                });
                if had_viewer && !another {
                    open.empty_since = Some(now);
                }
                if was_live {
                    let machine = open.machine.clone();
                    self.outputs.push_back(Output::Live {
                        session,
                        machine,
                        live: false,
                    });
                }
            }
            if had_viewer {
                self.outputs.push_back(Output::CloseParticipant {
                    participant: id,
                    why,
                });
            }
        }
    }

    fn drop_tickets(&mut self, participant: &Participant) {
        self.tickets.remove(&participant.agent_ticket);
        if let State::Invited { viewer_ticket, .. } = &participant.state {
            self.tickets.remove(viewer_ticket);
        }
    }
}

/// Moves a participant's time and bytes since the last count to its session.
fn count(now: Moment, participant: &mut Participant, open: &mut OpenSession) {
    if let State::Live {
        counted_until,
        counted_bytes,
        traffic,
    } = &mut participant.state
    {
        open.unreported_time += now.since(*counted_until);
        *counted_until = now;
        let bytes = traffic.total_bytes();
        open.unreported_bytes += bytes - *counted_bytes;
        *counted_bytes = bytes;
    }
}
