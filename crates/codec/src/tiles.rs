//! What the viewer has not seen yet, kept by tiles.
//!
//! A tile is *changed* when the screen differs from what the viewer was last
//! sent of it. How often it changed in the last looks tells text from video.

use std::ops::Range;
use std::time::Duration;

use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

use crate::frame::{BYTES_PER_PIXEL, FrameView};
use crate::photo::is_photo;

/// Width of a tile: 256 bytes a row, measured best for change detection.
pub const TILE_WIDTH_PX: u32 = 64;

/// Height of a tile: low, so that the smallest piece that can be sent alone
/// stays near 4 KB before compression.
pub const TILE_HEIGHT_PX: u32 = 16;

/// Looks remembered of each tile.
const HISTORY_LOOKS: u32 = 8;

/// Looks that follow each other more quickly count as one: while an answer to a key is looked
/// for, a film does not change at each of them, and plays all the same.
const LOOK: Duration = Duration::from_millis(30);

/// A rest this long counts as a look that found nothing. So what changes five times a second may
/// be a film, and what changes three times a second is none.
const RESTING_LOOK: Duration = Duration::from_millis(100);

/// However long the rest: a film that was paused for a moment goes on as one.
const MAX_RESTING_LOOKS: u32 = 2;

/// A tile that changed in this many of the last looks keeps changing.
const BUSY_LOOKS: u32 = 4;

/// A region stays a film this long after it last looked like one and moved.
const FILM_MEMORY: Duration = Duration::from_secs(1);

/// What was reduced is still after two and a half of its own frames: one may be left out, and the
/// one after it may be late by half of the time.
const MISSED_HALF_FRAMES: u32 = 5;

/// Sooner, nothing is taken to be still: between two frames of most films.
const SOONEST_STILL: Duration = Duration::from_millis(80);

/// Later, everything is, however rarely it moved.
pub(crate) const STILL: Duration = Duration::from_millis(200);

/// A film that played on after it had been taken for still is given [`STILL`] for so long: one
/// that stutters is not sent exactly between two frames again and again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tiles of a region that are looked at to tell whether it is a film.
const MAX_LOOKED_AT: usize = 64;

/// What a tile does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moving {
    /// Still, or a small thing such as a caret.
    Not,
    /// Part of a large region that keeps changing: scrolled text, a dragged window.
    Exact,
    /// Part of a large, photo-like region that keeps changing.
    Film,
}

/// When a tile of a film was sent exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharpened {
    /// While others of the film moved.
    Alone,
    /// While all of it stood.
    WithItsFilm,
}

#[derive(Debug, Clone, Copy, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent facts, kept for thousands of tiles"
)]
pub(crate) struct Tile {
    /// The screen may differ from what was sent.
    pub(crate) candidate: bool,
    /// The screen may have changed since the last look: a tile that only waits to be sent does not move.
    touched: bool,
    /// The screen differs; bounds of the difference inside the picture.
    pub(crate) changed: Option<Rect>,
    /// When it went from equal to changed.
    pub(crate) changed_at: Moment,
    /// When its pixels last moved, and how long after the time before.
    pub(crate) moved_at: Moment,
    pace: Duration,
    /// The viewer has none of it, whatever was sent before.
    pub(crate) unsent: bool,
    /// It was last sent with fewer colours than the screen has.
    pub(crate) reduced: bool,
    /// It was sent exactly after that, and did not change since.
    sharpened: Option<Sharpened>,
    /// Nothing of the film that it belongs to moves.
    film_stands: bool,
    /// It belongs to a film until then, whatever it shows meanwhile.
    film_until: Moment,
    /// It, or all of its film, is not taken for still early until then.
    patient_until: Moment,
    stutters_until: Moment,
    /// One bit per look, newest lowest: the tile had changed.
    history: u8,
}

impl Tile {
    pub(crate) fn is_busy(&self) -> bool {
        self.history.count_ones() >= BUSY_LOOKS
    }

    /// It was part of a film lately.
    pub(crate) fn was_film(&self, now: Moment) -> bool {
        self.film_until > now
    }

    /// Notes that it was sent as the screen has it, but for what is `reduced`.
    pub(crate) fn mark_sent(&mut self, reduced: bool) {
        *self = Self {
            changed: None,
            candidate: false,
            unsent: false,
            sharpened: (self.reduced && !reduced).then_some(if self.film_stands {
                Sharpened::WithItsFilm
            } else {
                Sharpened::Alone
            }),
            reduced,
            ..*self
        };
    }

    /// When it counts as still, if it does not move again.
    pub(crate) fn still_at(&self) -> Moment {
        let patient_until = self.patient_until.max(self.stutters_until);
        let soonest = if patient_until > self.moved_at {
            STILL
        } else {
            SOONEST_STILL
        };
        self.moved_at + (self.pace * MISSED_HALF_FRAMES / 2).clamp(soonest, STILL)
    }
}

/// The grid over one picture.
pub(crate) struct TileMap {
    size: Size,
    columns: u32,
    rows: u32,
    pub(crate) tiles: Vec<Tile>,
    /// When the look began that is the newest in the tiles' histories.
    looked_at: Moment,
}

impl TileMap {
    pub(crate) fn new(size: Size) -> Self {
        let columns = size.width().div_ceil(TILE_WIDTH_PX);
        let rows = size.height().div_ceil(TILE_HEIGHT_PX);
        Self {
            size,
            columns,
            rows,
            tiles: vec![Tile::default(); (columns * rows) as usize],
            looked_at: Moment::ZERO,
        }
    }

    pub(crate) fn columns(&self) -> u32 {
        self.columns
    }

    /// The whole of tile `index`.
    pub(crate) fn bounds(&self, index: usize) -> Rect {
        let (row, column) = (index as u32 / self.columns, index as u32 % self.columns);
        Rect {
            x: column * TILE_WIDTH_PX,
            y: row * TILE_HEIGHT_PX,
            width: TILE_WIDTH_PX,
            height: TILE_HEIGHT_PX,
        }
        .clamped(self.size)
    }

    /// Notes that the screen may have changed inside `rect`.
    pub(crate) fn suspect(&mut self, rect: Rect) {
        let rect = rect.clamped(self.size);
        if rect.is_empty() {
            return;
        }
        let last_column = (rect.right() - 1) / TILE_WIDTH_PX;
        let last_row = (rect.bottom() - 1) / TILE_HEIGHT_PX;
        for row in rect.y / TILE_HEIGHT_PX..=last_row {
            for column in rect.x / TILE_WIDTH_PX..=last_column {
                let tile = &mut self.tiles[(row * self.columns + column) as usize];
                (tile.candidate, tile.touched) = (true, true);
            }
        }
    }

    /// Takes every tile as changed: nothing of it was sent.
    pub(crate) fn forget(&mut self, now: Moment) {
        for index in 0..self.tiles.len() {
            let bounds = self.bounds(index);
            let tile = &mut self.tiles[index];
            *tile = Tile {
                changed: Some(bounds),
                changed_at: now,
                moved_at: now,
                pace: STILL,
                unsent: true,
                history: tile.history,
                film_until: tile.film_until,
                patient_until: tile.patient_until,
                stutters_until: tile.stutters_until,
                ..Tile::default()
            };
        }
    }

    /// Compares the suspected tiles of `frame` with `sent`, which holds the
    /// screen as it was when each tile was sent. For `rested` nothing moved anywhere.
    pub(crate) fn look(
        &mut self,
        now: Moment,
        rested: Duration,
        frame: &FrameView<'_>,
        sent: &[u8],
    ) {
        // Where nothing may have moved, what is sent now only waited.
        let anything = self.tiles.iter().any(|tile| tile.touched);
        let begins = anything && now.since(self.looked_at) >= LOOK;
        let resting = (rested.as_micros() / RESTING_LOOK.as_micros()) as u32;
        let looks = u32::from(begins) + resting.min(MAX_RESTING_LOOKS);
        if begins {
            self.looked_at = now;
        }
        for index in 0..self.tiles.len() {
            let Tile {
                candidate, unsent, ..
            } = self.tiles[index];
            let difference = match (candidate, unsent) {
                (true, true) => Some(self.bounds(index)),
                (true, false) => difference(self.bounds(index), frame, sent, self.size.width()),
                (false, _) => None,
            };
            let tile = &mut self.tiles[index];
            let touched = std::mem::take(&mut tile.touched);
            tile.history <<= looks;
            if !candidate {
                continue;
            }
            match difference {
                Some(bounds) => {
                    if touched {
                        tile.history |= 1;
                        tile.pace = now.since(tile.moved_at);
                        tile.moved_at = now;
                        // Made exact in the middle of a film.
                        let sharpened = tile.sharpened.take();
                        if sharpened.is_some() && tile.film_until > now {
                            tile.patient_until = now + PATIENCE;
                            if sharpened == Some(Sharpened::WithItsFilm) {
                                tile.stutters_until = now + PATIENCE;
                            }
                        }
                    }
                    if tile.changed.is_none() {
                        tile.changed_at = now;
                    }
                    tile.changed = Some(bounds);
                }
                None => tile.changed = None,
            }
            // A changed tile is compared again until it is sent: the screen may go back.
            tile.candidate = tile.changed.is_some();
        }
        const { assert!(HISTORY_LOOKS == u8::BITS) };
    }

    /// Notes that the viewer has tile `index` as the screen has it, without its having been
    /// sent: it did not change at this look.
    pub(crate) fn settle(&mut self, index: usize) {
        let tile = &mut self.tiles[index];
        tile.history &= !1;
        *tile = Tile {
            candidate: false,
            changed: None,
            unsent: false,
            reduced: false,
            ..*tile
        };
    }

    /// Compares `tiles` again, after `sent` was changed otherwise than by sending them.
    pub(crate) fn recheck(&mut self, tiles: &[usize], frame: &FrameView<'_>, sent: &[u8]) {
        for &index in tiles {
            let bounds = self.bounds(index);
            let difference = difference(bounds, frame, sent, self.size.width());
            let tile = &mut self.tiles[index];
            if !tile.unsent {
                tile.changed = difference;
                tile.candidate = difference.is_some();
            }
        }
    }

    /// The tiles that `rect` touches, with whether it covers them wholly.
    pub(crate) fn touched(&self, rect: Rect) -> Vec<(usize, bool)> {
        let columns = rect.x / TILE_WIDTH_PX..=(rect.right() - 1) / TILE_WIDTH_PX;
        let rows = rect.y / TILE_HEIGHT_PX..=(rect.bottom() - 1) / TILE_HEIGHT_PX;
        rows.flat_map(|row| {
            columns
                .clone()
                .map(move |column| (row * self.columns + column) as usize)
        })
        .map(|index| (index, rect.contains(self.bounds(index))))
        .collect()
    }

    /// True when something was sent with less than the screen has.
    pub(crate) fn is_reduced(&self) -> bool {
        self.tiles.iter().any(|tile| tile.reduced)
    }

    /// When the first of what was sent with less than the screen has is to be sent exactly.
    pub(crate) fn sharpen_at(&self) -> Option<Moment> {
        let reduced = |tile: &&Tile| tile.reduced && tile.changed.is_none();
        self.tiles.iter().filter(reduced).map(Tile::still_at).min()
    }

    /// True when the viewer has exactly what was sent for the tile around a pixel.
    pub(crate) fn is_exact(&self, x: u32, y: u32) -> bool {
        let tile = self.around(x, y);
        !tile.unsent && !tile.reduced
    }

    /// True when the tile around a pixel differs from what was sent.
    pub(crate) fn has_changed(&self, x: u32, y: u32) -> bool {
        self.around(x, y).changed.is_some()
    }

    fn around(&self, x: u32, y: u32) -> &Tile {
        &self.tiles[(y / TILE_HEIGHT_PX * self.columns + x / TILE_WIDTH_PX) as usize]
    }

    /// For each tile whether it belongs to a connected region of more than `small`
    /// tiles that keeps changing, and what that region looks like.
    pub(crate) fn moving(
        &mut self,
        now: Moment,
        frame: &FrameView<'_>,
        small: usize,
    ) -> Vec<Moving> {
        for tile in &mut self.tiles {
            tile.film_stands = false;
        }
        let mut moving = vec![Moving::Not; self.tiles.len()];
        let mut seen = vec![false; self.tiles.len()];
        let mut region = Vec::new();
        for start in 0..self.tiles.len() {
            if seen[start] || !self.tiles[start].is_busy() {
                continue;
            }
            region.clear();
            region.push(start);
            seen[start] = true;
            let mut next = 0;
            while next < region.len() {
                let index = region[next];
                next += 1;
                for neighbour in self.neighbours(index).into_iter().flatten() {
                    if !seen[neighbour] && self.tiles[neighbour].is_busy() {
                        seen[neighbour] = true;
                        region.push(neighbour);
                    }
                }
            }
            if region.len() <= small {
                continue;
            }
            let kind = if self.is_film(now, frame, &region) {
                Moving::Film
            } else {
                Moving::Exact
            };
            let tiles = region.iter().map(|&index| &self.tiles[index]);
            let stutters_until = tiles.clone().map(|tile| tile.stutters_until).max();
            let moved_at = tiles.map(|tile| tile.moved_at).max().unwrap_or_default();
            let stands = now.since(moved_at) >= SOONEST_STILL;
            for &index in &region {
                moving[index] = kind;
                if kind == Moving::Film {
                    let tile = &mut self.tiles[index];
                    tile.film_until = now + FILM_MEMORY;
                    tile.stutters_until = stutters_until.unwrap_or_default();
                    tile.film_stands = stands;
                }
            }
        }
        moving
    }

    /// A film is made of photo-like tiles; once it is one, a dark scene does not end it.
    fn is_film(&self, now: Moment, frame: &FrameView<'_>, region: &[usize]) -> bool {
        let was = |&&index: &&usize| self.tiles[index].film_until > now;
        if region.iter().filter(was).count() * 2 >= region.len() {
            return true;
        }
        // A part tells as much as the whole.
        let step = region.len().div_ceil(MAX_LOOKED_AT);
        let looked_at = region.len().div_ceil(step);
        let photos = region.iter().step_by(step);
        let photos = photos.filter(|&&index| is_photo(self.bounds(index), frame));
        photos.count() * 3 >= looked_at
    }

    fn neighbours(&self, index: usize) -> [Option<usize>; 4] {
        let columns = self.columns as usize;
        let (row, column) = (index / columns, index % columns);
        [
            (column > 0).then(|| index - 1),
            (column + 1 < columns).then_some(index + 1),
            (row > 0).then(|| index - columns),
            (row + 1 < self.rows as usize).then_some(index + columns),
        ]
    }
}

/// The smallest bounds inside `area` that hold every pixel in which `frame` and `sent` differ.
fn difference(area: Rect, frame: &FrameView<'_>, sent: &[u8], picture_width: u32) -> Option<Rect> {
    let (mut left, mut right) = (area.right(), area.x);
    let mut rows: Option<Range<u32>> = None;
    for y in area.rows() {
        let now = frame.row(area.x, y, area.width);
        let start = (y as usize * picture_width as usize + area.x as usize) * BYTES_PER_PIXEL;
        let before = &sent[start..start + now.len()];
        if now == before {
            continue;
        }
        rows.get_or_insert(y..y).end = y + 1;
        let differs = |x: u32| {
            let at = (x - area.x) as usize * BYTES_PER_PIXEL;
            now[at..at + BYTES_PER_PIXEL] != before[at..at + BYTES_PER_PIXEL]
        };
        if let Some(first) = (area.x..left).find(|&x| differs(x)) {
            left = first;
        }
        if let Some(last) = (right..area.right()).rev().find(|&x| differs(x)) {
            right = last + 1;
        }
    }
    let rows = rows?;
    Some(Rect {
        x: left,
        y: rows.start,
        width: right - left,
        height: rows.end - rows.start,
    })
}
