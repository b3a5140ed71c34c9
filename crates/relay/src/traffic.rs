//! What passed between one viewer and its agent. Shared with the tasks that
//! carry the messages, so that counting needs no lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Input and acknowledgements.
    ToAgent,
    /// The picture.
    ToViewer,
}

/// Bytes and messages, each direction.
#[derive(Debug, Default)]
pub struct Traffic {
    to_agent: Counter,
    to_viewer: Counter,
}

#[derive(Debug, Default)]
struct Counter {
    bytes: AtomicU64,
    messages: AtomicU64,
}

impl Traffic {
    /// Notes one message that was passed on.
    pub fn record(&self, direction: Direction, bytes: usize) {
        let counter = self.counter(direction);
        counter.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        counter.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of one direction so far.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.counter(direction).bytes.load(Ordering::Relaxed)
    }

    /// Messages of one direction so far.
    pub fn messages(&self, direction: Direction) -> u64 {
        self.counter(direction).messages.load(Ordering::Relaxed)
    }

    /// Bytes of both directions so far.
    pub fn total_bytes(&self) -> u64 {
        self.bytes(Direction::ToAgent) + self.bytes(Direction::ToViewer)
    }

    fn counter(&self, direction: Direction) -> &Counter {
        match direction {
            Direction::ToAgent => &self.to_agent,
            Direction::ToViewer => &self.to_viewer,
        }
    }
}
