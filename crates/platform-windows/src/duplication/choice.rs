//! Whether duplication is worth trying now. Holds no clock.

use std::time::{Duration, Instant};

use super::Fault;

/// 2 s: a secure desktop shows for as long as a person reads a prompt.
const AFTER_DENIED: Duration = Duration::from_secs(2);

/// 15 s: another program has to end first.
const AFTER_BUSY: Duration = Duration::from_secs(15);

/// A minute: only a driver or a monitor that comes changes it, and a change of the
/// monitors is noticed anyway.
const AFTER_UNSUPPORTED: Duration = Duration::from_mins(1);

/// The first wait after a failure; each following one is twice as long.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What worked for a minute has recovered from its failures.
const RECOVERED_AFTER: Duration = Duration::from_mins(1);

/// A change of desktop or display mode interrupts once or twice; a game that comes and goes, for ever.
const MOST_LOSSES: u32 = 5;

/// The losses within this time are counted together.
const LOSSES_WITHIN: Duration = Duration::from_secs(10);

/// Remembers how duplication went, over all captures of a desktop.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Why GDI reads the screen; none while duplication does, or may.
    fault: Option<Fault>,
    /// When it is tried again; none: never, or at once without a fault.
    retry_at: Option<Instant>,
    failures: u32,
    worked_since: Option<Instant>,
    losses: u32,
    lost_first: Option<Instant>,
}

impl Choice {
    /// True when duplication should be opened.
    pub fn is_due(&self, now: Instant) -> bool {
        match (self.fault, self.retry_at) {
            (None, _) => true,
            (Some(_), at) => at.is_some_and(|at| now >= at),
        }
    }

    /// Why duplication does not read the screen; `None` while it does.
    pub const fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// It shows the screen.
    pub fn handle_opened(&mut self, now: Instant) {
        self.fault = None;
        self.retry_at = None;
        self.worked_since = Some(now);
    }

    /// It cannot be opened, or ended.
    pub fn handle_fault(&mut self, now: Instant, fault: Fault) {
        let worked = self
            .worked_since
            .take()
            .is_some_and(|since| now.saturating_duration_since(since) >= RECOVERED_AFTER);
        if worked {
            self.failures = 0;
        }
        let wait = match fault {
            Fault::NotImplemented => None,
            // Nothing is wrong: it is just opened again.
            Fault::Lost if !self.count_loss(now) => {
                self.fault = None;
                self.retry_at = None;
                return;
            }
            Fault::Lost => Some(LOSSES_WITHIN),
            Fault::Denied => Some(AFTER_DENIED),
            Fault::Busy => Some(AFTER_BUSY),
            Fault::Unsupported | Fault::Incomplete => Some(AFTER_UNSUPPORTED),
            Fault::NoPicture | Fault::Failed(_) => {
                let wait = AFTER_FAILURE.saturating_mul(1 << self.failures.min(8));
                self.failures += 1;
                Some(wait.min(LONGEST_WAIT))
            }
        };
        self.fault = Some(fault);
        self.retry_at = wait.map(|wait| now + wait);
    }

    /// The monitors changed: what was not supported may be now.
    pub fn handle_displays_changed(&mut self) {
        if matches!(self.fault, Some(Fault::Unsupported | Fault::Incomplete)) {
            self.fault = None;
            self.retry_at = None;
        }
    }

    /// True when there were too many losses lately.
    fn count_loss(&mut self, now: Instant) -> bool {
        let lately = self
            .lost_first
            .is_some_and(|first| now.saturating_duration_since(first) < LOSSES_WITHIN);
        if !lately {
            self.lost_first = Some(now);
            self.losses = 0;
        }
        self.losses += 1;
        if self.losses < MOST_LOSSES {
            return false;
        }
        self.lost_first = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn duplication_is_tried_first() {
        assert!(Choice::default().is_due(Instant::now()));
    }

    #[test]
    fn a_system_without_it_is_not_asked_again() {
        let (mut choice, now) = (Choice::default(), Instant::now());

        choice.handle_fault(now, Fault::NotImplemented);
        choice.handle_displays_changed();

        assert!(!choice.is_due(now + secs(100_000)));
        assert_eq!(choice.fault(), Some(Fault::NotImplemented));
    }

    #[test]
    fn another_monitor_is_a_reason_to_try_again() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        choice.handle_fault(now, Fault::Incomplete);
        assert!(!choice.is_due(now + secs(59)));

        choice.handle_displays_changed();

        assert!(choice.is_due(now));
    }

    #[test]
    fn failures_are_tried_again_less_and_less_often() {
        let (mut choice, mut now) = (Choice::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..8 {
            choice.handle_fault(now, Fault::Failed(1));
            let began = now;
            while !choice.is_due(now) {
                now += secs(1);
            }
            waits.push((now - began).as_secs());
        }

        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn what_worked_for_a_while_starts_anew_with_short_waits() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        for _ in 0..6 {
            choice.handle_fault(now, Fault::Failed(1));
        }
        choice.handle_opened(now);

        choice.handle_fault(now + secs(60), Fault::Failed(1));

        assert!(choice.is_due(now + secs(65)));
    }

    #[test]
    fn one_loss_is_no_reason_for_gdi_and_many_are() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        for _ in 0..4 {
            choice.handle_opened(now);
            choice.handle_fault(now, Fault::Lost);
            assert!(choice.is_due(now));
            assert_eq!(choice.fault(), None);
        }

        choice.handle_fault(now, Fault::Lost);

        assert!(!choice.is_due(now + secs(9)));
        assert!(choice.is_due(now + secs(10)));
        assert_eq!(choice.fault(), Some(Fault::Lost));
    }

    proptest! {
        #[test]
        fn whatever_happened_it_is_tried_again_within_five_minutes_and_never_without_end(
            steps in prop::collection::vec((0_u64..90, 0_u8..8), 0..60)
        ) {
            let (mut choice, mut now) = (Choice::default(), Instant::now());
            let mut attempts_at_once = 0;
            for (pause, what) in steps {
                now += secs(pause);
                match what {
                    0 => choice.handle_opened(now),
                    1 => choice.handle_fault(now, Fault::Lost),
                    2 => choice.handle_fault(now, Fault::Denied),
                    3 => choice.handle_fault(now, Fault::Busy),
                    4 => choice.handle_fault(now, Fault::Unsupported),
                    5 => choice.handle_fault(now, Fault::NoPicture),
                    6 => choice.handle_fault(now, Fault::Failed(7)),
                    _ => choice.handle_displays_changed(),
                }
                prop_assert!(choice.is_due(now + LONGEST_WAIT));
                // A reader that only ever loses it ends up with GDI.
                let mut losing = choice.clone();
                while losing.is_due(now) {
                    losing.handle_fault(now, Fault::Lost);
                    attempts_at_once += 1;
                    prop_assert!(attempts_at_once < 1_000);
                }
            }
        }
    }
}
