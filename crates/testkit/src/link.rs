//! A network link in virtual time: a rate, a delay and an endless queue, the
//! worst that a relay and two TCP connections can be.

use std::collections::VecDeque;
use std::time::Duration;

/// One direction of a link. Times are microseconds of the caller's clock.
pub struct Link {
    bytes_per_second: f64,
    delay: Duration,
    now_us: f64,
    /// Waiting to be sent; what is left of the first one.
    queue: VecDeque<Vec<u8>>,
    left_of_first: f64,
    arriving: VecDeque<(f64, Vec<u8>)>,
    carried: u64,
}

impl Link {
    /// A link of `bits_per_second` whose bytes travel for `delay`.
    pub fn new(bits_per_second: u64, delay: Duration) -> Self {
        Self {
            bytes_per_second: bits_per_second as f64 / 8.0,
            delay,
            now_us: 0.0,
            queue: VecDeque::new(),
            left_of_first: 0.0,
            arriving: VecDeque::new(),
            carried: 0,
        }
    }

    /// Changes the rate from `now_us` on; 0 is an outage.
    pub fn set_rate(&mut self, now_us: u64, bits_per_second: u64) {
        self.advance(now_us as f64);
        self.bytes_per_second = bits_per_second as f64 / 8.0;
    }

    /// Changes how long bytes travel that are sent from now on.
    pub fn set_delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    /// Hands a message to the link.
    pub fn send(&mut self, now_us: u64, message: Vec<u8>) {
        self.advance(now_us as f64);
        if self.queue.is_empty() {
            self.left_of_first = message.len() as f64;
        }
        self.queue.push_back(message);
    }

    /// The next message that arrived by `now_us`.
    pub fn receive(&mut self, now_us: u64) -> Option<Vec<u8>> {
        self.advance(now_us as f64);
        if self.arriving.front()?.0 <= now_us as f64 {
            return self.arriving.pop_front().map(|(_, message)| message);
        }
        None
    }

    /// When to look again; `None` while nothing is on its way (or nothing moves).
    pub fn next_event_us(&self) -> Option<u64> {
        let arrival = self.arriving.front().map(|&(at, _)| at);
        let sent = (!self.queue.is_empty() && self.bytes_per_second > 0.0)
            .then(|| self.now_us + self.left_of_first / self.bytes_per_second * 1e6);
        let next = [arrival, sent].into_iter().flatten().reduce(f64::min)?;
        Some(next.ceil() as u64)
    }

    /// Lets the link send until `now_us`, whether or not anybody receives.
    pub fn pass_time(&mut self, now_us: u64) {
        self.advance(now_us as f64);
    }

    /// Bytes that wait to be sent.
    pub fn queued_bytes(&self) -> usize {
        let rest: usize = self.queue.iter().skip(1).map(Vec::len).sum();
        rest + if self.queue.is_empty() {
            0
        } else {
            self.left_of_first as usize
        }
    }

    /// Bytes sent so far.
    pub fn carried_bytes(&self) -> u64 {
        self.carried
    }

    fn advance(&mut self, to_us: f64) {
        while let Some(first) = self.queue.front() {
            if self.bytes_per_second <= 0.0 {
                break;
            }
            let needed_us = self.left_of_first / self.bytes_per_second * 1e6;
            if self.now_us + needed_us > to_us {
                self.left_of_first -= (to_us - self.now_us).max(0.0) * self.bytes_per_second / 1e6;
                break;
            }
            self.now_us += needed_us;
            self.carried += first.len() as u64;
            let message = self.queue.pop_front().expect("just looked at it");
            self.arriving
                .push_back((self.now_us + self.delay.as_micros() as f64, message));
            self.left_of_first = self.queue.front().map_or(0.0, |next| next.len() as f64);
        }
        self.now_us = self.now_us.max(to_us);
    }
}
