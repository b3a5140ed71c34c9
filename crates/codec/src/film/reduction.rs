//! By how much a film's picture is made smaller before it is packed.

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use super::{FilmOrder, FilmPacket};

/// How far a picture may be reduced: an eighth of each side.
const MAX_REDUCTION: u32 = 8;

/// Coded bytes of one pixel of a first frame at the coarsest quality; measured on
/// films, pages and noise: the worst of them.
const KEY_BYTES_PER_PIXEL: f64 = 0.06;

/// A key frame may have this many times the bytes of others: it comes seldom.
const KEY_ALLOWANCE: f64 = 8.0;

/// A film that could be packed less reduced for this long is.
const REFINES_AFTER: Duration = Duration::from_millis(500);

/// A reduced film that leaves a third of its bytes unused is refined to find out what the line
/// carries, as far as its first frame is not more than this many times too large.
const REFINES_AT_RISK: f64 = 2.0;

/// One that is more than [`REFINES_AT_RISK`] times too large for this long is reduced, and one that
/// is so many times too large at once.
const REDUCES_AFTER: Duration = Duration::from_millis(300);
const REDUCES_AT_ONCE: f64 = 4.0;

/// One that had to be reduced again so soon after it was refined is not refined for so long, and
/// each time twice as long: its size does not go to and fro.
const REFINED_IN_VAIN: Duration = Duration::from_secs(20);
const REFINES_NOT_FOR: Duration = Duration::from_secs(30);
const REFINES_NOT_FOR_AT_MOST: Duration = Duration::from_mins(8);

/// Unless there is twice the room that it needs, for this long.
const REFINES_WITH_PLENTY_AFTER: Duration = Duration::from_secs(2);

/// The reduction of the film in one area.
#[derive(Default)]
pub(super) struct Reduction {
    area: Rect,
    /// Each side is divided by this: 1, 2, 4 or 8.
    by: u32,
    /// Since when it could be less reduced, since when there is plenty of room for that, and since
    /// when it is too large.
    finer_since: Option<Moment>,
    plenty_since: Option<Moment>,
    large_since: Option<Moment>,
    /// It leaves a third of its bytes unused.
    is_modest: bool,
    refined_at: Option<Moment>,
    /// It is not refined before, and how long that was when it was set.
    not_before: Moment,
    penance: Duration,
}

impl Reduction {
    /// What the next frame of the film in `area` is to be divided by.
    pub(super) fn next(&mut self, now: Moment, area: Rect, order: &FilmOrder) -> u32 {
        let right = reduction_for(area, order);
        if self.area != area {
            *self = Self {
                area,
                by: right,
                ..Self::default()
            };
        } else if self.is_too_large(now, order) {
            self.by = right;
            self.note_reduced(now);
        } else if self.may_be_finer(now, order) {
            self.by = right.min(self.by / 2).max(1);
            self.refined_at = Some(now);
            (self.finer_since, self.plenty_since) = (None, None);
        }
        self.by
    }

    /// Notes a frame that was made.
    pub(super) fn note_made(&mut self, packet: &FilmPacket, order: &FilmOrder) {
        self.is_modest = !packet.held_back && packet.data.len() * 3 < order.target_bytes * 2;
    }

    fn is_too_large(&mut self, now: Moment, order: &FilmOrder) -> bool {
        let excess = first_frame_bytes(self.area, self.by) / room_for_first(order);
        let is_large = excess > REFINES_AT_RISK && self.by < MAX_REDUCTION;
        let large_for = held_for(&mut self.large_since, now, is_large);
        is_large && (excess > REDUCES_AT_ONCE || large_for > REDUCES_AFTER)
    }

    fn may_be_finer(&mut self, now: Moment, order: &FilmOrder) -> bool {
        let room = room_for_first(order);
        let finer = first_frame_bytes(self.area, self.by.div_ceil(2));
        let fits = finer <= room || (self.is_modest && finer <= room * REFINES_AT_RISK);
        let fits_for = held_for(&mut self.finer_since, now, self.by > 1 && fits);
        let plenty = self.by > 1 && finer * 2.0 <= room;
        let plenty_for = held_for(&mut self.plenty_since, now, plenty);
        plenty_for > REFINES_WITH_PLENTY_AFTER
            || (fits_for > REFINES_AFTER && now >= self.not_before)
    }

    fn note_reduced(&mut self, now: Moment) {
        self.large_since = None;
        let in_vain = |at: Moment| now.since(at) < REFINED_IN_VAIN;
        if self.refined_at.is_some_and(in_vain) {
            self.penance = (self.penance * 2).clamp(REFINES_NOT_FOR, REFINES_NOT_FOR_AT_MOST);
            self.not_before = now + self.penance;
        }
    }
}

/// How long `holds` has held, remembered in `since`.
fn held_for(since: &mut Option<Moment>, now: Moment, holds: bool) -> Duration {
    if !holds {
        *since = None;
        return Duration::ZERO;
    }
    now.since(*since.get_or_insert(now))
}

/// By how much a picture of `area` is reduced so that its first frame is not late.
fn reduction_for(area: Rect, order: &FilmOrder) -> u32 {
    let mut reduction = 1;
    while reduction < MAX_REDUCTION && first_frame_bytes(area, reduction) > room_for_first(order) {
        reduction *= 2;
    }
    reduction
}

fn first_frame_bytes(area: Rect, reduction: u32) -> f64 {
    area.area() as f64 * KEY_BYTES_PER_PIXEL / f64::from(reduction * reduction)
}

fn room_for_first(order: &FilmOrder) -> f64 {
    order.target_bytes as f64 * KEY_ALLOWANCE
}
