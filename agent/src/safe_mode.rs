//! The way back from safe mode. The start after it is an ordinary one as soon as
//! the agent is up there; and if nobody is reached from safe mode within the time
//! that was set, the machine is restarted, because nobody could do it from afar.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// No safe mode from the next start on.
    StartOrdinarilyNextTime,
    /// The note of the restart is settled.
    ForgetNote,
    /// Restart the machine.
    Restart,
}

/// One start of the agent.
#[derive(Debug, Default)]
pub(crate) struct SafeMode {
    deadline: Option<Moment>,
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
        if is_in {
            safe_mode.deadline = Some(now + return_after);
        } else {
            // Back again, or never there.
            safe_mode.outputs.push_back(Output::ForgetNote);
        }
        safe_mode
    }

    /// The server is reached: a technician can restart the machine.
    pub(crate) fn handle_connected(&mut self) {
        if self.deadline.take().is_some() {
            self.outputs.push_back(Output::ForgetNote);
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Moment) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.outputs.extend([Output::ForgetNote, Output::Restart]);
        }
    }

    /// What to do next; ask until there is nothing.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`SafeMode::handle_timeout`]; never when there is nothing to wait for.
    pub(crate) const fn poll_timeout(&self) -> Option<Moment> {
        self.deadline
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
        safe_mode.handle_connected();

        assert_eq!(outputs(&mut safe_mode), [Output::ForgetNote]);
        assert_eq!(safe_mode.poll_timeout(), None);
    }

    #[test]
    fn who_reaches_nobody_restarts_once() {
        let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), true);
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

        assert_eq!(
            outputs(&mut safe_mode),
            [Output::StartOrdinarilyNextTime, Output::ForgetNote]
        );
    }

    proptest! {
        /// Whatever comes in which order: never a restart after a connection or before its time,
        /// and never one that would lead into safe mode again.
        #[test]
        fn restarts_only_when_alone_for_the_whole_time(
            is_in: bool,
            steps in prop::collection::vec(prop::option::of(0_u64..400), 0..12),
        ) {
            let mut safe_mode = SafeMode::new(Moment::ZERO, Some(QUARTER), is_in);
            let mut all = outputs(&mut safe_mode);
            prop_assert_eq!(all.first(), Some(&Output::StartOrdinarilyNextTime));
            let (mut now, mut connected) = (Moment::ZERO, false);
            for step in steps {
                if let Some(seconds) = step {
                    now = now + Duration::from_secs(seconds);
                    safe_mode.handle_timeout(now);
                } else {
                    safe_mode.handle_connected();
                    connected = true;
                }
                let new = outputs(&mut safe_mode);
                if new.contains(&Output::Restart) {
                    prop_assert!(is_in && !connected && now >= Moment::ZERO + QUARTER);
                }
                all.extend(new);
            }
            prop_assert!(all.iter().filter(|output| **output == Output::Restart).count() <= 1);
        }
    }
}
