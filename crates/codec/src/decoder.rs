//! The viewer's half: updates back to pixels.

use gc_model::geometry::{Rect, Size};

use crate::frame::BYTES_PER_PIXEL;
use crate::photo;
use crate::stream::{Decompressor, StreamError};

/// An update that cannot be shown. The picture is no longer certain: ask for a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A rectangle that is empty or outside the picture.
    #[error("a rectangle lies outside the picture")]
    Rect,
    /// Photographs that are none of the rectangles, or not in ascending order.
    #[error("what is packed as a photograph is none of the rectangles")]
    Photo,
    /// More pixels than the picture has.
    #[error("the rectangles cover more than the whole picture")]
    TooMuch,
    /// The first update did not start a stream.
    #[error("the stream has no beginning")]
    NotStarted,
    /// The bytes are damaged or do not fit the rectangles.
    #[error("failed to decompress an update")]
    Stream(#[from] StreamError),
}

/// What of an update the lossless stream carries.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Where the pixels go.
    pub rects: &'a [Rect],
    /// Which of them are packed as photographs: places in `rects`, ascending.
    pub photos: &'a [u32],
    /// The next piece of the stream.
    pub data: &'a [u8],
    /// The stream begins with it.
    pub starts_stream: bool,
}

/// Decodes the updates of one stream, in order.
pub struct Decoder {
    size: Size,
    stream: Decompressor,
    started: bool,
    /// What came out of the stream, when some of it is packed as photographs.
    raw: Vec<u8>,
    pixels: Vec<u8>,
}

impl Decoder {
    /// A decoder for pictures of `size`.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(size: Size) -> Result<Self, DecodeError> {
        Ok(Self {
            size,
            stream: Decompressor::new()?,
            started: false,
            raw: Vec::new(),
            pixels: Vec::new(),
        })
    }

    /// The pixels of all rectangles, in order, as BGRX.
    ///
    /// # Errors
    /// See [`DecodeError`]; after one, only an update that starts a stream is accepted.
    pub fn decode(&mut self, piece: &Piece<'_>) -> Result<&mut [u8], DecodeError> {
        let result = self.try_decode(piece);
        self.started = result.is_ok();
        result?;
        Ok(&mut self.pixels)
    }

    /// The bytes that the last [`Decoder::decode`] returned.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    fn try_decode(&mut self, piece: &Piece<'_>) -> Result<(), DecodeError> {
        if piece.starts_stream {
            self.stream.restart()?;
        } else if !self.started {
            return Err(DecodeError::NotStarted);
        }
        let mut area = 0_usize;
        for rect in piece.rects {
            if rect.is_empty() || !rect.fits(self.size) {
                return Err(DecodeError::Rect);
            }
            area += rect.area();
            if area > self.size.area() {
                return Err(DecodeError::TooMuch);
            }
        }
        let raw_bytes = raw_bytes(piece)?;
        self.pixels.resize(area * BYTES_PER_PIXEL, 0);
        // zstd takes a few calls without any data for a fault.
        if piece.data.is_empty() && area == 0 {
            return Ok(());
        }
        if piece.photos.is_empty() {
            self.stream.pull(piece.data, &mut self.pixels)?;
            return Ok(());
        }
        self.raw.resize(raw_bytes, 0);
        self.stream.pull(piece.data, &mut self.raw)?;
        self.unpack(piece);
        Ok(())
    }

    /// Spreads what came out of the stream over the pixels.
    fn unpack(&mut self, piece: &Piece<'_>) {
        let (mut raw, mut pixels) = (&self.raw[..], &mut self.pixels[..]);
        let mut photos = piece.photos.iter().copied().peekable();
        for (index, rect) in (0_u32..).zip(piece.rects) {
            let (here, later) = pixels.split_at_mut(rect.area() * BYTES_PER_PIXEL);
            pixels = later;
            if photos.next_if_eq(&index).is_some() {
                let (planes, later) = raw.split_at(rect.area() * photo::PLANES);
                photo::unpack(planes, rect.width as usize, here);
                raw = later;
            } else {
                let (plain, later) = raw.split_at(here.len());
                here.copy_from_slice(plain);
                raw = later;
            }
        }
    }
}

/// How many bytes the stream holds for a piece.
fn raw_bytes(piece: &Piece<'_>) -> Result<usize, DecodeError> {
    let ascending = piece.photos.is_sorted_by(|a, b| a < b);
    if !ascending {
        return Err(DecodeError::Photo);
    }
    let plain: usize = piece.rects.iter().map(|rect| rect.area()).sum();
    let photos = piece.photos.iter().map(|&index| {
        let rect = piece.rects.get(index as usize);
        rect.map(|rect| rect.area()).ok_or(DecodeError::Photo)
    });
    let photos = photos.sum::<Result<usize, _>>()?;
    Ok(plain * BYTES_PER_PIXEL - photos * (BYTES_PER_PIXEL - photo::PLANES))
}

/// Turns BGRX into opaque RGBA, in place.
pub fn bgrx_to_rgba(pixels: &mut [u8]) {
    for pixel in pixels.chunks_exact_mut(BYTES_PER_PIXEL) {
        let bgrx = u32::from_le_bytes([pixel[0], pixel[1], pixel[2], pixel[3]]);
        let rgba =
            0xff00_0000 | (bgrx & 0x0000_ff00) | ((bgrx & 0xff) << 16) | ((bgrx >> 16) & 0xff);
        pixel.copy_from_slice(&rgba.to_le_bytes());
    }
}
