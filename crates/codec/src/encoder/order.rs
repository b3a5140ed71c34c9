//! What an encoder is asked for, and what it answers.

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;

use super::piece::fills;
use crate::decoder::Piece;
use crate::film::{FilmOrder, FilmPiece};
use crate::moves::Moves;
use crate::stream::StreamError;

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
    pub(super) fn quantize(self, pixels: &mut [u8]) {
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
    /// Stop adding to the update once it has about this many bytes. At least one tile
    /// is always sent, and the update may be larger by the last piece.
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
    /// New photographs that would take more bytes than this are shown as a film's frame first.
    pub glance_above_bytes: Option<usize>,
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Where the pixels go; they do not overlap.
    pub rects: Vec<Rect>,
    /// Which of them are packed as photographs: places in `rects`, ascending.
    pub photos: Vec<u32>,
    /// The other rectangles' pixels, in order, as the next piece of the stream.
    pub data: Vec<u8>,
    /// The photographs, in order, as the next piece of their own stream.
    pub photo_data: Vec<u8>,
    /// The receiver must start new streams with these pieces.
    pub starts_stream: bool,
    /// False when there is more: the budget ended first, or a large change comes in parts.
    pub complete: bool,
    /// The viewer's picture has less than the screen somewhere after this, of this update or of
    /// one before it: it will be sent again exactly.
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
            photo_data: &self.photo_data,
            starts_stream: self.starts_stream,
        }
    }

    /// Whether it has all that the budget of its order had room for, near enough.
    pub fn fills(&self, budget_bytes: usize) -> bool {
        self.bytes() >= budget_bytes || (!self.complete && fills(budget_bytes, self.bytes()))
    }

    /// What its exact pixels take.
    pub(super) fn exact_bytes(&self) -> usize {
        self.data.len() + self.photo_data.len()
    }

    /// What its pixels take.
    pub fn bytes(&self) -> usize {
        self.exact_bytes() + self.film.as_ref().map_or(0, |film| film.data.len())
    }
}

/// Whether there is more to send without anything changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// The viewer has the screen, bit for bit.
    Nothing,
    /// Something that changed did not fit the budget, or one update.
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

/// Why there is no update. An encoder that failed cannot go on; a new one can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The compressor failed.
    #[error("failed to compress an update")]
    Stream(#[from] StreamError),
    /// The frame has another size than the encoder.
    #[error("the frame has another size than the encoder was made for")]
    Size,
}
