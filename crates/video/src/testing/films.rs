//! Films without a camera: the same pixels for the same number, as BGRX without gaps.

use gc_model::geometry::Size;

use crate::picture::BYTES_PER_PIXEL;

/// A coloured landscape that moves by two pixels a frame.
pub fn landscape(size: Size, frame: u32) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(size.area() * BYTES_PER_PIXEL);
    for y in 0..size.height() {
        for x in 0..size.width() {
            let (across, down) = ((x + frame * 2) as f32, y as f32);
            let wave = |width: f32, phase: f32| {
                128.0 + 60.0 * (across / width + phase).sin() + 50.0 * (down / width).cos()
            };
            pixels
                .extend([wave(31.0, 0.0), wave(17.0, 1.0), wave(23.0, 2.0), 0.0].map(|v| v as u8));
        }
    }
    pixels
}

/// The landscape with grain, which takes as many bytes as it is given.
pub fn grainy(size: Size, frame: u32) -> Vec<u8> {
    let mut value = frame.wrapping_mul(0x9E37_79B1) | 1;
    let mut pixels = landscape(size, frame);
    for byte in &mut pixels {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = byte.saturating_add((value >> 28) as u8);
    }
    pixels
}

/// Lines of thin coloured letters that run over the landscape.
pub fn coloured_text(size: Size, frame: u32) -> Vec<u8> {
    const COLOURS: [[u8; 3]; 3] = [[0, 0, 255], [255, 0, 0], [0, 160, 0]];
    let mut pixels = landscape(size, frame);
    let (rows, _) = pixels.as_chunks_mut::<BYTES_PER_PIXEL>();
    for (y, row) in rows.chunks_exact_mut(size.width() as usize).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (column, line) = (x + frame as usize * 3, y / 12);
            let (u, v) = (column % 7, y % 12);
            let stroke = hash(column / 7, line, u * 5 + v / 3).is_multiple_of(4);
            if stroke && u < 6 && v < 9 {
                pixel[..3].copy_from_slice(&COLOURS[line % COLOURS.len()]);
            }
        }
    }
    pixels
}

fn hash(x: usize, y: usize, seed: usize) -> usize {
    let mixed = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77))
        .wrapping_add(seed.wrapping_mul(0xC2B2_AE3D));
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) >> 16
}

/// What a camera sees: a panning texture with grain, and a disc that flies about.
pub fn camera(size: Size, number: usize) -> Vec<u8> {
    let (width, height) = (size.width() as usize, size.height() as usize);
    let disc = (
        width as f32 * (0.5 + 0.35 * (number as f32 * 0.09).cos()),
        height as f32 * (0.5 + 0.35 * (number as f32 * 0.11).sin()),
    );
    let mut pixels = Vec::with_capacity(size.area() * BYTES_PER_PIXEL);
    for y in 0..height {
        for x in 0..width {
            let grain = (hash(x, y, number) & 7) as f32 - 3.0;
            let (dx, dy) = (x as f32 - disc.0, y as f32 - disc.1);
            if dx * dx + dy * dy < 90.0 * 90.0 {
                pixels.extend([60, (180.0 - dy.abs()) as u8, 240, 0]);
                continue;
            }
            let (across, down) = ((x + number * 4) as f32, (y + number * 2) as f32);
            let wave = |width: f32, phase: f32| {
                128.0
                    + 50.0 * (across / width + phase).sin()
                    + 40.0 * (down / (width * 1.7)).cos()
                    + grain
            };
            pixels
                .extend([wave(61.0, 0.0), wave(47.0, 1.0), wave(83.0, 2.0), 0.0].map(|v| v as u8));
        }
    }
    pixels
}

/// An animation: flat areas with sharp edges that slide over each other.
pub fn animation(size: Size, number: usize) -> Vec<u8> {
    let (width, height) = (size.width() as usize, size.height() as usize);
    let mut pixels = Vec::with_capacity(size.area() * BYTES_PER_PIXEL);
    for y in 0..height {
        for x in 0..width {
            let near = ((x + number * 5) / 70, (y + number * 3) / 50);
            let far = ((x + number * 2) / 190, y / 130);
            let (tile, shade) = if hash(near.0, near.1, 3) & 1 == 0 {
                (near, 40)
            } else {
                (far, 0)
            };
            let colour = hash(tile.0, tile.1, 7);
            let light = (y * 24 / height) as u8;
            pixels.extend([
                (colour & 0x7f) as u8 + shade + light,
                (colour >> 3 & 0x7f) as u8 + shade + light,
                (colour >> 6 & 0x7f) as u8 + shade + light,
                0,
            ]);
        }
    }
    pixels
}

/// Peak signal to noise of all colours of two pictures, in decibel.
pub fn likeness(shown: &[u8], original: &[u8]) -> f64 {
    let squares: u64 = shown
        .as_chunks::<BYTES_PER_PIXEL>()
        .0
        .iter()
        .zip(original.as_chunks::<BYTES_PER_PIXEL>().0)
        .flat_map(|(a, b)| (0..3).map(|index| u64::from(a[index].abs_diff(b[index])).pow(2)))
        .sum();
    let mean = squares as f64 / (original.len() / BYTES_PER_PIXEL * 3) as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(0.001)).log10()
}
