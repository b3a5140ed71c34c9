//! Pictures made of numbers: noise that looks like a photograph, and a pattern that a test
//! can calculate pixel for pixel.

use anyhow::Context;
use serde_json::json;

use crate::canvas::{Canvas, Rgb};
use crate::output::{print, wait_for_end_of_input};
use crate::screen::Screen;

/// A number that looks random, from a place and a seed.
pub(crate) fn hash(x: u32, y: u32, seed: u32) -> u32 {
    let mixed = x
        .wrapping_mul(374_761_393)
        .wrapping_add(y.wrapping_mul(668_265_263))
        .wrapping_add(seed.wrapping_mul(2_246_822_519));
    let mixed = (mixed ^ mixed >> 13).wrapping_mul(1_274_126_177);
    mixed ^ mixed >> 16
}

/// The known picture. Blocks of 16 pixels have one colour each, and every fourth block is
/// noise: flat areas, edges and incompressible pixels, in every tile of a screen.
///
/// The end-to-end tests calculate the same pixels; keep both alike.
pub(crate) fn known_pixel(x: u32, y: u32, seed: u32) -> Rgb {
    let block = hash(x / 16, y / 16, seed);
    if block.is_multiple_of(4) {
        Rgb(hash(x, y, seed) & 0xff_ffff)
    } else {
        Rgb(block & 0xff_ffff)
    }
}

/// Shows the known picture over everything else until standard input closes.
pub(crate) fn show(screen: &Screen, seed: u32) -> anyhow::Result<()> {
    let picture = Canvas::painted(screen.width, screen.height, |x, y| known_pixel(x, y, seed));
    let stored = screen.store(&picture).context("send the picture")?;
    let window = screen.window(screen.whole(), Rgb::BLACK)?;
    screen.set_background(window, stored)?;
    screen.finish()?;
    print(
        &json!({ "ready": "picture", "width": screen.width, "height": screen.height, "seed": seed }),
    );
    wait_for_end_of_input();
    Ok(())
}

/// Soft gradients, four octaves of noise and a little grain: as hard to compress as a photograph.
pub(crate) fn photograph(width: u16, height: u16, seed: u32) -> Canvas {
    const OCTAVES: u32 = 4;
    Canvas::painted(width, height, |x, y| {
        let mut cloud = 0.0;
        let (mut weight, mut frequency) = (0.5, 1.0 / 240.0);
        for octave in 0..OCTAVES {
            cloud +=
                weight * smooth_noise(x as f32 * frequency, y as f32 * frequency, seed + octave);
            weight *= 0.5;
            frequency *= 2.3;
        }
        let down = y as f32 / f32::from(height);
        let grain = (hash(x, y, seed) & 3) as f32 - 1.0;
        Rgb::of(
            40.0 + 150.0 * cloud + 40.0 * down + grain,
            70.0 + 110.0 * cloud * (1.0 - down) + 60.0 * down + grain,
            120.0 + 90.0 * (1.0 - down) + 40.0 * cloud + grain,
        )
    })
}

/// 0 to 1, without jumps.
fn smooth_noise(x: f32, y: f32, seed: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (across, down) = (ease(x - left), ease(y - top));
    let corner = |dx: u32, dy: u32| (hash(left as u32 + dx, top as u32 + dy, seed) & 1023) as f32;
    let upper = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * across;
    let lower = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * across;
    (upper + (lower - upper) * down) / 1023.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same numbers stand in the end-to-end tests' copy.
    #[test]
    fn the_known_picture_has_known_pixels() {
        let pixels = [(0, 0), (15, 15), (16, 0), (640, 400), (1279, 799)]
            .map(|(x, y)| known_pixel(x, y, 7).0);

        assert_eq!(pixels, KNOWN);
    }

    const KNOWN: [u32; 5] = [0xe8_745d, 0xe8_745d, 0x9a_1163, 0x92_3adf, 0x32_1661];
}
