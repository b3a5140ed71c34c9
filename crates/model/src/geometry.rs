//! Sizes, rectangles and display layouts in physical pixels.

mod rect;

pub use rect::Rect;

/// Longest side of a picture that any part accepts, in pixels.
pub const MAX_SIDE_PX: u32 = 16_384;

/// Most pixels of a picture that any part accepts: four 4K displays.
pub const MAX_AREA_PX: u64 = 4 * 3840 * 2160;

/// Most displays of one layout.
pub const MAX_DISPLAYS: usize = 16;

/// Width and height in pixels, both at least 1 and within the limits above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    width: u32,
    height: u32,
}

/// A size that is empty or larger than any screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {width}x{height} pixels is not supported")]
pub struct SizeError {
    width: u32,
    height: u32,
}

impl Size {
    /// Checks a size that came from outside.
    ///
    /// # Errors
    /// A side of 0 or above [`MAX_SIDE_PX`], or an area above [`MAX_AREA_PX`].
    pub const fn new(width: u32, height: u32) -> Result<Self, SizeError> {
        let fits = width >= 1
            && height >= 1
            && width <= MAX_SIDE_PX
            && height <= MAX_SIDE_PX
            && width as u64 * height as u64 <= MAX_AREA_PX;
        if fits {
            Ok(Self { width, height })
        } else {
            Err(SizeError { width, height })
        }
    }

    /// Width in pixels.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }
}

/// One display (monitor) of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// Stable while it stays connected.
    pub id: u32,
    /// The system's name for it, for people.
    pub name: String,
    /// Left edge in picture coordinates.
    pub x: i32,
    /// Top edge in picture coordinates.
    pub y: i32,
    /// Size in physical pixels.
    pub size: Size,
    /// True for the display with the task bar or panel.
    pub primary: bool,
}

/// The displays of a machine and the picture that contains them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayLayout {
    /// Size of the picture: the bounding box of all displays.
    pub picture: Size,
    /// At most [`MAX_DISPLAYS`].
    pub displays: Vec<Display>,
}
