//! Where the screen changed since one viewer last had it, in the codec's grid of tiles.

use gc_codec::{TILE_HEIGHT_PX, TILE_WIDTH_PX};
use gc_model::geometry::{Rect, Size};

/// The tiles of one viewer's picture that it has not been given as they are.
pub(super) struct Damage {
    size: Size,
    columns: u32,
    tiles: Vec<bool>,
}

impl Damage {
    /// Everything is new.
    pub(super) fn everywhere(size: Size) -> Self {
        let columns = size.width().div_ceil(TILE_WIDTH_PX);
        let rows = size.height().div_ceil(TILE_HEIGHT_PX);
        Self {
            size,
            columns,
            tiles: vec![true; (columns * rows) as usize],
        }
    }

    /// Notes a change inside of the picture.
    pub(super) fn mark(&mut self, rect: Rect) {
        if rect.is_empty() {
            return;
        }
        let columns = rect.x / TILE_WIDTH_PX..=(rect.right() - 1) / TILE_WIDTH_PX;
        for row in rect.y / TILE_HEIGHT_PX..=(rect.bottom() - 1) / TILE_HEIGHT_PX {
            let (first, last) = (columns.start(), columns.end());
            let first = (row * self.columns + first) as usize;
            let last = (row * self.columns + last) as usize;
            self.tiles[first..=last].fill(true);
        }
    }

    /// What is new, as rectangles that do not overlap; from now on it is not.
    pub(super) fn take(&mut self) -> Vec<Rect> {
        let mut rects = Vec::new();
        for (row, tiles) in self.tiles.chunks_mut(self.columns as usize).enumerate() {
            let top = row as u32 * TILE_HEIGHT_PX;
            let mut column = 0;
            for run in tiles.chunk_by(|a, b| a == b) {
                if run[0] {
                    let rect = Rect {
                        x: column * TILE_WIDTH_PX,
                        y: top,
                        width: run.len() as u32 * TILE_WIDTH_PX,
                        height: TILE_HEIGHT_PX,
                    };
                    rects.push(rect.clamped(self.size));
                }
                column += run.len() as u32;
            }
            tiles.fill(false);
        }
        rects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    fn seen() -> Damage {
        let mut damage = Damage::everywhere(Size::new(200, 40).expect("a small picture"));
        damage.take();
        damage
    }

    #[test]
    fn a_newcomer_has_seen_nothing() {
        let mut damage = Damage::everywhere(Size::new(200, 40).expect("a small picture"));

        let rows = [
            rect(0, 0, 200, 16),
            rect(0, 16, 200, 16),
            rect(0, 32, 200, 8),
        ];
        assert_eq!(damage.take(), rows);
        assert_eq!(damage.take(), []);
    }

    #[test]
    fn a_change_is_told_once_however_often_it_happened() {
        let mut damage = seen();

        for _ in 0..1_000 {
            damage.mark(rect(63, 15, 2, 2));
        }

        assert_eq!(damage.take(), [rect(0, 0, 128, 16), rect(0, 16, 128, 16)]);
        assert_eq!(damage.take(), []);
    }

    #[test]
    fn the_last_pixel_counts_and_an_empty_change_does_not() {
        let mut damage = seen();

        damage.mark(rect(0, 0, 0, 5));
        damage.mark(rect(199, 39, 1, 1));

        assert_eq!(damage.take(), [rect(192, 32, 8, 8)]);
    }
}
