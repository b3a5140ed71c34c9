//! Another program's bulk transfer over the same line.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;
use gc_testkit::link::Link;

/// A TCP segment.
const SEGMENT_BYTES: usize = 1_460;

/// No session message begins like this.
const MARK: u8 = 0xff;

/// A download by TCP whose receiver takes a window of bytes ahead: each segment that arrives lets
/// another one follow, so that all that the line has room for beyond its own way stands in a queue.
pub struct Download {
    way_back: Duration,
    due: VecDeque<Moment>,
    /// All was asked for: what is on its way arrives.
    pub complete: bool,
    pub arrived_bytes: usize,
}

impl Download {
    /// One that begins now. `way_back` is what an acknowledgement takes.
    pub fn new(window_bytes: usize, way_back: Duration, now: Moment) -> Self {
        Self {
            way_back,
            complete: false,
            due: std::iter::repeat_n(now, window_bytes / SEGMENT_BYTES).collect(),
            arrived_bytes: 0,
        }
    }

    pub fn owns(message: &[u8]) -> bool {
        message.first() == Some(&MARK)
    }

    pub fn next(&self) -> Option<Moment> {
        self.due.front().copied()
    }

    pub fn go_on(&mut self, now: Moment, line: &mut Link) {
        while self.due.pop_front_if(|at| *at <= now).is_some() {
            line.send(now.as_micros(), vec![MARK; SEGMENT_BYTES]);
        }
    }

    pub fn arrived(&mut self, now: Moment, bytes: usize) {
        self.arrived_bytes += bytes;
        if !self.complete {
            self.due.push_back(now + self.way_back);
        }
    }
}
