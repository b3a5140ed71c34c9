//! Films: regions that keep changing and are photo-like travel as a video stream of
//! their own rectangle, beside the lossless stream. What is here decides where a film
//! is and how good it may be; the codecs stand behind [`FilmCodec`].

#[cfg(any(feature = "openh264", feature = "vp9"))]
mod coded;
mod colours;
mod format;
mod h264_header;
#[cfg(feature = "hardware")]
mod h264_rewrite;
#[cfg(feature = "hardware")]
mod hardware;
mod maker;
#[cfg(feature = "openh264")]
mod openh264;
mod reduction;
#[cfg(any(feature = "hardware", feature = "openh264", feature = "vp9"))]
mod scale;
mod shared;
#[cfg(feature = "vp9")]
mod vp9;
mod vp9_header;

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use crate::frame::FrameView;
use colours::Colours;
use reduction::Reduction;

pub use format::{FilmFormat, FilmFormats};
#[cfg(feature = "hardware")]
pub use hardware::{HardwareEncoder, HardwareFilms, HardwarePacket, StartedEncoder};
pub use maker::FilmMaker;
pub use shared::SharedFilms;

/// Most parts of a film that are painted; one in more parts is none.
pub const MAX_FILM_RECTS: usize = 256;

/// A film that was not fed for this long is over.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(2);

/// A film whose picture would fit half of its rectangle for this long gets a smaller one.
const SHRINKS_AFTER: Duration = Duration::from_secs(2);

/// Smallest side of a coded picture.
const MIN_CODED_SIDE_PX: u32 = 16;

/// Failures after which a codec is not tried again.
const MAX_FAILURES: u32 = 3;

/// 10 s of a film: after so many good frames in a row earlier failures are forgiven.
const FORGIVEN_AFTER_FRAMES: u32 = 300;

/// A frame with more bytes than this is none: it would not fit a message of the session.
const MAX_PACKET_BYTES: usize = 3 << 20;

/// How exact a film is at best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilmQuality {
    /// Small: for slow links and slow machines.
    Coarse,
    /// Edges and text stay readable, grain goes.
    Fair,
    /// What one takes for good while it moves.
    Good,
}

/// What the next frame of a film may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilmOrder {
    /// Codecs that the viewer decodes. [`FilmFormat::Vp9FullChroma`] is used where the film has
    /// such colours: it is to be among them only while there is room for twice the bytes.
    pub formats: FilmFormats,
    /// About how many bytes one frame is to have.
    pub target_bytes: usize,
    /// Never better than this.
    pub quality: FilmQuality,
}

/// One frame of a film, for the viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmPiece {
    /// Names the stream; another number is another stream and needs another decoder.
    pub stream: u32,
    /// The codec.
    pub format: FilmFormat,
    /// The decoder can start here.
    pub key: bool,
    /// Where the whole film is in the picture.
    pub area: Rect,
    /// Width of the coded picture, stretched over the area.
    pub coded_width: u32,
    /// Height of the coded picture.
    pub coded_height: u32,
    /// Each side was divided by this for the line's sake, beside what the codec needs.
    pub reduction: u32,
    /// What of it is to be painted; in picture coordinates, inside the area, not overlapping.
    pub rects: Vec<Rect>,
    /// One packet of the codec.
    pub data: Vec<u8>,
    /// It would be better if it might have more bytes.
    pub held_back: bool,
    /// What packs the stream, said with its key frames.
    pub maker: Option<FilmMaker>,
}

/// A coded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmPacket {
    /// The codec's bytes.
    pub data: Vec<u8>,
    /// Nothing before it is needed.
    pub key: bool,
    /// It would be better if it might have more bytes.
    pub held_back: bool,
    /// What made it, said with key frames.
    pub maker: Option<FilmMaker>,
}

/// A codec that failed. Another stream may do better; the film can go on without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the video codec failed: {0}")]
pub struct FilmError(pub String);

impl FilmError {
    /// What failed, and why.
    pub fn caused_by(error: &dyn std::error::Error) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}"));
        Self(format!("{error}{}", cause.unwrap_or_default()))
    }
}

/// Packs the frames of one film, all of one size.
pub trait FilmEncoder: Send {
    /// Packs `picture`, the film's part of the screen, as `order` says. The first frame is a key frame.
    ///
    /// # Errors
    /// The codec failed; the stream cannot go on.
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError>;

    /// There are frames already that come after the last one given.
    fn is_behind(&self) -> bool {
        false
    }
}

/// A codec that can be started.
pub trait FilmCodec: Send + Sync {
    /// What it makes.
    fn format(&self) -> FilmFormat;

    /// Another part of `frame` to make a film of than `area`, around it and not much larger,
    /// because that film is there already.
    fn area_for(&self, _frame: &FrameView<'_>, _area: Rect, _order: &FilmOrder) -> Option<Rect> {
        None
    }

    /// The size of the pictures for an area of `width` x `height`, which is then scaled down to
    /// it: the same, unless the codec cannot have it. `None` where it makes no film of such an
    /// area, which is no failure.
    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        Some((width, height))
    }

    /// Starts a stream of pictures of `width` x `height`; larger areas are scaled down to it.
    ///
    /// # Errors
    /// The codec cannot be started.
    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError>;
}

/// Those of the wanted codecs that this build can make, in the same order: the first that the
/// viewer decodes is used, the others when it fails.
pub fn film_codecs(wanted: &[FilmFormat]) -> Vec<Box<dyn FilmCodec>> {
    wanted
        .iter()
        .filter_map(|format| match format {
            #[cfg(feature = "vp9")]
            FilmFormat::Vp9 if vp9::Vp9::is_available() => {
                Some(Box::new(vp9::Vp9(gc_video::Chroma::Quarter)) as Box<dyn FilmCodec>)
            }
            #[cfg(feature = "vp9")]
            FilmFormat::Vp9FullChroma if vp9::Vp9::is_available() => {
                Some(Box::new(vp9::Vp9(gc_video::Chroma::Full)) as Box<dyn FilmCodec>)
            }
            #[cfg(feature = "openh264")]
            FilmFormat::H264 => Some(Box::new(openh264::OpenH264) as Box<dyn FilmCodec>),
            _ => None,
        })
        .collect()
}

/// True for one frame of `format` that begins anew or not as `key` says, and whose picture has
/// `width` x `height` pixels as far as it names a size. Only its head is looked at.
pub fn is_film_frame(format: FilmFormat, data: &[u8], key: bool, width: u32, height: u32) -> bool {
    let size = (width, height);
    match format {
        FilmFormat::Vp9 => vp9_header::is_vp9_frame(vp9_header::PROFILE_0, data, key, size),
        FilmFormat::Vp9FullChroma => {
            vp9_header::is_vp9_frame(vp9_header::PROFILE_1, data, key, size)
        }
        FilmFormat::H264 => h264_header::is_h264_frame(data, key, width, height),
    }
}

/// The film of one viewer: at most one at a time, in a rectangle around all that plays.
pub(crate) struct Films {
    codecs: Vec<Tried>,
    running: Option<Film>,
    streams: u32,
    colours: Colours,
    reduction: Reduction,
}

/// A codec and how it did.
struct Tried {
    codec: Box<dyn FilmCodec>,
    failures: u32,
    /// Good frames since the last failure.
    good: u32,
}

struct Film {
    area: Rect,
    reduction: u32,
    /// Which of the codecs makes it.
    codec: usize,
    encoder: Box<dyn FilmEncoder>,
    coded: (u32, u32),
    fed_at: Moment,
    /// Since when less than half of the area was enough.
    roomy_since: Option<Moment>,
}

impl Films {
    pub(crate) fn new(codecs: Vec<Box<dyn FilmCodec>>) -> Self {
        let fresh = |codec| Tried {
            codec,
            failures: 0,
            good: 0,
        };
        Self {
            codecs: codecs.into_iter().map(fresh).collect(),
            running: None,
            streams: 0,
            colours: Colours::default(),
            reduction: Reduction::default(),
        }
    }

    /// True when a film of this kind can be made.
    pub(crate) fn can(&self, order: &FilmOrder) -> bool {
        self.usable(order).next().is_some()
    }

    /// The viewer has none of the film any more.
    pub(crate) fn restart(&mut self) {
        self.running = None;
        self.reduction = Reduction::default();
    }

    /// Where the film is that plays, or played last.
    pub(crate) fn area(&self) -> Option<Rect> {
        self.running.as_ref().map(|film| film.area)
    }

    /// There are frames of the film already that the viewer has not got.
    pub(crate) fn is_behind(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|film| film.encoder.is_behind())
    }

    /// Packs what plays within `needed`. The caller paints `rects`. A codec that fails, or does
    /// not take such an area, is replaced by the next one at once; the error is that of the last.
    pub(crate) fn encode(
        &mut self,
        now: Moment,
        frame: &FrameView<'_>,
        needed: Rect,
        rects: &[Rect],
        order: &FilmOrder,
    ) -> Result<FilmPiece, FilmError> {
        let mut error = FilmError("not in this program".to_owned());
        for codec in self.candidates(now, frame, rects, order) {
            match self.encode_with(codec, now, frame, needed, rects, order) {
                Ok(Some(piece)) => {
                    self.codecs[codec].note(true);
                    return Ok(piece);
                }
                Ok(None) => error = FilmError("not in this size".to_owned()),
                Err(failed) => {
                    self.codecs[codec].note(false);
                    error = failed;
                }
            }
            self.running = None;
        }
        Err(error)
    }

    /// One frame of what does not move, in a stream of its own that nobody shares: it says nothing
    /// of where the next film is and how large, and another viewer's may show an older picture.
    pub(crate) fn glance(
        &mut self,
        now: Moment,
        frame: &FrameView<'_>,
        area: Rect,
        rects: &[Rect],
        order: &FilmOrder,
    ) -> Result<FilmPiece, FilmError> {
        let order = FilmOrder {
            formats: order.formats.without(FilmFormat::Vp9FullChroma),
            ..*order
        };
        self.restart();
        let piece = self.encode(now, &frame.alone(), area, rects, &order);
        self.restart();
        piece
    }

    /// `None` when the codec does not take an area of that size.
    fn encode_with(
        &mut self,
        codec: usize,
        now: Moment,
        frame: &FrameView<'_>,
        needed: Rect,
        rects: &[Rect],
        order: &FilmOrder,
    ) -> Result<Option<FilmPiece>, FilmError> {
        let area = self
            .running
            .as_mut()
            .map_or(needed, |film| film.area_for(now, needed));
        let maker = &self.codecs[codec].codec;
        let elsewhere = maker.area_for(frame, area, order);
        let area = elsewhere.unwrap_or(area);
        let reduction = self.reduction.next(now, area, order);
        let continues = self.running.as_ref().is_some_and(|film| {
            film.area == area && film.codec == codec && film.reduction == reduction
        });
        if !continues && !self.open(codec, area, reduction)? {
            return Ok(None);
        }
        let film = self.running.as_mut().expect("just opened");
        film.fed_at = now;
        let area = film.area;
        let packet = film.encoder.encode(&frame.part(area), order)?;
        self.reduction.note_made(&packet, order);
        let format = self.codecs[codec].codec.format();
        let (width, height) = film.coded;
        // What the viewer would refuse is not sent: another codec does better.
        let begins = continues || packet.key;
        let sound = is_film_frame(format, &packet.data, packet.key, width, height);
        if !begins || !sound || packet.data.len() > MAX_PACKET_BYTES {
            return Err(FilmError(format!("it made no frame of {format}")));
        }
        Ok(Some(FilmPiece {
            stream: self.streams,
            format,
            key: packet.key,
            area,
            coded_width: width,
            coded_height: height,
            reduction,
            rects: rects.to_vec(),
            data: packet.data,
            held_back: packet.held_back,
            maker: packet.maker,
        }))
    }

    /// False when the codec does not take an area of that size.
    fn open(&mut self, codec: usize, area: Rect, reduction: u32) -> Result<bool, FilmError> {
        let side = |px: u32| px.div_ceil(reduction).max(MIN_CODED_SIDE_PX.min(px));
        let maker = &self.codecs[codec].codec;
        let Some(coded) = maker.coded_size(side(area.width), side(area.height)) else {
            return Ok(false);
        };
        let encoder = maker.open(coded.0, coded.1)?;
        self.streams += 1;
        self.running = Some(Film {
            area,
            reduction,
            codec,
            encoder,
            coded,
            fed_at: Moment::ZERO,
            roomy_since: None,
        });
        Ok(true)
    }

    /// The codecs to try, in this order.
    fn candidates(
        &mut self,
        now: Moment,
        frame: &FrameView<'_>,
        rects: &[Rect],
        order: &FilmOrder,
    ) -> Vec<usize> {
        let mut usable: Vec<usize> = self.usable(order).collect();
        // What runs goes on: another codec in its place would cost a key frame.
        let runs = |&codec: &usize| {
            self.running
                .as_ref()
                .is_some_and(|film| film.codec == codec)
        };
        if let Some(at) = usable.iter().position(runs) {
            usable[..=at].rotate_right(1);
        }
        let full = self.codecs.iter().position(is_full_chroma);
        let Some(full) = full.filter(|&full| self.is_usable(full, order)) else {
            return usable;
        };
        let is_whole = self.running.as_ref().is_none_or(|film| film.reduction == 1);
        let first = usable.first().map(|&codec| &self.codecs[codec]);
        let comes_next = first.is_some_and(|first| first.codec.format() == FilmFormat::Vp9)
            || self.running.as_ref().is_some_and(|film| film.codec == full);
        if comes_next && is_whole && self.colours.are_fine(now, frame, rects) {
            usable.insert(0, full);
        }
        usable
    }

    /// The codecs that may be used whatever the film is like.
    fn usable(&self, order: &FilmOrder) -> impl Iterator<Item = usize> {
        (0..self.codecs.len())
            .filter(|&codec| self.is_usable(codec, order) && !is_full_chroma(&self.codecs[codec]))
    }

    fn is_usable(&self, codec: usize, order: &FilmOrder) -> bool {
        let tried = &self.codecs[codec];
        tried.failures < MAX_FAILURES && order.formats.contains(tried.codec.format())
    }
}

fn is_full_chroma(tried: &Tried) -> bool {
    tried.codec.format() == FilmFormat::Vp9FullChroma
}

impl Tried {
    fn note(&mut self, good: bool) {
        if !good {
            self.failures += 1;
            self.good = 0;
            return;
        }
        self.good += 1;
        if self.good == FORGIVEN_AFTER_FRAMES {
            self.failures = 0;
        }
    }
}

impl Film {
    /// The film's rectangle grows at once and shrinks late: each change costs a key frame.
    fn area_for(&mut self, now: Moment, needed: Rect) -> Rect {
        if now.since(self.fed_at) > FORGOTTEN_AFTER {
            return needed;
        }
        let all = self.area.union(needed);
        if all != self.area {
            return all;
        }
        if needed.area() * 2 > self.area.area() {
            self.roomy_since = None;
            return self.area;
        }
        let since = *self.roomy_since.get_or_insert(now);
        if now.since(since) > SHRINKS_AFTER {
            needed
        } else {
            self.area
        }
    }
}
