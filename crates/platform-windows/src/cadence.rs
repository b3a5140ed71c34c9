//! When to look at the screen again. GDI announces nothing, so the rate follows
//! what happens: quick after input, steady while something moves, slow when still.

use std::time::{Duration, Instant};

/// 8 ms: what most programs need to answer a key press with a picture.
const ANSWER_TO_INPUT: Duration = Duration::from_millis(8);

/// 300 ms after input its answer is still being drawn: menus fade, lists scroll.
const INPUT_ECHO: Duration = Duration::from_millis(300);

/// 16 ms: one look per frame of a 60 Hz screen.
const FAST: Duration = Duration::from_millis(16);

/// 33 ms: 30 frames a second, the least while something moves.
const STEADY: Duration = Duration::from_millis(33);

/// One second without a change and the screen counts as still.
const STILL_AFTER: Duration = Duration::from_secs(1);

/// 100 ms: a change that nobody asked for may show this late.
const SLOW: Duration = Duration::from_millis(100);

/// 200 ms: the same where looking is so expensive that it would cost a tenth of a processor.
const SLOWEST: Duration = Duration::from_millis(200);

/// Decides when the next look is due. Holds no clock.
#[derive(Debug, Clone)]
pub struct Cadence {
    looked_at: Option<Instant>,
    look_cost: Duration,
    changed_at: Option<Instant>,
    input_at: Option<Instant>,
    /// The first input since the last look.
    unanswered_since: Option<Instant>,
}

impl Default for Cadence {
    fn default() -> Self {
        Self::new()
    }
}

impl Cadence {
    /// The first look is due at once.
    pub const fn new() -> Self {
        Self {
            looked_at: None,
            look_cost: Duration::ZERO,
            changed_at: None,
            input_at: None,
            unanswered_since: None,
        }
    }

    /// Somebody was told to look.
    pub fn handle_look(&mut self, now: Instant) {
        self.looked_at = Some(now);
        self.unanswered_since = None;
    }

    /// A look took `cost` and found a change or none.
    pub fn handle_found(&mut self, now: Instant, cost: Duration, changed: bool) {
        self.look_cost = cost;
        if changed {
            self.changed_at = Some(now);
        }
    }

    /// Input was made.
    pub fn handle_input(&mut self, now: Instant) {
        self.input_at = Some(now);
        self.unanswered_since.get_or_insert(now);
    }

    /// When to look next; may be in the past.
    pub fn next_look(&self, now: Instant) -> Instant {
        let Some(looked_at) = self.looked_at else {
            return now;
        };
        // Counted from the first input, so that more input never puts the look off.
        match self.unanswered_since {
            Some(since) => (since + ANSWER_TO_INPUT).max(looked_at + FAST),
            None => looked_at + self.interval(now),
        }
    }

    fn interval(&self, now: Instant) -> Duration {
        let within = |at: Option<Instant>, span| {
            at.is_some_and(|at| now.saturating_duration_since(at) < span)
        };
        if within(self.input_at, INPUT_ECHO) {
            FAST
        } else if within(self.changed_at, STILL_AFTER) {
            // Looks may take a quarter of a processor, so only cheap ones reach 60 a second.
            (self.look_cost * 4).clamp(FAST, STEADY)
        } else {
            (self.look_cost * 10).clamp(SLOW, SLOWEST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A cadence that looked at `start` and found what the test says.
    fn looked(start: Instant, cost: Duration, changed: bool) -> Cadence {
        let mut cadence = Cadence::new();
        cadence.handle_look(start);
        cadence.handle_found(start, cost, changed);
        cadence
    }

    #[test]
    fn looks_at_once_at_the_beginning() {
        let now = Instant::now();

        assert_eq!(Cadence::new().next_look(now), now);
    }

    #[test]
    fn looks_thirty_times_a_second_while_something_moves() {
        let start = Instant::now();

        assert_eq!(looked(start, ms(12), true).next_look(start), start + ms(33));
    }

    #[test]
    fn looks_sixty_times_a_second_where_looking_is_cheap() {
        let start = Instant::now();

        assert_eq!(looked(start, ms(2), true).next_look(start), start + ms(16));
    }

    #[test]
    fn slows_down_when_the_screen_is_still() {
        let start = Instant::now();

        assert_eq!(
            looked(start, ms(2), false).next_look(start),
            start + ms(100)
        );
        assert_eq!(
            looked(start, ms(30), false).next_look(start),
            start + ms(200)
        );
    }

    #[test]
    fn input_is_answered_at_once_although_the_screen_was_still() {
        let start = Instant::now();
        let mut cadence = looked(start, ms(2), false);

        cadence.handle_input(start + ms(40));

        assert_eq!(cadence.next_look(start + ms(40)), start + ms(48));
    }

    #[test]
    fn steady_input_does_not_put_the_look_off() {
        let start = Instant::now();
        let mut cadence = looked(start, ms(2), false);

        for at in [2, 9, 14] {
            cadence.handle_input(start + ms(at));
        }

        assert_eq!(cadence.next_look(start + ms(14)), start + ms(16));
    }

    #[test]
    fn keeps_looking_fast_while_the_echo_of_input_lasts() {
        let start = Instant::now();
        let mut cadence = looked(start, ms(2), false);
        cadence.handle_input(start + ms(40));
        cadence.handle_look(start + ms(48));

        assert_eq!(cadence.next_look(start + ms(48)), start + ms(64));
        assert_eq!(cadence.next_look(start + ms(400)), start + ms(148));
    }
}
