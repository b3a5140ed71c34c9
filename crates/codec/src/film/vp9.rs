//! Films as VP9.

use std::ops::RangeInclusive;

use gc_model::geometry::Size;
use gc_video::{Chroma, Picture};
use gc_vpx::{Content, FrameOptions, Settings};

use super::scale::Reduced;
use super::{FilmCodec, FilmEncoder, FilmError, FilmFormat, FilmOrder, FilmPacket, FilmQuality};
use crate::frame::FrameView;

/// Speed of the encoder: from 5 to 9 films look the same at the same bytes, and 9 takes the
/// least time (`cargo bench -p gc-vpx`).
const SPEED: u8 = 9;

/// More threads gain nothing below this many pixels, and another program wants the core.
const TWO_THREADS_FROM_PX: usize = 640 * 360;

/// Coarser than this is not worth looking at, whatever the link carries.
const COARSEST: u8 = 60;

pub(super) struct Vp9;

impl Vp9 {
    /// Builds by Microsoft's compiler may have none.
    pub(super) const fn is_available() -> bool {
        gc_vpx::is_available()
    }
}

impl FilmCodec for Vp9 {
    fn format(&self) -> FilmFormat {
        FilmFormat::Vp9
    }

    fn open(&self, width: u32, height: u32) -> Result<Box<dyn FilmEncoder>, FilmError> {
        let size = Size::new(width, height).map_err(|error| FilmError::caused_by(&error))?;
        let settings = Settings {
            size,
            chroma: Chroma::Quarter,
            threads: if size.area() < TWO_THREADS_FROM_PX {
                1
            } else {
                2
            },
            content: Content::Film,
        };
        Ok(Box::new(Stream {
            encoder: gc_vpx::Encoder::new(settings)
                .map_err(|error| FilmError::caused_by(&error))?,
            picture: Picture::new(size, Chroma::Quarter),
            reduced: Reduced::new(size),
        }))
    }
}

struct Stream {
    encoder: gc_vpx::Encoder,
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
            speed: SPEED,
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
        FilmQuality::Coarse => 44..=COARSEST,
        FilmQuality::Good => 20..=COARSEST,
    }
}
