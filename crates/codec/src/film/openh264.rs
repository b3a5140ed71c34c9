//! Films as H.264, in builds with `OpenH264`.

use std::ops::RangeInclusive;

use gc_model::geometry::Size;
use gc_openh264::{FrameOptions, MAX_LONG_SIDE_PX, MAX_SHORT_SIDE_PX, MIN_SIDE_PX};
use gc_video::{Chroma, Picture};

use super::scale::Reduced;
use super::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FilmQuality};
use crate::frame::FrameView;

/// Coarser than this is not worth looking at, whatever the link carries.
const COARSEST: u8 = 48;

pub(super) struct OpenH264;

impl FilmCodec for OpenH264 {
    fn format(&self) -> FilmFormat {
        FilmFormat::H264
    }

    /// Even, and not more than the library packs.
    fn coded_size(&self, width: u32, height: u32) -> (u32, u32) {
        let (long, short) = (width.max(height), width.min(height));
        let parts = long
            .div_ceil(MAX_LONG_SIDE_PX)
            .max(short.div_ceil(MAX_SHORT_SIDE_PX));
        let even = |side: u32| (side / parts.max(1)) & !1;
        (even(width), even(height))
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        if width.min(height) < MIN_SIDE_PX {
            return Err(FilmError("too small a picture for H.264".to_owned()));
        }
        let size = Size::new(width, height).map_err(|error| FilmError::caused_by(&error))?;
        Ok(Box::new(Stream {
            encoder: gc_openh264::Encoder::new(size)
                .map_err(|error| FilmError::caused_by(&error))?,
            picture: Picture::new(size, Chroma::Quarter),
            reduced: Reduced::new(size),
        }))
    }
}

struct Stream {
    encoder: gc_openh264::Encoder,
    picture: Picture,
    reduced: Reduced,
}

impl FilmEncoder for Stream {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let (pixels, stride) = self.reduced.take(picture);
        self.picture
            .fill(pixels, stride)
            .map_err(|error| FilmError::caused_by(&error))?;
        let quantizers = quantizers(order.quality);
        let best = *quantizers.start();
        let options = FrameOptions {
            key: false,
            budget_bytes: order.target_bytes,
            quantizers,
        };
        let packet = self
            .encoder
            .encode(&self.picture, &options)
            .map_err(|error| FilmError::caused_by(&error))?;
        Ok(FilmPacket {
            held_back: packet.quantizer > best,
            data: packet.data,
            key: packet.key,
        })
    }
}

/// Finer than the first, a film spends its bytes on grain that nobody sees while it moves.
fn quantizers(quality: FilmQuality) -> RangeInclusive<u8> {
    match quality {
        FilmQuality::Coarse => 38..=COARSEST,
        FilmQuality::Good => 24..=COARSEST,
    }
}
