//! Orders about the machine as a whole, on their way to its agent and back.

use std::collections::HashMap;

use gc_model::id::MachineId;
use gc_model::power::PowerAction;
use tokio::sync::oneshot;

use super::{ControlCommand, Hub, tell};

/// Orders of one server that wait for an answer; further ones are refused.
const MAX_WAITING: usize = 1_000;

/// What connected agents were told.
#[derive(Default)]
pub(super) struct Orders {
    waiting: HashMap<u64, (MachineId, oneshot::Sender<PowerAnswer>)>,
    last: u64,
}

impl Orders {
    /// Whoever waits hears that nobody answers any more.
    pub(super) fn drop_all_of(&mut self, machine: &MachineId) {
        self.waiting.retain(|_, (of, _)| of != machine);
    }
}

/// An order that was given.
#[derive(Debug)]
pub(crate) struct PowerWish {
    pub(crate) action: PowerAction,
    /// 0 leaves it to the agent.
    pub(crate) return_after_seconds: u32,
    pub(crate) technician: String,
}

/// Whose login an order was about, empty for none; or why it was not done.
pub(crate) type PowerAnswer = Result<String, String>;

/// Where an order's answer comes, and the number to give it up by.
pub(crate) struct Ordered {
    pub(crate) number: u64,
    /// Closed without an answer when the agent is gone.
    pub(crate) answer: oneshot::Receiver<PowerAnswer>,
}

impl Hub {
    /// What can be ordered of a machine now.
    pub(crate) fn power_actions(&self, machine: &MachineId) -> Vec<PowerAction> {
        self.lock().power_actions(machine)
    }

    /// Gives an order to a machine's agent; `None` when it is not connected, or takes none.
    pub(crate) fn order_power(&self, machine: &MachineId, wish: PowerWish) -> Option<Ordered> {
        let mut state = self.lock();
        let connection = state.connections.get(machine)?;
        if !connection.power_actions.contains(&wish.action) {
            return None;
        }
        let control = connection.control;
        if state.orders.waiting.len() >= MAX_WAITING {
            return None;
        }
        state.orders.last += 1;
        let number = state.orders.last;
        let (sender, answer) = oneshot::channel();
        state
            .orders
            .waiting
            .insert(number, (machine.clone(), sender));
        let command = ControlCommand::Power { number, wish };
        tell(&mut state.controls, control, command);
        Some(Ordered { number, answer })
    }

    /// Nobody waits for the answer of that order any more.
    pub(crate) fn give_up_power(&self, number: u64) {
        self.lock().orders.waiting.remove(&number);
    }

    /// An agent says what became of an order. Answers to orders of other machines count for nothing.
    pub(crate) fn power_answered(&self, machine: &MachineId, number: u64, result: PowerAnswer) {
        let mut state = self.lock();
        let is_theirs = |(of, _): &(MachineId, _)| of == machine;
        if state.orders.waiting.get(&number).is_some_and(is_theirs)
            && let Some((_, sender)) = state.orders.waiting.remove(&number)
        {
            // Whoever asked may have gone.
            let _gone = sender.send(result);
        }
    }
}
