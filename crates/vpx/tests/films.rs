//! What the encoder makes of films, seen through the decoder.

use gc_model::geometry::Size;
use gc_video::testing::{self, coloured_text, grainy, landscape, likeness};
use gc_video::{BYTES_PER_PIXEL, Chroma, FrameOptions, Picture, PictureDecoder as _, PictureError};
use gc_vpx::{Content, DecodeError, Decoder, EncodeError, Encoder, Settings};
use proptest::prelude::*;

const OPTIONS: FrameOptions = FrameOptions {
    key: false,
    budget_bytes: 12_000,
    quantizers: 0..=63,
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
        speed: 8,
    }
}

type Line = testing::Line<Encoder, Decoder>;

fn line(size: Size, chroma: Chroma) -> Line {
    line_with(settings(size, chroma))
}

fn line_with(settings: Settings) -> Line {
    let encoder = Encoder::new(settings).expect("an encoder");
    let decoder = Decoder::new().expect("a decoder");
    Line::new(settings.size, settings.chroma, encoder, decoder)
}

#[test]
fn a_film_looks_like_itself() {
    for chroma in [Chroma::Quarter, Chroma::Full] {
        let size = size(320, 240);
        let mut line = line(size, chroma);

        for frame in 0..20 {
            let pixels = landscape(size, frame);
            let (_, shown) = line.send(&pixels, &OPTIONS);

            let likeness = likeness(&shown, &pixels);
            assert!(likeness > 32.0, "{chroma:?}, frame {frame}: {likeness} dB");
        }
    }
}

#[test]
fn only_the_first_frame_is_a_key_frame_unless_asked() {
    let size = size(160, 120);
    let mut line = line(size, Chroma::Quarter);

    let keys: Vec<_> = (0..40)
        .map(|frame| {
            let options = FrameOptions {
                key: frame == 25,
                ..OPTIONS
            };
            line.send(&landscape(size, frame), &options).0.key
        })
        .enumerate()
        .filter_map(|(frame, key)| key.then_some(frame))
        .collect();

    assert_eq!(keys, [0, 25]);
}

#[test]
fn a_viewer_can_join_at_a_key_frame() {
    let size = size(320, 240);
    let mut line = line(size, Chroma::Quarter);
    for frame in 0..5 {
        line.send(&landscape(size, frame), &OPTIONS);
    }

    line.decoder = Decoder::new().expect("a decoder");
    let (packet, shown) = line.send(
        &landscape(size, 5),
        &FrameOptions {
            key: true,
            ..OPTIONS
        },
    );

    assert!(packet.key);
    assert!(likeness(&shown, &landscape(size, 5)) > 32.0);
}

#[test]
fn a_decoder_without_the_key_frame_says_so() {
    let size = size(160, 120);
    let mut line = line(size, Chroma::Quarter);
    line.send(&landscape(size, 0), &OPTIONS);
    let (packet, _) = line.send(&landscape(size, 1), &OPTIONS);

    let answer = Decoder::new().expect("a decoder").decode(&packet.data);

    assert!(answer.is_err(), "{answer:?}");
}

#[test]
fn a_picture_that_stands_still_costs_almost_nothing() {
    let size = size(640, 360);
    let mut line = line(size, Chroma::Quarter);
    let pixels = landscape(size, 0);
    for _ in 0..30 {
        line.send(&pixels, &OPTIONS);
    }

    let (packet, shown) = line.send(&pixels, &OPTIONS);

    assert!(packet.data.len() < 300, "{} bytes", packet.data.len());
    assert!(likeness(&shown, &pixels) > 38.0);
}

#[test]
fn the_budget_may_change_with_every_frame() {
    let size = size(640, 360);
    let mut line = line(size, Chroma::Quarter);
    let mut frame = 0;
    let mut play = |budget_bytes: usize| {
        let options = FrameOptions {
            budget_bytes,
            ..OPTIONS
        };
        let packets: Vec<_> = (0..40)
            .map(|_| {
                frame += 1;
                line.send(&grainy(size, frame), &options).0
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
    let mut line = line(size, Chroma::Quarter);
    let options = FrameOptions {
        budget_bytes: 4_000,
        ..OPTIONS
    };
    for frame in 0..30 {
        line.send(&landscape(size, frame), &options);
    }

    let (cut, _) = line.send(&grainy(size, 900), &options);
    let after: Vec<_> = (901..911)
        .map(|frame| line.send(&grainy(size, frame), &options).0.data.len())
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
    let mut line = line(size, Chroma::Quarter);
    let options = FrameOptions {
        budget_bytes: 4_000,
        ..OPTIONS
    };
    for frame in 0..20 {
        line.send(&grainy(size, frame), &options);
    }
    for _ in 0..20 {
        line.send(&grainy(size, 20), &options);
    }

    let most = (21..40)
        .map(|frame| line.send(&grainy(size, frame), &options).0.data.len())
        .max()
        .expect("some packets");

    assert!(most < 3 * options.budget_bytes, "{most}");
}

#[test]
fn the_finest_quantizer_bounds_what_a_good_line_is_asked_to_carry() {
    let size = size(320, 240);
    let bytes = |finest: u8| {
        let mut line = line(size, Chroma::Quarter);
        let options = FrameOptions {
            budget_bytes: 200_000,
            quantizers: finest..=63,
            ..OPTIONS
        };
        (0..20)
            .map(|frame| line.send(&grainy(size, frame), &options))
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
            line(size, chroma).shows_a_flat_colour(colour, &OPTIONS);
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
    let sharpness = |chroma| {
        let mut line = line(size, chroma);
        let options = FrameOptions {
            budget_bytes: 50_000,
            quantizers: 0..=10,
            ..OPTIONS
        };
        let (_, shown) = line.send(&pixels, &options);
        likeness(&shown, &pixels)
    };

    let (quarter, full) = (sharpness(Chroma::Quarter), sharpness(Chroma::Full));

    assert!(full > quarter + 10.0, "{full} dB and {quarter} dB");
}

#[test]
fn thin_coloured_text_on_something_that_moves_is_kept_by_full_chroma() {
    let size = size(320, 240);
    let options = FrameOptions {
        quantizers: 20..=20,
        ..OPTIONS
    };
    let play = |chroma| {
        let mut line = line(size, chroma);
        let likenesses = (0..12).map(|frame| {
            let pixels = coloured_text(size, frame);
            let (_, shown) = line.send(&pixels, &options);
            likeness(&shown, &pixels)
        });
        likenesses.sum::<f64>() / 12.0
    };

    let (quarter, full) = (play(Chroma::Quarter), play(Chroma::Full));

    assert!(full > quarter + 6.0, "{full:.1} dB and {quarter:.1} dB");
}

#[test]
fn a_part_of_a_screen_is_taken_where_it_is() {
    let (screen, part) = (size(100, 60), size(33, 21));
    let pixels = landscape(screen, 3);
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
    for chroma in [Chroma::Quarter, Chroma::Full] {
        let mut line = line(size(64, 64), chroma);
        line.refuses_other_pictures(&EncodeError::OtherPicture, &OPTIONS);
    }
}

#[test]
fn a_decoder_follows_when_the_film_gets_another_size() {
    let mut line = line(size(320, 240), Chroma::Quarter);
    line.send(&landscape(size(320, 240), 0), &OPTIONS);

    let larger = size(401, 303);
    line.picture = Picture::new(larger, Chroma::Full);
    line.encoder = Encoder::new(settings(larger, Chroma::Full)).expect("an encoder");
    let (packet, shown) = line.send(&landscape(larger, 1), &OPTIONS);

    assert!(packet.key);
    assert!(likeness(&shown, &landscape(larger, 1)) > 32.0);
}

#[test]
fn options_outside_their_range_are_taken_to_its_ends() {
    line(size(160, 120), Chroma::Quarter).takes_any_options(&OPTIONS);
    let mut line = line_with(Settings {
        speed: 255,
        ..settings(size(160, 120), Chroma::Quarter)
    });
    line.plays(&OPTIONS);
}

#[test]
fn an_encoder_may_move_to_another_thread() {
    line(size(64, 64), Chroma::Quarter).moves_to_another_thread(&OPTIONS);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_size_comes_back(width in 1_u32..200, height in 1_u32..200, full: bool, threads: u8, screen: bool) {
        let size = size(width, height);
        let chroma = if full { Chroma::Full } else { Chroma::Quarter };
        let mut line = line_with(Settings {
            threads,
            content: if screen { Content::Screen } else { Content::Film },
            ..settings(size, chroma)
        });
        line.plays(&OPTIONS);
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
        let mut line = line(size, Chroma::Quarter);
        let mut packets: Vec<_> = (0..6)
            .map(|frame| line.send(&landscape(size, frame), &OPTIONS).0.data)
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
        let pixels = landscape(size, 7);
        line.decoder = decoder;
        let (_, shown) = line.send(&pixels, &FrameOptions { key: true, ..OPTIONS });
        prop_assert!(likeness(&shown, &pixels) > 30.0);
    }

    #[test]
    fn an_empty_packet_shows_nothing(count in 1_usize..4) {
        let mut decoder = Decoder::new().expect("a decoder");
        for _ in 0..count {
            prop_assert_eq!(decoder.decode(&[]), Err(DecodeError::NothingShown));
        }
    }
}
