//! Pointer shapes that the viewer remembers, by slot.

use gc_codec::pack_cursor;
use gc_model::pointer::{Pointer, PointerShape};
use gc_proto::limits::MAX_CURSOR_SIDE_PX;
use gc_proto::v1;

/// Pointer shapes have ids below this.
pub(crate) const CURSOR_SLOTS: u32 = 64;

/// Which shapes the viewer knows, by slot.
#[derive(Default)]
pub(crate) struct CursorSlots {
    shapes: Vec<PointerShape>,
    next: u32,
    /// The pointer as it was before there was a viewer to tell.
    pub(crate) kept: Option<Pointer>,
}

impl CursorSlots {
    /// Joins a pointer that nobody could be told of yet with the one before.
    pub(crate) fn keep(&mut self, pointer: &Pointer) {
        let mut pointer = pointer.clone();
        if pointer.shape.is_none() {
            pointer.shape = self.kept.take().and_then(|kept| kept.shape);
        }
        self.kept = Some(pointer);
    }

    /// What to tell the viewer; `None` for a shape that is none.
    pub(crate) fn message(&mut self, shape: &PointerShape) -> Option<v1::CursorShape> {
        let named = |id: u32, rgba_zstd: Vec<u8>| v1::CursorShape {
            id,
            width: shape.width,
            height: shape.height,
            hot_x: shape.hot_x,
            hot_y: shape.hot_y,
            rgba_zstd: rgba_zstd.into(),
        };
        if let Some(known) = self.shapes.iter().position(|known| known == shape) {
            return Some(named(known as u32, Vec::new()));
        }
        let sound = shape.width <= MAX_CURSOR_SIDE_PX
            && shape.height <= MAX_CURSOR_SIDE_PX
            && shape.rgba.len() == shape.width as usize * shape.height as usize * 4;
        let packed = if sound {
            pack_cursor(&shape.rgba).ok()?
        } else {
            return None;
        };
        let slot = self.next % CURSOR_SLOTS;
        self.next += 1;
        match self.shapes.get_mut(slot as usize) {
            Some(known) => known.clone_from(shape),
            None => self.shapes.push(shape.clone()),
        }
        Some(named(slot, packed))
    }
}
