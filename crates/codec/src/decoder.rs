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
    /// The next piece of the photographs' own stream.
    pub photo_data: &'a [u8],
    /// The streams begin with it.
    pub starts_stream: bool,
}

/// Decodes the updates of one stream, in order.
pub struct Decoder {
    size: Size,
    stream: Decompressor,
    photo_stream: Decompressor,
    started: bool,
    /// What came out of the stream, when not all of it is for the pixels one after the other.
    raw: Vec<u8>,
    /// What came out of the photographs' stream.
    planes: Vec<u8>,
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
            photo_stream: Decompressor::new()?,
            started: false,
            raw: Vec::new(),
            planes: Vec::new(),
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
            self.photo_stream.restart()?;
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
        let photo_area = photo_area(piece)?;
        self.pixels.resize(area * BYTES_PER_PIXEL, 0);
        if photo_area == 0 && piece.photo_data.is_empty() {
            return pull(&mut self.stream, piece.data, &mut self.pixels);
        }
        self.raw.resize((area - photo_area) * BYTES_PER_PIXEL, 0);
        pull(&mut self.stream, piece.data, &mut self.raw)?;
        self.planes.resize(photo_area * photo::PLANES, 0);
        pull(&mut self.photo_stream, piece.photo_data, &mut self.planes)?;
        self.unpack(piece);
        Ok(())
    }

    /// Spreads what came out of the streams over the pixels.
    fn unpack(&mut self, piece: &Piece<'_>) {
        let (mut raw, mut planes) = (&self.raw[..], &self.planes[..]);
        let mut pixels = &mut self.pixels[..];
        let mut photos = piece.photos.iter().copied().peekable();
        for (index, rect) in (0_u32..).zip(piece.rects) {
            let (here, later) = pixels.split_at_mut(rect.area() * BYTES_PER_PIXEL);
            pixels = later;
            if photos.next_if_eq(&index).is_some() {
                let (photo, later) = planes.split_at(rect.area() * photo::PLANES);
                photo::unpack(photo, rect.width as usize, here);
                planes = later;
            } else {
                let (plain, later) = raw.split_at(here.len());
                here.copy_from_slice(plain);
                raw = later;
            }
        }
    }
}

/// Fills `raw` from all of `data`. Nothing from nothing: zstd takes a few such calls for a fault.
fn pull(stream: &mut Decompressor, data: &[u8], raw: &mut [u8]) -> Result<(), DecodeError> {
    if !data.is_empty() || !raw.is_empty() {
        stream.pull(data, raw)?;
    }
    Ok(())
}

/// How many pixels of a piece are packed as photographs.
fn photo_area(piece: &Piece<'_>) -> Result<usize, DecodeError> {
    let ascending = piece.photos.is_sorted_by(|a, b| a < b);
    if !ascending {
        return Err(DecodeError::Photo);
    }
    let areas = piece.photos.iter().map(|&index| {
        let rect = piece.rects.get(index as usize);
        rect.map(|rect| rect.area()).ok_or(DecodeError::Photo)
    });
    areas.sum()
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
