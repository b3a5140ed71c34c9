//! Films as H.264, in builds with `OpenH264`.

use gc_openh264::{Encoder, MAX_LONG_SIDE_PX, MAX_SHORT_SIDE_PX, MIN_SIDE_PX};
use gc_video::Chroma;

use super::scale::Sides;
use super::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmMaker, FilmQuality, coded};

pub(super) struct OpenH264;

impl FilmCodec for OpenH264 {
    fn format(&self) -> FilmFormat {
        FilmFormat::H264
    }

    /// Even, and neither more nor less than the library packs.
    fn coded_size(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        let sides = Sides {
            min: MIN_SIDE_PX,
            max_long: MAX_LONG_SIDE_PX,
            max_short: MAX_SHORT_SIDE_PX,
        };
        sides.size_for(width, height)
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        let quantizers = |quality| match quality {
            FilmQuality::Coarse => 38..=48,
            FilmQuality::Fair => 31..=48,
            FilmQuality::Good => 24..=48,
        };
        let size = (width, height);
        let maker = FilmMaker::library("OpenH264");
        coded::open(size, Chroma::Quarter, maker, quantizers, Encoder::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_narrow_for_the_library_is_not_tried() {
        for (width, height) in [(1_920, 8), (15, 400), (17, 15), (7_680, 31)] {
            assert_eq!(OpenH264.coded_size(width, height), None, "{width}x{height}");
        }
    }

    #[test]
    fn every_size_that_it_names_can_be_opened() {
        for (width, height) in [(16, 16), (17, 17), (1_921, 33), (5_000, 32), (33, 4_400)] {
            let (width, height) = OpenH264.coded_size(width, height).expect("a size");
            assert!(OpenH264.open(width, height).is_ok(), "{width}x{height}");
        }
    }
}
