//! Time and chance, as the state machines take them.

use std::time::Instant;

use gc_model::time::Moment;

/// A monotonic clock that starts at zero. Copies show the same time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time now.
    pub fn now(self) -> Moment {
        Moment::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// A moment of this clock for timers.
    pub fn instant(self, moment: Moment) -> Instant {
        self.start + moment.since(Moment::ZERO)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// Fresh random bytes from the system.
///
/// # Panics
/// When the system has none: nothing here is safe to do without.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
