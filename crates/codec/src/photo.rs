//! Photographs: neighbouring pixels are alike and never the same, so what is packed is how far each
//! is from what its neighbours let expect.
//!
//! A photographic rectangle is three planes of its size, rows from the top: green, blue minus
//! green, red minus green (the "subtract green" of lossless WebP, RFC 9649 section 4.3). Green
//! is from 0 to 255, the others, modulo 256, from -128 to 127. Each byte is the value minus what
//! [`expected`] makes of the values on the left, above, and above on the left, modulo 256. In the
//! first row the left one stands for all three, in the first column the one above; before the
//! very first pixel there is 0.

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

/// What a value probably is: half way between the mean of its neighbours, which is right where
/// there is grain, and the "median edge detection" of LOCO-I (Weinberger, Seroussi and Sapiro,
/// "The LOCO-I Lossless Image Compression Algorithm", 2000), which is right at edges and in shades.
fn expected(left: i16, above: i16, corner: i16) -> i16 {
    let edge = (left + above - corner).clamp(left.min(above), left.max(above));
    let mean = (left + above) >> 1;
    (edge + mean) >> 1
}

/// Appends the planes of `pixels` (BGRX, rows of `width` pixels) to `out`.
pub(crate) fn pack(pixels: &[u8], width: usize, out: &mut Vec<u8>) {
    let area = pixels.len() / BYTES_PER_PIXEL;
    let start = out.len();
    out.resize(start + area * PLANES, 0);
    let (green, rest) = out[start..].split_at_mut(area);
    let (blue, red) = rest.split_at_mut(area);
    for (plane, out) in [green, blue, red].into_iter().enumerate() {
        // With a place before the first pixel.
        let (mut row, mut above) = (vec![0; width + 1], vec![0; width + 1]);
        let rows = pixels.chunks_exact(width * BYTES_PER_PIXEL);
        for (y, (pixels, out)) in rows.zip(out.chunks_exact_mut(width)).enumerate() {
            std::mem::swap(&mut row, &mut above);
            let (pixels, _) = pixels.as_chunks::<BYTES_PER_PIXEL>();
            for (value, &[blue, green, red, _]) in row[1..].iter_mut().zip(pixels) {
                *value = match plane {
                    0 => green.into(),
                    1 => (blue.wrapping_sub(green) as i8).into(),
                    _ => (red.wrapping_sub(green) as i8).into(),
                };
            }
            if y == 0 {
                let left = &row[..width];
                pack_row(&row[1..], [left; 3], out);
            } else {
                row[0] = above[1];
                pack_row(
                    &row[1..],
                    [&row[..width], &above[1..], &above[..width]],
                    out,
                );
            }
        }
    }
}

fn pack_row(values: &[i16], [left, above, corner]: [&[i16]; 3], out: &mut [u8]) {
    let neighbours = left.iter().zip(above).zip(corner);
    for ((out, value), ((&left, &above), &corner)) in out.iter_mut().zip(values).zip(neighbours) {
        *out = (value - expected(left, above, corner)) as u8;
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
    let mut above = vec![[0_i16; PLANES]; width];
    let rows = pixels.chunks_exact_mut(width * BYTES_PER_PIXEL).zip(planes);
    for (y, (row, ((green, blue), red))) in rows.enumerate() {
        let (pixels, _) = row.as_chunks_mut::<BYTES_PER_PIXEL>();
        let planes = green.iter().zip(blue).zip(red);
        let planes = planes.map(|((&green, &blue), &red)| [green, blue, red]);
        let mut left = above[0];
        let mut corner = left;
        for ((pixel, above), packed) in pixels.iter_mut().zip(&mut above).zip(planes) {
            if y == 0 {
                (*above, corner) = (left, left);
            }
            let value = |plane: usize| {
                let expected = expected(left[plane], above[plane], corner[plane]);
                expected.wrapping_add(packed[plane].into()) as u8
            };
            let (green, blue, red) = (value(0), value(1), value(2));
            *pixel = [blue.wrapping_add(green), green, red.wrapping_add(green), 0];
            left = [green.into(), (blue as i8).into(), (red as i8).into()];
            corner = std::mem::replace(above, left);
        }
    }
}

/// Planes of at least this many bytes are packed by themselves: each has its own distribution.
const SEPARATE_PLANE_BYTES: usize = 4 * 1024;

/// How many bytes of the planes of rectangles of `areas` pixels, one after the other, are best
/// packed together.
pub(crate) fn parts(areas: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut parts = Vec::new();
    let mut small = 0;
    for area in areas {
        if area < SEPARATE_PLANE_BYTES {
            small += area * PLANES;
            continue;
        }
        if small > 0 {
            parts.push(std::mem::take(&mut small));
        }
        parts.extend([area; PLANES]);
    }
    parts.extend((small > 0).then_some(small));
    parts
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
