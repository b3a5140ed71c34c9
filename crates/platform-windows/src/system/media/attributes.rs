//! `IMFAttributes`: what objects of Media Foundation say of themselves, and are told.

use std::ffi::c_void;

use windows_sys::core::{GUID, HRESULT};

use crate::system::com::Object;
use crate::system::os::from_wide;
use crate::transform::TransformError;

/// Places of the methods in their table.
mod place {
    pub(super) const GET_U32: usize = 7;
    pub(super) const GET_U64: usize = 8;
    pub(super) const GET_GUID: usize = 10;
    pub(super) const GET_STRING: usize = 12;
    pub(super) const GET_BLOB_SIZE: usize = 14;
    pub(super) const GET_BLOB: usize = 15;
    pub(super) const SET_U32: usize = 21;
    pub(super) const SET_U64: usize = 22;
    pub(super) const SET_GUID: usize = 24;
}

/// Longest name of an encoder, in units.
const MOST_NAME_UNITS: usize = 128;

/// An object that has attributes, as many of Media Foundation's are first of all.
pub(super) struct Attributes(pub(super) Object);

impl Attributes {
    pub(super) fn u32(&self, key: &GUID) -> Option<u32> {
        // SAFETY: every object with attributes has this method, of this type.
        unsafe { self.number(place::GET_U32, key) }
    }

    pub(super) fn u64(&self, key: &GUID) -> Option<u64> {
        // SAFETY: every object with attributes has this method, of this type.
        unsafe { self.number(place::GET_U64, key) }
    }

    /// # Safety
    /// The method at that place gives a `T` for a key.
    unsafe fn number<T: Default>(&self, place: usize, key: &GUID) -> Option<T> {
        let mut value = T::default();
        // SAFETY: the caller knows the method, and the answer has room.
        let answer = unsafe {
            let get: unsafe extern "system" fn(*mut c_void, *const GUID, *mut T) -> HRESULT =
                self.0.method(place);
            get(self.0.pointer(), key, &raw mut value)
        };
        (answer >= 0).then_some(value)
    }

    pub(super) fn guid(&self, key: &GUID) -> Option<GUID> {
        let mut value = GUID::from_u128(0);
        // SAFETY: every object with attributes has this method, and the answer has room.
        let answer = unsafe {
            let get: unsafe extern "system" fn(*mut c_void, *const GUID, *mut GUID) -> HRESULT =
                self.0.method(place::GET_GUID);
            get(self.0.pointer(), key, &raw mut value)
        };
        (answer >= 0).then_some(value)
    }

    /// A text; `None` for one that is longer than names are.
    pub(super) fn text(&self, key: &GUID) -> Option<String> {
        type GetString = unsafe extern "system" fn(
            *mut c_void,
            *const GUID,
            *mut u16,
            units: u32,
            length: *mut u32,
        ) -> HRESULT;
        let mut text = [0; MOST_NAME_UNITS];
        // SAFETY: every object with attributes has this method; the buffer is as long as said.
        let answer = unsafe {
            let get: GetString = self.0.method(place::GET_STRING);
            get(
                self.0.pointer(),
                key,
                text.as_mut_ptr(),
                MOST_NAME_UNITS as u32,
                std::ptr::null_mut(),
            )
        };
        (answer >= 0).then(|| from_wide(&text))
    }

    /// Bytes, where there are at most so many.
    pub(super) fn bytes(&self, key: &GUID, most: usize) -> Option<Vec<u8>> {
        type GetBlob = unsafe extern "system" fn(
            *mut c_void,
            *const GUID,
            *mut u8,
            room: u32,
            length: *mut u32,
        ) -> HRESULT;
        // SAFETY: every object with attributes has this method, of this type.
        let length: u32 = unsafe { self.number(place::GET_BLOB_SIZE, key) }?;
        if length as usize > most {
            return None;
        }
        let mut bytes = vec![0; length as usize];
        // SAFETY: every object with attributes has this method; the buffer is as long as said.
        let answer = unsafe {
            let get: GetBlob = self.0.method(place::GET_BLOB);
            get(
                self.0.pointer(),
                key,
                bytes.as_mut_ptr(),
                length,
                std::ptr::null_mut(),
            )
        };
        (answer >= 0).then_some(bytes)
    }

    pub(super) fn set_u32(&self, key: &GUID, value: u32) -> Result<(), TransformError> {
        // SAFETY: every object with attributes has this method.
        let answer = unsafe {
            let set: unsafe extern "system" fn(*mut c_void, *const GUID, u32) -> HRESULT =
                self.0.method(place::SET_U32);
            set(self.0.pointer(), key, value)
        };
        TransformError::check("IMFAttributes::SetUINT32", answer)
    }

    /// Two numbers: a size, or a fraction.
    pub(super) fn set_pair(
        &self,
        key: &GUID,
        first: u32,
        second: u32,
    ) -> Result<(), TransformError> {
        let value = u64::from(first) << 32 | u64::from(second);
        // SAFETY: every object with attributes has this method.
        let answer = unsafe {
            let set: unsafe extern "system" fn(*mut c_void, *const GUID, u64) -> HRESULT =
                self.0.method(place::SET_U64);
            set(self.0.pointer(), key, value)
        };
        TransformError::check("IMFAttributes::SetUINT64", answer)
    }

    pub(super) fn set_guid(&self, key: &GUID, value: &GUID) -> Result<(), TransformError> {
        // SAFETY: every object with attributes has this method; it copies the value.
        let answer = unsafe {
            let set: unsafe extern "system" fn(*mut c_void, *const GUID, *const GUID) -> HRESULT =
                self.0.method(place::SET_GUID);
            set(self.0.pointer(), key, value)
        };
        TransformError::check("IMFAttributes::SetGUID", answer)
    }
}
