//! Decides what of the screen to send next, within a budget of bytes, and packs it.
//!
//! Order of importance: what changed after having been still (text, a caret, a
//! new window), newest first; then what was sent with fewer colours and stands
//! still now; then large regions that change all the time (video, scrolling),
//! longest waiting first. So a key press never waits behind a video.

use std::time::Duration;

use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

use crate::decoder::Piece;
use crate::film::{FilmCodec, FilmOrder, FilmPiece, Films, MAX_FILM_RECTS};
use crate::frame::{BYTES_PER_PIXEL, FrameView};
use crate::moves::{self, Moves};
use crate::photo::{self, is_photo};
use crate::stream::{Compressor, StreamError};
use crate::tiles::{Moving, TileMap};

/// A region that stopped moving for this long is sent exactly.
const STILL: Duration = Duration::from_millis(200);

/// Busy regions up to this many tiles (256x32 pixels) are taken for a blinking
/// caret, a clock or fast typing, and come first.
const SMALL_REGION_TILES: usize = 8;

/// News up to this many tiles (512x128 pixels) do not wait for a large moving region.
const SMALL_NEWS_TILES: usize = 64;

/// What is uncovered is at most one part in so many of what moved away.
const UNCOVERED_SHARE: usize = 3;

/// Raw bytes compressed between two looks at the budget.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// Most rectangles of one update.
const MAX_UPDATE_RECTS: usize = 4_096;

/// How many times the first piece of an update is taken to compress. Low, because
/// on a slow link a piece that compresses worse delays all that comes after it.
const FIRST_RATIO: f32 = 2.0;

/// A piece is at most this many times the one before it.
const CHUNK_GROWTH: usize = 4;

/// How many colours a large, photo-like region that keeps changing may have while it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Every pixel is exact at all times.
    All,
    /// 5 bits a channel.
    Reduced,
    /// 3 bits a channel.
    Few,
}

impl Colours {
    /// Keeps the upper bits and puts the value in the middle of its step.
    fn quantize(self, pixels: &mut [u8]) {
        let (mask, middle) = match self {
            Self::All => return,
            Self::Reduced => (0xf8, 0x04),
            Self::Few => (0xe0, 0x10),
        };
        for byte in pixels {
            *byte = (*byte & mask) | middle;
        }
    }
}

/// What a viewer can beside painting plain rectangles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Abilities {
    /// It can copy parts of its picture.
    pub moves: bool,
    /// It can read rectangles that are packed as photographs.
    pub photos: bool,
}

/// What an update may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOrder {
    /// Start a new stream with the whole picture.
    pub restart: bool,
    /// Stop adding to the update once it has this many bytes. At least one tile
    /// is always sent, so the update may be larger by the last piece.
    pub budget_bytes: usize,
    /// Colours of busy, photo-like regions.
    pub colours: Colours,
    /// How long nothing changed, and nothing was left to send, since the order before this one.
    /// What changes between such pauses (slides, windows that are switched) is no film.
    pub rested: Duration,
    /// Films (large, photo-like regions that keep changing) wait, because something else is expected.
    pub hold_films: bool,
    /// What the viewer can.
    pub viewer: Abilities,
    /// How a film is packed; `None` leaves it to `colours`.
    pub film: Option<FilmOrder>,
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Where the pixels go; they do not overlap.
    pub rects: Vec<Rect>,
    /// Which of them are packed as photographs: places in `rects`, ascending.
    pub photos: Vec<u32>,
    /// The rectangles' pixels, in order, as the next piece of the stream.
    pub data: Vec<u8>,
    /// The receiver must start a new stream with this piece.
    pub starts_stream: bool,
    /// False when the budget ended before everything that changed was in.
    pub complete: bool,
    /// Some pixels have fewer colours than the screen.
    pub reduced: bool,
    /// What the viewer has already, elsewhere: copied before anything is painted.
    pub moves: Option<Moves>,
    /// A frame of a film, painted after the rectangles; it covers none of them.
    pub film: Option<FilmPiece>,
}

impl Update {
    /// What the decoder takes.
    pub fn piece(&self) -> Piece<'_> {
        Piece {
            rects: &self.rects,
            photos: &self.photos,
            data: &self.data,
            starts_stream: self.starts_stream,
        }
    }

    /// What its pixels take.
    pub fn bytes(&self) -> usize {
        self.data.len() + self.film.as_ref().map_or(0, |film| film.data.len())
    }
}

/// Whether there is more to send without anything changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// The viewer has the screen, bit for bit.
    Nothing,
    /// Something that changed did not fit the budget.
    Now,
    /// Something is to be sharpened then.
    At(Moment),
}

/// The answer to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Nothing when nothing is to be sent now.
    pub update: Option<Update>,
    /// What stays to be done.
    pub pending: Pending,
}

/// An encoder that cannot go on; a new one can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The compressor failed.
    #[error("failed to compress an update")]
    Stream(#[from] StreamError),
    /// The frame has another size than the encoder.
    #[error("the frame has another size than the encoder was made for")]
    Size,
}

/// Keeps what one viewer has been sent and makes the next update.
pub struct Encoder {
    map: TileMap,
    size: Size,
    // INVARIANT: outside of changed tiles this equals the screen at the last look,
    // and inside of tiles that are not `reduced` it equals the viewer's picture.
    sent: Vec<u8>,
    stream: Compressor,
    films: Films,
    starts_stream: bool,
    /// What was last found at another place.
    moved: Option<Moved>,
    /// The viewer can read photographs that are packed as such.
    photos: bool,
    raw: Vec<u8>,
    /// The pixels of one photograph.
    photo: Vec<u8>,
}

impl Encoder {
    /// An encoder whose viewer has nothing yet. It makes no films.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(size: Size) -> Result<Self, EncodeError> {
        Self::with_films(size, Vec::new())
    }

    /// The same, making films with `codecs`.
    ///
    /// # Errors
    /// Out of memory.
    pub fn with_films(size: Size, codecs: Vec<Box<dyn FilmCodec>>) -> Result<Self, EncodeError> {
        let bytes = size.area() * BYTES_PER_PIXEL;
        let mut map = TileMap::new(size);
        map.forget(Moment::ZERO);
        Ok(Self {
            map,
            size,
            sent: vec![0; bytes],
            stream: Compressor::new(bytes)?,
            films: Films::new(codecs),
            starts_stream: true,
            moved: None,
            photos: false,
            raw: Vec::new(),
            photo: Vec::new(),
        })
    }

    /// Makes the next update of `frame`. `changed` says where the picture may
    /// differ since the last call; it is remembered until it has been sent.
    ///
    /// # Errors
    /// A frame of another size, or a compressor that failed.
    pub fn encode(
        &mut self,
        now: Moment,
        frame: &FrameView<'_>,
        changed: &[Rect],
        order: &EncodeOrder,
    ) -> Result<Encoded, EncodeError> {
        if frame.size() != self.size {
            return Err(EncodeError::Size);
        }
        self.photos = order.viewer.photos;
        for &rect in changed {
            self.map.suspect(rect);
        }
        if order.restart {
            self.map.forget(now);
            self.stream.restart()?;
            self.films.restart();
            self.starts_stream = true;
        } else if !self.starts_stream {
            self.map.look(now, order.rested, frame, &self.sent);
        }
        let moves = if order.viewer.moves {
            self.find_moves(now, frame)
        } else {
            None
        };

        let mut plan = self.plan(now, frame);
        self.spare_uncovered(now, &mut plan, order.budget_bytes);
        let Plan {
            calm,
            busy,
            film,
            sharpen_at,
        } = plan;
        let rests = calm.is_empty() && busy.is_empty() && (film.is_empty() || order.hold_films);
        if rests && moves.is_none() {
            let pending = match sharpen_at {
                _ if !film.is_empty() => Pending::Now,
                Some(at) => Pending::At(at),
                None => Pending::Nothing,
            };
            return Ok(Encoded {
                update: None,
                pending,
            });
        }

        let mut update = Update {
            rects: Vec::new(),
            photos: Vec::new(),
            data: Vec::new(),
            starts_stream: self.starts_stream,
            complete: true,
            reduced: false,
            moves,
            film: None,
        };
        let goes_alone = self.goes_alone(&calm);
        self.add(&mut update, frame, &calm, Colours::All, order.budget_bytes)?;
        if goes_alone {
            update.complete &= busy.is_empty() && film.is_empty();
        } else {
            let film_waited = self.oldest(&film) < self.oldest(&busy);
            if film_waited {
                self.add_film(now, &mut update, frame, &film, order)?;
            }
            self.add(&mut update, frame, &busy, Colours::All, order.budget_bytes)?;
            if !film_waited {
                self.add_film(now, &mut update, frame, &film, order)?;
            }
        }
        self.starts_stream = false;

        let pending = if update.complete {
            let reduced_at = update.reduced.then(|| now + STILL);
            let next = [sharpen_at, reduced_at].into_iter().flatten().min();
            next.map_or(Pending::Nothing, Pending::At)
        } else {
            Pending::Now
        };
        Ok(Encoded {
            update: Some(update),
            pending,
        })
    }

    /// Takes what the viewer has elsewhere for sent.
    fn find_moves(&mut self, now: Moment, frame: &FrameView<'_>) -> Option<Moves> {
        if self.starts_stream {
            return None;
        }
        let last = self.moved.as_ref().map(|moved| moved.by);
        let found = moves::find(frame, &self.sent, &self.map, last)?;
        self.moved = Some(Moved {
            at: now,
            by: found.distance(),
            pixels: found.rects.iter().map(|rect| rect.area()).sum(),
        });
        let mut touched = Vec::new();
        for &rect in &found.rects {
            // Equal to the screen, so this is what the viewer's copy makes of it.
            self.note_sent(frame, rect);
            for (index, whole) in self.map.touched(rect) {
                if whole {
                    self.map.settle(index);
                } else {
                    touched.push(index);
                }
            }
        }
        touched.sort_unstable();
        touched.dedup();
        self.map.recheck(&touched, frame, &self.sent);
        Some(found)
    }

    /// Sorts what is to be sent by importance.
    fn plan(&mut self, now: Moment, frame: &FrameView<'_>) -> Plan {
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
            } else if tile.reduced {
                let due = tile.moved_at + STILL;
                if due <= now {
                    still.push(index);
                } else {
                    plan.sharpen_at = Some(plan.sharpen_at.map_or(due, |at| at.min(due)));
                }
            }
        }
        // Both sorts are stable: equal ages stay in reading order.
        plan.calm
            .sort_by_key(|&index| std::cmp::Reverse(self.map.tiles[index].changed_at));
        for moving in [&mut plan.busy, &mut plan.film] {
            moving.sort_by_key(|&index| self.map.tiles[index].changed_at);
        }
        plan.calm.append(&mut still);
        plan
    }

    /// What a dragged window uncovers of a photo changes like a film and is none: it is sent
    /// exactly where the line carries it, so that it can be moved in its turn.
    fn spare_uncovered(&self, now: Moment, plan: &mut Plan, budget_bytes: usize) {
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
    fn goes_alone(&self, calm: &[usize]) -> bool {
        let is_news = |&index: &usize| {
            let tile = &self.map.tiles[index];
            tile.changed.is_some() && !tile.is_busy()
        };
        calm.len() <= SMALL_NEWS_TILES && calm.iter().any(is_news)
    }

    /// When the longest waiting of `tiles` changed.
    fn oldest(&self, tiles: &[usize]) -> Option<Moment> {
        tiles.first().map(|&index| self.map.tiles[index].changed_at)
    }

    /// Appends `tiles`, in chunks, until the budget is spent.
    fn add(
        &mut self,
        update: &mut Update,
        frame: &FrameView<'_>,
        tiles: &[usize],
        colours: Colours,
        budget_bytes: usize,
    ) -> Result<(), EncodeError> {
        let mut rest = tiles;
        let mut ratio = FIRST_RATIO;
        let mut largest = MAX_CHUNK_BYTES;
        while !rest.is_empty() {
            let left = budget_bytes.saturating_sub(update.data.len());
            let spent = !update.rects.is_empty() && left == 0;
            if spent || update.rects.len() >= MAX_UPDATE_RECTS / 2 {
                update.complete = false;
                return Ok(());
            }
            let wanted = ((left as f32 * ratio) as usize).min(largest);
            let (chunk, later) = rest.split_at(self.tiles_within(rest, wanted));
            rest = later;
            ratio = self.add_chunk(update, frame, chunk, colours)?;
            largest = MAX_CHUNK_BYTES.min(self.raw.len() * CHUNK_GROWTH);
        }
        Ok(())
    }

    /// Packs `tiles` as the next frame of a film, or with fewer colours where there is none to be.
    fn add_film(
        &mut self,
        now: Moment,
        update: &mut Update,
        frame: &FrameView<'_>,
        tiles: &[usize],
        order: &EncodeOrder,
    ) -> Result<(), EncodeError> {
        if tiles.is_empty() {
            return Ok(());
        }
        if order.hold_films || (update.bytes() > 0 && update.bytes() >= order.budget_bytes) {
            update.complete = false;
            return Ok(());
        }
        let Some(film) = order.film.filter(|film| self.films.can(film)) else {
            return self.add(update, frame, tiles, order.colours, order.budget_bytes);
        };
        let mut parts: Vec<(usize, Rect)> = tiles
            .iter()
            .map(|&index| (index, self.map.bounds(index)))
            .collect();
        parts.sort_unstable_by_key(|&(index, _)| index);
        let rects = merge(&parts, self.map.columns() as usize);
        if rects.len() > MAX_FILM_RECTS {
            return self.add(update, frame, tiles, order.colours, order.budget_bytes);
        }
        let area = parts.iter().map(|&(_, part)| part).reduce(Rect::union);
        let area = area.expect("there are tiles");
        let Ok(piece) = self.films.encode(now, frame, area, &rects, &film) else {
            // The lossless stream takes over in this very update.
            return self.add(update, frame, tiles, order.colours, order.budget_bytes);
        };
        for rect in rects {
            self.note_sent(frame, rect);
        }
        self.mark_sent(tiles, true);
        update.reduced = true;
        update.film = Some(piece);
        update.complete &= !self.films.is_behind();
        Ok(())
    }

    /// How many of `tiles` make `bytes` raw; at least one.
    fn tiles_within(&self, tiles: &[usize], bytes: usize) -> usize {
        let mut total = 0;
        let fitting = tiles
            .iter()
            .take(MAX_UPDATE_RECTS / 2)
            .take_while(|&&index| {
                total += self.bounds_to_send(index).area() * BYTES_PER_PIXEL;
                total <= bytes
            })
            .count();
        fitting.max(1)
    }

    /// All of a tile that was reduced, so that none of it stays so; else what differs.
    fn bounds_to_send(&self, index: usize) -> Rect {
        let tile = &self.map.tiles[index];
        match tile.changed {
            Some(bounds) if !tile.reduced => bounds,
            _ => self.map.bounds(index),
        }
    }

    /// Packs `tiles`; how many times they compressed.
    fn add_chunk(
        &mut self,
        update: &mut Update,
        frame: &FrameView<'_>,
        tiles: &[usize],
        colours: Colours,
    ) -> Result<f32, EncodeError> {
        let mut parts: Vec<(usize, Rect)> = tiles
            .iter()
            .map(|&index| (index, self.bounds_to_send(index)))
            .collect();
        parts.sort_unstable_by_key(|&(index, _)| index);
        let (photos, others): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .partition(|&(_, bounds)| self.photos && is_photo(bounds, frame));
        let columns = self.map.columns() as usize;
        let (photos, others) = (merge(&photos, columns), merge(&others, columns));

        self.raw.clear();
        for &rect in &others {
            self.note_sent(frame, rect);
            append_pixels(frame, rect, &mut self.raw);
        }
        colours.quantize(&mut self.raw);
        for &rect in &photos {
            self.note_sent(frame, rect);
            self.photo.clear();
            append_pixels(frame, rect, &mut self.photo);
            colours.quantize(&mut self.photo);
            photo::pack(&self.photo, rect.width as usize, &mut self.raw);
        }
        let before = update.data.len();
        self.stream.push(&self.raw, &mut update.data)?;

        let pixels: usize = others.iter().chain(&photos).map(|rect| rect.area()).sum();
        let added = (update.data.len() - before).max(1);
        let reduced = colours != Colours::All;
        self.mark_sent(tiles, reduced);
        update.reduced |= reduced;
        update.rects.extend(others);
        let first = update.rects.len() as u32;
        update.photos.extend(first..first + photos.len() as u32);
        update.rects.extend(photos);
        Ok((pixels * BYTES_PER_PIXEL) as f32 / added as f32)
    }

    /// Remembers the screen inside `rect` as it is being sent.
    fn note_sent(&mut self, frame: &FrameView<'_>, rect: Rect) {
        let stride = self.size.width() as usize * BYTES_PER_PIXEL;
        for y in rect.rows() {
            let row = frame.row(rect.x, y, rect.width);
            let start = y as usize * stride + rect.x as usize * BYTES_PER_PIXEL;
            self.sent[start..start + row.len()].copy_from_slice(row);
        }
    }

    fn mark_sent(&mut self, tiles: &[usize], reduced: bool) {
        for &index in tiles {
            let tile = &mut self.map.tiles[index];
            tile.changed = None;
            tile.candidate = false;
            tile.unsent = false;
            tile.reduced = reduced;
        }
    }
}

fn append_pixels(frame: &FrameView<'_>, rect: Rect, out: &mut Vec<u8>) {
    for y in rect.rows() {
        out.extend_from_slice(frame.row(rect.x, y, rect.width));
    }
}

/// Something that was found at another place.
#[derive(Debug, Clone, Copy)]
struct Moved {
    at: Moment,
    by: moves::Distance,
    pixels: usize,
}

#[derive(Default)]
struct Plan {
    calm: Vec<usize>,
    busy: Vec<usize>,
    film: Vec<usize>,
    sharpen_at: Option<Moment>,
}

/// Joins neighbouring tiles' bounds (sorted by tile) into few rectangles: runs
/// along a row of tiles, and equal runs below each other.
fn merge(parts: &[(usize, Rect)], columns: usize) -> Vec<Rect> {
    let mut runs: Vec<(usize, Rect)> = Vec::new();
    let mut previous: Option<usize> = None;
    for &(index, bounds) in parts {
        let row = index / columns;
        let follows = previous == index.checked_sub(1) && index % columns != 0;
        previous = Some(index);
        if follows
            && let Some((_, run)) = runs.last_mut()
            && worth_joining(*run, bounds)
        {
            *run = run.union(bounds);
            continue;
        }
        runs.push((row, bounds));
    }

    let mut done: Vec<Rect> = Vec::with_capacity(runs.len());
    // Rectangles that end with the row of tiles above, and may still grow down.
    let mut open: Vec<Rect> = Vec::new();
    for row in runs.chunk_by(|a, b| a.0 == b.0) {
        let mut grown = Vec::with_capacity(row.len());
        for &(_, run) in row {
            let fits = |upper: &Rect| {
                upper.bottom() == run.y && upper.x == run.x && upper.width == run.width
            };
            match open.iter().position(fits) {
                Some(at) => grown.push(open.swap_remove(at).union(run)),
                None => grown.push(run),
            }
        }
        done.append(&mut open);
        open = grown;
    }
    done.append(&mut open);
    done
}

/// Joining may add at most a quarter of pixels that did not change, plus what a rectangle costs.
fn worth_joining(a: Rect, b: Rect) -> bool {
    const RECT_COST_PX: usize = 64;
    let apart = a.area() + b.area();
    a.union(b).area() <= apart + apart / 4 + RECT_COST_PX
}
