//! How often Windows is asked where its monitors are, and that what it answered once is not
//! forgotten before the screen is opened anew.

use std::time::{Duration, Instant};

/// Monitors can change places without changing the size of the whole.
const INTERVAL: Duration = Duration::from_millis(500);

/// See the module.
#[derive(Debug)]
pub struct LayoutWatch {
    asked_at: Instant,
    is_changed: bool,
}

impl LayoutWatch {
    /// The layout was read just now.
    pub const fn new(now: Instant) -> Self {
        Self {
            asked_at: now,
            is_changed: false,
        }
    }

    /// Whether the layout is another one than at the beginning. `ask` says whether it is now,
    /// and is asked twice a second at most.
    pub fn is_changed(&mut self, now: Instant, ask: impl FnOnce() -> bool) -> bool {
        if !self.is_changed && now.saturating_duration_since(self.asked_at) >= INTERVAL {
            self.asked_at = now;
            self.is_changed = ask();
        }
        self.is_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_change_that_was_announced_is_there_for_the_grab_that_follows() {
        let start = Instant::now();
        let mut watch = LayoutWatch::new(start);
        assert!(watch.is_changed(start + ms(500), || true));

        for later in [501, 520, 1_100] {
            assert!(watch.is_changed(start + ms(later), || false), "{later}");
        }
    }

    #[test]
    fn the_system_is_asked_twice_a_second() {
        let start = Instant::now();
        let mut watch = LayoutWatch::new(start);
        let mut asked = 0;

        for at in (0..2_000).step_by(10) {
            let ask = || {
                asked += 1;
                false
            };
            assert!(!watch.is_changed(start + ms(at), ask));
        }

        assert_eq!(asked, 3);
    }
}
