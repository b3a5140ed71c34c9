//! What the encoder makes of films, seen through the decoder.

use gc_model::geometry::Size;
use gc_openh264::{DecodeError, Decoder, EncodeError, Encoder};
use gc_video::testing::{self, landscape, likeness};
use gc_video::{Chroma, FrameOptions, PictureDecoder as _};
use proptest::prelude::*;

const OPTIONS: FrameOptions = FrameOptions {
    key: false,
    budget_bytes: 12_000,
    quantizers: 0..=51,
};

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).expect("a small size")
}

fn line(size: Size) -> testing::Line<Encoder, Decoder> {
    let encoder = Encoder::new(size).expect("an encoder");
    let decoder = Decoder::new().expect("a decoder");
    testing::Line::new(size, Chroma::Quarter, encoder, decoder)
}

#[test]
fn every_picture_is_shown_at_once() {
    let size = size(320, 240);
    let mut line = line(size);

    for frame in 0..20 {
        let pixels = landscape(size, frame);
        let (packet, shown) = line.send(&pixels, &OPTIONS);
        assert_eq!(packet.key, frame == 0);
        assert!(likeness(&shown, &pixels) > 34.0, "frame {frame}");
    }
}

#[test]
fn packets_come_to_the_budget_they_have() {
    let size = size(320, 240);
    for budget in [700, 1_500, 4_000] {
        let mut line = line(size);
        let options = FrameOptions {
            budget_bytes: budget,
            ..OPTIONS
        };
        let bytes: Vec<usize> = (0..40)
            .map(|frame| line.send(&landscape(size, frame), &options).0.data.len())
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
    let mut line = line(size);
    for frame in 0..5 {
        line.send(&landscape(size, frame), &OPTIONS);
    }

    line.decoder = Decoder::new().expect("a decoder");
    let pixels = landscape(size, 5);
    let (packet, shown) = line.send(
        &pixels,
        &FrameOptions {
            key: true,
            ..OPTIONS
        },
    );

    assert!(packet.key);
    assert!(likeness(&shown, &pixels) > 34.0);
    assert!(!line.send(&landscape(size, 6), &OPTIONS).0.key);
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
        let options = FrameOptions {
            quantizers: 0..=16,
            ..OPTIONS
        };
        line(size).shows_a_flat_colour(colour, &options);
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
    line(size(64, 64)).refuses_other_pictures(&EncodeError::OtherPicture, &OPTIONS);
}

#[test]
fn options_outside_their_range_are_taken_to_its_ends() {
    line(size(160, 120)).takes_any_options(&OPTIONS);
}

#[test]
fn an_encoder_may_move_to_another_thread() {
    line(size(64, 64)).moves_to_another_thread(&OPTIONS);
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
        line(size(width * 2, height * 2)).plays(&OPTIONS);
    }
}
