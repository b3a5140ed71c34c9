//! Decides what of the screen to send next, within a budget of bytes, and packs it.
//!
//! Order of importance: what changed after having been still (text, a caret, a
//! new window), newest first; then what was sent with fewer colours and stands
//! still now; then large regions that change all the time (video, scrolling),
//! longest waiting first. So a key press never waits behind a video.

mod glance;
mod join;
mod order;
mod piece;
mod plan;

use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

use crate::film::{FilmCodec, Films, MAX_FILM_RECTS};
use crate::frame::{BYTES_PER_PIXEL, FrameView};
use crate::moves::{self, Moves};
use crate::photo::{self, is_photo};
use crate::stream::Compressor;
use crate::tiles::TileMap;
use join::merge;
use piece::{Part, Ratios};
use plan::Plan;

pub use order::{Abilities, Colours, EncodeOrder, Encoded, Pending, Update, UpdateError};

/// Raw bytes compressed between two looks at the budget.
const MAX_CHUNK_BYTES: usize = 512 * 1024;

/// Raw bytes of one update, beside its film, give or take a chunk: a quarter of a screen of
/// 1920x1080. A larger change comes in parts, so that the viewer decodes and paints one while
/// the next is packed.
const MAX_UPDATE_BYTES: usize = 2 * 1024 * 1024;

/// Most rectangles of one update.
const MAX_UPDATE_RECTS: usize = 4_096;

/// A piece is at most this many times the one before it.
const CHUNK_GROWTH: usize = 4;

/// Keeps what one viewer has been sent and makes the next update.
pub struct Encoder {
    map: TileMap,
    size: Size,
    // INVARIANT: outside of changed tiles this equals the screen at the last look,
    // and inside of tiles that are not `reduced` it equals the viewer's picture.
    sent: Vec<u8>,
    stream: Compressor,
    /// Made when there is a photograph for the first time.
    photo_stream: Option<Compressor>,
    films: Films,
    starts_stream: bool,
    /// What was last found at another place.
    moved: Option<Moved>,
    /// The viewer can read photographs that are packed as such.
    photos: bool,
    /// What the last of them took.
    photo_cost: Option<PhotoCost>,
    raw: Vec<u8>,
    /// The pixels of one photograph.
    photo: Vec<u8>,
    /// The planes of photographs.
    planes: Vec<u8>,
}

impl Encoder {
    /// An encoder whose viewer has nothing yet. It makes no films.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(size: Size) -> Result<Self, UpdateError> {
        Self::with_films(size, Vec::new())
    }

    /// The same, making films with `codecs`.
    ///
    /// # Errors
    /// Out of memory.
    pub fn with_films(size: Size, codecs: Vec<Box<dyn FilmCodec>>) -> Result<Self, UpdateError> {
        let bytes = size.area() * BYTES_PER_PIXEL;
        let mut map = TileMap::new(size);
        map.forget(Moment::ZERO);
        Ok(Self {
            map,
            size,
            sent: vec![0; bytes],
            stream: Compressor::new(bytes)?,
            photo_stream: None,
            films: Films::new(codecs),
            starts_stream: true,
            moved: None,
            photos: false,
            photo_cost: None,
            raw: Vec::new(),
            photo: Vec::new(),
            planes: Vec::new(),
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
    ) -> Result<Encoded, UpdateError> {
        if frame.size() != self.size {
            return Err(UpdateError::Size);
        }
        self.photos = order.viewer.photos;
        for &rect in changed {
            self.map.suspect(rect);
        }
        if order.restart {
            self.map.forget(now);
            self.stream.restart()?;
            if let Some(stream) = &mut self.photo_stream {
                stream.restart()?;
            }
            self.films.restart();
            self.starts_stream = true;
        } else if !self.starts_stream {
            self.map.look(now, order.rested, frame, &self.sent);
        }
        // What only waits to be sent did not move since it was looked at.
        let moves = if order.viewer.moves && !changed.is_empty() {
            self.find_moves(now, frame)
        } else {
            None
        };

        let mut plan = self.plan(now, frame);
        self.spare_uncovered(now, &mut plan, order.budget_bytes);
        self.glance(now, frame, &mut plan, order);
        let Plan {
            calm,
            busy,
            film,
            is_glance,
        } = plan;
        let rests = calm.is_empty() && busy.is_empty() && (film.is_empty() || order.hold_films);
        if rests && moves.is_none() {
            let pending = match self.map.sharpen_at() {
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
            photo_data: Vec::new(),
            starts_stream: self.starts_stream,
            complete: true,
            reduced: false,
            moves,
            film: None,
        };
        let goes_alone = self.goes_alone(&calm);
        self.add(
            now,
            &mut update,
            frame,
            &calm,
            Colours::All,
            order.budget_bytes,
        )?;
        if goes_alone {
            update.complete &= busy.is_empty() && film.is_empty();
        } else {
            let film_waited = self.oldest(&film) < self.oldest(&busy);
            if film_waited {
                self.add_film(now, &mut update, frame, &film, is_glance, order)?;
            }
            self.add(
                now,
                &mut update,
                frame,
                &busy,
                Colours::All,
                order.budget_bytes,
            )?;
            if !film_waited {
                self.add_film(now, &mut update, frame, &film, is_glance, order)?;
            }
        }
        self.starts_stream = false;
        update.reduced = self.map.is_reduced();

        let pending = if update.complete {
            let next = self.map.sharpen_at();
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

    /// Appends `tiles`, in chunks, until the budget is spent.
    fn add(
        &mut self,
        now: Moment,
        update: &mut Update,
        frame: &FrameView<'_>,
        tiles: &[usize],
        colours: Colours,
        budget_bytes: usize,
    ) -> Result<(), UpdateError> {
        let mut rest = tiles;
        let mut ratios = Ratios::default();
        let mut largest = MAX_CHUNK_BYTES;
        while !rest.is_empty() {
            let raw = update.rects.iter().map(|rect| rect.area()).sum::<usize>() * BYTES_PER_PIXEL;
            let is_full = piece::fills(budget_bytes, update.exact_bytes());
            if is_full || raw >= MAX_UPDATE_BYTES || update.rects.len() >= MAX_UPDATE_RECTS / 2 {
                update.complete = false;
                return Ok(());
            }
            let left = budget_bytes.saturating_sub(update.exact_bytes());
            let chunk = self.next_chunk(frame, rest, left, &ratios, largest);
            rest = &rest[chunk.len()..];
            self.add_chunk(now, update, frame, chunk, colours, &mut ratios)?;
            largest = MAX_CHUNK_BYTES.min((self.raw.len() + self.planes.len()) * CHUNK_GROWTH);
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
        is_glance: bool,
        order: &EncodeOrder,
    ) -> Result<(), UpdateError> {
        if tiles.is_empty() {
            return Ok(());
        }
        if order.hold_films || piece::fills(order.budget_bytes, update.bytes()) {
            update.complete = false;
            return Ok(());
        }
        let colours = if is_glance {
            Colours::All
        } else {
            order.colours
        };
        let Some(film) = order.film.filter(|film| self.films.can(film)) else {
            return self.add(now, update, frame, tiles, colours, order.budget_bytes);
        };
        let mut parts: Vec<(usize, Rect)> = tiles
            .iter()
            .map(|&index| (index, self.map.bounds(index)))
            .collect();
        parts.sort_unstable_by_key(|&(index, _)| index);
        let rects = merge(&parts, self.map.columns() as usize);
        if rects.len() > MAX_FILM_RECTS {
            return self.add(now, update, frame, tiles, colours, order.budget_bytes);
        }
        let area = parts.iter().map(|&(_, part)| part).reduce(Rect::union);
        let area = area.expect("there are tiles");
        let piece = if is_glance {
            self.films.glance(now, frame, area, &rects, &film)
        } else {
            self.films.encode(now, frame, area, &rects, &film)
        };
        let Ok(piece) = piece else {
            // The lossless stream takes over in this very update.
            return self.add(now, update, frame, tiles, colours, order.budget_bytes);
        };
        for rect in rects {
            self.note_sent(frame, rect);
        }
        self.mark_sent(tiles.iter().copied(), true);
        update.film = Some(piece);
        update.complete &= !self.films.is_behind();
        Ok(())
    }

    /// The first of `tiles`, as many as probably make `bytes` when packed and at most `largest` raw;
    /// at least one.
    fn next_chunk(
        &self,
        frame: &FrameView<'_>,
        tiles: &[usize],
        bytes: usize,
        ratios: &Ratios,
        largest: usize,
    ) -> Vec<Part> {
        let (mut packed, mut raw) = (0.0, 0);
        let parts = tiles.iter().take(MAX_UPDATE_RECTS / 2).map(|&index| {
            let bounds = self.bounds_to_send(index);
            let is_photo = self.photos && is_photo(bounds, frame);
            Part {
                index,
                bounds,
                is_photo,
            }
        });
        let fitting = parts.enumerate().take_while(|(count, part)| {
            let own = part.bounds.area() * BYTES_PER_PIXEL;
            raw += own;
            packed += own as f32 / ratios.of(part.is_photo);
            *count == 0 || (raw <= largest && packed <= bytes as f32)
        });
        fitting.map(|(_, part)| part).collect()
    }

    /// All of a tile that was reduced, so that none of it stays so; else what differs.
    fn bounds_to_send(&self, index: usize) -> Rect {
        let tile = &self.map.tiles[index];
        match tile.changed {
            Some(bounds) if !tile.reduced => bounds,
            _ => self.map.bounds(index),
        }
    }

    /// Packs `chunk`, and notes how many times it compressed.
    fn add_chunk(
        &mut self,
        now: Moment,
        update: &mut Update,
        frame: &FrameView<'_>,
        mut chunk: Vec<Part>,
        colours: Colours,
        ratios: &mut Ratios,
    ) -> Result<(), UpdateError> {
        chunk.sort_unstable_by_key(|part| part.index);
        if chunk.iter().any(|part| part.is_photo) && self.photo_stream.is_none() {
            self.photo_stream = Compressor::for_photos(self.size.area() * photo::PLANES).ok();
        }
        // With too little memory for their stream they go as other pixels do.
        let separate = self.photo_stream.is_some();
        let parts = |photos: bool| -> Vec<(usize, Rect)> {
            let of_kind = chunk
                .iter()
                .filter(|part| (part.is_photo && separate) == photos);
            of_kind.map(|part| (part.index, part.bounds)).collect()
        };
        let (photos, others) = (parts(true), parts(false));
        let columns = self.map.columns() as usize;
        let (photos, others) = (merge(&photos, columns), merge(&others, columns));

        self.raw.clear();
        for &rect in &others {
            self.note_sent(frame, rect);
            append_pixels(frame, rect, &mut self.raw);
        }
        colours.quantize(&mut self.raw);
        self.planes.clear();
        for &rect in &photos {
            self.note_sent(frame, rect);
            self.photo.clear();
            append_pixels(frame, rect, &mut self.photo);
            colours.quantize(&mut self.photo);
            photo::pack(&self.photo, rect.width as usize, &mut self.planes);
        }
        let before = update.data.len();
        if !self.raw.is_empty() {
            self.stream.push(&self.raw, &mut update.data)?;
        }
        ratios
            .others
            .note(self.raw.len(), update.data.len() - before);
        let planes = self.add_planes(update, &photos)?;
        let pixels: usize = photos.iter().map(|rect| rect.area()).sum();
        ratios.photos.note(pixels * BYTES_PER_PIXEL, planes);
        if colours == Colours::All && planes > 0 {
            let before = self.photo_cost.filter(|cost| cost.at == now);
            let (bytes_before, pixels_before) =
                before.map_or((0, 0), |cost| (cost.bytes, cost.pixels));
            self.photo_cost = Some(PhotoCost {
                at: now,
                bytes: bytes_before + planes,
                pixels: pixels_before + pixels,
            });
        }

        self.mark_sent(chunk.iter().map(|part| part.index), colours != Colours::All);
        update.rects.extend(others);
        let first = update.rects.len() as u32;
        update.photos.extend(first..first + photos.len() as u32);
        update.rects.extend(photos);
        Ok(())
    }

    /// Packs the planes of `photos`; how many bytes they took.
    fn add_planes(&mut self, update: &mut Update, photos: &[Rect]) -> Result<usize, UpdateError> {
        let Some(stream) = &mut self.photo_stream else {
            return Ok(0);
        };
        let before = update.photo_data.len();
        let mut planes = &self.planes[..];
        for bytes in photo::parts(photos.iter().map(|rect| rect.area())) {
            let (part, later) = planes.split_at(bytes);
            stream.push(part, &mut update.photo_data)?;
            planes = later;
        }
        Ok(update.photo_data.len() - before)
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

    fn mark_sent(&mut self, tiles: impl IntoIterator<Item = usize>, reduced: bool) {
        for index in tiles {
            self.map.tiles[index].mark_sent(reduced);
        }
    }
}

fn append_pixels(frame: &FrameView<'_>, rect: Rect, out: &mut Vec<u8>) {
    for y in rect.rows() {
        out.extend_from_slice(frame.row(rect.x, y, rect.width));
    }
}

/// What the photographs of an update took.
#[derive(Debug, Clone, Copy)]
struct PhotoCost {
    at: Moment,
    bytes: usize,
    pixels: usize,
}

impl PhotoCost {
    /// What `pixels` more would take.
    fn of(&self, pixels: usize) -> f32 {
        pixels as f32 * self.bytes as f32 / self.pixels as f32
    }
}

/// Something that was found at another place.
#[derive(Debug, Clone, Copy)]
struct Moved {
    at: Moment,
    by: moves::Distance,
    pixels: usize,
}
