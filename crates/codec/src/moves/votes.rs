//! By how much something moved: what is unmistakable then and now votes on a distance.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use gc_model::geometry::Rect;

use crate::frame::BYTES_PER_PIXEL;
use crate::tiles::{TILE_WIDTH_PX, TileMap};

use super::{Distance, Pictures, strips};

/// Columns of tiles that vote.
const MAX_VOTERS: usize = 8;

/// Rows that are compared together.
const WINDOW_ROWS: usize = 12;

/// Places that must agree on a distance.
const MIN_VOTES: usize = 12;

/// Pixels of a row that are compared together, when it may have moved sideways: a few letters.
const WINDOW_PX: usize = 48;

/// Rows from there on that must be the same for a say: one row of a letter looks like the next.
const SAME_ROWS: u32 = 16;

/// One row of so many is remembered, and as many rows in a row are looked for: one of them
/// is one that is remembered. Odd, so that it is not always the gap between two lines.
const ROW_STEP: u32 = 7;

/// Groups of rows that are looked for, from the top of what changed to its bottom.
const ROW_GROUPS: u32 = 10;

/// A window in so many has a say: which ones, its pixels decide.
const LANDMARK_MASK: u64 = 0b111;

/// The distance up or down that most rows agree on.
pub(super) fn up_or_down(pictures: &Pictures<'_>, area: Rect) -> Option<Distance> {
    let strips = strips(area, TILE_WIDTH_PX);
    let step = strips.len().div_ceil(MAX_VOTERS);
    let mut voters: Vec<_> = strips
        .into_iter()
        .step_by(step)
        .map(|columns| (columns, Vec::new(), Vec::new()))
        .collect();
    // Row by row, as the pictures lie in memory.
    for y in area.rows() {
        for (columns, before, now) in &mut voters {
            before.push(hash(pictures.before(columns, y)));
            now.push(hash(pictures.now(columns, y)));
        }
    }
    let mut votes = Votes::default();
    for (_, before, now) in &voters {
        let mut known = Known::default();
        for (y, window) in windows(before).enumerate() {
            known.note(window, y as i32);
        }
        for (y, window) in windows(now).enumerate() {
            if let Some(from) = known.only(window) {
                votes.add(Distance {
                    dx: 0,
                    dy: from - y as i32,
                });
            }
        }
    }
    votes.winner()
}

/// The distance in any direction that most landmarks agree on.
pub(super) fn anywhere(pictures: &Pictures<'_>, area: Rect, map: &TileMap) -> Option<Distance> {
    let columns = area.columns();
    let bottom = area.bottom().saturating_sub(SAME_ROWS);
    let mut known = Known::default();
    for y in (area.y..bottom).step_by(ROW_STEP as usize) {
        landmarks(pictures.before(&columns, y), |start, hash| {
            known.note(hash, (area.x + start, y));
        });
    }
    let mut votes = Votes::default();
    let apart = (area.height / ROW_GROUPS).max(ROW_STEP) | 1;
    let groups = (area.y..bottom).step_by(apart as usize);
    for y in groups.flat_map(|top| top..(top + ROW_STEP).min(bottom)) {
        landmarks(pictures.now(&columns, y), |start, hash| {
            let here = (area.x + start, y);
            if map.has_changed(here.0, here.1)
                && let Some(there) = known.only(hash)
                && same(pictures, here, there)
            {
                votes.add(Distance {
                    dx: there.0 as i32 - here.0 as i32,
                    dy: there.1 as i32 - here.1 as i32,
                });
            }
        });
    }
    votes.winner()
}

/// What begins `here` is what began `there`.
fn same(pictures: &Pictures<'_>, here: (u32, u32), there: (u32, u32)) -> bool {
    let window = |x: u32| x..x + WINDOW_PX as u32;
    (0..SAME_ROWS).all(|row| {
        pictures.now(&window(here.0), here.1 + row)
            == pictures.before(&window(there.0), there.1 + row)
    })
}

/// Calls `found` for windows of a row that their own pixels make stand out, wherever they
/// are: where they begin, and a hash of them.
fn landmarks(row: &[u8], mut found: impl FnMut(u32, u64)) {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (pixels, _) = row.as_chunks::<BYTES_PER_PIXEL>();
    let value = |x: usize| u64::from(u32::from_le_bytes(pixels[x])) + 1;
    // What a pixel counts once it leaves the window: the factor to the power of its width.
    let leaving = (0..WINDOW_PX).fold(1_u64, |power, _| power.wrapping_mul(FACTOR));
    let mut hash = 0_u64;
    for x in 0..pixels.len() {
        hash = hash.wrapping_mul(FACTOR).wrapping_add(value(x));
        if x >= WINDOW_PX {
            hash = hash.wrapping_sub(value(x - WINDOW_PX).wrapping_mul(leaving));
        }
        // A plain surface says nothing, so a place is looked at only where something begins.
        if x + 1 >= WINDOW_PX && pixels[x] != pixels[x - 1] {
            let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            if (mixed >> 32) & LANDMARK_MASK == 0 {
                found((x + 1 - WINDOW_PX) as u32, mixed);
            }
        }
    }
}

/// Where something was, if it was at one place only: what looks like something else says
/// nothing about a distance.
struct Known<T>(HashMap<u64, Option<T>, RandomState>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<T: Copy> Known<T> {
    fn note(&mut self, hash: u64, place: T) {
        self.0
            .entry(hash)
            .and_modify(|only| *only = None)
            .or_insert(Some(place));
    }

    fn only(&self, hash: u64) -> Option<T> {
        self.0.get(&hash).copied().flatten()
    }
}

#[derive(Default)]
struct Votes(HashMap<Distance, usize, RandomState>);

impl Votes {
    fn add(&mut self, distance: Distance) {
        *self.0.entry(distance).or_default() += 1;
    }

    fn winner(mut self) -> Option<Distance> {
        let still = self.0.remove(&Distance { dx: 0, dy: 0 }).unwrap_or(0);
        let (distance, count) = self.0.into_iter().max_by_key(|&(_, count)| count)?;
        (count >= MIN_VOTES && count * 4 > still).then_some(distance)
    }
}

/// Each row's hash with those of the rows below it: one row of a letter looks like the next.
fn windows(rows: &[u64]) -> impl Iterator<Item = u64> {
    rows.windows(WINDOW_ROWS)
        .map(|rows| rows.iter().fold(1, |hash, row| mix(hash, *row)))
}

/// Good enough to tell rows apart; what is moved is compared pixel by pixel.
fn hash(row: &[u8]) -> u64 {
    /// Words that are mixed side by side, so that none waits for the one before it.
    const LANES: usize = 4;
    let (words, _) = row.as_chunks::<8>();
    let mut lanes = [0x9e37_79b9_7f4a_7c15; LANES];
    let (groups, rest) = words.as_chunks::<LANES>();
    for group in groups {
        for (lane, word) in lanes.iter_mut().zip(group) {
            *lane = mix(*lane, u64::from_le_bytes(*word));
        }
    }
    let rest = rest.iter().map(|word| u64::from_le_bytes(*word));
    lanes.into_iter().skip(1).chain(rest).fold(lanes[0], mix)
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word)
        .wrapping_mul(0xff51_afd7_ed55_8ccd)
        .rotate_left(29)
}
