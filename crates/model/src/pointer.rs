//! The mouse pointer's picture and place.

/// The pointer as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// Hot spot in picture coordinates; may lie outside the picture.
    pub x: i32,
    /// Hot spot in picture coordinates; may lie outside the picture.
    pub y: i32,
    /// False when an application hid it.
    pub visible: bool,
    /// The shape, only when it changed.
    pub shape: Option<PointerShape>,
}

/// Longest side of a pointer, in pixels. Larger ones are cut by the platform.
pub const MAX_POINTER_SIDE_PX: u32 = 256;

/// A pointer's picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PointerShape {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Hot spot from the left, inside the shape.
    pub hot_x: u32,
    /// Hot spot from the top, inside the shape.
    pub hot_y: u32,
    /// `width * height * 4` bytes RGBA, not premultiplied.
    pub rgba: Vec<u8>,
}
