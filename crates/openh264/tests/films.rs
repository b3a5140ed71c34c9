//! What the encoder makes of films, seen through the decoder.

use std::ops::RangeInclusive;

use gc_model::geometry::Size;
use gc_openh264::{DecodeError, Decoder, EncodeError, Encoder, FrameOptions, Packet};
use gc_video::{BYTES_PER_PIXEL, Chroma, Picture};
use proptest::prelude::*;

const OPTIONS: FrameOptions = FrameOptions {
    key: false,
    budget_bytes: 12_000,
    quantizers: 0..=51,
};

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).expect("a small size")
}

/// A coloured landscape that moves by two pixels a frame, as BGRX.
fn film(size: Size, frame: u32) -> Vec<u8> {
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

/// Peak signal to noise of the colours, in decibel.
fn fidelity(shown: &[u8], original: &[u8]) -> f64 {
    let squares: u64 = shown
        .iter()
        .zip(original)
        .enumerate()
        .filter(|(index, _)| index % BYTES_PER_PIXEL != 3)
        .map(|(_, (&a, &b))| u64::from(a.abs_diff(b)).pow(2))
        .sum();
    let mean = squares as f64 / (original.len() / BYTES_PER_PIXEL * 3) as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(0.001)).log10()
}

/// An encoder and the decoder at the other end.
struct Line {
    encoder: Encoder,
    decoder: Decoder,
    picture: Picture,
}

impl Line {
    fn new(size: Size) -> Self {
        Self {
            encoder: Encoder::new(size).expect("an encoder"),
            decoder: Decoder::new().expect("a decoder"),
            picture: Picture::new(size, Chroma::Quarter),
        }
    }

    fn send(&mut self, pixels: &[u8], options: &FrameOptions) -> (Packet, Vec<u8>) {
        let stride = self.picture.size().width() as usize * BYTES_PER_PIXEL;
        self.picture.fill(pixels, stride).expect("a whole picture");
        let packet = self
            .encoder
            .encode(&self.picture, options)
            .expect("a packet");
        let shown = self.decoder.decode(&packet.data).expect("a picture");
        assert_eq!(shown.size(), self.picture.size());
        (packet, shown.to_bgrx())
    }
}

#[test]
fn every_picture_is_shown_at_once() {
    let size = size(320, 240);
    let mut line = Line::new(size);

    for frame in 0..20 {
        let pixels = film(size, frame);
        let (packet, shown) = line.send(&pixels, &OPTIONS);
        assert_eq!(packet.key, frame == 0);
        assert!(fidelity(&shown, &pixels) > 34.0, "frame {frame}");
    }
}

#[test]
fn packets_come_to_the_budget_they_have() {
    let size = size(320, 240);
    for budget in [700, 1_500, 4_000] {
        let mut line = Line::new(size);
        let options = FrameOptions {
            budget_bytes: budget,
            ..OPTIONS
        };
        let bytes: Vec<usize> = (0..40)
            .map(|frame| line.send(&film(size, frame), &options).0.data.len())
            .collect();

        let later = &bytes[20..];
        let mean = later.iter().sum::<usize>() / later.len();
        // Waves as smooth as these leave some of it when they may have much.
        assert!(
            (budget / 4..=budget * 3 / 2).contains(&mean),
            "{mean} for {budget}: {bytes:?}"
        );
    }
}

#[test]
fn a_key_frame_comes_when_it_is_asked_for_and_needs_nothing_before_it() {
    let size = size(160, 120);
    let mut line = Line::new(size);
    for frame in 0..5 {
        line.send(&film(size, frame), &OPTIONS);
    }

    line.decoder = Decoder::new().expect("a decoder");
    let pixels = film(size, 5);
    let (packet, shown) = line.send(
        &pixels,
        &FrameOptions {
            key: true,
            ..OPTIONS
        },
    );

    assert!(packet.key);
    assert!(fidelity(&shown, &pixels) > 34.0);
    assert!(!line.send(&film(size, 6), &OPTIONS).0.key);
}

#[test]
fn colours_are_those_of_the_screen() {
    let size = size(64, 64);
    for colour in [
        [0, 0, 0, 0],
        [255, 255, 255, 0],
        [0, 0, 255, 0],
        [0, 255, 0, 0],
        [255, 0, 0, 0],
        [30, 120, 200, 0],
    ] {
        let mut line = Line::new(size);
        let pixels = colour.repeat(size.area());
        let options = FrameOptions {
            quantizers: 0..=16,
            ..OPTIONS
        };

        let (_, shown) = line.send(&pixels, &options);

        for (shown, original) in shown.iter().zip(&pixels) {
            assert!(shown.abs_diff(*original) <= 2, "{colour:?}");
        }
    }
}

#[test]
fn sizes_that_h264_does_not_have_are_refused() {
    for (width, height) in [
        (15, 16),
        (16, 14),
        (101, 100),
        (100, 101),
        (3_842, 100),
        (2_162, 2_162),
    ] {
        let refused = Encoder::new(size(width, height)).err();
        assert_eq!(refused, Some(EncodeError::Size { width, height }));
    }
    for (width, height) in [(16, 16), (3_840, 2_160), (2_160, 3_840)] {
        assert!(Encoder::new(size(width, height)).is_ok());
    }
}

#[test]
fn a_picture_of_another_size_is_refused_and_the_encoder_goes_on() {
    let mut line = Line::new(size(64, 64));

    for other in [
        Picture::new(size(64, 48), Chroma::Quarter),
        Picture::new(size(64, 64), Chroma::Full),
    ] {
        assert_eq!(
            line.encoder.encode(&other, &OPTIONS),
            Err(EncodeError::OtherPicture)
        );
    }

    line.send(&film(size(64, 64), 0), &OPTIONS);
}

#[test]
fn options_outside_their_range_are_taken_to_its_ends() {
    let size = size(160, 120);
    let mut line = Line::new(size);

    for options in [
        FrameOptions {
            budget_bytes: 0,
            ..OPTIONS
        },
        FrameOptions {
            budget_bytes: usize::MAX,
            ..OPTIONS
        },
        FrameOptions {
            quantizers: RangeInclusive::new(255, 0),
            ..OPTIONS
        },
        FrameOptions {
            quantizers: 0..=0,
            ..OPTIONS
        },
    ] {
        for frame in 0..4 {
            line.send(&film(size, frame), &options);
        }
    }
}

#[test]
fn an_encoder_may_move_to_another_thread() {
    let size = size(64, 64);
    let mut line = Line::new(size);
    line.send(&film(size, 0), &OPTIONS);

    std::thread::spawn(move || line.send(&film(size, 1), &OPTIONS))
        .join()
        .expect("no panic");
}

#[test]
fn an_encoder_that_never_had_a_picture_goes_quietly() {
    for _ in 0..10 {
        drop(Encoder::new(size(64, 64)).expect("an encoder"));
    }
}

#[test]
fn nothing_at_all_is_no_picture() {
    let mut decoder = Decoder::new().expect("a decoder");

    assert_eq!(decoder.decode(&[]), Err(DecodeError::NothingShown));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_size_comes_back(width in 8_u32..100, height in 8_u32..100) {
        let size = size(width * 2, height * 2);
        let mut line = Line::new(size);

        for frame in 0..3 {
            let pixels = film(size, frame);
            let (_, shown) = line.send(&pixels, &OPTIONS);
            prop_assert_eq!(shown.len(), pixels.len());
            prop_assert!(fidelity(&shown, &pixels) > 20.0);
        }
    }
}
