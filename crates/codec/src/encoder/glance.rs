//! Large photographs that come anew on a slow line are seen coarsely first.

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use super::join::merge;
use super::plan::Plan;
use super::{EncodeOrder, Encoder};
use crate::film::MAX_FILM_RECTS;
use crate::frame::FrameView;
use crate::photo::is_photo;

/// What scrolls or is dragged stays exact, for only that can be moved again: no glances for so
/// long after something was.
const MOVES_GO_ON: Duration = Duration::from_secs(2);

impl Encoder {
    /// Photographs that would come bit by bit for longer than anybody waits are shown as one frame
    /// of a film, small and coarse, after the text around them. As nothing of them moves, they are
    /// made exact like a film that has come to rest. While a film plays it has the line.
    ///
    /// What they would take is known from the last update of photographs, which was exact: one that was there
    /// before is found in the stream's history and takes little.
    pub(super) fn glance(
        &self,
        now: Moment,
        frame: &FrameView<'_>,
        plan: &mut Plan,
        order: &EncodeOrder,
    ) {
        let (Some(most), Some(film), Some(cost)) =
            (order.glance_above_bytes, order.film, self.photo_cost)
        else {
            return;
        };
        let takes_long = |pixels: usize| cost.of(pixels) > most as f32;
        let plays = !plan.film.is_empty() || self.map.tiles.iter().any(|tile| tile.was_film(now));
        let moves = self
            .moved
            .is_some_and(|moved| now.since(moved.at) < MOVES_GO_ON);
        if !takes_long(self.changed_pixels(&plan.calm)) || plays || moves || !self.films.can(&film)
        {
            return;
        }
        let is_new_photo = |&&index: &&usize| {
            let tile = &self.map.tiles[index];
            tile.changed.is_some()
                && tile.changed_at <= cost.at
                && is_photo(self.map.bounds(index), frame)
        };
        let mut photos: Vec<usize> = plan.calm.iter().filter(is_new_photo).copied().collect();
        if !takes_long(self.changed_pixels(&photos)) {
            return;
        }
        photos.sort_unstable();
        let parts: Vec<(usize, Rect)> = photos
            .iter()
            .map(|&index| (index, self.map.bounds(index)))
            .collect();
        if merge(&parts, self.map.columns() as usize).len() > MAX_FILM_RECTS {
            return;
        }
        plan.calm
            .retain(|index| photos.binary_search(index).is_err());
        plan.film = photos;
        plan.is_glance = true;
    }

    /// Pixels of `tiles` that differ from what was sent, in rectangles; none of those that are to
    /// be sharpened.
    fn changed_pixels(&self, tiles: &[usize]) -> usize {
        let changed = tiles
            .iter()
            .filter_map(|&index| self.map.tiles[index].changed);
        changed.map(Rect::area).sum()
    }
}
