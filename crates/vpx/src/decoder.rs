//! The decoder, for tests and viewers that are no browser.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};
use std::slice;

use gc_model::geometry::Size;
use gc_video::{Chroma, Picture, PictureDecoder};

use crate::{LibraryError, sys};

/// Why a packet gave no picture. The decoder can go on with the next key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Damaged, incomplete, or it refers to a picture that this decoder does not have.
    #[error("failed to decode a packet")]
    Library(#[source] LibraryError),
    /// No picture that we would send: other colours, or larger than any screen.
    #[error("a packet holds a picture of another kind than ours")]
    OtherKind,
    /// A packet that only prepares a later picture.
    #[error("a packet shows nothing")]
    NothingShown,
}

/// Decodes one stream of packets.
pub struct Decoder {
    handle: NonNull<sys::Decoder>,
}

// SAFETY: libvpx's decoder has no ties to a thread; every call needs `&mut self`.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder that waits for a key frame.
    ///
    /// # Errors
    /// No memory.
    pub fn new() -> Result<Self, DecodeError> {
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` is written by the call.
        let status = unsafe { sys::gc_vpx_decoder_open(1, &raw mut handle) };
        sys::check(status).map_err(DecodeError::Library)?;
        let handle = NonNull::new(handle).ok_or(DecodeError::NothingShown)?;
        Ok(Self { handle })
    }
}

impl PictureDecoder for Decoder {
    type Error = DecodeError;

    fn decode(&mut self, data: &[u8]) -> Result<Picture, DecodeError> {
        if data.is_empty() {
            return Err(DecodeError::NothingShown);
        }
        let mut shown = sys::Picture {
            data: [ptr::null(); 3],
            stride: [0; 3],
            width: 0,
            height: 0,
            full_chroma: 0,
            our_colours: 0,
        };
        // SAFETY: the handle is open, and `data` lives until the call returns.
        let status = unsafe {
            sys::gc_vpx_decoder_decode(
                self.handle.as_ptr(),
                data.as_ptr(),
                data.len(),
                &raw mut shown,
            )
        };
        sys::check(status).map_err(DecodeError::Library)?;
        if shown.data[0].is_null() {
            return Err(DecodeError::NothingShown);
        }
        let size = Size::new(shown.width, shown.height).map_err(|_| DecodeError::OtherKind)?;
        if shown.our_colours == 0 {
            return Err(DecodeError::OtherKind);
        }
        let chroma = if shown.full_chroma == 0 {
            Chroma::Quarter
        } else {
            Chroma::Full
        };

        let mut picture = Picture::new(size, chroma);
        for index in 0..3 {
            let width = picture.stride(index);
            let (data, stride) = (shown.data[index], shown.stride[index]);
            for (row, to) in picture.plane_mut(index).chunks_exact_mut(width).enumerate() {
                // SAFETY: the plane has as many rows as ours, of at least `width` bytes,
                // `stride` apart, and stays until the next call with this decoder.
                let from = unsafe { slice::from_raw_parts(data.add(row * stride), width) };
                to.copy_from_slice(from);
            }
        }
        Ok(picture)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: open until here, and nobody has another copy of the handle.
        unsafe { sys::gc_vpx_decoder_close(self.handle.as_ptr()) };
    }
}
