//! Smaller pictures for slow links.

use gc_model::geometry::Size;
use gc_video::{Chroma, Picture};

use super::FilmError;
use crate::frame::{BYTES_PER_PIXEL, FrameView};

/// Sides that an encoder takes, in pixels, where it wants even ones.
#[cfg(any(feature = "hardware", feature = "openh264"))]
pub(super) struct Sides {
    pub(super) min: u32,
    pub(super) max_long: u32,
    pub(super) max_short: u32,
}

#[cfg(any(feature = "hardware", feature = "openh264"))]
impl Sides {
    /// The size of the pictures for an area of `width` x `height`; `None` where they are too small.
    pub(super) fn size_for(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        let (long, short) = (width.max(height), width.min(height));
        let parts = long
            .div_ceil(self.max_long)
            .max(short.div_ceil(self.max_short));
        let even = |side: u32| (side / parts.max(1)) & !1;
        let size = (even(width), even(height));
        (size.0.min(size.1) >= self.min).then_some(size)
    }
}

/// The film's part of the screen in planes, as large as its coded picture.
pub(super) struct Planes {
    picture: Picture,
    reduced: Reduced,
}

impl Planes {
    pub(super) fn new(size: Size, chroma: Chroma) -> Self {
        Self {
            picture: Picture::new(size, chroma),
            reduced: Reduced::new(size),
        }
    }

    pub(super) fn fill(&mut self, picture: &FrameView<'_>) -> Result<&Picture, FilmError> {
        let (pixels, stride) = self.reduced.take(picture);
        let filled = self.picture.fill(pixels, stride);
        filled.map_err(|error| FilmError::caused_by(&error))?;
        Ok(&self.picture)
    }
}

/// A part of the screen as large as the film's coded picture.
struct Reduced {
    size: Size,
    pixels: Vec<u8>,
}

impl Reduced {
    const fn new(size: Size) -> Self {
        Self {
            size,
            pixels: Vec::new(),
        }
    }

    /// The pixels and the bytes from row to row: `picture`'s own where nothing is to be reduced.
    fn take<'a>(&'a mut self, picture: &FrameView<'a>) -> (&'a [u8], usize) {
        if picture.size() == self.size {
            return (picture.data(), picture.stride());
        }
        self.reduce(picture);
        (&self.pixels, self.size.width() as usize * BYTES_PER_PIXEL)
    }

    /// Each pixel is the mean of those that it stands for.
    fn reduce(&mut self, picture: &FrameView<'_>) {
        let (width, height) = (self.size.width(), self.size.height());
        self.pixels.clear();
        for y in 0..height {
            let rows = span(y, height, picture.size().height());
            for x in 0..width {
                let columns = span(x, width, picture.size().width());
                let mut sum = [0_u32; BYTES_PER_PIXEL];
                for row in rows.clone() {
                    let run = columns.end - columns.start;
                    let pixels = picture.row(columns.start, row, run);
                    for pixel in pixels.chunks_exact(BYTES_PER_PIXEL) {
                        for (sum, byte) in sum.iter_mut().zip(pixel) {
                            *sum += u32::from(*byte);
                        }
                    }
                }
                let count = (rows.end - rows.start) * (columns.end - columns.start);
                self.pixels.extend(sum.map(|sum| (sum / count) as u8));
            }
        }
    }
}

/// Which of `from` pixels stand behind pixel `index` of `to`; at least one.
fn span(index: u32, to: u32, from: u32) -> std::ops::Range<u32> {
    let edge = |index: u32| (u64::from(index) * u64::from(from) / u64::from(to)) as u32;
    edge(index)..edge(index + 1).max(edge(index) + 1)
}
