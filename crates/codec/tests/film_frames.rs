//! What is looked at of a film's frame before a decoder gets it.

mod support;

use std::path::Path;

use gc_codec::{FilmFormat, FilmFormats, is_film_frame};
use gc_video::testing::ivf_packets;
use proptest::prelude::*;
use support::frames::head;

/// The packets that another crate's test keeps.
fn packets(file: &str) -> Vec<Vec<u8>> {
    ivf_packets(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file))
}

#[test]
fn frames_of_the_real_encoders_are_frames() {
    for (format, file, width, height) in [
        (FilmFormat::Vp9, "vpx/tests/golden/patches.ivf", 201, 121),
        (
            FilmFormat::Vp9FullChroma,
            "vpx/tests/golden/patches-full-chroma.ivf",
            201,
            121,
        ),
        (
            FilmFormat::H264,
            "openh264/tests/golden/patches.ivf",
            202,
            122,
        ),
    ] {
        for (index, packet) in packets(file).iter().enumerate() {
            let key = index == 0;
            assert!(
                is_film_frame(format, packet, key, width, height),
                "{format} {index}"
            );
            assert!(
                !is_film_frame(format, packet, !key, width, height),
                "{format} {index}"
            );
        }
        let first = &packets(file)[0];
        for (width, height) in [(width + 2, height), (width, height + 2), (1, 1)] {
            assert!(
                !is_film_frame(format, first, true, width, height),
                "{format}"
            );
        }
    }
}

#[test]
fn h264_that_is_not_ours_is_no_frame() {
    let is = |packet: &[u8], key| is_film_frame(FilmFormat::H264, packet, key, 64, 32);
    let key = head(FilmFormat::H264, true, (64, 32));
    let delta = head(FilmFormat::H264, false, (64, 32));
    assert!(is(&key, true) && is(&delta, false));

    let slice = [0, 0, 1, 0x65, 0xb8, 0x04];
    for (what, packet, wants_key) in [
        ("without start codes", key[4..].to_vec(), true),
        ("without parameters", slice.to_vec(), true),
        ("two pictures", [key.clone(), slice.to_vec()].concat(), true),
        (
            "two pictures that follow",
            [delta.clone(), delta.clone()].concat(),
            false,
        ),
        (
            "new parameters in between",
            [key.clone(), delta.clone()].concat(),
            false,
        ),
        (
            "a key frame and another",
            [key.clone(), delta.clone()].concat(),
            true,
        ),
        (
            "the end of the stream",
            [delta.clone(), vec![0, 0, 1, 0x0b]].concat(),
            false,
        ),
        ("data partitions", vec![0, 0, 1, 0x42, 0x80, 0x00], false),
        (
            "a unit that is forbidden",
            vec![0, 0, 1, 0xc1, 0x80, 0x00],
            false,
        ),
        (
            "an empty unit",
            [delta.clone(), vec![0, 0, 1]].concat(),
            false,
        ),
        ("no picture", vec![0, 0, 1, 0x09, 0x10], false),
        ("nothing", Vec::new(), false),
        (
            "4:4:4",
            {
                let mut other = key.clone();
                other[5] = 244;
                other
            },
            true,
        ),
    ] {
        assert!(!is(&packet, wants_key), "{what}");
    }

    let slices = [key.clone(), vec![0, 0, 1, 0x65, 0x38, 0x04]].concat();
    assert!(is(&slices, true), "a picture in two slices");
    let told = [vec![0, 0, 0, 1, 0x09, 0x10], key].concat();
    assert!(is(&told, true), "a picture with a delimiter");
    let many = [delta, [0, 0, 1, 0x41, 0x1a, 0x04].repeat(1_000)].concat();
    assert!(!is(&many, false), "a picture in a thousand slices");
}

#[test]
fn sets_of_formats_keep_what_is_put_in() {
    let all: FilmFormats = FilmFormat::ALL.into_iter().collect();
    for format in FilmFormat::ALL {
        assert!(all.contains(format) && !all.without(format).contains(format));
        assert_eq!(
            FilmFormats::default().with(format).without(format),
            FilmFormats::default()
        );
    }
}

proptest! {
    #[test]
    fn anything_may_come(data in prop::collection::vec(any::<u8>(), 0..300), key: bool, h264: bool) {
        let format = if h264 { FilmFormat::H264 } else { FilmFormat::Vp9 };
        let _ = is_film_frame(format, &data, key, 64, 32);
    }

    #[test]
    fn damaged_heads_may_come(damage in prop::collection::vec((0_usize..40, any::<u8>()), 1..8), cut in 0_usize..60) {
        for format in FilmFormat::ALL {
            let mut data = head(format, true, (64, 32));
            for &(at, value) in &damage {
                if let Some(byte) = data.get_mut(at) {
                    *byte = value;
                }
            }
            data.truncate(cut);
            let _ = is_film_frame(format, &data, true, 64, 32);
        }
    }

    #[test]
    fn every_size_is_read(width in 1_u32..2_000, height in 1_u32..2_000) {
        let (width, height) = (width * 2, height * 2);
        for format in FilmFormat::ALL {
            let data = head(format, true, (width, height));
            prop_assert!(is_film_frame(format, &data, true, width, height));
            prop_assert!(!is_film_frame(format, &data, true, width + 2, height));
        }
    }
}
