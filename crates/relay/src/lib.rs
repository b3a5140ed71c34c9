//! The relay's decisions: which agents are here, which viewer may meet which
//! agent, what may pass between them, and when to stop waiting. Opens nothing,
//! reads no clock, draws no random numbers and never looks into a message
//! behind its four clear bytes.

mod envelope;
mod relay;
mod ticket;
mod traffic;
mod words;

pub use envelope::{Lane, MAX_SESSION_MESSAGE_BYTES, Violation, check_message};
pub use relay::{AGENT_WAIT, Relay, SESSION_WAIT};
pub use ticket::{TICKET_LIFE, Ticket};
pub use traffic::{Direction, Traffic};
pub use words::{
    CloseWhy, ControlClose, ControlId, NotAllowed, Output, Side, Tickets, UnknownSession, Usage,
};
