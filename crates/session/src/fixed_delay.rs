//! Tells the delay of a slow viewer from the delay of a full link.

use std::time::Duration;

/// An update whose size should not matter much: a second of the slowest link.
pub(crate) const SMALL_UPDATE_BYTES: usize = 8_000;

/// This many late small updates in a row make one doubt that size is the reason. Each test
/// that finds it is makes one doubt later.
const DOUBT_AFTER: u32 = 4;
const DOUBT_BACKOFF: u32 = 4;
const DOUBT_AFTER_AT_MOST: u32 = 256;

/// The update that settles it has this many times the bytes of the small ones.
const TEST_SIZE: usize = 4;

/// A test that took less than this many times what the small ones take says: it is not the size.
const SAME_DELAY: f64 = 1.5;

/// Delay that no smaller update would have: a browser whose machine is busy, a phone that
/// takes long to paint anything. Taken for a queue, it would shrink updates to nothing and
/// help nobody; so when small ones stay late, a larger one is tried.
#[derive(Debug)]
pub(crate) struct FixedDelay {
    delay: Duration,
    /// How many small updates were late in a row, and what they were on average.
    late: u32,
    small_rtt: Duration,
    small_bytes: usize,
    doubt_after: u32,
    /// The test that is on its way, and its bytes.
    testing: Option<(u64, usize)>,
    /// What a byte more cost in the last test.
    per_byte: Duration,
}

impl Default for FixedDelay {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            late: 0,
            small_rtt: Duration::ZERO,
            small_bytes: 0,
            doubt_after: DOUBT_AFTER,
            testing: None,
            per_byte: Duration::ZERO,
        }
    }
}

impl FixedDelay {
    /// How long, beyond the base round trip.
    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    /// What the bytes of a small update account for.
    pub(crate) fn own(&self, bytes: usize) -> Duration {
        self.per_byte * u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// The budget of the next update, if it is to be a test. A test goes alone.
    pub(crate) fn test_bytes(&self) -> Option<usize> {
        (self.late >= self.doubt_after).then_some(self.small_bytes * TEST_SIZE)
    }

    /// Notes an update that was sent alone.
    pub(crate) fn handle_sent_alone(&mut self, sequence: u64, bytes: usize) {
        // A smaller one would prove nothing.
        if self.test_bytes().is_some_and(|test| bytes >= test * 3 / 4) {
            self.testing = Some((sequence, bytes));
            self.late = 0;
        }
    }

    /// True when this was a test and showed that size is not the reason.
    pub(crate) fn handle_ack(
        &mut self,
        sequence: u64,
        rtt: Duration,
        base: Option<Duration>,
    ) -> bool {
        let found = rtt.saturating_sub(base.unwrap_or_default());
        self.delay = self.delay.min((self.delay * 7 + found) / 8);
        let Some((_, bytes)) = self.testing.take_if(|test| test.0 <= sequence) else {
            return false;
        };
        let more = bytes.saturating_sub(self.small_bytes).max(1);
        self.per_byte =
            rtt.saturating_sub(self.small_rtt) / u32::try_from(more).unwrap_or(u32::MAX);
        let passed = rtt < self.small_rtt.mul_f64(SAME_DELAY);
        if passed {
            // What was late behind a queue that has gone since does not count.
            self.delay = self
                .small_rtt
                .min(rtt)
                .saturating_sub(base.unwrap_or_default());
            self.doubt_after = DOUBT_AFTER;
        } else {
            self.doubt_after = (self.doubt_after * DOUBT_BACKOFF).min(DOUBT_AFTER_AT_MOST);
        }
        passed
    }

    /// Notes the acknowledgement of a small update.
    pub(crate) fn handle_small(&mut self, late: bool, rtt: Duration, bytes: usize) {
        if !late {
            self.late = 0;
        } else if self.late == 0 {
            (self.late, self.small_rtt, self.small_bytes) = (1, rtt, bytes);
        } else {
            self.late += 1;
            self.small_rtt = (self.small_rtt * 3 + rtt) / 4;
            self.small_bytes = (self.small_bytes * 3 + bytes) / 4;
        }
    }
}
