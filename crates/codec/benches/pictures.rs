//! Change detection and tile encoding on synthetic desktops of 1920x1080:
//! `cargo bench -p gc-codec`. Compare runs with criterion's own baselines.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gc_codec::{Abilities, Colours, Decoder, EncodeOrder, Encoder, FrameView};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;
const ORDER: EncodeOrder = EncodeOrder {
    restart: false,
    budget_bytes: 64 << 20,
    colours: Colours::All,
    rested: Duration::ZERO,
    hold_films: false,
    viewer: Abilities {
        moves: true,
        photos: true,
    },
    film: None,
    glance_above_bytes: None,
};

fn size() -> Size {
    Size::new(WIDTH as u32, HEIGHT as u32).expect("a usual size")
}

/// A page of something like text: dark strokes on white, scrolled by `top` lines.
fn page(top: usize) -> Vec<u8> {
    let mut screen = vec![0xff; WIDTH * HEIGHT * 4];
    for y in 0..HEIGHT {
        let line = (y + top) / 18;
        if (y + top) % 18 < 5 {
            continue;
        }
        for x in 0..WIDTH {
            let letter = (x / 9).wrapping_mul(2_654_435_761) ^ line.wrapping_mul(40_503);
            let stroke = (letter >> ((x % 9 + (y + top) % 18) % 13)).trailing_zeros() >= 2;
            if stroke && (letter & 0x1f) != 0 {
                screen[(y * WIDTH + x) * 4..][..3].fill((letter & 0x3f) as u8);
            }
        }
    }
    screen
}

/// Noise in the middle of a page.
fn video(seed: u32) -> Vec<u8> {
    let mut screen = page(0);
    let mut value = seed | 1;
    for y in 180..900 {
        for pixel in screen[(y * WIDTH + 320) * 4..(y * WIDTH + 1600) * 4].chunks_exact_mut(4) {
            value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (value >> 29) as u8;
            pixel.copy_from_slice(&[100 + grain, (y / 8) as u8 + grain, 60 + grain, 0]);
        }
    }
    screen
}

/// A piece of the page, dragged about over a photograph: soft shades with grain.
fn dragged(page: &[u8], x: usize, y: usize) -> Vec<u8> {
    let mut screen = vec![0; WIDTH * HEIGHT * 4];
    let mut value = 1_u32;
    for (index, pixel) in screen.chunks_exact_mut(4).enumerate() {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (column, row) = (index % WIDTH, index / WIDTH);
        let grain = (value >> 29) as u8;
        pixel.copy_from_slice(&[
            (column / 9) as u8 + grain,
            (row / 5) as u8 + grain,
            90 + grain,
            0,
        ]);
    }
    for row in 0..600 {
        let from = row * WIDTH * 4;
        screen[((y + row) * WIDTH + x) * 4..][..800 * 4]
            .copy_from_slice(&page[from..from + 800 * 4]);
    }
    screen
}

fn view(screen: &[u8]) -> FrameView<'_> {
    FrameView::new(size(), WIDTH * 4, screen).expect("a whole frame")
}

/// Soft colours and a little grain over the whole screen.
fn photograph(seed: u32) -> Vec<u8> {
    let mut screen = vec![0; WIDTH * HEIGHT * 4];
    let mut value = seed.wrapping_mul(2_654_435_761) | 1;
    for (index, pixel) in screen.chunks_exact_mut(4).enumerate() {
        let (x, y) = ((index % WIDTH) as f32, (index / WIDTH) as f32);
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wave = (x * 0.011 + seed as f32).sin() * (y * 0.017).cos();
        let level = |middle: f32, reach: f32| (middle + reach * wave) as u8 + (value >> 30) as u8;
        pixel[..3].copy_from_slice(&[level(140.0, 60.0), level(110.0, 80.0), level(90.0, 70.0)]);
    }
    screen
}

/// Encodes `frames` in turn, for ever.
fn encode_in_turn(criterion: &mut Criterion, name: &str, frames: &[Vec<u8>]) {
    let mut encoder = Encoder::new(size()).expect("memory");
    let mut now = Moment::ZERO;
    let mut index = 0;
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes((WIDTH * HEIGHT * 4) as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            now = now + Duration::from_millis(33);
            index = (index + 1) % frames.len();
            let changed = [Rect::whole(size())];
            black_box(
                encoder
                    .encode(now, &view(&frames[index]), &changed, &ORDER)
                    .expect("an encoder that works"),
            )
        });
    });
    group.finish();
}

fn encoding(criterion: &mut Criterion) {
    encode_in_turn(criterion, "nothing changed", &[page(0)]);
    let mut typed = page(0);
    for y in 500..512 {
        typed[(y * WIDTH + 700) * 4..][..9 * 4].fill(0);
    }
    encode_in_turn(criterion, "one letter", &[page(0), typed]);
    let scrolled: Vec<_> = (0..24).map(|step| page(step * 40)).collect();
    encode_in_turn(criterion, "scrolling text", &scrolled);
    let page = page(0);
    let hand = |step: usize| if step < 12 { step } else { 24 - step };
    let dragged: Vec<_> = (0..24)
        .map(|step| dragged(&page, 200 + hand(step) * 14, 150 + hand(step) * 9))
        .collect();
    encode_in_turn(criterion, "a dragged window", &dragged);
    // A photograph is new each time: what comes back is found in the stream.
    let photographs: Vec<_> = (0..24).map(photograph).collect();
    encode_in_turn(criterion, "photographs", &photographs);
    let windows = [
        page.clone(),
        photograph(1),
        dragged[0].clone(),
        photograph(2),
    ];
    encode_in_turn(criterion, "windows that take turns", &windows);
    let played: Vec<_> = (0..8).map(video).collect();
    encode_in_turn(criterion, "video", &played);
}

/// Decodes `screen` as a first picture, for ever.
fn decode_again(criterion: &mut Criterion, name: &str, screen: &[u8]) {
    let mut encoder = Encoder::new(size()).expect("memory");
    let mut updates = Vec::new();
    loop {
        let encoded = encoder.encode(Moment::ZERO, &view(screen), &[], &ORDER);
        let Some(update) = encoded.expect("an encoder that works").update else {
            break;
        };
        updates.push(update);
    }
    let mut decoder = Decoder::new(size()).expect("memory");
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes((WIDTH * HEIGHT * 4) as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for update in &updates {
                let pixels = decoder.decode(&update.piece()).expect("a good update");
                black_box(pixels.len());
            }
        });
    });
    group.finish();
}

fn decoding(criterion: &mut Criterion) {
    decode_again(criterion, "a whole page", &page(0));
    decode_again(criterion, "a photograph", &photograph(1));
}

criterion_group!(benches, encoding, decoding);
criterion_main!(benches);
