//! A borrowed picture.

use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

/// Bytes of one pixel: blue, green, red, and one that means nothing.
pub const BYTES_PER_PIXEL: usize = 4;

/// A picture in memory that somebody else owns: rows of BGRX pixels, top row first.
#[derive(Clone, Copy)]
pub struct FrameView<'a> {
    size: Size,
    stride: usize,
    data: &'a [u8],
    corner: (u32, u32),
    taken_at: Option<Moment>,
}

impl<'a> FrameView<'a> {
    /// Wraps `data`, whose rows start `stride` bytes apart. `None` when a row
    /// would not fit its stride or the last row would end behind the data.
    pub fn new(size: Size, stride: usize, data: &'a [u8]) -> Option<Self> {
        let row = size.width() as usize * BYTES_PER_PIXEL;
        let needed = stride
            .checked_mul(size.height() as usize - 1)?
            .checked_add(row)?;
        (stride >= row && data.len() >= needed).then_some(Self {
            size,
            stride,
            data,
            corner: (0, 0),
            taken_at: None,
        })
    }

    /// Says when the picture was taken of a screen that others look at too. All pictures that
    /// say so are of the same screen.
    #[must_use]
    pub fn taken_at(self, moment: Moment) -> Self {
        Self {
            taken_at: Some(moment),
            ..self
        }
    }

    /// The same, of nobody else's screen.
    pub(crate) fn alone(&self) -> Self {
        Self {
            taken_at: None,
            ..*self
        }
    }

    /// When it was taken of a shared screen, and what part of that it shows.
    pub(crate) fn origin(&self) -> Option<(Moment, Rect)> {
        let place = Rect {
            x: self.corner.0,
            y: self.corner.1,
            ..Rect::whole(self.size)
        };
        Some((self.taken_at?, place))
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// A rectangle of the picture, as a picture of its own.
    ///
    /// # Panics
    /// When it is empty or does not lie inside the picture: a bug of the caller.
    #[must_use]
    pub fn part(&self, area: Rect) -> Self {
        let size = Size::new(area.width, area.height).expect("a part has pixels");
        assert!(area.fits(self.size), "part inside the picture");
        let start = area.y as usize * self.stride + area.x as usize * BYTES_PER_PIXEL;
        Self {
            size,
            stride: self.stride,
            data: &self.data[start..],
            corner: (self.corner.0 + area.x, self.corner.1 + area.y),
            taken_at: self.taken_at,
        }
    }

    /// All rows, [`FrameView::stride`] bytes apart.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Bytes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// The bytes of `width` pixels from (`x`, `y`) on.
    ///
    /// # Panics
    /// When they do not lie inside the picture: a bug of the caller.
    pub fn row(&self, x: u32, y: u32, width: u32) -> &'a [u8] {
        assert!(
            Rect {
                x,
                y,
                width,
                height: 1
            }
            .fits(self.size),
            "row inside the picture"
        );
        let start = y as usize * self.stride + x as usize * BYTES_PER_PIXEL;
        &self.data[start..start + width as usize * BYTES_PER_PIXEL]
    }
}
