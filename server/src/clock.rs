//! The only place of this program that reads a clock.

use std::time::Instant;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use gc_model::time::Moment;

/// Wall clock and monotonic clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    wall: fn() -> DateTime<Utc>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            wall: Utc::now,
        }
    }

    /// Time on this clock, for state machines.
    pub(crate) fn moment(self) -> Moment {
        Moment::ZERO + self.start.elapsed()
    }

    /// The monotonic instant of a moment of this clock.
    pub(crate) fn instant(self, moment: Moment) -> Instant {
        self.start + moment.since(Moment::ZERO)
    }

    /// Time of day, in whole microseconds: as exact as both databases are.
    pub(crate) fn now(self) -> DateTime<Utc> {
        let now = (self.wall)();
        now.duration_trunc(TimeDelta::microseconds(1))
            .unwrap_or(now)
    }

    /// Seconds since 1970-01-01 UTC.
    pub(crate) fn unix_seconds(self) -> u64 {
        u64::try_from(self.now().timestamp()).unwrap_or(0)
    }
}
