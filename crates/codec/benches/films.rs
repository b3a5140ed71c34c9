//! What the video codecs make of films, side by side:
//! `cargo bench -p gc-codec --features vp9,openh264 --bench films`. A table: time, bytes and
//! likeness (PSNR of the colours, as the decoder shows them) for the same pictures and budgets.

use std::time::{Duration, Instant};

use gc_codec::{
    BYTES_PER_PIXEL, FilmEncoder, FilmFormat, FilmFormats, FilmOrder, FilmQuality, FrameView,
    film_codecs,
};
use gc_model::geometry::Size;
use gc_video::{Chroma, Picture};

/// Played back and forth; the first round is for the encoders to find their quality.
const FRAMES: usize = 12;
const ROUNDS: usize = 3;

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

/// Packs a picture in about so many bytes, and shows it again.
trait Contender {
    fn pack(&mut self, picture: &FrameView<'_>, target_bytes: usize) -> Vec<u8>;
    fn show(&mut self, packet: &[u8]) -> Picture;
}

/// As the agent packs films, and a browser shows them.
struct Usual {
    format: FilmFormat,
    encoder: Box<dyn FilmEncoder>,
    vp9: gc_vpx::Decoder,
    h264: gc_openh264::Decoder,
}

impl Usual {
    fn new(format: FilmFormat, size: Size) -> Self {
        let codecs = film_codecs(&[format]);
        let coded = codecs[0].coded_size(size.width(), size.height());
        let (width, height) = coded.expect("a size that it takes");
        Self {
            format,
            encoder: codecs[0].open(width, height).expect("an encoder"),
            vp9: gc_vpx::Decoder::new().expect("a decoder"),
            h264: gc_openh264::Decoder::new().expect("a decoder"),
        }
    }
}

impl Contender for Usual {
    fn pack(&mut self, picture: &FrameView<'_>, target_bytes: usize) -> Vec<u8> {
        let order = FilmOrder {
            formats: FilmFormats::NONE.with(self.format),
            target_bytes,
            quality: FilmQuality::Good,
        };
        let packet = self.encoder.encode(picture, &order);
        packet.expect("a packet").data
    }

    fn show(&mut self, packet: &[u8]) -> Picture {
        match self.format {
            FilmFormat::Vp9 => self.vp9.decode(packet).expect("a picture"),
            FilmFormat::H264 => self.h264.decode(packet).expect("a picture"),
        }
    }
}

/// VP9 with a sample of colour for each pixel, otherwise as the agent packs films.
struct FullColour {
    encoder: gc_vpx::Encoder,
    picture: Picture,
    decoder: gc_vpx::Decoder,
}

impl FullColour {
    fn new(size: Size) -> Self {
        let settings = gc_vpx::Settings {
            size,
            chroma: Chroma::Full,
            threads: 2,
            content: gc_vpx::Content::Film,
        };
        Self {
            encoder: gc_vpx::Encoder::new(settings).expect("an encoder"),
            picture: Picture::new(size, Chroma::Full),
            decoder: gc_vpx::Decoder::new().expect("a decoder"),
        }
    }
}

impl Contender for FullColour {
    fn pack(&mut self, picture: &FrameView<'_>, target_bytes: usize) -> Vec<u8> {
        let filled = self.picture.fill(picture.data(), picture.stride());
        filled.expect("a whole picture");
        let options = gc_vpx::FrameOptions {
            key: false,
            budget_bytes: target_bytes,
            quantizers: 20..=60,
            speed: 9,
        };
        let packet = self.encoder.encode(&self.picture, &options);
        packet.expect("a packet").data
    }

    fn show(&mut self, packet: &[u8]) -> Picture {
        self.decoder.decode(packet).expect("a picture")
    }
}

/// Peak signal to noise of all colours, in decibel.
fn likeness(shown: &[u8], original: &[u8]) -> f64 {
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

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn play(contender: &mut dyn Contender, size: Size, film: &[Vec<u8>], target: usize) -> String {
    let stride = size.width() as usize * BYTES_PER_PIXEL;
    let (mut times, mut bytes, mut likenesses) = (Vec::new(), Vec::new(), Vec::new());
    let back_and_forth = (0..FRAMES).chain((1..FRAMES - 1).rev());
    let steps = back_and_forth.cycle().take(FRAMES * 2 * ROUNDS);
    for (step, index) in steps.enumerate() {
        let picture = FrameView::new(size, stride, &film[index]).expect("a whole picture");
        let started = Instant::now();
        let packet = contender.pack(&picture, target);
        let took = started.elapsed();
        let shown = contender.show(&packet);
        if step < FRAMES * 2 {
            continue;
        }
        times.push(took);
        bytes.push(packet.len());
        if step % 4 == 0 {
            likenesses.push(likeness(&shown.to_bgrx(), &film[index]));
        }
    }
    let mean = bytes.iter().sum::<usize>() / bytes.len();
    let likeness = likenesses.iter().sum::<f64>() / likenesses.len() as f64;
    format!("{:>6.2} ms {mean:>7} B {likeness:>5.2} dB", median(times))
}

fn main() {
    type Draw = fn(Size, usize) -> Vec<u8>;
    let films: [(&str, Draw); 2] = [("camera", camera), ("drawn", drawn)];
    for (width, height) in [(960, 540), (1_920, 1_080)] {
        let size = Size::new(width, height).expect("a usual size");
        for (name, draw) in films {
            let film: Vec<_> = (0..FRAMES).map(|number| draw(size, number)).collect();
            for target in BUDGETS {
                print!("{width}x{height} {name:<6} {target:>6} B");
                for format in FilmFormat::ALL {
                    let played = play(&mut Usual::new(format, size), size, &film, target);
                    print!(" | {format} {played}");
                }
                let played = play(&mut FullColour::new(size), size, &film, target);
                println!(" | vp9 4:4:4 {played}");
            }
        }
    }
}
