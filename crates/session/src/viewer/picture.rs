//! The exact picture as the viewer has it, for what is copied within it. A film is not in
//! it: nothing is copied out of one.

use gc_codec::{BYTES_PER_PIXEL, Moves};
use gc_model::geometry::{Rect, Size};

pub(super) struct Picture {
    size: Size,
    /// RGBA.
    pixels: Vec<u8>,
    /// Of the last frame, when something moved: RGBA of each rectangle, in order.
    moved: Vec<u8>,
}

impl Picture {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            pixels: vec![0; size.area() * BYTES_PER_PIXEL],
            moved: Vec::new(),
        }
    }

    /// Takes a frame: what moved, then `rects` with their `decoded` pixels. All that is to be
    /// painted for it; the pixels are [`Picture::moved`], or `decoded` when nothing moved.
    pub(super) fn take(
        &mut self,
        moves: Option<&Moves>,
        rects: Vec<Rect>,
        decoded: &[u8],
    ) -> Vec<Rect> {
        self.moved.clear();
        let Some(moves) = moves.filter(|moves| !moves.rects.is_empty()) else {
            self.write(&rects, decoded);
            return rects;
        };
        moves.apply(&mut self.pixels, self.size, BYTES_PER_PIXEL);
        for &rect in &moves.rects {
            for y in rect.rows() {
                let (start, end) = self.row(rect, y);
                self.moved.extend_from_slice(&self.pixels[start..end]);
            }
        }
        self.write(&rects, decoded);
        self.moved.extend_from_slice(decoded);
        [&moves.rects[..], &rects].concat()
    }

    /// See [`Picture::take`]; `None` when nothing moved.
    pub(super) fn moved(&self) -> Option<&[u8]> {
        (!self.moved.is_empty()).then_some(&self.moved)
    }

    fn write(&mut self, rects: &[Rect], decoded: &[u8]) {
        let mut rest = decoded;
        for &rect in rects {
            for y in rect.rows() {
                let (start, end) = self.row(rect, y);
                let (row, later) = rest.split_at(end - start);
                self.pixels[start..end].copy_from_slice(row);
                rest = later;
            }
        }
    }

    fn row(&self, rect: Rect, y: u32) -> (usize, usize) {
        let at = |x: u32| (y as usize * self.size.width() as usize + x as usize) * BYTES_PER_PIXEL;
        (at(rect.x), at(rect.right()))
    }
}
