//! What the video codecs share: pictures in planes as all of them take them (BT.709 in full
//! range), what an encoder is asked and answers, and the choice of a quantizer by which each
//! packet has about the bytes it may have.

mod coding;
mod convert;
mod picture;
mod rate;
#[cfg(feature = "testing")]
pub mod testing;

pub use coding::{FrameOptions, Packet, PictureDecoder, PictureEncoder};
pub use picture::{BYTES_PER_PIXEL, Chroma, Picture, PictureError};
pub use rate::{Law, RateControl};
