//! The library's encoder as an owned object: each call of its C++ interface, once.
#![allow(unsafe_code)]

use std::ptr;
use std::slice;

use openh264_sys2::source::APILoader;
use openh264_sys2::{
    API, ENCODER_OPTION, ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, ENCODER_OPTION_TRACE_LEVEL,
    ISVCEncoder, ISVCEncoderVtbl, SEncParamExt, SFrameBSInfo, SSourcePicture, WELS_LOG_QUIET,
};

use crate::LibraryError;

/// What `EncodeFrame` answers for a picture that it packed.
const SUCCESS: i32 = 0;

/// What a function that the interface does not have would answer.
const MISSING: LibraryError = LibraryError(-1);

/// An encoder, created and not necessarily initialised.
pub(crate) struct Handle {
    /// The library's object: a pointer to its table of functions.
    encoder: *mut ISVCEncoder,
}

// SAFETY: the library's encoder has no ties to a thread; every call needs `&mut self`.
unsafe impl Send for Handle {}

fn check(status: i32) -> Result<(), LibraryError> {
    if status == SUCCESS {
        Ok(())
    } else {
        Err(LibraryError(status))
    }
}

impl Handle {
    pub(crate) fn create() -> Result<Self, LibraryError> {
        let mut encoder = ptr::null_mut();
        // SAFETY: `encoder` is written by the call.
        check(unsafe { APILoader.WelsCreateSVCEncoder(&raw mut encoder) })?;
        if encoder.is_null() {
            return Err(MISSING);
        }
        let mut handle = Self { encoder };
        let mut quiet = WELS_LOG_QUIET;
        handle.set(ENCODER_OPTION_TRACE_LEVEL, &mut quiet)?;
        Ok(handle)
    }

    /// What the library takes where nothing is said.
    pub(crate) fn defaults(&mut self) -> Result<SEncParamExt, LibraryError> {
        let mut parameters = SEncParamExt::default();
        let call = self.table().GetDefaultParams.ok_or(MISSING)?;
        // SAFETY: the object lives; `parameters` is written by the call.
        check(unsafe { call(self.encoder, &raw mut parameters) })?;
        Ok(parameters)
    }

    pub(crate) fn initialize(&mut self, parameters: &SEncParamExt) -> Result<(), LibraryError> {
        let call = self.table().InitializeExt.ok_or(MISSING)?;
        // SAFETY: the object lives; the parameters are copied before the call returns.
        check(unsafe { call(self.encoder, parameters) })
    }

    /// Changes what may change between two pictures.
    pub(crate) fn adjust(&mut self, parameters: &mut SEncParamExt) -> Result<(), LibraryError> {
        self.set(ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, parameters)
    }

    pub(crate) fn force_key(&mut self) -> Result<(), LibraryError> {
        let call = self.table().ForceIntraFrame.ok_or(MISSING)?;
        // SAFETY: the object lives and was initialised.
        check(unsafe { call(self.encoder, true) })
    }

    /// Packs a picture, whose planes `picture` points to. What comes of it is appended to
    /// `data`; the answer is the kind of frame that the library names.
    ///
    /// # Safety
    /// The planes are as large as `picture` says, and as the encoder was initialised for.
    pub(crate) unsafe fn encode(
        &mut self,
        picture: &SSourcePicture,
        data: &mut Vec<u8>,
    ) -> Result<i32, LibraryError> {
        let call = self.table().EncodeFrame.ok_or(MISSING)?;
        let mut info = SFrameBSInfo::default();
        // SAFETY: the object lives and was initialised; the caller promises the planes; the
        // library reads them and copies what it needs before it returns.
        check(unsafe { call(self.encoder, picture, &raw mut info) })?;
        let layers = usize::try_from(info.iLayerNum).unwrap_or(0);
        for layer in info.sLayerInfo.iter().take(layers) {
            let count = usize::try_from(layer.iNalCount).unwrap_or(0);
            if count == 0 || layer.pNalLengthInByte.is_null() || layer.pBsBuf.is_null() {
                continue;
            }
            // SAFETY: the library's own list of so many lengths, which stays until the next call.
            let lengths = unsafe { slice::from_raw_parts(layer.pNalLengthInByte, count) };
            let length = lengths
                .iter()
                .map(|&length| usize::try_from(length).unwrap_or(0))
                .sum();
            // SAFETY: the layer's units stand one after the other in the library's buffer,
            // which stays until the next call.
            data.extend_from_slice(unsafe { slice::from_raw_parts(layer.pBsBuf, length) });
        }
        Ok(info.eFrameType)
    }

    fn set<T>(&mut self, option: ENCODER_OPTION, value: &mut T) -> Result<(), LibraryError> {
        let call = self.table().SetOption.ok_or(MISSING)?;
        // SAFETY: the object lives; both callers above give the type that the option has, and
        // the library copies it.
        check(unsafe { call(self.encoder, option, ptr::from_mut(value).cast()) })
    }

    fn table(&self) -> &ISVCEncoderVtbl {
        // SAFETY: not null since `create`, and the table is static in the library.
        unsafe { &**self.encoder }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(call) = self.table().Uninitialize {
            // SAFETY: the object lives; one that was not initialised is left as it is.
            unsafe { call(self.encoder) };
        }
        // SAFETY: created by the library, and nobody has another copy of the pointer.
        unsafe { APILoader.WelsDestroySVCEncoder(self.encoder) };
    }
}
