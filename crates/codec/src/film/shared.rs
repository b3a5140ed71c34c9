//! Films that the viewers of one screen make together. Packing a film's frame is the most
//! expensive thing that an agent does; whoever sees the same film at about the same quality
//! gets the same packets.
//!
//! A *group* is one stream of packets. Each of its members takes every packet, in order, and
//! whoever has taken all of them makes the next. So two viewers at the same pace share each
//! packet, whichever of them comes first. One who cannot keep up leaves and goes on alone:
//! nobody waits, and nobody gets frames twice. Who joins begins at a key frame, which costs
//! the others one larger frame, and seldom.

mod room;
mod stream;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use super::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket};
use crate::frame::FrameView;
use room::{Kind, Room};
use stream::Stream;

/// A film that rested for so long: who has not seen its end could not know of it.
const PAUSE: Duration = Duration::from_millis(500);

/// The films of one screen.
#[derive(Clone, Default)]
pub struct SharedFilms {
    room: Arc<Mutex<Room>>,
}

impl SharedFilms {
    /// `codecs` for one more viewer.
    #[must_use]
    pub fn for_viewer(&self, codecs: Vec<Box<dyn FilmCodec>>) -> Vec<Box<dyn FilmCodec>> {
        let mut room = lock(&self.room);
        let share = |codec: Box<dyn FilmCodec>| {
            let viewer = room.admit();
            Box::new(SharedCodec {
                format: codec.format(),
                codec: Arc::new(Mutex::new(codec)),
                room: Arc::clone(&self.room),
                viewer,
            }) as Box<dyn FilmCodec>
        };
        codecs.into_iter().map(share).collect()
    }

    /// How many streams are packed right now.
    pub fn streams(&self) -> usize {
        lock(&self.room).len()
    }
}

/// One viewer's way to make films with a codec.
struct SharedCodec {
    codec: Arc<Mutex<Box<dyn FilmCodec>>>,
    format: FilmFormat,
    room: Arc<Mutex<Room>>,
    viewer: u64,
}

impl FilmCodec for SharedCodec {
    fn format(&self) -> FilmFormat {
        self.format
    }

    fn area_for(&self, frame: &FrameView<'_>, area: Rect, order: &FilmOrder) -> Option<Rect> {
        let (now, whole) = frame.origin()?;
        let needed = area.placed_in(whole);
        let room = lock(&self.room);
        let fits = |kind: &Kind| {
            kind.format == self.format
                && kind.quality == order.quality
                && kind.area.contains(needed)
                && whole.contains(kind.area)
                && kind.area.area() <= needed.area() * 2
        };
        let found = room.better_group(self.viewer, now, order.target_bytes, fits)?;
        Some(found.kind.area.seen_from(whole))
    }

    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        lock(&self.codec).coded_size(width, height)
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        Ok(Box::new(SharedEncoder {
            codec: Arc::clone(&self.codec),
            format: self.format,
            coded: (width, height),
            room: Arc::clone(&self.room),
            viewer: self.viewer,
            seat: None,
            alone: None,
            behind: false,
        }))
    }
}

impl Drop for SharedCodec {
    fn drop(&mut self) {
        lock(&self.room).dismiss(self.viewer);
    }
}

struct SharedEncoder {
    codec: Arc<Mutex<Box<dyn FilmCodec>>>,
    format: FilmFormat,
    coded: (u32, u32),
    room: Arc<Mutex<Room>>,
    viewer: u64,
    seat: Option<Seat>,
    /// For pictures that are of no shared screen.
    alone: Option<Box<dyn FilmEncoder>>,
    behind: bool,
}

enum Next {
    Packet(FilmPacket),
    /// Those in between are lost. `blameless`: the film paused meanwhile, or its codec failed.
    Missed {
        blameless: bool,
    },
}

/// A place in a group.
struct Seat {
    group: u64,
    stream: Arc<Mutex<Stream>>,
    since: Moment,
    /// How many of the packets were taken or are not needed; nothing before the first key frame.
    taken: Option<u64>,
}

impl FilmEncoder for SharedEncoder {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let Some((now, area)) = picture.origin() else {
            if self.alone.is_none() {
                self.alone = Some(self.open()?);
            }
            let encoder = self.alone.as_mut().expect("just opened");
            return encoder.encode(picture, order);
        };
        let kind = Kind {
            format: self.format,
            quality: order.quality,
            area,
            coded: self.coded,
        };
        let target_bytes = self.take_seat(now, kind, order.target_bytes);
        let order = FilmOrder {
            target_bytes,
            ..*order
        };
        let missed = match self.next_packet(now, picture, &order)? {
            Next::Packet(packet) => return Ok(packet),
            Next::Missed { blameless } => !blameless,
        };
        if missed {
            // Too much came without this viewer: it goes on alone.
            let since = self.seat.as_ref().map_or(now, |seat| seat.since);
            lock(&self.room).note_fallen(self.viewer, now, since);
        }
        self.leave();
        let order = FilmOrder {
            target_bytes: self.take_seat(now, kind, order.target_bytes),
            ..order
        };
        match self.next_packet(now, picture, &order)? {
            Next::Packet(packet) => Ok(packet),
            Next::Missed { .. } => Err(FilmError("a new film has no beginning".to_owned())),
        }
    }

    fn is_behind(&self) -> bool {
        self.behind
    }
}

impl SharedEncoder {
    fn open(&self) -> Result<Box<dyn FilmEncoder>, FilmError> {
        lock(&self.codec).open(self.coded.0, self.coded.1)
    }

    /// Finds the group to be in, and says how many bytes its next packet is to have.
    fn take_seat(&mut self, now: Moment, kind: Kind, target_bytes: usize) -> usize {
        let room = Arc::clone(&self.room);
        let mut room = lock(&room);
        let own = self.seat.as_ref().map(|seat| seat.group);
        let stays = own.is_some_and(|own| room.suits(own, self.viewer, now, kind, target_bytes));
        if own.is_some() && !stays {
            room.leave(self.viewer);
            self.seat = None;
        }
        let same = |other: &Kind| *other == kind;
        let better = room.better_group(self.viewer, now, target_bytes, same);
        let better = better.map(|group| (group.id, Arc::clone(&group.stream)));
        let found = match (better, stays) {
            (None, true) => None,
            (Some(found), _) => {
                room.leave(self.viewer);
                Some(found)
            }
            (None, false) => Some(room.open_group(kind, now)),
        };
        if let Some((group, stream)) = found {
            room.enter(self.viewer, group, now);
            self.seat = Some(Seat {
                group,
                stream,
                since: now,
                taken: None,
            });
        }
        room.feed(self.viewer, now, target_bytes)
    }

    /// The packet that comes next for this viewer, made now where there is none.
    fn next_packet(
        &mut self,
        now: Moment,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<Next, FilmError> {
        let codec = Arc::clone(&self.codec);
        let seat = self.seat.as_mut().expect("taken by the caller");
        let shared = Arc::clone(&seat.stream);
        let mut stream = lock(&shared);
        let newest = stream.kept.back().map(|(at, _)| *at);
        let missed = Next::Missed {
            blameless: stream.failed || newest.is_some_and(|at| now.since(at) > PAUSE),
        };
        if stream.failed {
            return Ok(missed);
        }
        let next = match seat.taken {
            Some(taken) => Some(taken),
            None => stream.newest_key(now),
        };
        let (packet, is_new) = match next {
            Some(next) if next < stream.made => match stream.kept_packet(next, now) {
                Some(packet) => {
                    seat.taken = Some(next + 1);
                    (packet, false)
                }
                None => return Ok(missed),
            },
            next => {
                let open = || lock(&codec).open(self.coded.0, self.coded.1);
                let packet = stream.make(now, picture, order, next.is_none(), open);
                if packet.is_err() {
                    // Whoever else is in it begins anew as well, and nobody joins it.
                    stream.failed = true;
                    let group = seat.group;
                    drop(stream);
                    lock(&self.room).close(group);
                    self.leave();
                    return packet.map(Next::Packet);
                }
                seat.taken = Some(stream.made);
                (packet?, true)
            }
        };
        self.behind = seat.taken.is_some_and(|taken| taken < stream.made);
        let group = seat.group;
        drop(stream);
        if packet.key && is_new {
            lock(&self.room).note_key(group, now);
        }
        Ok(Next::Packet(packet))
    }

    fn leave(&mut self) {
        if self.seat.take().is_some() {
            lock(&self.room).leave(self.viewer);
        }
        self.behind = false;
    }
}

impl Drop for SharedEncoder {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Nothing that is kept here is half-done while it is locked, but a stream: one whose encoder
/// panicked has made no packet.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
