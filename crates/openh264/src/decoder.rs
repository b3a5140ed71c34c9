//! The decoder, for tests and viewers that are no browser.

use gc_model::geometry::Size;
use gc_video::{Chroma, Picture, PictureDecoder};
use openh264::OpenH264API;
use openh264::decoder::DecoderConfig;
use openh264::formats::YUVSource as _;

/// Why a packet gave no picture. The decoder can go on with the next key frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Damaged, incomplete, or it refers to a picture that this decoder does not have.
    #[error("failed to decode a packet: {0}")]
    Library(String),
    /// Larger than any screen.
    #[error("a packet holds a picture of another kind than ours")]
    OtherKind,
    /// A packet that only prepares a later picture.
    #[error("a packet shows nothing")]
    NothingShown,
}

/// Decodes one stream of packets.
pub struct Decoder(openh264::decoder::Decoder);

impl Decoder {
    /// A decoder that waits for a key frame.
    ///
    /// # Errors
    /// No memory.
    pub fn new() -> Result<Self, DecodeError> {
        let api = OpenH264API::from_source();
        openh264::decoder::Decoder::with_api_config(api, DecoderConfig::new())
            .map(Self)
            .map_err(|error| DecodeError::Library(error.to_string()))
    }
}

impl PictureDecoder for Decoder {
    type Error = DecodeError;

    fn decode(&mut self, data: &[u8]) -> Result<Picture, DecodeError> {
        let shown = self
            .0
            .decode(data)
            .map_err(|error| DecodeError::Library(error.to_string()))?
            .ok_or(DecodeError::NothingShown)?;
        let (width, height) = shown.dimensions();
        let size = Size::new(width as u32, height as u32).map_err(|_| DecodeError::OtherKind)?;
        let (y, u, v) = shown.strides();
        let mut picture = Picture::new(size, Chroma::Quarter);
        for (index, (plane, stride)) in [(shown.y(), y), (shown.u(), u), (shown.v(), v)]
            .into_iter()
            .enumerate()
        {
            let row = picture.stride(index);
            let targets = picture.plane_mut(index).chunks_exact_mut(row);
            for (to, from) in targets.zip(plane.chunks(stride)) {
                to.copy_from_slice(from.get(..row).ok_or(DecodeError::OtherKind)?);
            }
        }
        Ok(picture)
    }
}
