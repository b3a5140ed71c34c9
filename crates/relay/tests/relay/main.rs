//! What the relay promises: told event by event, and held against random
//! sequences of events.

mod promises;
mod random;

use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::time::Moment;
use gc_relay::{Output, Relay, Ticket, Tickets};

pub(crate) const START: Moment = Moment::from_micros(1_000_000);

pub(crate) fn machine(name: &str) -> MachineId {
    MachineId::parse(name).expect("an id")
}

pub(crate) fn session(name: &str) -> SessionId {
    SessionId::parse(name).expect("an id")
}

pub(crate) fn participant(name: &str) -> ParticipantId {
    ParticipantId::parse(name).expect("an id")
}

pub(crate) fn ticket(number: u64) -> Ticket {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Ticket::from_random(bytes)
}

pub(crate) fn tickets(number: u64) -> Tickets {
    Tickets {
        viewer: ticket(2 * number),
        agent: ticket(2 * number + 1),
    }
}

pub(crate) fn outputs(relay: &mut Relay) -> Vec<Output> {
    std::iter::from_fn(|| relay.poll_output()).collect()
}
