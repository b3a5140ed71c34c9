//! Photographs inside of the lossless stream: neighbouring pixels are alike and never the
//! same, so their differences are packed instead of their colours.
//!
//! A photographic rectangle is three planes of its size, rows from the top: green, blue minus
//! green, red minus green (the "subtract green" of lossless WebP, RFC 9649 section 4.3), each
//! as the difference to the pixel on the left (filter Sub of PNG, ISO/IEC 15948 section 9.2),
//! the first of a row to the one above, all modulo 256. That takes three quarters of the bytes,
//! which are small numbers.

use gc_model::geometry::Rect;

use crate::frame::{BYTES_PER_PIXEL, FrameView};

/// Bytes of a pixel in the stream.
pub(crate) const PLANES: usize = 3;

/// Pixels of a tile that are looked at, a row and a column apart.
const SAMPLE_STEP: usize = 3;

/// A tile with more different colours than this among the samples is photo-like; text,
/// smoothed and all, has fewer.
const TEXT_COLOURS: u32 = 40;

/// Many different colours in a small place.
pub(crate) fn is_photo(area: Rect, frame: &FrameView<'_>) -> bool {
    let mut seen = Colours::default();
    for y in area.rows().step_by(SAMPLE_STEP) {
        let row = frame.row(area.x, y, area.width);
        for pixel in row.chunks_exact(BYTES_PER_PIXEL).step_by(SAMPLE_STEP) {
            seen.add([pixel[0], pixel[1], pixel[2]]);
        }
    }
    seen.count() > TEXT_COLOURS
}

/// Counts different colours by a bit each, at a place that depends on the colour. Two colours
/// may share one, so a crowd counts as a little less than it is.
#[derive(Default)]
struct Colours([u64; 16]);

impl Colours {
    fn add(&mut self, [blue, green, red]: [u8; 3]) {
        let colour = u32::from_le_bytes([blue, green, red, 0]);
        // Knuth's multiplicative hash; its upper bits are the good ones.
        let place = colour.wrapping_mul(2_654_435_769) >> 22;
        self.0[place as usize / 64] |= 1 << (place % 64);
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }
}

/// Appends the planes of `pixels` (BGRX, rows of `width` pixels) to `out`.
pub(crate) fn pack(pixels: &[u8], width: usize, out: &mut Vec<u8>) {
    let area = pixels.len() / BYTES_PER_PIXEL;
    let start = out.len();
    out.resize(start + area * PLANES, 0);
    let (green, rest) = out[start..].split_at_mut(area);
    let (blue, red) = rest.split_at_mut(area);
    let planes = green
        .chunks_exact_mut(width)
        .zip(blue.chunks_exact_mut(width))
        .zip(red.chunks_exact_mut(width));
    let mut above = [0; BYTES_PER_PIXEL];
    for (row, ((green, blue), red)) in pixels.chunks_exact(width * BYTES_PER_PIXEL).zip(planes) {
        let (pixels, _) = row.as_chunks::<BYTES_PER_PIXEL>();
        let lefts = std::iter::once(&above).chain(pixels);
        let outs = green.iter_mut().zip(blue).zip(red);
        for ((pixel, left), ((green, blue), red)) in pixels.iter().zip(lefts).zip(outs) {
            let difference = |channel: usize| pixel[channel].wrapping_sub(left[channel]);
            *green = difference(1);
            *blue = difference(0).wrapping_sub(*green);
            *red = difference(2).wrapping_sub(*green);
        }
        above = pixels[0];
    }
}

/// The pixels (BGRX, rows of `width` pixels) of `planes`; the fourth byte becomes 0.
pub(crate) fn unpack(planes: &[u8], width: usize, pixels: &mut [u8]) {
    let area = pixels.len() / BYTES_PER_PIXEL;
    let (green, rest) = planes.split_at(area);
    let (blue, red) = rest.split_at(area);
    let planes = green
        .chunks_exact(width)
        .zip(blue.chunks_exact(width))
        .zip(red.chunks_exact(width));
    let mut above = [0_u8; 3];
    for (row, ((green, blue), red)) in pixels.chunks_exact_mut(width * BYTES_PER_PIXEL).zip(planes)
    {
        let (pixels, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
        let [mut b, mut g, mut r] = above;
        let planes = green.iter().zip(blue).zip(red);
        for (pixel, ((&green, &blue), &red)) in pixels.iter_mut().zip(planes) {
            g = g.wrapping_add(green);
            b = b.wrapping_add(blue).wrapping_add(green);
            r = r.wrapping_add(red).wrapping_add(green);
            *pixel = [b, g, r, 0];
        }
        let [b, g, r, _] = pixels[0];
        above = [b, g, r];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_photograph_is_unpacked_as_it_was(
            width in 1_usize..40,
            mut pixels in proptest::collection::vec(any::<[u8; 4]>(), 1..400),
        ) {
            pixels.truncate(pixels.len() / width * width);
            let mut bytes = pixels.as_flattened().to_vec();
            let mut packed = vec![7];
            pack(&bytes, width, &mut packed);
            prop_assert_eq!(packed.len(), 1 + pixels.len() * PLANES);

            let mut unpacked = vec![9; bytes.len()];
            unpack(&packed[1..], width, &mut unpacked);
            for pixel in bytes.chunks_exact_mut(BYTES_PER_PIXEL) {
                pixel[3] = 0;
            }
            prop_assert_eq!(unpacked, bytes);
        }
    }
}
