//! Pictures of mouse pointers. Windows keeps a pointer as two bitmaps, a mask and
//! maybe colours, and can invert the screen below it; the viewer gets plain RGBA.

use gc_codec::BYTES_PER_PIXEL;
use gc_model::pointer::{MAX_POINTER_SIDE_PX, PointerShape};

/// The bitmaps of a pointer, each row of 32-bit BGRX pixels, top row first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointerBitmaps {
    /// Pixels.
    pub width: u32,
    /// Pixels of the pointer, not of the mask, which may hold two pictures.
    pub height: u32,
    /// Hot spot from the left.
    pub hot_x: u32,
    /// Hot spot from the top.
    pub hot_y: u32,
    /// White where the screen shows through. Without colours a second picture
    /// follows below it: white where the screen is inverted or painted white.
    pub mask: Vec<u8>,
    /// Colours with alpha in the fourth byte, if the pointer has them.
    pub colours: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pixel {
    Clear,
    Inverted,
    Paint([u8; 4]),
}

impl PointerBitmaps {
    /// The pointer as RGBA. `None` when the bitmaps are smaller than they say or have no pixels.
    ///
    /// A pixel that inverts the screen becomes black, and what is clear around
    /// it white: like that a text cursor can be seen on any background.
    pub fn compose(&self) -> Option<PointerShape> {
        let (width, height) = (
            self.width.min(MAX_POINTER_SIDE_PX),
            self.height.min(MAX_POINTER_SIDE_PX),
        );
        if width == 0 || height == 0 {
            return None;
        }
        let pixels = self.pixels()?;
        let at = |x: u32, y: u32| pixels[(y * self.width + x) as usize];
        let beside_inverted = |x: u32, y: u32| {
            let columns = x.saturating_sub(1)..=(x + 1).min(width - 1);
            columns.into_iter().any(|x| {
                (y.saturating_sub(1)..=(y + 1).min(height - 1)).any(|y| at(x, y) == Pixel::Inverted)
            })
        };
        let mut rgba = Vec::with_capacity((width * height) as usize * BYTES_PER_PIXEL);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            rgba.extend(match at(x, y) {
                Pixel::Paint(rgba) => rgba,
                Pixel::Inverted => [0, 0, 0, 0xff],
                Pixel::Clear if beside_inverted(x, y) => [0xff; 4],
                Pixel::Clear => [0; 4],
            });
        }
        Some(PointerShape {
            width,
            height,
            hot_x: self.hot_x.min(width - 1),
            hot_y: self.hot_y.min(height - 1),
            rgba,
        })
    }

    fn pixels(&self) -> Option<Vec<Pixel>> {
        let area = self.width as usize * self.height as usize;
        let Some(colours) = &self.colours else {
            return self.monochrome(area);
        };
        let colours = colours
            .get(..area * BYTES_PER_PIXEL)?
            .chunks_exact(BYTES_PER_PIXEL);
        // Pointers from before Windows XP leave the fourth byte at zero and use the mask instead.
        if colours.clone().any(|pixel| pixel[3] != 0) {
            return Some(
                colours
                    .map(|pixel| Pixel::Paint([pixel[2], pixel[1], pixel[0], pixel[3]]))
                    .collect(),
            );
        }
        let mask = self
            .mask
            .get(..area * BYTES_PER_PIXEL)?
            .chunks_exact(BYTES_PER_PIXEL);
        let masked = |(colour, mask): (&[u8], &[u8])| match (mask[0] != 0, colour[..3] != [0; 3]) {
            (false, _) => Pixel::Paint([colour[2], colour[1], colour[0], 0xff]),
            (true, true) => Pixel::Inverted,
            (true, false) => Pixel::Clear,
        };
        Some(colours.zip(mask).map(masked).collect())
    }

    fn monochrome(&self, area: usize) -> Option<Vec<Pixel>> {
        let (and, xor) = self
            .mask
            .get(..area * 2 * BYTES_PER_PIXEL)?
            .split_at(area * BYTES_PER_PIXEL);
        let pairs = and
            .chunks_exact(BYTES_PER_PIXEL)
            .zip(xor.chunks_exact(BYTES_PER_PIXEL));
        let pixel = |(and, xor): (&[u8], &[u8])| match (and[0] != 0, xor[0] != 0) {
            (false, false) => Pixel::Paint([0, 0, 0, 0xff]),
            (false, true) => Pixel::Paint([0xff; 4]),
            (true, false) => Pixel::Clear,
            (true, true) => Pixel::Inverted,
        };
        Some(pairs.map(pixel).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: [u8; 4] = [0xff, 0xff, 0xff, 0];
    const BLACK: [u8; 4] = [0; 4];

    fn row(mask: &[[u8; 4]], colours: Option<&[[u8; 4]]>) -> PointerBitmaps {
        let width = colours.map_or(mask.len() / 2, <[_]>::len) as u32;
        PointerBitmaps {
            width,
            height: 1,
            hot_x: 0,
            hot_y: 0,
            mask: mask.concat(),
            colours: colours.map(<[_]>::concat),
        }
    }

    fn pixels(bitmaps: &PointerBitmaps) -> Vec<[u8; 4]> {
        let shape = bitmaps.compose().expect("whole bitmaps");
        shape
            .rgba
            .chunks_exact(4)
            .map(|pixel| [pixel[0], pixel[1], pixel[2], pixel[3]])
            .collect()
    }

    #[test]
    fn a_monochrome_pointer_is_black_white_and_clear() {
        let arrow = row(&[BLACK, BLACK, WHITE, BLACK, WHITE, BLACK], None);

        assert_eq!(
            pixels(&arrow),
            [[0, 0, 0, 255], [255, 255, 255, 255], [0, 0, 0, 0]]
        );
    }

    #[test]
    fn an_inverting_pointer_is_black_with_a_white_edge() {
        let text_cursor = row(
            &[WHITE, WHITE, WHITE, WHITE, BLACK, BLACK, WHITE, BLACK],
            None,
        );

        assert_eq!(
            pixels(&text_cursor),
            [
                [0, 0, 0, 0],
                [255, 255, 255, 255],
                [0, 0, 0, 255],
                [255, 255, 255, 255]
            ]
        );
    }

    #[test]
    fn a_pointer_with_alpha_keeps_it() {
        let soft = row(&[], Some(&[[10, 20, 30, 128], [1, 2, 3, 0]]));

        assert_eq!(pixels(&soft), [[30, 20, 10, 128], [3, 2, 1, 0]]);
    }

    #[test]
    fn a_masked_pointer_without_alpha_is_cut_out_by_its_mask() {
        let old = row(&[BLACK, WHITE], Some(&[[10, 20, 30, 0], BLACK]));

        assert_eq!(pixels(&old), [[30, 20, 10, 255], [0, 0, 0, 0]]);
    }

    #[test]
    fn a_huge_pointer_is_cut() {
        let (width, height) = (MAX_POINTER_SIDE_PX + 44, 2);
        let huge = PointerBitmaps {
            width,
            height,
            hot_x: 299,
            hot_y: 9,
            mask: Vec::new(),
            colours: Some(vec![0xff; (width * height) as usize * 4]),
        };

        let shape = huge.compose().expect("whole bitmaps");

        assert_eq!(
            (shape.width, shape.height, shape.hot_x, shape.hot_y),
            (MAX_POINTER_SIDE_PX, 2, MAX_POINTER_SIDE_PX - 1, 1)
        );
        assert_eq!(shape.rgba.len(), (MAX_POINTER_SIDE_PX * 2 * 4) as usize);
    }

    #[test]
    fn bitmaps_that_are_too_short_are_refused() {
        assert_eq!(
            PointerBitmaps {
                mask: vec![0; 4],
                ..row(&[BLACK, BLACK], None)
            }
            .compose(),
            None
        );
        assert_eq!(
            PointerBitmaps {
                width: 0,
                ..row(&[BLACK, BLACK], None)
            }
            .compose(),
            None
        );
    }
}
