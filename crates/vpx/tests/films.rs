//! What the encoder makes of films, seen through the decoder.

use std::ops::RangeInclusive;

use gc_model::geometry::Size;
use gc_vpx::{
    BYTES_PER_PIXEL, Chroma, Content, DecodeError, Decoder, EncodeError, Encoder, FrameOptions,
    Packet, Picture, PictureError, Settings,
};
use proptest::prelude::*;

const OPTIONS: FrameOptions = FrameOptions {
    key: false,
    budget_bytes: 12_000,
    quantizers: 0..=63,
    speed: 8,
};

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).expect("a small size")
}

fn settings(size: Size, chroma: Chroma) -> Settings {
    Settings {
        size,
        chroma,
        threads: 2,
        content: Content::Film,
    }
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
    let mean = squares as f64 / (shown.len() / BYTES_PER_PIXEL * 3) as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-9)).log10()
}

/// An encoder and the decoder at the other end.
struct Line {
    picture: Picture,
    encoder: Encoder,
    decoder: Decoder,
}

impl Line {
    fn new(size: Size, chroma: Chroma) -> Self {
        Self {
            picture: Picture::new(size, chroma),
            encoder: Encoder::new(settings(size, chroma)).expect("an encoder"),
            decoder: Decoder::new().expect("a decoder"),
        }
    }

    /// Sends one screen; the packet, and what the other end shows.
    fn send(&mut self, pixels: &[u8], options: &FrameOptions) -> (Packet, Vec<u8>) {
        let stride = self.picture.size().width() as usize * BYTES_PER_PIXEL;
        self.picture.fill(pixels, stride).expect("enough pixels");
        let packet = self
            .encoder
            .encode(&self.picture, options)
            .expect("an encoder that works");
        let shown = self.decoder.decode(&packet.data).expect("a good packet");
        assert_eq!(shown.size(), self.picture.size());
        assert_eq!(shown.chroma(), self.picture.chroma());
        (packet, shown.to_bgrx())
    }
}

#[test]
fn a_film_looks_like_itself() {
    for chroma in [Chroma::Quarter, Chroma::Full] {
        let size = size(320, 240);
        let mut line = Line::new(size, chroma);

        for frame in 0..20 {
            let pixels = film(size, frame);
            let (_, shown) = line.send(&pixels, &OPTIONS);

            let fidelity = fidelity(&shown, &pixels);
            assert!(fidelity > 32.0, "{chroma:?}, frame {frame}: {fidelity} dB");
        }
    }
}

#[test]
fn only_the_first_frame_is_a_key_frame_unless_asked() {
    let size = size(160, 120);
    let mut line = Line::new(size, Chroma::Quarter);

    let keys: Vec<_> = (0..40)
        .map(|frame| {
            let options = FrameOptions {
                key: frame == 25,
                ..OPTIONS
            };
            line.send(&film(size, frame), &options).0.key
        })
        .enumerate()
        .filter_map(|(frame, key)| key.then_some(frame))
        .collect();

    assert_eq!(keys, [0, 25]);
}

#[test]
fn a_viewer_can_join_at_a_key_frame() {
    let size = size(320, 240);
    let mut line = Line::new(size, Chroma::Quarter);
    for frame in 0..5 {
        line.send(&film(size, frame), &OPTIONS);
    }

    line.decoder = Decoder::new().expect("a decoder");
    let (packet, shown) = line.send(
        &film(size, 5),
        &FrameOptions {
            key: true,
            ..OPTIONS
        },
    );

    assert!(packet.key);
    assert!(fidelity(&shown, &film(size, 5)) > 32.0);
}

#[test]
fn a_decoder_without_the_key_frame_says_so() {
    let size = size(160, 120);
    let mut line = Line::new(size, Chroma::Quarter);
    line.send(&film(size, 0), &OPTIONS);
    let (packet, _) = line.send(&film(size, 1), &OPTIONS);

    let answer = Decoder::new().expect("a decoder").decode(&packet.data);

    assert!(answer.is_err(), "{answer:?}");
}

#[test]
fn a_picture_that_stands_still_costs_almost_nothing() {
    let size = size(640, 360);
    let mut line = Line::new(size, Chroma::Quarter);
    let pixels = film(size, 0);
    for _ in 0..30 {
        line.send(&pixels, &OPTIONS);
    }

    let (packet, shown) = line.send(&pixels, &OPTIONS);

    assert!(packet.data.len() < 300, "{} bytes", packet.data.len());
    assert!(fidelity(&shown, &pixels) > 38.0);
}

#[test]
fn the_budget_may_change_with_every_frame() {
    let size = size(640, 360);
    let mut line = Line::new(size, Chroma::Quarter);
    let mut frame = 0;
    let mut play = |budget_bytes: usize| {
        let options = FrameOptions {
            budget_bytes,
            ..OPTIONS
        };
        let packets: Vec<_> = (0..40)
            .map(|_| {
                frame += 1;
                line.send(&noisy(size, frame), &options).0
            })
            .collect();
        let settled = &packets[10..];
        assert!(packets[1..].iter().all(|packet| !packet.key));
        let bytes: usize = settled.iter().map(|packet| packet.data.len()).sum();
        let coarsest = settled.iter().map(|packet| packet.quantizer).max();
        (bytes / settled.len(), coarsest.expect("some packets"))
    };

    for (budget_bytes, (bytes, _)) in [24_000, 3_000, 24_000].map(|bytes| (bytes, play(bytes))) {
        assert!(
            (budget_bytes * 7 / 10..budget_bytes * 13 / 10).contains(&bytes),
            "{bytes} for {budget_bytes}"
        );
    }
    let ((_, rich), (_, poor)) = (play(24_000), play(3_000));
    assert!(rich < poor, "{rich} and {poor}");
}

#[test]
fn a_cut_does_not_take_many_frames_worth_of_bytes() {
    let size = size(640, 360);
    let mut line = Line::new(size, Chroma::Quarter);
    let options = FrameOptions {
        budget_bytes: 4_000,
        ..OPTIONS
    };
    for frame in 0..30 {
        line.send(&film(size, frame), &options);
    }

    let (cut, _) = line.send(&noisy(size, 900), &options);
    let after: Vec<_> = (901..911)
        .map(|frame| line.send(&noisy(size, frame), &options).0.data.len())
        .collect();

    assert!(
        cut.data.len() < 5 * options.budget_bytes,
        "{}",
        cut.data.len()
    );
    let mean = after.iter().sum::<usize>() / after.len();
    assert!(mean < 3 * options.budget_bytes / 2, "{after:?}");
}

#[test]
fn a_film_that_goes_on_after_a_pause_does_not_flood_the_line() {
    let size = size(640, 360);
    let mut line = Line::new(size, Chroma::Quarter);
    let options = FrameOptions {
        budget_bytes: 4_000,
        ..OPTIONS
    };
    for frame in 0..20 {
        line.send(&noisy(size, frame), &options);
    }
    for _ in 0..20 {
        line.send(&noisy(size, 20), &options);
    }

    let most = (21..40)
        .map(|frame| line.send(&noisy(size, frame), &options).0.data.len())
        .max()
        .expect("some packets");

    assert!(most < 3 * options.budget_bytes, "{most}");
}

/// A film with grain, which takes as many bytes as it is given.
fn noisy(size: Size, frame: u32) -> Vec<u8> {
    let mut value = frame.wrapping_mul(0x9E37_79B1) | 1;
    let mut pixels = film(size, frame);
    for byte in &mut pixels {
        value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = byte.saturating_add((value >> 28) as u8);
    }
    pixels
}

#[test]
fn the_finest_quantizer_bounds_what_a_good_line_is_asked_to_carry() {
    let size = size(320, 240);
    let bytes = |finest: u8| {
        let mut line = Line::new(size, Chroma::Quarter);
        let options = FrameOptions {
            budget_bytes: 200_000,
            quantizers: finest..=63,
            ..OPTIONS
        };
        (0..20)
            .map(|frame| line.send(&noisy(size, frame), &options))
            .inspect(|(packet, _)| assert!(packet.quantizer >= finest, "{}", packet.quantizer))
            .map(|(packet, _)| packet.data.len())
            .sum::<usize>()
    };

    assert!(bytes(30) * 2 < bytes(0));
}

#[test]
fn flat_colours_are_shown_within_two_levels() {
    let size = size(64, 64);
    for chroma in [Chroma::Quarter, Chroma::Full] {
        for colour in [
            [0, 0, 0, 0],
            [255, 255, 255, 0],
            [0, 0, 255, 0],
            [0, 255, 0, 0],
            [255, 0, 0, 0],
            [30, 120, 200, 0],
        ] {
            let mut line = Line::new(size, chroma);
            let pixels = colour.repeat(size.area());

            let (_, shown) = line.send(&pixels, &OPTIONS);

            for (shown, original) in shown.iter().zip(&pixels) {
                assert!(shown.abs_diff(*original) <= 2, "{colour:?}: {:?}", &shown);
            }
        }
    }
}

#[test]
fn sharp_colours_survive_full_chroma() {
    let size = size(128, 128);
    let pixels: Vec<u8> = (0..size.area())
        .flat_map(|index| {
            if (index % 128 + index / 128) % 2 == 0 {
                [0, 0, 255, 0]
            } else {
                [255, 0, 0, 0]
            }
        })
        .collect();
    let fidelity = |chroma| {
        let mut line = Line::new(size, chroma);
        let options = FrameOptions {
            budget_bytes: 50_000,
            quantizers: 0..=10,
            ..OPTIONS
        };
        let (_, shown) = line.send(&pixels, &options);
        fidelity(&shown, &pixels)
    };

    let (quarter, full) = (fidelity(Chroma::Quarter), fidelity(Chroma::Full));

    assert!(full > quarter + 10.0, "{full} dB and {quarter} dB");
}

#[test]
fn a_part_of_a_screen_is_taken_where_it_is() {
    let (screen, part) = (size(100, 60), size(33, 21));
    let pixels = film(screen, 3);
    let stride = 100 * BYTES_PER_PIXEL;
    let mut cut = Vec::new();
    for row in 0..21 {
        cut.extend_from_slice(&pixels[(row + 7) * stride + 12 * 4..][..33 * 4]);
    }
    let (mut there, mut alone) = (
        Picture::new(part, Chroma::Quarter),
        Picture::new(part, Chroma::Quarter),
    );

    there
        .fill(&pixels[7 * stride + 12 * 4..], stride)
        .expect("inside");
    alone.fill(&cut, 33 * 4).expect("inside");

    assert_eq!(there, alone);
}

#[test]
fn too_few_pixels_are_refused() {
    let size = size(8, 4);
    let mut picture = Picture::new(size, Chroma::Full);

    assert!(matches!(
        picture.fill(&[0; 8 * 4 * 4], 31),
        Err(PictureError::Stride { .. })
    ));
    assert!(matches!(
        picture.fill(&[0; 8 * 4 * 4 - 1], 32),
        Err(PictureError::Short { .. })
    ));
    assert!(matches!(
        picture.fill(&[0; 64], usize::MAX),
        Err(PictureError::Short { .. })
    ));
    assert_eq!(picture, Picture::new(size, Chroma::Full));
    assert!(picture.fill(&[0; 40 * 3 + 32], 40).is_ok());
}

#[test]
fn a_picture_of_another_size_is_refused_and_the_encoder_goes_on() {
    let mut line = Line::new(size(64, 64), Chroma::Quarter);

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
fn a_decoder_follows_when_the_film_gets_another_size() {
    let mut line = Line::new(size(320, 240), Chroma::Quarter);
    line.send(&film(size(320, 240), 0), &OPTIONS);

    let larger = size(401, 303);
    line.picture = Picture::new(larger, Chroma::Full);
    line.encoder = Encoder::new(settings(larger, Chroma::Full)).expect("an encoder");
    let (packet, shown) = line.send(&film(larger, 1), &OPTIONS);

    assert!(packet.key);
    assert!(fidelity(&shown, &film(larger, 1)) > 32.0);
}

#[test]
fn options_outside_their_range_are_taken_to_its_ends() {
    let size = size(160, 120);
    let mut line = Line::new(size, Chroma::Quarter);

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
            speed: 255,
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
    let mut line = Line::new(size, Chroma::Quarter);
    line.send(&film(size, 0), &OPTIONS);

    std::thread::spawn(move || line.send(&film(size, 1), &OPTIONS))
        .join()
        .expect("no panic");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_size_comes_back(width in 1_u32..200, height in 1_u32..200, full: bool, threads: u8, screen: bool) {
        let size = size(width, height);
        let chroma = if full { Chroma::Full } else { Chroma::Quarter };
        let mut line = Line::new(size, chroma);
        line.encoder = Encoder::new(Settings {
            threads,
            content: if screen { Content::Screen } else { Content::Film },
            ..settings(size, chroma)
        }).expect("an encoder");

        for frame in 0..3 {
            let pixels = film(size, frame);
            let (_, shown) = line.send(&pixels, &OPTIONS);
            prop_assert_eq!(shown.len(), pixels.len());
            prop_assert!(fidelity(&shown, &pixels) > 20.0);
        }
    }

    #[test]
    fn a_decoder_takes_anything(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..8)) {
        let mut decoder = Decoder::new().expect("a decoder");
        for packet in packets {
            let _ = decoder.decode(&packet);
        }
    }

    /// What damage on the way would look like, if sealing did not catch it first.
    #[test]
    fn a_decoder_takes_damaged_packets(
        damage in prop::collection::vec((0_usize..6, any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in prop::option::of((0_usize..6, any::<prop::sample::Index>())),
    ) {
        let size = size(96, 80);
        let mut line = Line::new(size, Chroma::Quarter);
        let mut packets: Vec<_> = (0..6)
            .map(|frame| line.send(&film(size, frame), &OPTIONS).0.data)
            .collect();
        for (frame, place, value) in damage {
            let index = place.index(packets[frame].len());
            packets[frame][index] = value;
        }
        if let Some((frame, place)) = cut {
            let length = place.index(packets[frame].len());
            packets[frame].truncate(length);
        }

        let mut decoder = Decoder::new().expect("a decoder");
        for packet in &packets {
            let _ = decoder.decode(packet);
        }

        // Whatever happened, the next key frame is shown as it is.
        let pixels = film(size, 7);
        line.decoder = decoder;
        let (_, shown) = line.send(&pixels, &FrameOptions { key: true, ..OPTIONS });
        prop_assert!(fidelity(&shown, &pixels) > 30.0);
    }

    #[test]
    fn an_empty_packet_shows_nothing(count in 1_usize..4) {
        let mut decoder = Decoder::new().expect("a decoder");
        for _ in 0..count {
            prop_assert_eq!(decoder.decode(&[]), Err(DecodeError::NothingShown));
        }
    }
}
