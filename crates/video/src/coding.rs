//! What every video codec is asked, and what it answers.

use std::ops::RangeInclusive;

use crate::picture::Picture;

/// What one frame may be. Everything in it may change from frame to frame without a key frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameOptions {
    /// Make a picture that needs none before it.
    pub key: bool,
    /// Bytes that the packet should have. It is met on average; a frame after a cut may be
    /// a few times that, and one that changed little is smaller.
    pub budget_bytes: usize,
    /// How fine (0) and how coarse the picture may become; how far it goes is the codec's. Where
    /// the coarsest still needs more than the budget, the frame is larger than the budget.
    pub quantizers: RangeInclusive<u8>,
}

/// One encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// What a decoder wants, whole.
    pub data: Vec<u8>,
    /// It needs no picture before it.
    pub key: bool,
    /// How coarse it became.
    pub quantizer: u8,
}

/// Packs pictures of one size and chroma, in real time: every picture gives its packet at once,
/// and refers to earlier ones only. The first is a key frame.
pub trait PictureEncoder: Send {
    /// Why there is no packet.
    type Error: std::error::Error;

    /// Encodes `picture`. Values of `options` outside their range are taken to its ends.
    ///
    /// # Errors
    /// A picture of another size or chroma, or an encoder that broke.
    fn encode(&mut self, picture: &Picture, options: &FrameOptions) -> Result<Packet, Self::Error>;
}

/// Shows what an encoder packed, for tests and viewers that are no browser.
pub trait PictureDecoder: Send {
    /// Why a packet gave no picture.
    type Error: std::error::Error;

    /// Decodes one packet of any origin.
    ///
    /// # Errors
    /// Damaged, or not to be shown alone. The decoder can go on with the next key frame.
    fn decode(&mut self, data: &[u8]) -> Result<Picture, Self::Error>;
}
