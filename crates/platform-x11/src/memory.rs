//! Memory shared with the X server, and memory given back to the system.
#![allow(unsafe_code)]

use std::os::fd::OwnedFd;
use std::ptr::NonNull;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Anonymous memory that another process may map through its file descriptor.
///
/// The other process must write only between a request and its reply, while
/// the owner holds `&mut Shared`; see [`Shared::as_slice`].
pub(crate) struct Shared {
    address: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone and is not tied to a thread.
unsafe impl Send for Shared {}

impl Shared {
    /// Maps `len` bytes of zeros. The descriptor is for the other process and may be closed here.
    pub(crate) fn new(len: usize) -> Result<(Self, OwnedFd), Errno> {
        let file = memfd_create("guruconnect-screen", MemfdFlags::CLOEXEC)?;
        ftruncate(&file, len as u64)?;
        // SAFETY: a new mapping at an address of the kernel's choice, of a file
        // that was just made `len` bytes long.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &file,
                0,
            )?
        };
        let address = NonNull::new(address.cast()).ok_or(Errno::NOMEM)?;
        Ok((Self { address, len }, file))
    }

    /// The memory, to read.
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: `address` is a live mapping of `len` bytes. The X server writes
        // into it only to answer a ShmGetImage, and those are sent and awaited
        // under `&mut` by `capture::image`.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.len) }
    }

    /// The memory, to write.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_slice`, and `&mut self` makes it the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.address.as_ptr(), self.len) }
    }
}

/// Lets the allocator return what it keeps for later. From the first call on
/// threads started afterwards share one heap: glibc gives each its own, and
/// never returns the end of those.
pub(crate) fn release() {
    // Other C libraries keep little.
    #[cfg(target_env = "gnu")]
    // SAFETY: both take numbers only and may be called at any time from any thread.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::malloc_trim(0);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: `address` and `len` are those of the mapping made in `new`;
        // slices of it cannot outlive `self`. Unmapping it cannot fail.
        let _never_fails = unsafe { munmap(self.address.as_ptr().cast(), self.len) };
    }
}
