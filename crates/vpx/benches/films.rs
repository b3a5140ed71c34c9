//! What a frame of a film costs: `cargo bench -p gc-vpx`. The film is like the one of
//! `benches/workload`: a panning texture with grain, and a disc that flies about.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gc_model::geometry::Size;
use gc_video::testing::camera;
use gc_video::{
    BYTES_PER_PIXEL, Chroma, FrameOptions, Picture, PictureDecoder as _, PictureEncoder as _,
};
use gc_vpx::{Content, Decoder, Encoder, Settings};

/// Played back and forth.
const FRAMES: usize = 12;

/// 2 Mbit/s at 30 frames a second.
const OPTIONS: FrameOptions = FrameOptions {
    key: false,
    budget_bytes: 8_333,
    quantizers: 8..=63,
};

fn film(size: Size, chroma: Chroma) -> Vec<Picture> {
    let forth: Vec<_> = (0..FRAMES)
        .map(|number| {
            let mut picture = Picture::new(size, chroma);
            picture
                .fill(
                    &camera(size, number),
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
                    speed,
                })
                .expect("an encoder");
                let mut pictures = film.iter().cycle();
                let name = format!("speed {speed}, {threads} threads, {content:?}");
                group.bench_function(name, |bencher| {
                    bencher.iter(|| {
                        let picture = pictures.next().expect("an endless film");
                        black_box(encoder.encode(picture, &OPTIONS).expect("a packet"))
                    });
                });
            }
            group.finish();
        }
    }
}

fn converting(criterion: &mut Criterion) {
    let size = Size::new(1920, 1080).expect("a usual size");
    let pixels = camera(size, 0);
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
            speed: 8,
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
