//! How long to wait before the next attempt to reach the server. Time and
//! chance are arguments.

use std::time::Duration;

use gc_model::time::Moment;

/// 10 s: a server that restarts is found within a second or two, so an outage
/// starts with attempts in quick succession.
const EAGER_PERIOD: Duration = Duration::from_secs(10);

/// Shortest and longest wait while eager. Spread out, so that the machines of
/// one server do not all come in the same moment.
const EAGER_WAIT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

/// First wait after the eager period; doubles with each attempt.
const FIRST_PATIENT_WAIT: Duration = Duration::from_secs(2);

/// 60 s: the longest wait. A machine is back within a minute of its server.
pub const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// A connection that lasted this long was good; the next outage is a new one.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// Shortest and longest wait when the server refuses this machine: an
/// administrator has to act, and asking faster helps nobody.
const REFUSED_WAIT: (Duration, Duration) = (Duration::from_mins(4), Duration::from_mins(6));

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server cannot be reached, or the connection broke.
    Unreachable,
    /// The server answers and does not want this machine: its key was revoked,
    /// or another agent uses it.
    Refused,
}

/// The waits of one agent, for as long as it runs.
#[derive(Debug, Clone)]
pub struct Backoff {
    /// No wait is longer while the server cannot be reached.
    longest: Duration,
    /// When the current outage began.
    outage: Option<Moment>,
    /// When the connection was made, while there is one.
    connected: Option<Moment>,
    /// Attempts since the eager period.
    patient: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(LONGEST_WAIT)
    }
}

impl Backoff {
    /// No wait for a server that cannot be reached is longer than `longest`.
    pub const fn new(longest: Duration) -> Self {
        Self {
            longest,
            outage: None,
            connected: None,
            patient: 0,
        }
    }

    /// The server was reached.
    pub const fn handle_connected(&mut self, now: Moment) {
        self.connected = Some(now);
    }

    /// An attempt failed or the connection ended: how long to wait. `chance` is any random number.
    pub fn handle_failure(&mut self, now: Moment, failure: Failure, chance: u64) -> Duration {
        if let Some(connected) = self.connected.take()
            && now.since(connected) >= GOOD_CONNECTION
        {
            *self = Self::new(self.longest);
        }
        let outage = *self.outage.get_or_insert(now);
        match failure {
            Failure::Refused => between(REFUSED_WAIT, chance),
            Failure::Unreachable if now.since(outage) < EAGER_PERIOD => {
                between(EAGER_WAIT, chance).min(self.longest)
            }
            Failure::Unreachable => {
                let doubled = FIRST_PATIENT_WAIT.saturating_mul(1 << self.patient.min(16));
                self.patient = self.patient.saturating_add(1);
                let wait = doubled.min(self.longest);
                between((wait / 2, wait), chance)
            }
        }
    }
}

fn between((shortest, longest): (Duration, Duration), chance: u64) -> Duration {
    let span = longest.saturating_sub(shortest);
    let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    shortest + Duration::from_micros(chance % span.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn second(n: u64) -> Moment {
        Moment::from_micros(n * 1_000_000)
    }

    #[test]
    fn a_soak_test_waits_as_briefly_as_it_wants() {
        let mut backoff = Backoff::new(Duration::from_millis(50));

        for n in 0..100 {
            let wait = backoff.handle_failure(second(n), Failure::Unreachable, u64::MAX - n);
            assert!(wait <= Duration::from_millis(50), "{wait:?}");
        }
    }

    #[test]
    fn finds_a_restarted_server_within_two_seconds() {
        let mut backoff = Backoff::default();
        backoff.handle_connected(Moment::ZERO);
        let mut now = second(3_600);

        for chance in [u64::MAX, 0, 77_777_777, 1_000_001] {
            let wait = backoff.handle_failure(now, Failure::Unreachable, chance);
            assert!(wait >= EAGER_WAIT.0 && wait <= EAGER_WAIT.1, "{wait:?}");
            now = now + wait;
        }
    }

    #[test]
    fn a_refused_machine_asks_rarely() {
        let wait = Backoff::default().handle_failure(Moment::ZERO, Failure::Refused, 12_345);

        assert!(wait >= Duration::from_mins(4));
    }

    #[test]
    fn connections_that_end_at_once_do_not_make_it_eager_again() {
        let mut backoff = Backoff::default();
        let mut now = second(1);
        for _ in 0..200 {
            backoff.handle_connected(now);
            now = now + backoff.handle_failure(now, Failure::Unreachable, u64::MAX);
        }

        assert!(backoff.handle_failure(now, Failure::Unreachable, 0) >= LONGEST_WAIT / 2);
    }

    proptest! {
        #[test]
        fn never_waits_longer_than_a_minute_and_never_spins(
            steps in prop::collection::vec((any::<u64>(), 0_u64..20, any::<bool>()), 1..200),
        ) {
            let mut backoff = Backoff::default();
            let mut now = Moment::ZERO;
            for (chance, lasted, connected) in steps {
                if connected {
                    backoff.handle_connected(now);
                    now = now + Duration::from_secs(lasted);
                }
                let wait = backoff.handle_failure(now, Failure::Unreachable, chance);
                prop_assert!(wait >= EAGER_WAIT.0 && wait <= LONGEST_WAIT);
                now = now + wait;
            }
        }

        #[test]
        fn waits_grow_to_a_minute_and_start_anew_after_a_good_connection(chances in prop::collection::vec(any::<u64>(), 40)) {
            let mut backoff = Backoff::default();
            let mut now = Moment::ZERO;
            let mut last = Duration::ZERO;
            for chance in chances {
                last = backoff.handle_failure(now, Failure::Unreachable, chance);
                now = now + last;
            }
            prop_assert!(last >= LONGEST_WAIT / 2);

            backoff.handle_connected(now);
            now = now + GOOD_CONNECTION;
            prop_assert!(backoff.handle_failure(now, Failure::Unreachable, u64::MAX) <= EAGER_WAIT.1);
        }
    }
}
