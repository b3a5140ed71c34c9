//! The packets of one film, for all who share it.

use std::collections::VecDeque;
use std::time::Duration;

use gc_model::time::Moment;

use crate::film::{FilmEncoder, FilmError, FilmOrder, FilmPacket};
use crate::frame::FrameView;

/// Packets that are kept for members who come later.
const MAX_KEPT: usize = 5;

/// An older packet is not worth showing: five frames at 30 Hz.
pub(super) const MAX_AGE: Duration = Duration::from_millis(150);

/// Unless a busy machine makes fewer frames than that: this many of them. Who leaves for being
/// late there packs as well, and makes everything later still.
const MAX_FRAMES_OLD: u32 = 3;

/// At the most.
const MAX_AGE_OF_FEW: Duration = Duration::from_millis(500);

/// One stream of packets, the newest of them kept.
#[derive(Default)]
pub(super) struct Stream {
    encoder: Option<Box<dyn FilmEncoder>>,
    /// The newest packets, oldest first, with when their pictures were taken.
    pub(super) kept: VecDeque<(Moment, FilmPacket)>,
    /// Packets made so far.
    pub(super) made: u64,
    pub(super) failed: bool,
}

impl Stream {
    /// The number of the newest packet that one can begin with.
    pub(super) fn newest_key(&self, now: Moment) -> Option<u64> {
        let back = self
            .kept
            .iter()
            .rev()
            .position(|(at, packet)| packet.key && now.since(*at) <= self.max_age())?;
        Some(self.made - 1 - back as u64)
    }

    pub(super) fn kept_packet(&self, number: u64, now: Moment) -> Option<FilmPacket> {
        let back = usize::try_from(self.made - number).ok()?;
        let (at, packet) = self.kept.get(self.kept.len().checked_sub(back)?)?;
        (now.since(*at) <= self.max_age()).then(|| packet.clone())
    }

    /// How old a packet may be that is still given to a member.
    pub(super) fn max_age(&self) -> Duration {
        let times = self.kept.iter().map(|(at, _)| *at);
        let gaps = times.clone().zip(times.skip(1));
        let longest = gaps.map(|(at, next)| next.since(at)).max();
        let of_few = longest.unwrap_or_default() * MAX_FRAMES_OLD;
        of_few.clamp(MAX_AGE, MAX_AGE_OF_FEW)
    }

    pub(super) fn make(
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
