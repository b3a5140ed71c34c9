//! The way back from safe mode. The start after it is an ordinary one as soon as
//! the agent is up there; and if nobody is reached from safe mode within the time
//! that was set, the machine is restarted, because nobody could do it from afar.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;

/// 1 minute: what keeps the system from changing its next start may pass.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// No safe mode from the next start on. [`SafeMode::handle_next_start`] is told what came of it.
    StartOrdinarilyNextTime,
    /// The note of the restart is settled.
    ForgetNote,
    /// Restart the machine.
    Restart,
}

/// One start of the agent.
#[derive(Debug, Default)]
pub(crate) struct SafeMode {
    /// Until the server is reached.
    deadline: Option<Moment>,
    /// The next start is known to be an ordinary one.
    is_way_clear: bool,
    retry_at: Option<Moment>,
    outputs: VecDeque<Output>,
}

impl SafeMode {
    /// The agent starts. `pending` is the note of a restart into safe mode: how long it may take
    /// to be back. `is_in` is true when the machine is in safe mode, whoever wanted that.
    pub(crate) fn new(now: Moment, pending: Option<Duration>, is_in: bool) -> Self {
        let mut safe_mode = Self::default();
        let Some(return_after) = pending else {
            return safe_mode;
        };
        safe_mode.outputs.push_back(Output::StartOrdinarilyNextTime);
        // Otherwise back again, or never there.
        safe_mode.deadline = is_in.then_some(now + return_after);
        safe_mode
    }

    /// What became of [`Output::StartOrdinarilyNextTime`].
    pub(crate) fn handle_next_start(&mut self, now: Moment, is_ordinary: bool) {
        if is_ordinary {
            self.is_way_clear = true;
            if self.deadline.is_none() {
                self.outputs.push_back(Output::ForgetNote);
            }
            self.handle_timeout(now);
        } else {
            self.retry_at = Some(now + RETRY_AFTER);
        }
    }

    /// The server is reached: a technician can restart the machine.
    pub(crate) fn handle_connected(&mut self) {
        if self.deadline.take().is_some() && self.is_way_clear {
            self.outputs.push_back(Output::ForgetNote);
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Moment) {
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
            self.outputs.push_back(Output::StartOrdinarilyNextTime);
        }
        // A restart before the way is clear would lead into safe mode again, without a note.
        if self.is_way_clear && self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.outputs.extend([Output::ForgetNote, Output::Restart]);
        }
    }

    /// What to do next; ask until there is nothing.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`SafeMode::handle_timeout`]; never when there is nothing to wait for.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        self.retry_at
            .or(self.deadline.filter(|_| self.is_way_clear))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUARTER: Duration = Duration::from_mins(15);

    fn outputs(safe_mode: &mut SafeMode) -> Vec<Output> {
        std::iter::from_fn(|| safe_mode.poll_output()).collect()
    }

    #[test]
    fn an_ordinary_start_has_nothing_to_do() {
        for is_in in [false, true] {
            let mut safe_mode = SafeMode::new(Moment::ZERO, None, is_in);

            assert!(outputs(&mut safe_mode).is_empty());
            assert_eq!(safe_mode.poll_timeout(), None);
        }
    }

    #[test]
    fn the_start_after_safe_mode_is_ordinary_as_soon_as_the_agent_is_up_there() {
        let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), true);

        assert_eq!(outputs(&mut safe_mode), [Output::StartOrdinarilyNextTime]);
        safe_mode.handle_next_start(Moment::ZERO, true);
        safe_mode.handle_connected();

        assert_eq!(outputs(&mut safe_mode), [Output::ForgetNote]);
        assert_eq!(safe_mode.poll_timeout(), None);
    }

    #[test]
    fn who_reaches_nobody_restarts_once() {
        let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), true);
        safe_mode.handle_next_start(Moment::ZERO, true);
        outputs(&mut safe_mode);

        safe_mode.handle_timeout(Moment::ZERO + QUARTER);
        safe_mode.handle_timeout(Moment::ZERO + QUARTER * 2);

        assert_eq!(
            outputs(&mut safe_mode),
            [Output::ForgetNote, Output::Restart]
        );
    }

    #[test]
    fn a_machine_that_is_back_forgets_the_note() {
        let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), false);

        assert_eq!(outputs(&mut safe_mode), [Output::StartOrdinarilyNextTime]);
        safe_mode.handle_next_start(Moment::ZERO, true);

        assert_eq!(outputs(&mut safe_mode), [Output::ForgetNote]);
        assert_eq!(safe_mode.poll_timeout(), None);
    }

    #[test]
    fn a_machine_that_would_start_in_safe_mode_again_keeps_its_note_and_tries_again() {
        for (is_in, is_reached) in [(false, false), (true, true)] {
            let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), is_in);
            outputs(&mut safe_mode);
            safe_mode.handle_next_start(Moment::ZERO, false);
            if is_reached {
                safe_mode.handle_connected();
            }
            assert!(outputs(&mut safe_mode).is_empty());

            let due = safe_mode.poll_timeout().expect("tries again");
            safe_mode.handle_timeout(due);
            assert_eq!(outputs(&mut safe_mode), [Output::StartOrdinarilyNextTime]);
            safe_mode.handle_next_start(due, true);

            assert_eq!(outputs(&mut safe_mode), [Output::ForgetNote]);
            assert_eq!(safe_mode.poll_timeout(), None);
        }
    }

    #[test]
    fn who_reaches_nobody_restarts_as_soon_as_that_leads_out_of_safe_mode() {
        let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), true);
        outputs(&mut safe_mode);
        let late = Moment::ZERO + QUARTER * 2;
        safe_mode.handle_next_start(Moment::ZERO, false);
        safe_mode.handle_timeout(late);
        assert_eq!(outputs(&mut safe_mode), [Output::StartOrdinarilyNextTime]);

        safe_mode.handle_next_start(late, true);

        assert_eq!(
            outputs(&mut safe_mode),
            [Output::ForgetNote, Output::Restart]
        );
    }

    proptest! {
        /// Whatever comes in which order: never a restart after a connection or before its time,
        /// and never one that would lead into safe mode again.
        #[test]
        fn restarts_only_when_alone_for_the_whole_time(
            is_in: bool,
            failures in 0_u32..6,
            steps in prop::collection::vec(prop::option::of(0_u64..400), 0..12),
        ) {
            let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), is_in);
            let mut all = outputs(&mut safe_mode);
            prop_assert_eq!(&all, &[Output::StartOrdinarilyNextTime]);
            let (mut now, mut connected, mut tries) = (Moment::ZERO, false, 1);
            safe_mode.handle_next_start(now, failures == 0);
            for step in steps {
                if let Some(seconds) = step {
                    now = now + Duration::from_secs(seconds);
                    safe_mode.handle_timeout(now);
                } else {
                    safe_mode.handle_connected();
                    connected = true;
                }
                let mut new = outputs(&mut safe_mode);
                if new.contains(&Output::StartOrdinarilyNextTime) {
                    prop_assert!(tries <= failures, "what has succeeded is not done again");
                    tries += 1;
                    safe_mode.handle_next_start(now, tries > failures);
                    new.extend(outputs(&mut safe_mode));
                }
                if new.contains(&Output::ForgetNote) {
                    prop_assert!(tries > failures, "the note stays until the way is clear");
                }
                if new.contains(&Output::Restart) {
                    prop_assert!(is_in && !connected && now >= Moment::ZERO + QUARTER);
                }
                all.extend(new);
            }
            prop_assert!(all.iter().filter(|output| **output == Output::Restart).count() <= 1);
        }
    }
}
