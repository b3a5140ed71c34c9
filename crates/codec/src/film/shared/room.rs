//! Who shares a film with whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use super::stream::{MAX_AGE, Stream};
use crate::film::{FilmFormat, FilmQuality};

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

/// Who is in which group.
#[derive(Default)]
pub(super) struct Room {
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

/// Those who take the packets of one stream.
pub(super) struct Group {
    pub(super) id: u64,
    pub(super) kind: Kind,
    members: Vec<Member>,
    keyed_at: Moment,
    pub(super) stream: Arc<Mutex<Stream>>,
}

/// What is the same for all of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) format: FilmFormat,
    pub(super) quality: FilmQuality,
    /// On the whole screen.
    pub(super) area: Rect,
    pub(super) coded: (u32, u32),
}

struct Member {
    viewer: u64,
    target_bytes: usize,
    fed_at: Moment,
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
    /// The number of one more viewer.
    pub(super) fn admit(&mut self) -> u64 {
        self.last_viewer += 1;
        self.viewers.insert(self.last_viewer, Manners::default());
        self.last_viewer
    }

    /// The viewer is gone.
    pub(super) fn dismiss(&mut self, viewer: u64) {
        self.viewers.remove(&viewer);
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether the viewer's group still is of that kind, and its wish like those of the others.
    pub(super) fn suits(
        &self,
        own: u64,
        viewer: u64,
        now: Moment,
        kind: Kind,
        target_bytes: usize,
    ) -> bool {
        self.groups.iter().any(|group| {
            let others = group.others(viewer, now);
            group.id == own
                && group.kind == kind
                && are_alike(kind, target_bytes, others, ALIKE_TO_STAY)
        })
    }

    /// A group that fits and is better than the one that the viewer is in.
    pub(super) fn better_group(
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

    pub(super) fn open_group(&mut self, kind: Kind, now: Moment) -> (u64, Arc<Mutex<Stream>>) {
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

    pub(super) fn enter(&mut self, viewer: u64, group: u64, now: Moment) {
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

    pub(super) fn leave(&mut self, viewer: u64) {
        for group in &mut self.groups {
            group.members.retain(|member| member.viewer != viewer);
        }
        self.groups.retain(|group| !group.members.is_empty());
    }

    /// Whoever is in it finds another one with the next picture.
    pub(super) fn close(&mut self, group: u64) {
        self.groups.retain(|found| found.id != group);
    }

    /// Notes what a viewer wishes; what its whole group does with it.
    pub(super) fn feed(&mut self, viewer: u64, now: Moment, target_bytes: usize) -> usize {
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

    pub(super) fn note_fallen(&mut self, viewer: u64, now: Moment, since: Moment) {
        if let Some(manners) = self.viewers.get_mut(&viewer) {
            manners.penance = if now.since(since) > FORGIVEN_AFTER {
                FIRST_PENANCE
            } else {
                (manners.penance * 2).clamp(FIRST_PENANCE, LONGEST_PENANCE)
            };
            manners.alone_until = Some(now + manners.penance);
        }
    }

    pub(super) fn note_key(&mut self, group: u64, now: Moment) {
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
