//! Objects of the Component Object Model, called by the place of a method in their table.
//! Only what desktop duplication and Media Foundation need: a library for all of it would not
//! start on Windows 7.

use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

use windows_sys::core::{GUID, HRESULT};

/// An object that is ours together with others. Its methods stand in a table that it points to.
pub(crate) struct Object(NonNull<c_void>);

/// Places of the methods that every object has.
const QUERY_INTERFACE: usize = 0;
const ADD_REF: usize = 1;
const RELEASE: usize = 2;

impl Object {
    /// Calls a function that answers with an object in the place that it is given.
    pub(crate) fn from_call(
        call: impl FnOnce(*mut *mut c_void) -> HRESULT,
    ) -> Result<Self, HRESULT> {
        /// `E_POINTER`
        const NOTHING_CAME: HRESULT = 0x8000_4003_u32.cast_signed();
        let mut object = null_mut();
        let answer = call(&raw mut object);
        if answer < 0 {
            return Err(answer);
        }
        NonNull::new(object).map(Self).ok_or(NOTHING_CAME)
    }

    /// An object that a call left in a structure or an array; `None` for none.
    ///
    /// # Safety
    /// It is an object, and one reference to it is the caller's, who gives it away.
    pub(crate) unsafe fn adopt(pointer: *mut c_void) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    /// The object, for calls. Valid while this lives.
    pub(crate) const fn pointer(&self) -> *mut c_void {
        self.0.as_ptr()
    }

    /// The method at a place of the object's table, as a function of type `F`.
    ///
    /// # Safety
    /// `F` is the type of a function pointer, and of the method at that place of an
    /// interface that this object is known to have.
    pub(crate) unsafe fn method<F: Copy>(&self, place: usize) -> F {
        const { assert!(size_of::<F>() == size_of::<*const c_void>()) };
        // SAFETY: an object begins with the pointer to its table of functions.
        unsafe {
            let table = *self.pointer().cast::<*const *const c_void>();
            std::mem::transmute_copy(&*table.add(place))
        }
    }

    /// The same object by another of its interfaces.
    pub(crate) fn query(&self, interface: &GUID) -> Result<Self, HRESULT> {
        type QueryInterface =
            unsafe extern "system" fn(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT;
        // SAFETY: every object has this method.
        let query: QueryInterface = unsafe { self.method(QUERY_INTERFACE) };
        // SAFETY: the object lives, and the answer has room.
        Self::from_call(|found| unsafe { query(self.pointer(), interface, found) })
    }
}

impl Clone for Object {
    fn clone(&self) -> Self {
        // SAFETY: every object has this method.
        unsafe {
            let add_ref: unsafe extern "system" fn(*mut c_void) -> u32 = self.method(ADD_REF);
            add_ref(self.pointer());
        }
        Self(self.0)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: every object has this method, and this was one reference to it.
        unsafe {
            let release: unsafe extern "system" fn(*mut c_void) -> u32 = self.method(RELEASE);
            release(self.pointer());
        }
    }
}

// SAFETY: whoever has one uses objects that may be used by one thread at a time, whichever
// it is: those of DXGI and Direct3D 11, and those of Media Foundation in the apartment that is
// every thread's.
unsafe impl Send for Object {}
