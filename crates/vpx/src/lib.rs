//! VP9 by libvpx: the encoder for what moves all the time (films, animations), and, for
//! tests and viewers outside a browser, the decoder. Pixels and bytes only: what to encode
//! and how many bytes it may take is somebody else's decision.
//!
//! The bitstream is what every browser decodes: 8 bits, 4:2:0 (profile 0) or 4:4:4
//! (profile 1), BT.709 in full range, and it says so itself.

#[cfg(all(libvpx, feature = "decoder"))]
mod decoder;
mod encoder;
#[cfg(libvpx)]
mod sys;

#[cfg(all(libvpx, feature = "decoder"))]
pub use decoder::{DecodeError, Decoder};
pub use encoder::{
    Content, EncodeError, Encoder, MAX_QUANTIZER, MAX_SPEED, MAX_THREADS, Settings, is_available,
};

/// A call of libvpx that failed, in its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("libvpx: {0}")]
pub struct LibraryError(&'static str);
