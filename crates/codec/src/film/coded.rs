//! Films by an encoder that takes pictures in planes and has a quantizer, as all here do.

use std::ops::RangeInclusive;

use gc_model::geometry::Size;
use gc_video::{Chroma, FrameOptions, PictureEncoder};

use super::scale::Planes;
use super::{FilmEncoder, FilmError, FilmMaker, FilmOrder, FilmPacket, FilmQuality};
use crate::frame::FrameView;

/// The quantizers that a film of some quality may have. Finer than the first, it spends its bytes
/// on grain that nobody sees while it moves; coarser than the last is not worth looking at.
pub(super) type Quantizers = fn(FilmQuality) -> RangeInclusive<u8>;

struct Coded<E> {
    encoder: E,
    maker: FilmMaker,
    quantizers: Quantizers,
    planes: Planes,
}

/// A film of pictures of `width` x `height`, by the encoder of `maker` that `open` makes for them.
pub(super) fn open<E>(
    (width, height): (u32, u32),
    chroma: Chroma,
    maker: FilmMaker,
    quantizers: Quantizers,
    open: impl FnOnce(Size) -> Result<E, E::Error>,
) -> Result<Box<dyn FilmEncoder>, FilmError>
where
    E: PictureEncoder + 'static,
{
    let size = Size::new(width, height).map_err(|error| FilmError::caused_by(&error))?;
    Ok(Box::new(Coded {
        encoder: open(size).map_err(|error| FilmError::caused_by(&error))?,
        maker,
        quantizers,
        planes: Planes::new(size, chroma),
    }))
}

impl<E: PictureEncoder> FilmEncoder for Coded<E> {
    fn encode(
        &mut self,
        picture: &FrameView<'_>,
        order: &FilmOrder,
    ) -> Result<FilmPacket, FilmError> {
        let picture = self.planes.fill(picture)?;
        let options = FrameOptions {
            key: false,
            budget_bytes: order.target_bytes,
            quantizers: (self.quantizers)(order.quality),
        };
        let packet = self
            .encoder
            .encode(picture, &options)
            .map_err(|error| FilmError::caused_by(&error))?;
        Ok(FilmPacket {
            held_back: packet.quantizer > *options.quantizers.start(),
            data: packet.data,
            key: packet.key,
            maker: packet.key.then(|| self.maker.clone()),
        })
    }
}
