//! What was on the screen already, a few rows higher or lower: scrolled text and lists.
//!
//! Rows are compared by hashes within columns of tiles, and the distance that most of them
//! agree on is taken. What is then moved is exact: rows are compared pixel by pixel.

use std::collections::HashMap;
use std::ops::Range;

use gc_model::geometry::{Rect, Size};

use crate::frame::{BYTES_PER_PIXEL, FrameView};
use crate::tiles::{Bounds, TILE_WIDTH_PX, TileMap};

/// Fewer changed tiles than this (256x128 pixels) are not worth a search.
const MIN_TILES: usize = 32;

/// Columns of tiles that vote.
const MAX_VOTERS: usize = 8;

/// Rows that are compared together.
const WINDOW_ROWS: usize = 12;

/// Places that must agree on a distance.
const MIN_VOTES: usize = 12;

/// Shorter runs of equal rows are sent as pixels.
const MIN_RUN_ROWS: u32 = 12;

/// Parts of the picture that the viewer has, at another height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// How much lower the pixels stand that are to be copied; negative: higher.
    pub from_dy: i32,
    /// Where they go, in the order in which they can be copied one after the other.
    pub rects: Vec<Rect>,
}

impl Moves {
    /// Moves the pixels of a viewer's own picture: rows without gaps, `bytes_per_pixel` each.
    /// The rectangles and what they are copied from lie inside it.
    ///
    /// # Panics
    /// When they do not.
    pub fn apply(&self, picture: &mut [u8], size: Size, bytes_per_pixel: usize) {
        let at =
            |x: u32, y: u32| (y as usize * size.width() as usize + x as usize) * bytes_per_pixel;
        for &rect in &self.rects {
            let from = source(rect, self.from_dy);
            let row_bytes = rect.width as usize * bytes_per_pixel;
            for step in 0..rect.height {
                // Rows that overlap are read before they are written over.
                let row = if self.from_dy < 0 {
                    rect.height - 1 - step
                } else {
                    step
                };
                let start = at(rect.x, from.y + row);
                picture.copy_within(start..start + row_bytes, at(rect.x, rect.y + row));
            }
        }
    }

    /// True when all of it, and all it is copied from, lies inside a picture of `size`.
    pub fn fits(&self, size: Size) -> bool {
        self.rects.iter().all(|&rect| {
            let top = i64::from(rect.y) + i64::from(self.from_dy);
            let bottom = top + i64::from(rect.height);
            !rect.is_empty() && rect.fits(size) && top >= 0 && bottom <= i64::from(size.height())
        })
    }
}

/// Finds what only moved up or down between `sent`, which the viewer has, and `frame`.
pub(crate) fn find(frame: &FrameView<'_>, sent: &[u8], map: &TileMap) -> Option<Moves> {
    let area = changed_area(map)?;
    let pictures = Pictures {
        frame,
        sent,
        stride: frame.size().width() as usize * BYTES_PER_PIXEL,
    };
    let from_dy = pictures.vote(area)?;
    let mut moves = Moves {
        from_dy,
        rects: pictures.equal_runs(area, from_dy, map),
    };
    if moves.rects.is_empty() {
        return None;
    }
    // What is copied must not have been overwritten by a copy before it.
    moves.rects.sort_by_key(|rect| i64::from(rect.y));
    if from_dy < 0 {
        moves.rects.reverse();
    }
    Some(moves)
}

/// The rows that `rect` is copied from.
pub(crate) fn source(rect: Rect, from_dy: i32) -> Rect {
    Rect {
        y: rect.y.wrapping_add_signed(from_dy),
        ..rect
    }
}

/// Around all tiles that differ and that the viewer has exactly.
fn changed_area(map: &TileMap) -> Option<Bounds> {
    let mut count = 0;
    let tiles = map.tiles.iter().enumerate();
    // A film's tiles look different from row to row: they would be searched in vain.
    let changed = tiles.filter(|(_, tile)| tile.changed.is_some() && !tile.unsent && !tile.reduced);
    let area = changed
        .inspect(|_| count += 1)
        .map(|(index, _)| map.bounds(index))
        .reduce(Bounds::union);
    area.filter(|_| count >= MIN_TILES)
}

struct Pictures<'a> {
    frame: &'a FrameView<'a>,
    sent: &'a [u8],
    stride: usize,
}

impl Pictures<'_> {
    fn now(&self, columns: &Range<u32>, y: u32) -> &[u8] {
        self.frame
            .row(columns.start, y, columns.end - columns.start)
    }

    fn before(&self, columns: &Range<u32>, y: u32) -> &[u8] {
        let at = |x: u32| y as usize * self.stride + x as usize * BYTES_PER_PIXEL;
        &self.sent[at(columns.start)..at(columns.end)]
    }

    /// The distance that most rows agree on.
    fn vote(&self, area: Bounds) -> Option<i32> {
        let strips = strips(area);
        let step = strips.len().div_ceil(MAX_VOTERS);
        let mut votes: HashMap<i32, usize> = HashMap::new();
        for columns in strips.iter().step_by(step) {
            let rows = area.top..area.bottom;
            let before: Vec<u64> = rows
                .clone()
                .map(|y| hash(self.before(columns, y)))
                .collect();
            let before = windows(&before);
            let now: Vec<u64> = rows.map(|y| hash(self.now(columns, y))).collect();
            let now = windows(&now);
            // What looks like something else there says nothing about a distance.
            let mut known: HashMap<u64, Option<usize>> = HashMap::new();
            for (y, &window) in before.iter().enumerate() {
                known
                    .entry(window)
                    .and_modify(|only| *only = None)
                    .or_insert(Some(y));
            }
            for (y, window) in now.iter().enumerate() {
                if let Some(&Some(from)) = known.get(window) {
                    *votes.entry(from as i32 - y as i32).or_default() += 1;
                }
            }
        }
        let still = votes.remove(&0).unwrap_or(0);
        let (distance, count) = votes.into_iter().max_by_key(|&(_, count)| count)?;
        (count >= MIN_VOTES && count * 4 > still).then_some(distance)
    }

    /// Where rows equal those at the distance, and differ from those that are there.
    fn equal_runs(&self, area: Bounds, from_dy: i32, map: &TileMap) -> Vec<Rect> {
        let mut open: Vec<Rect> = Vec::new();
        let mut done: Vec<Rect> = Vec::new();
        for columns in strips(area) {
            let mut grown = Vec::new();
            for run in self.runs(&columns, area, from_dy, map) {
                let rect = Rect {
                    x: columns.start,
                    y: run.start,
                    width: columns.end - columns.start,
                    height: run.end - run.start,
                };
                let left = open.iter().position(|left| {
                    left.x + left.width == rect.x && left.y == rect.y && left.height == rect.height
                });
                grown.push(match left {
                    Some(at) => {
                        let left = open.swap_remove(at);
                        Rect {
                            width: left.width + rect.width,
                            ..left
                        }
                    }
                    None => rect,
                });
            }
            done.append(&mut open);
            open = grown;
        }
        done.append(&mut open);
        done
    }

    fn runs(
        &self,
        columns: &Range<u32>,
        area: Bounds,
        from_dy: i32,
        map: &TileMap,
    ) -> Vec<Range<u32>> {
        let mut runs = Vec::new();
        let mut start = None;
        let mut differs = false;
        for y in area.top..=area.bottom {
            let from = y.checked_add_signed(from_dy);
            let from =
                from.filter(|&from| y < area.bottom && (area.top..area.bottom).contains(&from));
            let moved = from.is_some_and(|from| {
                map.is_exact(columns.start, from)
                    && self.now(columns, y) == self.before(columns, from)
            });
            if moved {
                start.get_or_insert(y);
                differs |= self.now(columns, y) != self.before(columns, y);
            } else if let Some(first) = start.take() {
                if y - first >= MIN_RUN_ROWS && differs {
                    runs.push(first..y);
                }
                differs = false;
            }
        }
        runs
    }
}

/// The columns of tiles that `area` covers.
fn strips(area: Bounds) -> Vec<Range<u32>> {
    (area.left..area.right)
        .step_by(TILE_WIDTH_PX as usize)
        .map(|left| left..(left + TILE_WIDTH_PX).min(area.right))
        .collect()
}

/// Each row's hash with those of the rows below it: one row of a letter looks like the next.
fn windows(rows: &[u64]) -> Vec<u64> {
    rows.windows(WINDOW_ROWS)
        .map(|rows| rows.iter().fold(1, |hash, row| mix(hash, *row)))
        .collect()
}

/// Good enough to tell rows apart; what is moved is compared pixel by pixel.
fn hash(row: &[u8]) -> u64 {
    let (words, _) = row.as_chunks::<8>();
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, word| {
        mix(hash, u64::from_le_bytes(*word))
    })
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word)
        .wrapping_mul(0xff51_afd7_ed55_8ccd)
        .rotate_left(29)
}
