//! BGRX to the planes of BT.709 and back, in fixed-point numbers.
//!
//! ITU-R BT.709-6, items 3.2 and 3.3, with all 256 levels in use (full range): browsers
//! without a GPU convert the narrow range with blue off by 12 levels, because its largest
//! factor does not fit their 8 bits; the full range comes out within 2.

// What is inlined into `widest` is compiled for its registers, and only then.
#![allow(clippy::inline_always)]

use gc_model::geometry::Size;

use crate::picture::BYTES_PER_PIXEL;

/// Of either plane of colour.
pub(crate) const NO_COLOUR: u8 = 128;

/// Share of red and blue in the brightness.
const RED: f64 = 0.2126;
const BLUE: f64 = 0.0722;

/// Bits behind the point.
const POINT: u32 = 15;
const ONE: f64 = (1 << POINT) as f64;
const HALF: i32 = 1 << (POINT - 1);

const fn fixed(value: f64) -> i32 {
    let scaled = value * ONE;
    (if scaled < 0.0 {
        scaled - 0.5
    } else {
        scaled + 0.5
    }) as i32
}

/// Weights of blue, green and red; green takes what rounding leaves, so that grey stays grey.
struct Weights {
    blue: i32,
    green: i32,
    red: i32,
}

const LUMA: Weights = {
    let (blue, red) = (fixed(BLUE), fixed(RED));
    Weights {
        blue,
        green: fixed(1.0) - blue - red,
        red,
    }
};

const U: Weights = {
    let blue = fixed(0.5);
    let red = fixed(-0.5 * RED / (1.0 - BLUE));
    Weights {
        blue,
        green: -blue - red,
        red,
    }
};

const V: Weights = {
    let red = fixed(0.5);
    let blue = fixed(-0.5 * BLUE / (1.0 - RED));
    Weights {
        blue,
        green: -blue - red,
        red,
    }
};

impl Weights {
    const fn sum(&self, [blue, green, red]: [i32; 3]) -> i32 {
        self.blue * blue + self.green * green + self.red * red
    }
}

const fn channels(pixel: [u8; 4]) -> [i32; 3] {
    let value = u32::from_le_bytes(pixel);
    [
        (value & 0xff) as i32,
        (value >> 8 & 0xff) as i32,
        (value >> 16 & 0xff) as i32,
    ]
}

const fn luma(colour: [i32; 3]) -> u8 {
    ((LUMA.sum(colour) + HALF) >> POINT) as u8
}

/// Of the sum of `1 << MORE` pixels.
const fn chroma<const MORE: u32>(weights: &Weights, sums: [i32; 3]) -> u8 {
    let middle = ((NO_COLOUR as i32) << (POINT + MORE)) + (HALF << MORE);
    let sample = (weights.sum(sums) + middle) >> (POINT + MORE);
    // The strongest blue and red are half a level above the last.
    (if sample > 255 { 255 } else { sample }) as u8
}

/// One sample of each plane for each pixel.
pub(crate) fn to_444(size: Size, pixels: &[u8], stride: usize, planes: [&mut Vec<u8>; 3]) {
    let width = size.width() as usize;
    let [y, u, v] = planes;
    let targets = y
        .chunks_exact_mut(width)
        .zip(u.chunks_exact_mut(width))
        .zip(v.chunks_exact_mut(width));
    for (row, ((y, u), v)) in pixels.chunks(stride).zip(targets) {
        widest(
            #[inline(always)]
            |()| {
                let (row, _) = row[..width * BYTES_PER_PIXEL].as_chunks();
                luma_row(row, y);
                for ((&pixel, u), v) in row.iter().zip(&mut *u).zip(&mut *v) {
                    let colour = channels(pixel);
                    *u = chroma::<0>(&U, colour);
                    *v = chroma::<0>(&V, colour);
                }
            },
        );
    }
}

/// One sample of brightness for each pixel, one of colour for four.
pub(crate) fn to_420(size: Size, pixels: &[u8], stride: usize, planes: [&mut Vec<u8>; 3]) {
    let width = size.width() as usize;
    let [y, u, v] = planes;
    let half = width.div_ceil(2);
    let targets = y
        .chunks_mut(2 * width)
        .zip(u.chunks_exact_mut(half))
        .zip(v.chunks_exact_mut(half));
    for (rows, ((y, u), v)) in pixels.chunks(2 * stride).zip(targets) {
        widest(
            #[inline(always)]
            |()| {
                let (upper, _) = rows[..width * BYTES_PER_PIXEL].as_chunks();
                let (y_upper, y_lower) = y.split_at_mut(width);
                luma_row(upper, y_upper);
                // The last row of an odd height stands for itself and the one that is missing.
                let lower = if y_lower.is_empty() {
                    upper
                } else {
                    let (lower, _) = rows[stride..][..width * BYTES_PER_PIXEL].as_chunks();
                    luma_row(lower, y_lower);
                    lower
                };
                chroma_row(upper, lower, u, v);
            },
        );
    }
}

#[inline(always)]
fn luma_row(row: &[[u8; 4]], y: &mut [u8]) {
    for (&pixel, y) in row.iter().zip(y) {
        *y = luma(channels(pixel));
    }
}

#[inline(always)]
fn chroma_row(upper: &[[u8; 4]], lower: &[[u8; 4]], u: &mut [u8], v: &mut [u8]) {
    let (upper_pairs, upper_last) = upper.as_chunks::<2>();
    let (lower_pairs, lower_last) = lower.as_chunks::<2>();
    for (((&[a, b], &[c, d]), u), v) in upper_pairs
        .iter()
        .zip(lower_pairs)
        .zip(&mut *u)
        .zip(&mut *v)
    {
        let sums = sum([a, b, c, d]);
        *u = chroma::<2>(&U, sums);
        *v = chroma::<2>(&V, sums);
    }
    if let ([upper], [lower]) = (upper_last, lower_last) {
        let sums = sum([*upper, *upper, *lower, *lower]);
        let last = u.len() - 1;
        u[last] = chroma::<2>(&U, sums);
        v[last] = chroma::<2>(&V, sums);
    }
}

#[inline(always)]
fn sum(pixels: [[u8; 4]; 4]) -> [i32; 3] {
    let [a, b, c, d] = pixels.map(channels);
    [0, 1, 2].map(|channel| a[channel] + b[channel] + c[channel] + d[channel])
}

/// Runs `work`, compiled for the widest registers of this processor.
fn widest(work: impl FnOnce(())) {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if std::is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2(work: impl FnOnce(())) {
            work(());
        }
        // SAFETY: the processor has AVX2: asked above.
        #[allow(unsafe_code)]
        return unsafe { with_avx2(work) };
    }
    work(());
}

/// One pixel from one sample of each plane.
pub(crate) fn to_bgrx(luma: u8, u: u8, v: u8) -> [u8; 4] {
    let brightness = f64::from(luma);
    let [u, v] = [u, v].map(|sample| (f64::from(sample) - f64::from(NO_COLOUR)) * 2.0);
    let blue = brightness + u * (1.0 - BLUE);
    let red = brightness + v * (1.0 - RED);
    let green = (brightness - RED * red - BLUE * blue) / (1.0 - RED - BLUE);
    let [blue, green, red] = [blue, green, red].map(|value| value.round().clamp(0.0, 255.0) as u8);
    [blue, green, red, 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_grey_have_no_colour() {
        for grey in 0..=255_u8 {
            let colour = channels([grey; 4]);
            assert_eq!(chroma::<0>(&U, colour), NO_COLOUR);
            assert_eq!(chroma::<0>(&V, colour), NO_COLOUR);
        }
        assert_eq!(luma([0; 3]), 0);
        assert_eq!(luma([255; 3]), 255);
    }

    #[test]
    fn every_colour_comes_back_within_two_levels() {
        for index in 0..=u32::from(u16::MAX) {
            let pixel = (index.wrapping_mul(0x9E37_79B1) & 0x00ff_ffff).to_le_bytes();
            let colour = channels(pixel);
            let back = to_bgrx(
                luma(colour),
                chroma::<0>(&U, colour),
                chroma::<0>(&V, colour),
            );
            for channel in 0..3 {
                assert!(
                    back[channel].abs_diff(pixel[channel]) <= 2,
                    "{pixel:?} became {back:?}"
                );
            }
        }
    }
}
