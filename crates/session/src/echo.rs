//! After a key or a click its answer is next: films wait a moment, so that it
//! meets neither a half-packed film frame at the machine nor one that is being
//! painted at the viewer.

use std::time::Duration;

use gc_model::input::InputEvent;
use gc_model::time::Moment;

/// A film waits at most this long for an answer: less than one frame at 30 Hz.
const LONGEST: Duration = Duration::from_millis(30);

/// And not again before this long, so that input without an answer does not stop it.
const PAUSE: Duration = Duration::from_millis(60);

/// Whether films wait for the answer to input.
#[derive(Debug, Default)]
pub(crate) struct EchoHold {
    began: Option<Moment>,
    active: bool,
    /// The order under way was made while films wait.
    asked: bool,
}

impl EchoHold {
    /// Notes input. Presses and clicks are answered; moving the pointer and
    /// scrolling may well move what would have to wait.
    pub(crate) fn handle_input(&mut self, now: Moment, events: &[InputEvent]) {
        let rested = self
            .began
            .is_none_or(|began| now.since(began) > LONGEST + PAUSE);
        if rested && events.iter().any(is_answered) {
            self.began = Some(now);
            self.active = true;
        }
    }

    /// True when films are to wait in the order that is made now.
    pub(crate) fn holds(&mut self, now: Moment) -> bool {
        self.asked = self.is_active(now);
        self.asked
    }

    /// Notes that an order was answered, and whether there was anything to send.
    pub(crate) fn handle_captured(&mut self, anything: bool) {
        if self.asked && anything {
            self.active = false;
        }
    }

    /// True while films wait.
    pub(crate) fn is_active(&self, now: Moment) -> bool {
        self.active && self.began.is_some_and(|began| now.since(began) < LONGEST)
    }
}

fn is_answered(event: &InputEvent) -> bool {
    match event {
        InputEvent::Key(key) => key.down,
        InputEvent::Button { .. } | InputEvent::SecureAttention => true,
        InputEvent::PointerMove { .. } | InputEvent::Wheel { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gc_model::input::MouseButton;

    const CLICK: [InputEvent; 1] = [InputEvent::Button {
        button: MouseButton::Left,
        down: true,
    }];

    fn at(milliseconds: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(milliseconds)
    }

    #[test]
    fn films_wait_for_the_answer_to_a_click() {
        let mut echo = EchoHold::default();
        echo.handle_input(at(0), &CLICK);

        assert!(echo.holds(at(5)));
        echo.handle_captured(false);
        assert!(echo.holds(at(9)));
        echo.handle_captured(true);

        assert!(!echo.holds(at(10)));
    }

    #[test]
    fn an_update_that_was_ordered_before_the_click_is_not_its_answer() {
        let mut echo = EchoHold::default();
        assert!(!echo.holds(at(0)));
        echo.handle_input(at(1), &CLICK);

        echo.handle_captured(true);

        assert!(echo.holds(at(2)));
    }

    #[test]
    fn clicks_without_an_answer_take_a_third_of_the_time_at_most() {
        let mut echo = EchoHold::default();

        let held = (0..900)
            .filter(|&now| {
                echo.handle_input(at(now), &CLICK);
                echo.holds(at(now))
            })
            .count();

        assert!(held <= 300, "{held} ms of 900");
    }

    #[test]
    fn moving_and_scrolling_hold_nothing() {
        let mut echo = EchoHold::default();

        let events = [
            InputEvent::PointerMove { x: 1, y: 1 },
            InputEvent::Wheel { x: 0, y: 120 },
        ];
        echo.handle_input(at(0), &events);

        assert!(!echo.holds(at(1)));
    }
}
