//! The viewer's half: updates back to pixels.

use gc_model::geometry::{Rect, Size};

use crate::frame::BYTES_PER_PIXEL;
use crate::stream::{Decompressor, StreamError};

/// An update that cannot be shown. The picture is no longer certain: ask for a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A rectangle that is empty or outside the picture.
    #[error("a rectangle lies outside the picture")]
    Rect,
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

/// Decodes the updates of one stream, in order.
pub struct Decoder {
    size: Size,
    stream: Decompressor,
    started: bool,
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
            pixels: Vec::new(),
        })
    }

    /// The pixels of all `rects`, in order, as BGRX.
    ///
    /// # Errors
    /// See [`DecodeError`]; after one, only an update that starts a stream is accepted.
    pub fn decode(
        &mut self,
        rects: &[Rect],
        data: &[u8],
        starts_stream: bool,
    ) -> Result<&mut [u8], DecodeError> {
        let result = self.try_decode(rects, data, starts_stream);
        self.started = result.is_ok();
        result?;
        Ok(&mut self.pixels)
    }

    /// The bytes that the last [`Decoder::decode`] returned.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    fn try_decode(
        &mut self,
        rects: &[Rect],
        data: &[u8],
        starts_stream: bool,
    ) -> Result<(), DecodeError> {
        if starts_stream {
            self.stream.restart()?;
        } else if !self.started {
            return Err(DecodeError::NotStarted);
        }
        let mut area = 0_usize;
        for rect in rects {
            if rect.is_empty() || !rect.fits(self.size) {
                return Err(DecodeError::Rect);
            }
            area += rect.area();
            if area > self.size.area() {
                return Err(DecodeError::TooMuch);
            }
        }
        self.pixels.resize(area * BYTES_PER_PIXEL, 0);
        self.stream.pull(data, &mut self.pixels)?;
        Ok(())
    }
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
