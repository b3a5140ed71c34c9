//! What was on the screen already, at another place: scrolled text and lists, dragged windows.
//!
//! Hashes of rows vote on a distance ([`votes`]). What is then moved is exact: rows are
//! compared pixel by pixel.

mod votes;

use std::ops::Range;

use gc_model::geometry::{Rect, Size};

use crate::frame::{BYTES_PER_PIXEL, FrameView};
use crate::tiles::{TILE_WIDTH_PX, TileMap};

/// Fewer changed tiles than this (256x128 pixels) are not worth a search.
const MIN_TILES: usize = 32;

/// Shorter runs of equal rows are sent as pixels.
const MIN_RUN_ROWS: u32 = 12;

/// What is moved sideways begins and ends anywhere: the columns that are compared together.
const NARROW_PX: u32 = 16;

/// Most rectangles of one move.
const MAX_RECTS: usize = 256;

/// Parts of the picture that the viewer has, at another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// How much further right the pixels stand that are to be copied; negative: left.
    pub from_dx: i32,
    /// How much lower they stand; negative: higher.
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
            let from = self.distance().source(rect).expect("the caller's: it fits");
            let row_bytes = rect.width as usize * bytes_per_pixel;
            for step in 0..rect.height {
                // Rows that overlap are read before they are written over.
                let row = if self.from_dy < 0 {
                    rect.height - 1 - step
                } else {
                    step
                };
                let start = at(from.x, from.y + row);
                picture.copy_within(start..start + row_bytes, at(rect.x, rect.y + row));
            }
        }
    }

    /// True when all of it, and all it is copied from, lies inside a picture of `size`, and it
    /// copies no more pixels than that has.
    pub fn fits(&self, size: Size) -> bool {
        let inside = self.rects.iter().all(|&rect| {
            let from = self.distance().source(rect);
            !rect.is_empty() && rect.fits(size) && from.is_some_and(|from| from.fits(size))
        });
        // Only of rectangles inside: their numbers cannot overflow.
        let copied = || {
            self.rects
                .iter()
                .map(|rect| rect.area() as u64)
                .sum::<u64>()
        };
        inside && copied() <= size.area() as u64
    }

    /// How far, whatever it is.
    pub(crate) fn distance(&self) -> Distance {
        Distance {
            dx: self.from_dx,
            dy: self.from_dy,
        }
    }
}

/// From where pixels go to where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Distance {
    dx: i32,
    dy: i32,
}

impl Distance {
    fn source(self, rect: Rect) -> Option<Rect> {
        rect.shifted(self.dx, self.dy)
    }

    /// Rectangles that do not overlap, so that each is copied before another overwrites its
    /// source. What cannot be ordered is left out.
    fn ordered(self, mut rects: Vec<Rect>) -> Vec<Rect> {
        let mut done = Vec::with_capacity(rects.len());
        while !rects.is_empty() {
            let needed = |rect: Rect| {
                let mut others = rects.iter().filter(|&&other| other != rect);
                others.any(|&other| {
                    let source = self.source(other);
                    source.is_some_and(|source| source.overlaps(rect))
                })
            };
            // Whose place is not needed by any other.
            let free = rects.iter().position(|&rect| !needed(rect));
            let next = rects.swap_remove(free.unwrap_or_default());
            if free.is_some() {
                done.push(next);
            }
        }
        done
    }
}

/// Finds what only moved between `sent`, which the viewer has, and `frame`. `last` is the
/// distance found before: what was dragged sideways is mostly dragged on.
pub(crate) fn find(
    frame: &FrameView<'_>,
    sent: &[u8],
    map: &TileMap,
    last: Option<Distance>,
) -> Option<Moves> {
    let area = changed_area(map)?;
    let pictures = Pictures {
        frame,
        sent,
        stride: frame.size().width() as usize * BYTES_PER_PIXEL,
    };
    let up_or_down = || votes::up_or_down(&pictures, area);
    let anywhere = || votes::anywhere(&pictures, area, map);
    let searches: [&dyn Fn() -> Option<Distance>; 2] = if last.is_some_and(|by| by.dx != 0) {
        [&anywhere, &up_or_down]
    } else {
        [&up_or_down, &anywhere]
    };
    let mut best: Option<(Distance, Vec<Rect>)> = None;
    for search in searches {
        let is_enough = |(_, rects): &(Distance, Vec<Rect>)| pixels(rects) * 4 >= area.area();
        if best.as_ref().is_some_and(is_enough) {
            break;
        }
        let known = best.as_ref().map(|&(by, _)| by);
        let other = search().filter(|&by| Some(by) != known);
        let other = other.map(|by| (by, pictures.equal_runs(area, by, map)));
        best = [best, other]
            .into_iter()
            .flatten()
            .max_by_key(|(_, rects)| pixels(rects));
    }
    let (by, rects) = best?;
    let rects = by.ordered(rects);
    (!rects.is_empty()).then_some(Moves {
        from_dx: by.dx,
        from_dy: by.dy,
        rects,
    })
}

fn pixels(rects: &[Rect]) -> usize {
    rects.iter().map(|rect| rect.area()).sum()
}

/// Around all tiles that differ and that the viewer has exactly.
fn changed_area(map: &TileMap) -> Option<Rect> {
    let mut count = 0;
    let tiles = map.tiles.iter().enumerate();
    // A film's tiles look different from row to row: they would be searched in vain.
    let changed = tiles.filter(|(_, tile)| tile.changed.is_some() && !tile.unsent && !tile.reduced);
    let area = changed
        .inspect(|_| count += 1)
        .map(|(index, _)| map.bounds(index))
        .reduce(Rect::union);
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

    /// Where rows equal those at the distance, and differ from those that are there.
    fn equal_runs(&self, area: Rect, by: Distance, map: &TileMap) -> Vec<Rect> {
        let width = if by.dx == 0 { TILE_WIDTH_PX } else { NARROW_PX };
        let mut open: Vec<Rect> = Vec::new();
        let mut done: Vec<Rect> = Vec::new();
        for strip in self.strips_of_runs(area, by, width, map) {
            let mut grown = Vec::new();
            for run in strip.runs {
                let rect = Rect {
                    x: strip.columns.start,
                    y: run.start,
                    width: strip.columns.end - strip.columns.start,
                    height: run.end - run.start,
                };
                let left = open.iter().position(|left| {
                    left.right() == rect.x && left.y == rect.y && left.height == rect.height
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
        done.truncate(MAX_RECTS);
        done
    }

    /// The runs of each strip, found row by row as the pictures lie in memory.
    fn strips_of_runs(&self, area: Rect, by: Distance, width: u32, map: &TileMap) -> Vec<Strip> {
        let within = area.columns();
        let mut strips: Vec<Strip> = strips(area, width)
            .into_iter()
            .filter_map(|columns| {
                let sources = shifted(&columns, by.dx, &within)?;
                Some(Strip {
                    columns,
                    sources,
                    start: None,
                    differs: false,
                    runs: Vec::new(),
                })
            })
            .collect();
        for y in area.rows() {
            let from = y.checked_add_signed(by.dy);
            let from = from.filter(|from| area.rows().contains(from));
            for strip in &mut strips {
                let moved = from.is_some_and(|from| {
                    map.is_exact(strip.sources.start, from)
                        && map.is_exact(strip.sources.end - 1, from)
                        && self.now(&strip.columns, y) == self.before(&strip.sources, from)
                });
                if moved {
                    strip.start.get_or_insert(y);
                    strip.differs = strip.differs
                        || self.now(&strip.columns, y) != self.before(&strip.columns, y);
                } else {
                    strip.end(y);
                }
            }
        }
        for strip in &mut strips {
            strip.end(area.bottom());
        }
        strips
    }
}

/// Columns that are compared together, and what is known of them down to the row that is looked at.
struct Strip {
    columns: Range<u32>,
    sources: Range<u32>,
    /// Where the rows began that equal those at the distance.
    start: Option<u32>,
    /// Some of them differ from those that are there.
    differs: bool,
    runs: Vec<Range<u32>>,
}

impl Strip {
    /// Row `y` is not like the rows above it.
    fn end(&mut self, y: u32) {
        if let Some(first) = self.start.take() {
            if y - first >= MIN_RUN_ROWS && self.differs {
                self.runs.push(first..y);
            }
            self.differs = false;
        }
    }
}

/// `columns` moved, if they stay within `area`.
fn shifted(columns: &Range<u32>, dx: i32, area: &Range<u32>) -> Option<Range<u32>> {
    let start = columns.start.checked_add_signed(dx)?;
    let end = columns.end.checked_add_signed(dx)?;
    (start >= area.start && end <= area.end).then_some(start..end)
}

/// The columns that `area` covers, `width` at a time.
fn strips(area: Rect, width: u32) -> Vec<Range<u32>> {
    area.columns()
        .step_by(width as usize)
        .map(|left| left..(left + width).min(area.right()))
        .collect()
}
