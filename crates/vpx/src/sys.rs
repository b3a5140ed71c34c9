//! The shim's functions; the other side of this page is `shim/shim.h`.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int};

use crate::LibraryError;

#[repr(C)]
pub(crate) struct Settings {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) full_chroma: u32,
    pub(crate) threads: u32,
    pub(crate) tile_columns_log2: u32,
    pub(crate) screen_content: u32,
}

#[repr(C)]
pub(crate) struct Frame {
    pub(crate) key: u32,
    pub(crate) quantizer: u32,
    pub(crate) speed: u32,
}

#[repr(C)]
pub(crate) struct Planes {
    pub(crate) data: [*const u8; 3],
    pub(crate) stride: [usize; 3],
}

#[repr(C)]
pub(crate) struct Packet {
    pub(crate) data: *const u8,
    pub(crate) length: usize,
    pub(crate) key: u32,
}

#[cfg(feature = "decoder")]
#[repr(C)]
pub(crate) struct Picture {
    pub(crate) data: [*const u8; 3],
    pub(crate) stride: [usize; 3],
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) full_chroma: u32,
    pub(crate) our_colours: u32,
}

/// Never looked into from here.
#[repr(C)]
pub(crate) struct Encoder {
    _private: [u8; 0],
}

#[cfg(feature = "decoder")]
#[repr(C)]
pub(crate) struct Decoder {
    _private: [u8; 0],
}

unsafe extern "C" {
    pub(crate) fn gc_vpx_encoder_open(settings: *const Settings, out: *mut *mut Encoder) -> c_int;
    pub(crate) fn gc_vpx_encoder_encode(
        encoder: *mut Encoder,
        planes: *const Planes,
        frame: *const Frame,
        packet: *mut Packet,
    ) -> c_int;
    pub(crate) fn gc_vpx_encoder_close(encoder: *mut Encoder);
    fn gc_vpx_describe(status: c_int) -> *const c_char;
}

#[cfg(feature = "decoder")]
unsafe extern "C" {
    pub(crate) fn gc_vpx_decoder_open(threads: u32, out: *mut *mut Decoder) -> c_int;
    pub(crate) fn gc_vpx_decoder_decode(
        decoder: *mut Decoder,
        data: *const u8,
        length: usize,
        picture: *mut Picture,
    ) -> c_int;
    pub(crate) fn gc_vpx_decoder_close(decoder: *mut Decoder);
}

/// `status` of a shim's function as a result.
pub(crate) fn check(status: c_int) -> Result<(), LibraryError> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: the function takes any number and answers a text that lives for ever.
    let text = unsafe { CStr::from_ptr(gc_vpx_describe(status)) };
    Err(LibraryError(text.to_str().unwrap_or("unknown error")))
}
