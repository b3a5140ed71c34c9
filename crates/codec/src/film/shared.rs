//! Films that the viewers of one screen make together. Packing a film's frame is the most
//! expensive thing that an agent does; whoever sees the same film at about the same quality
//! gets the same packets.
//!
//! A *group* is one stream of packets. Each of its members takes every packet, in order, and
//! whoever has taken all of them makes the next. So two viewers at the same pace share each
//! packet, whichever of them comes first. One who cannot keep up leaves and goes on alone:
//! nobody waits, and nobody gets frames twice. Who joins begins at a key frame, which costs
//! the others one larger frame, and seldom.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use super::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FilmQuality};
use crate::frame::FrameView;

/// Packets that are kept for members who come later.
const MAX_KEPT: usize = 5;

/// An older packet is not worth showing: five frames at 30 Hz.
const MAX_AGE: Duration = Duration::from_millis(150);

/// Unless a busy machine makes fewer frames than that: this many of them. Who leaves for being
/// late there packs as well, and makes everything later still.
const MAX_FRAMES_OLD: u32 = 3;

/// At the most.
const MAX_AGE_OF_FEW: Duration = Duration::from_millis(500);

/// A film that rested for so long: who has not seen its end could not know of it.
const PAUSE: Duration = Duration::from_millis(500);

/// A member that took nothing for so long does not count.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(1);

/// Key frames for those who join come at most this often.
const KEY_EVERY: Duration = Duration::from_secs(1);

/// Nobody changes groups more often.
const MOVE_EVERY: Duration = Duration::from_secs(2);

/// How long one stays alone who could not keep up: this, and twice as long each time, up to the second.
const FIRST_PENANCE: Duration = Duration::from_secs(5);
const LONGEST_PENANCE: Duration = Duration::from_mins(2);

/// Who kept up for so long could not the next time for another reason.
const FORGIVEN_AFTER: Duration = Duration::from_secs(30);

/// Bytes of a pixel that the best quality never needs: a wish for more is the same wish.
const ENOUGH_BYTES_PER_PIXEL: f64 = 0.125;

/// How many times apart the wishes of those may be who join, and who stay.
const ALIKE_TO_JOIN: usize = 2;
const ALIKE_TO_STAY: usize = 3;

/// The films of one screen.
#[derive(Clone, Default)]
pub struct SharedFilms {
    room: Arc<Mutex<Room>>,
}

#[derive(Default)]
struct Room {
    groups: Vec<Group>,
    viewers: HashMap<u64, Manners>,
    last_group: u64,
    last_viewer: u64,
}

/// How a viewer did so far.
#[derive(Default)]
struct Manners {
    moved_at: Option<Moment>,
    /// Stays alone until then.
    alone_until: Option<Moment>,
    penance: Duration,
}

struct Group {
    id: u64,
    kind: Kind,
    members: Vec<Member>,
    keyed_at: Moment,
    stream: Arc<Mutex<Stream>>,
}

/// What is the same for all of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    format: FilmFormat,
    quality: FilmQuality,
    /// On the whole screen.
    area: Rect,
    coded: (u32, u32),
}

struct Member {
    viewer: u64,
    target_bytes: usize,
    fed_at: Moment,
}

#[derive(Default)]
struct Stream {
    encoder: Option<Box<dyn FilmEncoder>>,
    /// The newest packets, oldest first, with when their pictures were taken.
    kept: VecDeque<(Moment, FilmPacket)>,
    /// Packets made so far.
    made: u64,
    failed: bool,
}

impl SharedFilms {
    /// `codecs` for one more viewer.
    #[must_use]
    pub fn for_viewer(&self, codecs: Vec<Box<dyn FilmCodec>>) -> Vec<Box<dyn FilmCodec>> {
        let mut room = lock(&self.room);
        let share = |codec: Box<dyn FilmCodec>| {
            room.last_viewer += 1;
            let viewer = room.last_viewer;
            room.viewers.insert(viewer, Manners::default());
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
        lock(&self.room).groups.len()
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
        lock(&self.room).viewers.remove(&self.viewer);
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
        let stays = own.is_some_and(|own| {
            room.groups.iter().any(|group| {
                let others = group.others(self.viewer, now);
                group.id == own
                    && group.kind == kind
                    && are_alike(kind, target_bytes, others, ALIKE_TO_STAY)
            })
        });
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

impl Stream {
    /// The number of the newest packet that one can begin with.
    fn newest_key(&self, now: Moment) -> Option<u64> {
        let back = self
            .kept
            .iter()
            .rev()
            .position(|(at, packet)| packet.key && now.since(*at) <= self.max_age())?;
        Some(self.made - 1 - back as u64)
    }

    fn kept_packet(&self, number: u64, now: Moment) -> Option<FilmPacket> {
        let back = usize::try_from(self.made - number).ok()?;
        let (at, packet) = self.kept.get(self.kept.len().checked_sub(back)?)?;
        (now.since(*at) <= self.max_age()).then(|| packet.clone())
    }

    /// How old a packet may be that is still given to a member.
    fn max_age(&self) -> Duration {
        let times = self.kept.iter().map(|(at, _)| *at);
        let gaps = times.clone().zip(times.skip(1));
        let longest = gaps.map(|(at, next)| next.since(at)).max();
        let of_few = longest.unwrap_or_default() * MAX_FRAMES_OLD;
        of_few.clamp(MAX_AGE, MAX_AGE_OF_FEW)
    }

    fn make(
        &mut self,
        now: Moment,
        picture: &FrameView<'_>,
        order: &FilmOrder,
        key: bool,
        open: impl FnOnce() -> Result<Box<dyn FilmEncoder>, FilmError>,
    ) -> Result<FilmPacket, FilmError> {
        // Put back when it has made its packet: one that panicked is half-done.
        let mut encoder = match self.encoder.take() {
            Some(encoder) if !key => encoder,
            None if !key && self.made > 0 => {
                return Err(FilmError("the encoder was lost".to_owned()));
            }
            // The first frame of an encoder is a key frame.
            _ => open()?,
        };
        let packet = encoder.encode(picture, order)?;
        self.encoder = Some(encoder);
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((now, packet.clone()));
        self.made += 1;
        Ok(packet)
    }
}

impl Group {
    /// What the other members wish who are still there.
    fn others(&self, viewer: u64, now: Moment) -> impl Iterator<Item = usize> {
        self.members
            .iter()
            .filter(move |member| {
                member.viewer != viewer && now.since(member.fed_at) <= FORGOTTEN_AFTER
            })
            .map(|member| member.target_bytes)
    }

    /// Larger groups come first, then larger areas, then older groups: all viewers agree on it.
    fn rank(&self) -> (usize, usize, std::cmp::Reverse<u64>) {
        let area = self.kind.area.area();
        (self.members.len(), area, std::cmp::Reverse(self.id))
    }
}

impl Room {
    /// A group that fits and is better than the one that the viewer is in.
    fn better_group(
        &self,
        viewer: u64,
        now: Moment,
        target_bytes: usize,
        fits: impl Fn(&Kind) -> bool,
    ) -> Option<&Group> {
        let manners = self.viewers.get(&viewer)?;
        let own = self
            .groups
            .iter()
            .find(|group| group.members.iter().any(|member| member.viewer == viewer));
        let moved = manners.moved_at.filter(|_| own.is_some());
        if manners.alone_until.is_some_and(|until| now < until)
            || moved.is_some_and(|at| now.since(at) < MOVE_EVERY)
        {
            return None;
        }
        let rank = own.map(Group::rank);
        let candidates = self.groups.iter().filter(|group| {
            let mut others = group.others(viewer, now).peekable();
            let is_own = own.is_some_and(|own| own.id == group.id);
            let keyed = now.since(group.keyed_at);
            !is_own
                && fits(&group.kind)
                && rank.is_none_or(|rank| group.rank() > rank)
                && (keyed <= MAX_AGE || keyed >= KEY_EVERY)
                && others.peek().is_some()
                && are_alike(group.kind, target_bytes, others, ALIKE_TO_JOIN)
        });
        candidates.max_by_key(|group| group.rank())
    }

    fn open_group(&mut self, kind: Kind, now: Moment) -> (u64, Arc<Mutex<Stream>>) {
        self.last_group += 1;
        let stream = Arc::<Mutex<Stream>>::default();
        self.groups.push(Group {
            id: self.last_group,
            kind,
            members: Vec::new(),
            keyed_at: now,
            stream: Arc::clone(&stream),
        });
        (self.last_group, stream)
    }

    fn enter(&mut self, viewer: u64, group: u64, now: Moment) {
        if let Some(manners) = self.viewers.get_mut(&viewer) {
            manners.moved_at = Some(now);
        }
        if let Some(group) = self.groups.iter_mut().find(|found| found.id == group) {
            group.members.push(Member {
                viewer,
                target_bytes: 0,
                fed_at: now,
            });
        }
    }

    fn leave(&mut self, viewer: u64) {
        for group in &mut self.groups {
            group.members.retain(|member| member.viewer != viewer);
        }
        self.groups.retain(|group| !group.members.is_empty());
    }

    /// Whoever is in it finds another one with the next picture.
    fn close(&mut self, group: u64) {
        self.groups.retain(|found| found.id != group);
    }

    /// Notes what a viewer wishes; what its whole group does with it.
    fn feed(&mut self, viewer: u64, now: Moment, target_bytes: usize) -> usize {
        for group in &mut self.groups {
            let mut members = group.members.iter_mut();
            let Some(member) = members.find(|member| member.viewer == viewer) else {
                continue;
            };
            (member.target_bytes, member.fed_at) = (target_bytes, now);
            return group.others(viewer, now).fold(target_bytes, usize::min);
        }
        target_bytes
    }

    fn note_fallen(&mut self, viewer: u64, now: Moment, since: Moment) {
        if let Some(manners) = self.viewers.get_mut(&viewer) {
            manners.penance = if now.since(since) > FORGIVEN_AFTER {
                FIRST_PENANCE
            } else {
                (manners.penance * 2).clamp(FIRST_PENANCE, LONGEST_PENANCE)
            };
            manners.alone_until = Some(now + manners.penance);
        }
    }

    fn note_key(&mut self, group: u64, now: Moment) {
        if let Some(group) = self.groups.iter_mut().find(|found| found.id == group) {
            group.keyed_at = now;
        }
    }
}

/// True when one packet serves all these wishes.
fn are_alike(
    kind: Kind,
    target_bytes: usize,
    others: impl Iterator<Item = usize>,
    times: usize,
) -> bool {
    let pixels = f64::from(kind.coded.0) * f64::from(kind.coded.1);
    let enough = (pixels * ENOUGH_BYTES_PER_PIXEL) as usize;
    let own = target_bytes.min(enough);
    let mut others = others.map(|bytes| bytes.min(enough));
    others.all(|other| own <= other * times && other <= own * times)
}

/// Nothing that is kept here is half-done while it is locked, but a stream: one whose encoder
/// panicked has made no packet.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
