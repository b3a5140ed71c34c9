//! What the video codecs make of films, side by side:
//! `cargo bench -p gc-codec --features vp9,openh264 --bench films`. A table: time, bytes and
//! likeness (PSNR of brightness, as the decoder shows it) for the same pictures and budgets.

use std::time::{Duration, Instant};

use gc_codec::{
    BYTES_PER_PIXEL, FilmEncoder, FilmFormat, FilmFormats, FilmOrder, FilmQuality, FrameView,
    film_codecs,
};
use gc_model::geometry::Size;
use gc_video::{Chroma, Picture};

/// Played back and forth; the first round is for the encoders to find their quality.
const FRAMES: usize = 12;
const ROUNDS: usize = 4;

/// Bytes of one frame: 1, 2, 8 and 40 Mbit/s at 30 frames a second.
const BUDGETS: [usize; 4] = [4_167, 8_333, 33_333, 166_667];

fn hash(x: usize, y: usize, seed: usize) -> usize {
    let mixed = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77))
        .wrapping_add(seed.wrapping_mul(0xC2B2_AE3D));
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) >> 16
}

/// A panning texture with grain, and a disc that flies about.
fn camera(size: Size, number: usize) -> Vec<u8> {
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
fn drawn(size: Size, number: usize) -> Vec<u8> {
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

enum Decoder {
    Vp9(gc_vpx::Decoder),
    H264(Box<gc_openh264::Decoder>),
}

impl Decoder {
    fn new(format: FilmFormat) -> Self {
        match format {
            FilmFormat::Vp9 => Self::Vp9(gc_vpx::Decoder::new().expect("a decoder")),
            FilmFormat::H264 => {
                Self::H264(Box::new(gc_openh264::Decoder::new().expect("a decoder")))
            }
        }
    }

    fn decode(&mut self, packet: &[u8]) -> Picture {
        match self {
            Self::Vp9(decoder) => decoder.decode(packet).expect("a picture"),
            Self::H264(decoder) => decoder.decode(packet).expect("a picture"),
        }
    }
}

/// Peak signal to noise of the brightness, in decibel.
fn likeness(shown: &Picture, original: &Picture) -> f64 {
    let squares: u64 = shown
        .plane(0)
        .iter()
        .zip(original.plane(0))
        .map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2))
        .sum();
    let mean = squares as f64 / original.plane(0).len() as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(0.001)).log10()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn play(format: FilmFormat, size: Size, film: &[Vec<u8>], target_bytes: usize) -> String {
    let codecs = film_codecs(&[format]);
    let (width, height) = codecs[0].coded_size(size.width(), size.height());
    let mut encoder: Box<dyn FilmEncoder> = codecs[0].open(width, height).expect("an encoder");
    let mut decoder = Decoder::new(format);
    let mut original = Picture::new(size, Chroma::Quarter);
    let order = FilmOrder {
        formats: FilmFormats::NONE.with(format),
        target_bytes,
        quality: FilmQuality::Good,
    };
    let stride = size.width() as usize * BYTES_PER_PIXEL;
    let (mut times, mut bytes, mut likenesses) = (Vec::new(), Vec::new(), Vec::new());
    let order_of_play = (0..FRAMES).chain((1..FRAMES - 1).rev());
    for (step, index) in order_of_play.cycle().take(FRAMES * 2 * ROUNDS).enumerate() {
        let picture = FrameView::new(size, stride, &film[index]).expect("a whole picture");
        let started = Instant::now();
        let packet = encoder.encode(&picture, &order).expect("a packet");
        let took = started.elapsed();
        let shown = decoder.decode(&packet.data);
        if step < FRAMES * 2 {
            continue;
        }
        original
            .fill(&film[index], stride)
            .expect("a whole picture");
        times.push(took);
        bytes.push(packet.data.len());
        likenesses.push(likeness(&shown, &original));
    }
    let count = bytes.len() as f64;
    format!(
        "{:>7.2} ms {:>9.0} B {:>6.2} dB",
        median(times),
        bytes.iter().sum::<usize>() as f64 / count,
        likenesses.iter().sum::<f64>() / count,
    )
}

fn main() {
    type Draw = fn(Size, usize) -> Vec<u8>;
    let films: [(&str, Draw); 2] = [("camera", camera), ("drawn", drawn)];
    for (width, height) in [(960, 540), (1_920, 1_080)] {
        let size = Size::new(width, height).expect("a usual size");
        for (name, draw) in films {
            let film: Vec<_> = (0..FRAMES).map(|number| draw(size, number)).collect();
            for target in BUDGETS {
                let cells: Vec<_> = FilmFormat::ALL
                    .iter()
                    .map(|&format| format!("{format}: {}", play(format, size, &film, target)))
                    .collect();
                println!(
                    "{width}x{height} {name:<7} {target:>7} B   {}",
                    cells.join("   ")
                );
            }
        }
    }
}
