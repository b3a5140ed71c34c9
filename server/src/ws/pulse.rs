//! Noticing peers that are gone without a word.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// How often the server asks a peer for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(10);

/// A peer that was silent for so long is gone: two answers missing, and some.
const SILENCE: Duration = Duration::from_secs(25);

/// When to ping, and how long since the peer was heard.
pub(super) struct Pulse {
    pings: Interval,
    silent_at: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let mut pings = interval_at(now + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            pings,
            silent_at: now + SILENCE,
        }
    }

    /// The peer said something.
    pub(super) fn heard(&mut self) {
        self.silent_at = Instant::now() + SILENCE;
    }

    /// Nobody listened for so long: that is no silence of the peer.
    pub(super) fn not_listened(&mut self, time: Duration) {
        self.silent_at += time;
    }

    /// When the peer counts as gone.
    pub(super) fn silent_at(&self) -> Instant {
        self.silent_at
    }

    /// Waits until a ping is due. Safe to drop and call again.
    pub(super) async fn ping_due(&mut self) {
        self.pings.tick().await;
    }
}
