//! How much of what is to be sent goes into the next piece of an update.

use gc_model::geometry::Rect;

/// How many times the first piece of an update is taken to compress. Low, because
/// on a slow link a piece that compresses worse delays all that comes after it.
pub(super) const FIRST_RATIO: f32 = 2.0;

/// An update that has all but this part of its budget is full: what the next tile takes is not
/// known before.
const FULL_BUT_FOR: usize = 8;

/// Whether `bytes` are as many as there may be, near enough.
pub(super) fn fills(budget_bytes: usize, bytes: usize) -> bool {
    bytes > 0 && bytes + budget_bytes / FULL_BUT_FOR >= budget_bytes
}

/// What is found again compresses hundreds of times, and what comes next may be new: no piece counts
/// on more than this, a few times what new ones compress.
const MOST_OF_PHOTOS: f32 = 6.0;
const MOST_OF_OTHERS: f32 = 40.0;

/// A tile in a piece.
pub(super) struct Part {
    pub(super) index: usize,
    /// What of it is sent.
    pub(super) bounds: Rect,
    pub(super) is_photo: bool,
}

/// How many times the last piece compressed: text a hundred times where it was on the screen
/// before, photographs beside it hardly.
#[derive(Default)]
pub(super) struct Ratios {
    pub(super) photos: Ratio,
    pub(super) others: Ratio,
}

impl Ratios {
    /// How many times a tile probably compresses.
    pub(super) fn of(&self, is_photo: bool) -> f32 {
        if is_photo {
            self.photos.0.min(MOST_OF_PHOTOS)
        } else {
            self.others.0.min(MOST_OF_OTHERS)
        }
    }
}

pub(super) struct Ratio(f32);

impl Default for Ratio {
    fn default() -> Self {
        Self(FIRST_RATIO)
    }
}

impl Ratio {
    /// Notes that `raw` bytes became `packed` ones.
    pub(super) fn note(&mut self, raw: usize, packed: usize) {
        if raw > 0 {
            self.0 = raw as f32 / packed.max(1) as f32;
        }
    }
}
