//! The encoder: one picture in, one packet out, at once.

use gc_model::geometry::Size;
use gc_video::Chroma;

use crate::LibraryError;

/// The coarsest of libvpx's quantizers; 0 is the finest.
pub const MAX_QUANTIZER: u8 = 63;

/// The fastest of libvpx's speeds for encoding as it happens.
pub const MAX_SPEED: u8 = 9;

/// Most threads of one encoder: more tiles than a screen has columns for gain nothing.
pub const MAX_THREADS: u8 = 8;

/// What the pictures are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Camera pictures: noise, soft edges, movement everywhere.
    Film,
    /// Drawn pictures: flat areas, sharp edges, parts that stand still.
    Screen,
}

/// What stays the same while an encoder lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Of every picture.
    pub size: Size,
    /// Of every picture.
    pub chroma: Chroma,
    /// Threads to encode with, 1 to [`MAX_THREADS`].
    pub threads: u8,
    /// What the pictures are of.
    pub content: Content,
    /// 5 (best) to [`MAX_SPEED`].
    pub speed: u8,
}

/// Why there is no packet. An encoder that failed once can only be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// This program was built without libvpx.
    #[error("this program was built without VP9")]
    NotBuiltIn,
    /// The picture is of another size or chroma than the encoder: make a new encoder.
    #[error("the picture is not what the encoder was made for")]
    OtherPicture,
    /// libvpx refused or ran out of memory.
    #[error("failed to {action}")]
    Library {
        /// What we were doing.
        action: &'static str,
        /// What it said.
        source: LibraryError,
    },
    /// libvpx took the picture and made nothing of it.
    #[error("libvpx made no packet of a picture")]
    Nothing,
}

/// True where this program has the encoder at all. Windows programs made by Microsoft's
/// tools have none unless the build named a library.
pub const fn is_available() -> bool {
    cfg!(libvpx)
}

pub use implementation::Encoder;

#[cfg(libvpx)]
mod implementation {
    #![allow(unsafe_code)]

    use std::ptr::{self, NonNull};
    use std::slice;

    use gc_video::{FrameOptions, Law, Packet, Picture, PictureEncoder, RateControl};

    use super::{Chroma, Content, EncodeError, MAX_QUANTIZER, MAX_SPEED, MAX_THREADS, Settings};
    use crate::sys;

    /// Measured on text and on films. A step is worth 8 %, and towards the level of a film's
    /// grain 12 % and more.
    const LAW: Law = Law {
        coarsest: MAX_QUANTIZER,
        usual_slope: 0.08,
        slopes: (0.05, 0.3),
        least_finer_slope: 0.12,
        max_finer_steps: 8.0,
        cut_quantizer: 50.0,
        guess_quantizer: 40.0,
        guess_bytes: 0.006,
    };

    /// An encoder for pictures of one size. Real time, no look-ahead: every picture gives
    /// its packet at once, and refers to earlier ones only.
    pub struct Encoder {
        settings: Settings,
        rate: RateControl,
        handle: NonNull<sys::Encoder>,
    }

    // SAFETY: libvpx's encoder has no ties to a thread; every call needs `&mut self`.
    unsafe impl Send for Encoder {}

    impl Encoder {
        /// An encoder whose first frame is a key frame.
        ///
        /// # Errors
        /// Not built in, or no memory for pictures of this size.
        pub fn new(settings: Settings) -> Result<Self, EncodeError> {
            let threads = u32::from(settings.threads.clamp(1, MAX_THREADS));
            let shim = sys::Settings {
                width: settings.size.width(),
                height: settings.size.height(),
                full_chroma: u32::from(settings.chroma == Chroma::Full),
                threads,
                tile_columns_log2: threads.ilog2(),
                screen_content: u32::from(settings.content == Content::Screen),
            };
            let mut handle = ptr::null_mut();
            // SAFETY: the arguments live until the call returns; `handle` is written by it.
            let status = unsafe { sys::gc_vpx_encoder_open(&raw const shim, &raw mut handle) };
            sys::check(status).map_err(|source| EncodeError::Library {
                action: "open the VP9 encoder",
                source,
            })?;
            let handle = NonNull::new(handle).ok_or(EncodeError::Nothing)?;
            Ok(Self {
                settings,
                rate: RateControl::new(LAW),
                handle,
            })
        }

        /// What it was made with.
        pub const fn settings(&self) -> &Settings {
            &self.settings
        }
    }

    impl PictureEncoder for Encoder {
        type Error = EncodeError;

        fn encode(
            &mut self,
            picture: &Picture,
            options: &FrameOptions,
        ) -> Result<Packet, EncodeError> {
            if picture.size() != self.settings.size || picture.chroma() != self.settings.chroma {
                return Err(EncodeError::OtherPicture);
            }
            let quantizer = self.rate.choose(picture, options);
            let frame = sys::Frame {
                key: u32::from(options.key),
                quantizer: u32::from(quantizer),
                speed: u32::from(self.settings.speed.min(MAX_SPEED)),
            };
            let planes = sys::Planes {
                data: [0, 1, 2].map(|plane| picture.plane(plane).as_ptr()),
                stride: [0, 1, 2].map(|plane| picture.stride(plane)),
            };
            let mut packet = sys::Packet {
                data: ptr::null(),
                length: 0,
                key: 0,
            };
            // SAFETY: the handle is open; `Picture` keeps planes of the size that the encoder
            // was opened with; libvpx copies them before it returns.
            let status = unsafe {
                sys::gc_vpx_encoder_encode(
                    self.handle.as_ptr(),
                    &raw const planes,
                    &raw const frame,
                    &raw mut packet,
                )
            };
            sys::check(status).map_err(|source| EncodeError::Library {
                action: "encode a picture",
                source,
            })?;
            if packet.data.is_null() || packet.length == 0 {
                return Err(EncodeError::Nothing);
            }
            // SAFETY: the packet's memory is the encoder's and stays until the next call.
            let data = unsafe { slice::from_raw_parts(packet.data, packet.length) }.to_vec();
            let key = packet.key != 0;
            self.rate.learn(key, quantizer, data.len());
            Ok(Packet {
                data,
                key,
                quantizer,
            })
        }
    }

    impl Drop for Encoder {
        fn drop(&mut self) {
            // SAFETY: open until here, and nobody has another copy of the handle.
            unsafe { sys::gc_vpx_encoder_close(self.handle.as_ptr()) };
        }
    }
}

#[cfg(not(libvpx))]
mod implementation {
    use gc_video::{FrameOptions, Packet, Picture, PictureEncoder};

    use super::{EncodeError, Settings};

    /// An encoder for pictures of one size; this program has none.
    pub enum Encoder {}

    impl Encoder {
        /// An encoder whose first frame is a key frame.
        ///
        /// # Errors
        /// Always: this program was built without VP9.
        pub fn new(_settings: Settings) -> Result<Self, EncodeError> {
            Err(EncodeError::NotBuiltIn)
        }

        /// What it was made with.
        pub fn settings(&self) -> &Settings {
            match *self {}
        }
    }

    impl PictureEncoder for Encoder {
        type Error = EncodeError;

        fn encode(
            &mut self,
            _picture: &Picture,
            _options: &FrameOptions,
        ) -> Result<Packet, EncodeError> {
            match *self {}
        }
    }
}
