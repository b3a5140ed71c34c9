//! The encoder: one picture in, one packet out, at once.
#![allow(unsafe_code)]

use std::ptr;

use gc_model::geometry::Size;
use gc_video::{Chroma, FrameOptions, Law, Packet, Picture, PictureEncoder, RateControl};
use openh264_sys2::{
    CAMERA_VIDEO_REAL_TIME, CONSTANT_ID, LOW_COMPLEXITY, PRO_BASELINE, RC_OFF_MODE, SEncParamExt,
    SM_SINGLE_SLICE, SSourcePicture, videoFormatI420, videoFrameTypeIDR,
};

use crate::LibraryError;
use crate::sys::Handle;

/// The coarsest of H.264's quantizers; 0 is the finest.
pub const MAX_QUANTIZER: u8 = 51;

/// The library refuses smaller pictures.
pub const MIN_SIDE_PX: u32 = 16;

/// The library refuses larger ones: 3840x2160 and 2160x3840.
pub const MAX_LONG_SIDE_PX: u32 = 3_840;
/// Of the shorter side.
pub const MAX_SHORT_SIDE_PX: u32 = 2_160;

/// Only levels are chosen by it: rates are ours, frame by frame.
const NOMINAL_FRAMES_A_SECOND: f32 = 60.0;
const NOMINAL_BITS_A_SECOND: i32 = 20_000_000;

/// ITU-T H.264, tables E-3 to E-5: primaries and matrix of BT.709, transfer of screens (sRGB).
const BT709: u8 = 1;
const SRGB: u8 = 13;

/// Six steps double the quantizer, and a packet becomes smaller by about 11 % a step; measured
/// on films, towards the level of their grain it is twice that.
const LAW: Law = Law {
    coarsest: MAX_QUANTIZER,
    usual_slope: 0.11,
    slopes: (0.06, 0.4),
    least_finer_slope: 0.17,
    max_finer_steps: 5.0,
    cut_quantizer: 40.0,
    guess_quantizer: 36.0,
    guess_bytes: 0.006,
};

/// Why there is no packet. An encoder that failed once can only be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// H.264 of this profile has pictures of even sides from 16 to 3840 x 2160 pixels.
    #[error("pictures of {width}x{height} cannot be H.264")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The picture is of another size or chroma than the encoder: make a new encoder.
    #[error("the picture is not what the encoder was made for")]
    OtherPicture,
    /// The library refused or ran out of memory.
    #[error("failed to {action}")]
    Library {
        /// What we were doing.
        action: &'static str,
        /// What it said.
        source: LibraryError,
    },
    /// The library took the picture and made nothing of it.
    #[error("OpenH264 made no packet of a picture")]
    Nothing,
}

/// An encoder for pictures of one size in 4:2:0. Real time, no look-ahead: every picture gives
/// its packet at once, and refers to earlier ones only.
pub struct Encoder {
    size: Size,
    rate: RateControl,
    parameters: SEncParamExt,
    handle: Handle,
    started: bool,
}

impl Encoder {
    /// An encoder whose first frame is a key frame.
    ///
    /// # Errors
    /// A size that H.264 does not have, or no memory for pictures of it.
    pub fn new(size: Size) -> Result<Self, EncodeError> {
        let (width, height) = (size.width(), size.height());
        let fits = width.min(height) >= MIN_SIDE_PX
            && width.max(height) <= MAX_LONG_SIDE_PX
            && width.min(height) <= MAX_SHORT_SIDE_PX;
        if !fits || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return Err(EncodeError::Size { width, height });
        }
        let refused = |source| EncodeError::Library {
            action: "open the H.264 encoder",
            source,
        };
        let mut handle = Handle::create().map_err(refused)?;
        let mut parameters = handle.defaults().map_err(refused)?;
        describe(&mut parameters, size);
        Ok(Self {
            size,
            rate: RateControl::new(LAW),
            parameters,
            handle,
            started: false,
        })
    }

    /// Of every picture.
    pub const fn size(&self) -> Size {
        self.size
    }
}

impl PictureEncoder for Encoder {
    type Error = EncodeError;

    /// The packet is one access unit in Annex B format; a key frame begins with its parameter sets.
    fn encode(&mut self, picture: &Picture, options: &FrameOptions) -> Result<Packet, EncodeError> {
        if picture.size() != self.size || picture.chroma() != Chroma::Quarter {
            return Err(EncodeError::OtherPicture);
        }
        let quantizer = self.rate.choose(picture, options);
        let failed = |action| move |source| EncodeError::Library { action, source };
        self.parameters.sSpatialLayers[0].iDLayerQp = i32::from(quantizer);
        if self.started {
            self.handle
                .adjust(&mut self.parameters)
                .map_err(failed("set the quantizer"))?;
            if options.key {
                self.handle.force_key().map_err(failed("begin anew"))?;
            }
        } else {
            self.handle
                .initialize(&self.parameters)
                .map_err(failed("start the H.264 encoder"))?;
            self.started = true;
        }

        let stride = |plane| picture.stride(plane) as i32;
        let source = SSourcePicture {
            iColorFormat: videoFormatI420,
            iStride: [stride(0), stride(1), stride(2), 0],
            pData: [
                picture.plane(0).as_ptr().cast_mut(),
                picture.plane(1).as_ptr().cast_mut(),
                picture.plane(2).as_ptr().cast_mut(),
                ptr::null_mut(),
            ],
            iPicWidth: self.size.width() as i32,
            iPicHeight: self.size.height() as i32,
            ..SSourcePicture::default()
        };
        let mut data = Vec::new();
        // SAFETY: `Picture` keeps planes of its size in 4:2:0, which is the encoder's: asked above.
        let kind = unsafe { self.handle.encode(&source, &mut data) }
            .map_err(failed("encode a picture"))?;
        if data.is_empty() {
            return Err(EncodeError::Nothing);
        }
        let key = kind == videoFrameTypeIDR;
        self.rate.learn(key, quantizer, data.len());
        Ok(Packet {
            data,
            key,
            quantizer,
        })
    }
}

/// What the stream is, beside the quantizer.
fn describe(parameters: &mut SEncParamExt, size: Size) {
    let (width, height) = (size.width() as i32, size.height() as i32);
    // The tools for screens cost three times as much and gain nothing on films; text is exact.
    parameters.iUsageType = CAMERA_VIDEO_REAL_TIME;
    parameters.iPicWidth = width;
    parameters.iPicHeight = height;
    parameters.iTargetBitrate = NOMINAL_BITS_A_SECOND;
    parameters.iRCMode = RC_OFF_MODE;
    parameters.fMaxFrameRate = NOMINAL_FRAMES_A_SECOND;
    parameters.iTemporalLayerNum = 1;
    parameters.iSpatialLayerNum = 1;
    parameters.iComplexityMode = LOW_COMPLEXITY;
    parameters.uiIntraPeriod = 0;
    parameters.eSpsPpsIdStrategy = CONSTANT_ID;
    parameters.bEnableFrameSkip = false;
    parameters.iMaxQp = i32::from(MAX_QUANTIZER);
    parameters.iMinQp = 0;
    parameters.bEnableLongTermReference = false;
    // One thread: the second gains a tenth, and another program wants the core.
    parameters.iMultipleThreadIdc = 1;
    parameters.bEnableDenoise = false;
    parameters.bEnableBackgroundDetection = true;
    // The quantizer is ours.
    parameters.bEnableAdaptiveQuant = false;
    parameters.bEnableSceneChangeDetect = false;

    let layer = &mut parameters.sSpatialLayers[0];
    layer.iVideoWidth = width;
    layer.iVideoHeight = height;
    layer.fFrameRate = NOMINAL_FRAMES_A_SECOND;
    layer.iSpatialBitrate = NOMINAL_BITS_A_SECOND;
    layer.uiProfileIdc = PRO_BASELINE;
    layer.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    layer.sSliceArgument.uiSliceNum = 1;
    layer.bVideoSignalTypePresent = true;
    layer.bFullRange = true;
    layer.bColorDescriptionPresent = true;
    layer.uiColorPrimaries = BT709;
    layer.uiTransferCharacteristics = SRGB;
    layer.uiColorMatrix = BT709;
}
