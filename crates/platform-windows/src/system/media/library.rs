//! The functions of Media Foundation, looked up when the first encoder is wanted: some kinds of
//! Windows do not have it. Its objects are used by one thread at a time, whichever it is, which
//! COM allows in the apartment of all threads.

use std::ffi::{CStr, c_void};
use std::mem::transmute_copy;
use std::ptr::null_mut;
use std::sync::OnceLock;

use windows_sys::core::{GUID, HRESULT};

use super::attributes::Attributes;
use super::failed;
use crate::system::com::Object;
use crate::system::os::{Function, system_function};
use crate::transform::TransformError;

/// `MF_VERSION` of Windows 7, which later ones take as well.
const VERSION: u32 = 0x0002_0070;
/// `MFSTARTUP_LITE`: without what the network needs.
const WITHOUT_SOCKETS: u32 = 1;

/// `MFT_CATEGORY_VIDEO_ENCODER`
const VIDEO_ENCODERS: GUID = GUID::from_u128(0xf79e_ac7d_e545_4387_bdee_d647_d7bd_e42a);
/// `MFMediaType_Video`
pub(super) const VIDEO: GUID = media_type(*b"vids");
/// `MFVideoFormat_H264`
pub(super) const H264: GUID = media_type(*b"H264");
/// `MFVideoFormat_NV12`
pub(super) const NV12: GUID = media_type(*b"NV12");

/// More encoders of one kind than any machine has.
const MOST_ENCODERS: usize = 16;

/// The identifier of a format of four letters.
const fn media_type(letters: [u8; 4]) -> GUID {
    GUID {
        data1: u32::from_le_bytes(letters),
        data2: 0,
        data3: 0x10,
        data4: [0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71],
    }
}

/// `MFT_REGISTER_TYPE_INFO`
#[repr(C)]
struct RegisteredType {
    major: GUID,
    sub: GUID,
}

type Create = unsafe extern "system" fn(*mut *mut c_void) -> HRESULT;

struct Functions {
    start: unsafe extern "system" fn(u32, u32) -> HRESULT,
    stop: unsafe extern "system" fn() -> HRESULT,
    enumerate: unsafe extern "system" fn(
        category: GUID,
        flags: u32,
        input: *const RegisteredType,
        output: *const RegisteredType,
        found: *mut *mut *mut c_void,
        count: *mut u32,
    ) -> HRESULT,
    create_type: Create,
    create_sample: Create,
    create_buffer: unsafe extern "system" fn(u32, *mut *mut c_void) -> HRESULT,
    free: unsafe extern "system" fn(*mut c_void),
}

impl Functions {
    fn find() -> Option<Self> {
        // SAFETY: each is asked for by its name, and its field has its documented signature.
        unsafe {
            Some(Self {
                start: function("mfplat.dll", c"MFStartup")?,
                stop: function("mfplat.dll", c"MFShutdown")?,
                enumerate: function("mfplat.dll", c"MFTEnumEx")?,
                create_type: function("mfplat.dll", c"MFCreateMediaType")?,
                create_sample: function("mfplat.dll", c"MFCreateSample")?,
                create_buffer: function("mfplat.dll", c"MFCreateMemoryBuffer")?,
                free: function("ole32.dll", c"CoTaskMemFree")?,
            })
        }
    }
}

/// # Safety
/// `F` is the type of a function pointer, and of the function of that name.
pub(super) unsafe fn function<F: Copy>(library: &str, name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<Function>()) };
    // SAFETY: both are pointers to functions; the caller knows the signature.
    system_function(library, name).map(|found| unsafe { transmute_copy(&found) })
}

/// Media Foundation while it is started. Drop it after its objects.
pub(super) struct Library(&'static Functions);

impl Library {
    pub(super) fn open() -> Result<Self, TransformError> {
        static FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
        let functions = FUNCTIONS.get_or_init(Functions::find).as_ref();
        let functions = functions.ok_or(TransformError::Missing("Media Foundation"))?;
        if !has_apartment() {
            return Err(TransformError::Missing(
                "Media Foundation of Windows 8 or later",
            ));
        }
        // SAFETY: takes numbers; undone when this is dropped.
        let answer = unsafe { (functions.start)(VERSION, WITHOUT_SOCKETS) };
        TransformError::check("MFStartup", answer)?;
        Ok(Self(functions))
    }

    /// What can become an encoder of H.264, best first: `IMFActivate`.
    pub(super) fn encoders(&self, flags: u32) -> Result<Vec<Attributes>, TransformError> {
        let output = RegisteredType {
            major: VIDEO,
            sub: H264,
        };
        let (mut found, mut count) = (null_mut(), 0);
        // SAFETY: the documented arguments; any input is taken, and both answers have room.
        let answer = unsafe {
            (self.0.enumerate)(
                VIDEO_ENCODERS,
                flags,
                std::ptr::null(),
                &raw const output,
                &raw mut found,
                &raw mut count,
            )
        };
        TransformError::check("MFTEnumEx", answer)?;
        if found.is_null() {
            return Ok(vec![]);
        }
        // SAFETY: the array has that many objects, each of which is ours to release.
        let mut all: Vec<_> = unsafe { std::slice::from_raw_parts(found, count as usize) }
            .iter()
            .filter_map(|&object| {
                // SAFETY: it is an object, and this reference is ours.
                unsafe { Object::adopt(object) }.map(Attributes)
            })
            .collect();
        // SAFETY: the array was allocated for us by COM, and is not used any more.
        unsafe { (self.0.free)(found.cast()) };
        all.truncate(MOST_ENCODERS);
        Ok(all)
    }

    /// An empty `IMFMediaType`.
    pub(super) fn media_type(&self) -> Result<Attributes, TransformError> {
        // SAFETY: the answer has room.
        let made = Object::from_call(|to| unsafe { (self.0.create_type)(to) });
        made.map(Attributes).map_err(failed("MFCreateMediaType"))
    }

    /// An empty `IMFSample`.
    pub(super) fn sample(&self) -> Result<Object, TransformError> {
        // SAFETY: the answer has room.
        Object::from_call(|to| unsafe { (self.0.create_sample)(to) })
            .map_err(failed("MFCreateSample"))
    }

    /// An `IMFMediaBuffer` of that many bytes of system memory.
    pub(super) fn buffer(&self, bytes: u32) -> Result<Object, TransformError> {
        // SAFETY: the answer has room.
        Object::from_call(|to| unsafe { (self.0.create_buffer)(bytes, to) })
            .map_err(failed("MFCreateMemoryBuffer"))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: it was started once for this.
        let _nothing_to_do = unsafe { (self.0.stop)() };
    }
}

/// True once every thread of this process is in the apartment of all threads that entered none.
/// Windows 7 cannot do that.
fn has_apartment() -> bool {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    *IS_THERE.get_or_init(|| {
        type Keep = unsafe extern "system" fn(*mut *mut c_void) -> HRESULT;
        // SAFETY: the documented signature of CoIncrementMTAUsage.
        let keep = unsafe { function::<Keep>("ole32.dll", c"CoIncrementMTAUsage") };
        let mut until_the_end = null_mut();
        // SAFETY: the answer has room.
        keep.is_some_and(|keep| unsafe { keep(&raw mut until_the_end) } >= 0)
    })
}
