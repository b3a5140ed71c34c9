//! Where the pointer is, told as often as the line carries it beside the picture.

use std::time::Duration;

use gc_model::pointer::Pointer;
use gc_model::time::Moment;
use gc_proto::v1;
use gc_proto::v1::agent_message;

use super::{Host, State};
use crate::wire::Lane;

/// What a place takes on the line, with TLS, TCP and IP around it.
const PLACE_BYTES: u64 = 110;

/// Places have at most one part in so many of what the line carries.
const PLACE_SHARE: u64 = 10;

/// However slow the line is, they are told this often.
const LONGEST_INTERVAL: Duration = Duration::from_millis(120);

/// A place that waits to be told, and what was told last.
#[derive(Default)]
pub(super) struct Places {
    waiting: Option<v1::CursorPosition>,
    told: Option<(Moment, bool)>,
}

impl Host {
    /// The pointer's shape, place or visibility changed.
    pub fn handle_pointer(&mut self, now: Moment, pointer: &Pointer) {
        if !self.shows_pointer() {
            // Sent when the viewer may look: remember the shape until then.
            self.cursor.keep(pointer);
            return;
        }
        if let Some(shape) = &pointer.shape
            && let Some(message) = self.cursor.message(shape)
        {
            self.send(Lane::Cursor, agent_message::Body::CursorShape(message));
        }
        self.places.waiting = Some(v1::CursorPosition {
            x: pointer.x,
            y: pointer.y,
            visible: pointer.visible,
        });
        self.tell_pointer(now);
    }

    /// Tells where the pointer is, when that is due.
    pub(super) fn tell_pointer(&mut self, now: Moment) {
        if self.pointer_due().is_none_or(|due| due > now) {
            return;
        }
        if let Some(place) = self.places.waiting.take() {
            self.places.told = Some((now, place.visible));
            self.send(Lane::Cursor, agent_message::Body::CursorPosition(place));
        }
    }

    /// When the place that waits is to be told.
    pub(super) fn pointer_due(&self) -> Option<Moment> {
        let waiting = self.places.waiting.as_ref()?;
        if !self.shows_pointer() {
            return None;
        }
        let told = self.places.told;
        // That it is gone, or there again, is told at once.
        let told = told.filter(|&(_, visible)| visible == waiting.visible);
        Some(told.map_or(Moment::ZERO, |(at, _)| at + self.place_interval()))
    }

    fn place_interval(&self) -> Duration {
        let rate = self.pacer.link().delivered_rate;
        if rate == 0 {
            return Duration::ZERO;
        }
        Duration::from_millis(PLACE_BYTES * PLACE_SHARE * 1_000 / rate).min(LONGEST_INTERVAL)
    }

    fn shows_pointer(&self) -> bool {
        matches!(self.state, State::Running(_)) && self.gate.shows()
    }
}
