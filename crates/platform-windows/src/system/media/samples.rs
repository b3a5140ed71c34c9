//! Pictures and packets in system memory: `IMFSample` with one `IMFMediaBuffer`.

use std::ffi::c_void;
use std::ptr::null_mut;

use windows_sys::core::HRESULT;

use super::failed;
use super::library::Library;
use crate::system::com::Object;
use crate::transform::TransformError;

/// Places of the methods in their tables; those of a sample come behind its attributes'.
mod place {
    pub(super) const BUFFER_LOCK: usize = 3;
    pub(super) const BUFFER_UNLOCK: usize = 4;
    pub(super) const BUFFER_SET_LENGTH: usize = 6;
    pub(super) const SAMPLE_TIME: usize = 35;
    pub(super) const SAMPLE_SET_TIME: usize = 36;
    pub(super) const SAMPLE_SET_DURATION: usize = 38;
    pub(super) const SAMPLE_ONE_BUFFER: usize = 41;
    pub(super) const SAMPLE_ADD_BUFFER: usize = 42;
}

/// 4 MB: a packet with more would not fit a message of the session.
const MOST_PACKET_BYTES: usize = 4 << 20;

/// One picture or packet.
pub(super) struct Sample(pub(super) Object);

impl Sample {
    /// One with room for a packet of that many bytes.
    pub(super) fn with_room(library: &Library, bytes: u32) -> Result<Self, TransformError> {
        let (sample, buffer) = (library.sample()?, library.buffer(bytes)?);
        // SAFETY: every sample has this method; both objects live.
        let answer = unsafe {
            let add: unsafe extern "system" fn(*mut c_void, *mut c_void) -> HRESULT =
                sample.method(place::SAMPLE_ADD_BUFFER);
            add(sample.pointer(), buffer.pointer())
        };
        TransformError::check("IMFSample::AddBuffer", answer)?;
        Ok(Self(sample))
    }

    /// A picture of that many bytes, which `write` writes. Times are in units of 100 ns.
    pub(super) fn of_picture(
        library: &Library,
        bytes: u32,
        time: i64,
        duration: i64,
        write: impl FnOnce(&mut [u8]),
    ) -> Result<Self, TransformError> {
        let sample = Self::with_room(library, bytes)?;
        let buffer = sample.buffer()?;
        {
            let locked = Locked::new(&buffer)?;
            // SAFETY: the buffer has at least that many bytes, which it keeps in place until Unlock.
            write(unsafe { std::slice::from_raw_parts_mut(locked.data, bytes as usize) });
        }
        // SAFETY: every buffer has this method.
        let answer = unsafe {
            let set: unsafe extern "system" fn(*mut c_void, u32) -> HRESULT =
                buffer.method(place::BUFFER_SET_LENGTH);
            set(buffer.pointer(), bytes)
        };
        TransformError::check("IMFMediaBuffer::SetCurrentLength", answer)?;
        sample.set_time(place::SAMPLE_SET_TIME, time)?;
        sample.set_time(place::SAMPLE_SET_DURATION, duration)?;
        Ok(sample)
    }

    fn set_time(&self, place: usize, value: i64) -> Result<(), TransformError> {
        // SAFETY: every sample has both methods that are asked for here.
        let answer = unsafe {
            let set: unsafe extern "system" fn(*mut c_void, i64) -> HRESULT = self.0.method(place);
            set(self.0.pointer(), value)
        };
        TransformError::check("IMFSample::SetSampleTime", answer)
    }

    /// In units of 100 ns.
    pub(super) fn time(&self) -> Result<i64, TransformError> {
        let mut time = 0;
        // SAFETY: every sample has this method, and the answer has room.
        let answer = unsafe {
            let get: unsafe extern "system" fn(*mut c_void, *mut i64) -> HRESULT =
                self.0.method(place::SAMPLE_TIME);
            get(self.0.pointer(), &raw mut time)
        };
        TransformError::check("IMFSample::GetSampleTime", answer)?;
        Ok(time)
    }

    /// What is in it.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, TransformError> {
        let buffer = self.buffer()?;
        let locked = Locked::new(&buffer)?;
        if locked.length > MOST_PACKET_BYTES {
            return Err(TransformError::Rules("makes packets without end"));
        }
        // SAFETY: the buffer holds that many bytes, and keeps them in place until Unlock.
        Ok(unsafe { std::slice::from_raw_parts(locked.data, locked.length) }.to_vec())
    }

    /// All of it in one buffer.
    fn buffer(&self) -> Result<Object, TransformError> {
        type OneBuffer = unsafe extern "system" fn(*mut c_void, *mut *mut c_void) -> HRESULT;
        // SAFETY: every sample has this method, and the answer has room.
        Object::from_call(|to| unsafe {
            let one: OneBuffer = self.0.method(place::SAMPLE_ONE_BUFFER);
            one(self.0.pointer(), to)
        })
        .map_err(failed("IMFSample::ConvertToContiguousBuffer"))
    }
}

/// A buffer while its bytes stay in place.
struct Locked<'a> {
    buffer: &'a Object,
    data: *mut u8,
    /// Bytes that are filled.
    length: usize,
}

impl<'a> Locked<'a> {
    fn new(buffer: &'a Object) -> Result<Self, TransformError> {
        type Lock =
            unsafe extern "system" fn(*mut c_void, *mut *mut u8, *mut u32, *mut u32) -> HRESULT;
        let (mut data, mut length) = (null_mut(), 0);
        // SAFETY: every buffer has this method, and the answers have room.
        let answer = unsafe {
            let lock: Lock = buffer.method(place::BUFFER_LOCK);
            lock(buffer.pointer(), &raw mut data, null_mut(), &raw mut length)
        };
        TransformError::check("IMFMediaBuffer::Lock", answer)?;
        let locked = Self {
            buffer,
            data,
            length: length as usize,
        };
        if data.is_null() {
            return Err(TransformError::Rules("has a buffer of nothing"));
        }
        Ok(locked)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: every buffer has this method, and this one is locked.
        unsafe {
            let unlock: unsafe extern "system" fn(*mut c_void) -> HRESULT =
                self.buffer.method(place::BUFFER_UNLOCK);
            unlock(self.buffer.pointer());
        }
    }
}
