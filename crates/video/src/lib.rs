//! What the video codecs share: pictures in planes as all of them take them (BT.709 in full
//! range), and the choice of a quantizer by which each packet has about the bytes it may have.

mod convert;
mod picture;
mod rate;

pub use picture::{BYTES_PER_PIXEL, Chroma, Picture, PictureError};
pub use rate::{Law, RateControl};
