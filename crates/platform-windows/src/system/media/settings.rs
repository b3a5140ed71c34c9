//! `ICodecAPI`: what an encoder is told beside the types of its streams.

use std::ffi::c_void;

use windows_sys::core::{GUID, HRESULT};

use super::failed;
use crate::system::com::Object;
use crate::transform::TransformError;

const CODEC_API: GUID = GUID::from_u128(0x901d_b4c7_31ce_41a2_85dc_8fa0_bf41_b8da);

/// Its `SetValue`.
const PLACE_SET_VALUE: usize = 9;

/// `CODECAPI_AVEncCommonRateControlMode`, and its constant bit rate.
const RATE_CONTROL: GUID = GUID::from_u128(0x1c06_08e9_370c_4710_8a58_cb61_81c4_2423);
const CONSTANT_RATE: u32 = 0;
/// `CODECAPI_AVEncCommonMeanBitRate`
pub(super) const MEAN_RATE: GUID = GUID::from_u128(0xf722_2374_2144_4815_b550_a37f_8e12_ee52);
/// `CODECAPI_AVLowLatencyMode`: a packet for each picture, before the next one.
pub(super) const LOW_LATENCY: GUID = GUID::from_u128(0x9c27_891a_ed7a_40e1_88e8_b222_27a0_24ee);
/// `CODECAPI_AVEncMPVDefaultBPictureCount`
const PICTURES_BETWEEN: GUID = GUID::from_u128(0x8d39_0aac_dc5c_4200_b57f_814d_04ba_bab2);
/// `CODECAPI_AVEncMPVGOPSize`
const PICTURES_PER_KEY: GUID = GUID::from_u128(0x95f3_1b26_95a4_41aa_9303_246a_7fc6_eef1);
/// `CODECAPI_AVEncVideoForceKeyFrame`
pub(super) const FORCE_KEY: GUID = GUID::from_u128(0x398c_1b98_8353_475a_9ef2_8f26_5d26_0345);

/// Nobody needs a key frame that he did not ask for; vendors refuse to make none at all.
const SELDOM: u32 = 3_000;

/// The kinds of `VARIANT` that are used: `VT_BOOL` and `VT_UI4`.
const KIND_BOOL: u16 = 11;
const KIND_U32: u16 = 19;

/// `VARIANT` of a number; the largest value that it may have takes two words.
#[repr(C)]
struct Variant {
    kind: u16,
    reserved: [u16; 3],
    value: u64,
    rest: usize,
}

/// An encoder's settings.
pub(super) struct Settings(Object);

impl Settings {
    pub(super) fn of(encoder: &Object) -> Result<Self, TransformError> {
        let found = encoder.query(&CODEC_API).map(Self);
        found.map_err(failed("QueryInterface(ICodecAPI)"))
    }

    /// Before the types of streams are said. What an encoder does not know it does not do otherwise
    /// either, or the probe finds out.
    pub(super) fn prepare(&self, bits_per_second: u32) -> Result<(), TransformError> {
        let _unknown = self.set_u32(&RATE_CONTROL, CONSTANT_RATE);
        let _unknown = self.set(&LOW_LATENCY, KIND_BOOL, u64::from(u16::MAX));
        let _unknown = self.set_u32(&PICTURES_BETWEEN, 0);
        let _unknown = self.set_u32(&PICTURES_PER_KEY, SELDOM);
        self.set_u32(&MEAN_RATE, bits_per_second)
    }

    pub(super) fn set_u32(&self, key: &GUID, value: u32) -> Result<(), TransformError> {
        self.set(key, KIND_U32, u64::from(value))
    }

    fn set(&self, key: &GUID, kind: u16, value: u64) -> Result<(), TransformError> {
        let value = Variant {
            kind,
            reserved: [0; 3],
            value,
            rest: 0,
        };
        // SAFETY: the interface was asked for; the value is a whole `VARIANT` and is only read.
        let answer = unsafe {
            let set: unsafe extern "system" fn(
                *mut c_void,
                *const GUID,
                *const Variant,
            ) -> HRESULT = self.0.method(PLACE_SET_VALUE);
            set(self.0.pointer(), key, &raw const value)
        };
        TransformError::check("ICodecAPI::SetValue", answer)
    }
}
