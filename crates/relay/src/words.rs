//! What the driver and the relay say to each other.

use gc_model::id::{MachineId, ParticipantId, SessionId};

use crate::ticket::Ticket;

/// One control connection. The driver never gives the same number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ControlId(pub u64);

/// One of the two ends of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The technician's browser.
    Viewer,
    /// The machine's agent.
    Agent,
}

/// The two tickets of a participant, made together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tickets {
    /// For the viewer; works from now on.
    pub viewer: Ticket,
    /// For the agent; works once the agent was offered the session.
    pub agent: Ticket,
}

/// Why a control connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlClose {
    /// The same machine connected again.
    Replaced,
    /// Its key was revoked, or the machine was removed.
    KeyRevoked,
    /// The server stops.
    GoingAway,
}

/// Why a participant's ends are to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseWhy {
    /// The agent's end went away.
    AgentLeft,
    /// The viewer's end went away.
    ViewerLeft,
    /// The agent did not come in time, or said that it cannot.
    AgentUnreachable,
    /// The session ended for good.
    SessionEnded,
    /// A newer viewer of the same session took its place.
    Replaced,
    /// The server stops.
    GoingAway,
}

/// What the driver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A machine came or went.
    Presence {
        /// Which.
        machine: MachineId,
        /// True when it came.
        online: bool,
    },
    /// Close a control connection.
    CloseControl {
        /// Which.
        control: ControlId,
        /// Why.
        why: ControlClose,
    },
    /// Ask an agent to open its end.
    Offer {
        /// Over which connection.
        control: ControlId,
        /// Which session.
        session: SessionId,
        /// For whom.
        participant: ParticipantId,
        /// What it must present.
        ticket: Ticket,
    },
    /// Tell an agent that a session ended.
    TellEnded {
        /// Over which connection.
        control: ControlId,
        /// Which session.
        session: SessionId,
    },
    /// Close whatever is open of this participant. The relay has forgotten it.
    CloseParticipant {
        /// Whose ends.
        participant: ParticipantId,
        /// Why.
        why: CloseWhy,
    },
    /// The first viewer of a session was joined, or the last one left.
    Live {
        /// Which session.
        session: SessionId,
        /// Of which machine.
        machine: MachineId,
        /// True when it was joined.
        live: bool,
    },
    /// Nobody came back to this session: end it.
    Abandoned {
        /// Which session.
        session: SessionId,
    },
}

/// Time and bytes of one session since they were last asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Which session.
    pub session: SessionId,
    /// Whole seconds with both ends connected; the rest is kept for later.
    pub seconds: u64,
    /// Bytes both ways.
    pub bytes: u64,
}

/// The session is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session is not open")]
pub struct UnknownSession;

/// The ticket is unknown, used, out of date, or somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ticket is not valid")]
pub struct NotAllowed;
