//! What a frame of a film costs: `cargo bench -p gc-vpx`. The film is like the one of
//! `benches/workload`: a panning texture with grain, and a disc that flies about.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gc_model::geometry::Size;
use gc_vpx::{BYTES_PER_PIXEL, Chroma, Content, Decoder, Encoder, FrameOptions, Picture, Settings};

/// Played back and forth.
const FRAMES: usize = 12;

/// 2 Mbit/s at 30 frames a second.
const OPTIONS: FrameOptions = FrameOptions {
    key: false,
    budget_bytes: 8_333,
    quantizers: 8..=63,
    speed: 8,
};

fn hash(x: usize, y: usize, seed: usize) -> usize {
    let mixed = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77))
        .wrapping_add(seed.wrapping_mul(0xC2B2_AE3D));
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) >> 16
}

fn frame(size: Size, number: usize) -> Vec<u8> {
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

fn film(size: Size, chroma: Chroma) -> Vec<Picture> {
    let forth: Vec<_> = (0..FRAMES)
        .map(|number| {
            let mut picture = Picture::new(size, chroma);
            picture
                .fill(
                    &frame(size, number),
                    size.width() as usize * BYTES_PER_PIXEL,
                )
                .expect("a whole frame");
            picture
        })
        .collect();
    let back = forth[1..FRAMES - 1].iter().rev().cloned();
    forth.iter().cloned().chain(back).collect()
}

fn encoding(criterion: &mut Criterion) {
    for (width, height) in [(960, 540), (1920, 1080)] {
        let size = Size::new(width, height).expect("a usual size");
        for chroma in [Chroma::Quarter, Chroma::Full] {
            let film = film(size, chroma);
            let mut group =
                criterion.benchmark_group(format!("encode {width}x{height} {chroma:?}"));
            group.sample_size(20);
            for (speed, threads, content) in [
                (5, 2, Content::Film),
                (7, 2, Content::Film),
                (8, 1, Content::Film),
                (8, 2, Content::Film),
                (8, 2, Content::Screen),
                (9, 1, Content::Film),
                (9, 2, Content::Film),
            ] {
                let mut encoder = Encoder::new(Settings {
                    size,
                    chroma,
                    threads,
                    content,
                })
                .expect("an encoder");
                let mut pictures = film.iter().cycle();
                let options = FrameOptions { speed, ..OPTIONS };
                let name = format!("speed {speed}, {threads} threads, {content:?}");
                group.bench_function(name, |bencher| {
                    bencher.iter(|| {
                        let picture = pictures.next().expect("an endless film");
                        black_box(encoder.encode(picture, &options).expect("a packet"))
                    });
                });
            }
            group.finish();
        }
    }
}

fn converting(criterion: &mut Criterion) {
    let size = Size::new(1920, 1080).expect("a usual size");
    let pixels = frame(size, 0);
    let mut group = criterion.benchmark_group("convert 1920x1080");
    group.throughput(Throughput::Bytes(pixels.len() as u64));
    for chroma in [Chroma::Quarter, Chroma::Full] {
        let mut picture = Picture::new(size, chroma);
        group.bench_function(format!("{chroma:?}"), |bencher| {
            bencher.iter(|| picture.fill(black_box(&pixels), 1920 * BYTES_PER_PIXEL));
        });
    }
    group.finish();
}

fn decoding(criterion: &mut Criterion) {
    let size = Size::new(1920, 1080).expect("a usual size");
    let mut group = criterion.benchmark_group("decode 1920x1080");
    group.sample_size(20);
    for chroma in [Chroma::Quarter, Chroma::Full] {
        let mut encoder = Encoder::new(Settings {
            size,
            chroma,
            threads: 2,
            content: Content::Film,
        })
        .expect("an encoder");
        let packets: Vec<_> = film(size, chroma)
            .iter()
            .map(|picture| encoder.encode(picture, &OPTIONS).expect("a packet").data)
            .collect();
        let mut decoder = Decoder::new().expect("a decoder");
        let mut following = packets.iter().cycle();
        group.bench_function(format!("{chroma:?}"), |bencher| {
            bencher.iter(|| {
                let packet = following.next().expect("endless packets");
                black_box(decoder.decode(packet).expect("a good packet"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, encoding, converting, decoding);
criterion_main!(benches);
