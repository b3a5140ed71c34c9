//! H.264 by `OpenH264`, compiled from Cisco's sources: the encoder for what moves all the time,
//! and, for tests and viewers outside a browser, the decoder. Pixels and bytes only: what to
//! encode and how many bytes it may take is somebody else's decision.
//!
//! The bitstream is what every browser with H.264 decodes: constrained baseline in Annex B
//! format, BT.709 in full range, and it says so itself. Who ships a program with this in it
//! needs a licence for H.264 where there are patents: docs/decisions/0009-films.md.

#[cfg(feature = "decoder")]
mod decoder;
mod encoder;
mod sys;

#[cfg(feature = "decoder")]
pub use decoder::{DecodeError, Decoder};
pub use encoder::{
    EncodeError, Encoder, MAX_LONG_SIDE_PX, MAX_QUANTIZER, MAX_SHORT_SIDE_PX, MIN_SIDE_PX,
};

/// A call of the library that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("OpenH264 answered {0}")]
pub struct LibraryError(i32);
