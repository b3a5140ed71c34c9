//! What of the screen is sent first.

use gc_model::time::Moment;

use super::Encoder;
use super::piece::FIRST_RATIO;
use crate::frame::{BYTES_PER_PIXEL, FrameView};
use crate::photo::is_photo;
use crate::tiles::{Moving, STILL};

/// Busy regions up to this many tiles (256x32 pixels) are taken for a blinking
/// caret, a clock or fast typing, and come first.
const SMALL_REGION_TILES: usize = 8;

/// News up to this many tiles (512x128 pixels) do not wait for a large moving region.
const SMALL_NEWS_TILES: usize = 64;

/// What is uncovered is at most one part in so many of what moved away.
const UNCOVERED_SHARE: usize = 3;

/// Tiles that are to be sent, those of each kind in their order.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) calm: Vec<usize>,
    pub(super) busy: Vec<usize>,
    pub(super) film: Vec<usize>,
    /// `film` is a photograph to be seen coarsely first: nothing of it moves.
    pub(super) is_glance: bool,
}

impl Encoder {
    /// Sorts what is to be sent by importance.
    pub(super) fn plan(&mut self, now: Moment, frame: &FrameView<'_>) -> Plan {
        let moving = self.map.moving(now, frame, SMALL_REGION_TILES);
        let mut plan = Plan::default();
        let mut still = Vec::new();
        for (index, tile) in self.map.tiles.iter().enumerate() {
            if tile.changed.is_some() {
                match moving[index] {
                    Moving::Film => plan.film.push(index),
                    Moving::Exact => plan.busy.push(index),
                    Moving::Not => plan.calm.push(index),
                }
            } else if tile.reduced && tile.still_at() <= now {
                still.push(index);
            }
        }
        self.join_film(now, frame, &mut plan);
        // Both sorts are stable: equal ages stay in reading order.
        plan.calm
            .sort_by_key(|&index| std::cmp::Reverse(self.map.tiles[index].changed_at));
        for moving in [&mut plan.busy, &mut plan.film] {
            moving.sort_by_key(|&index| self.map.tiles[index].changed_at);
        }
        plan.calm.append(&mut still);
        plan
    }

    /// What begins to move inside of a film that plays is part of it: a dark corner that becomes
    /// light, a figure that walks over a background. Text there is not.
    fn join_film(&self, now: Moment, frame: &FrameView<'_>, plan: &mut Plan) {
        let Some(area) = self.films.area().filter(|_| !plan.film.is_empty()) else {
            return;
        };
        let belongs = |&mut index: &mut usize| {
            let bounds = self.map.bounds(index);
            let was = self.map.tiles[index].was_film(now);
            area.contains(bounds) && (was || is_photo(bounds, frame))
        };
        plan.film.extend(plan.calm.extract_if(.., belongs));
    }

    /// What a dragged window uncovers of a photo changes like a film and is none: it is sent
    /// exactly where the line carries it, so that it can be moved in its turn.
    pub(super) fn spare_uncovered(&self, now: Moment, plan: &mut Plan, budget_bytes: usize) {
        let Some(moved) = self.moved.filter(|moved| now.since(moved.at) < STILL) else {
            return;
        };
        let runs = |&index: &usize| self.map.tiles[index].reduced;
        let (film, uncovered): (Vec<_>, Vec<_>) = plan.film.iter().copied().partition(runs);
        let pixels: usize = uncovered
            .iter()
            .map(|&index| self.bounds_to_send(index).area())
            .sum();
        let fits = (pixels * BYTES_PER_PIXEL) as f32 <= budget_bytes as f32 * FIRST_RATIO;
        if fits && pixels * UNCOVERED_SHARE <= moved.pixels {
            plan.film = film;
            plan.busy.extend(uncovered);
            plan.busy
                .sort_by_key(|&index| self.map.tiles[index].changed_at);
        }
    }

    /// A little that changed after having been still, such as the answer to a key,
    /// is shown before a film's next frame is even packed.
    pub(super) fn goes_alone(&self, calm: &[usize]) -> bool {
        let is_news = |&index: &usize| {
            let tile = &self.map.tiles[index];
            tile.changed.is_some() && !tile.is_busy()
        };
        calm.len() <= SMALL_NEWS_TILES && calm.iter().any(is_news)
    }

    /// When the longest waiting of `tiles` changed.
    pub(super) fn oldest(&self, tiles: &[usize]) -> Option<Moment> {
        tiles.first().map(|&index| self.map.tiles[index].changed_at)
    }
}
