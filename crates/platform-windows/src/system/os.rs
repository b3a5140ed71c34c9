//! Errors, strings, versions, and functions that not every Windows has.

use std::ffi::CStr;
use std::io;
use std::path::PathBuf;

use gc_platform::PlatformError;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, MAX_PATH};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::SystemInformation::{GetSystemDirectoryW, OSVERSIONINFOW};

/// The error of the call that just failed on this thread.
pub(crate) fn last_error(call: &'static str) -> PlatformError {
    from_io(call, io::Error::last_os_error())
}

fn from_io(call: &'static str, source: io::Error) -> PlatformError {
    match source.raw_os_error().map(i32::cast_unsigned) {
        Some(ERROR_ACCESS_DENIED) => PlatformError::Denied(call),
        _ => PlatformError::Os { call, source },
    }
}

/// `text` as Windows takes it: UTF-16 with a zero at the end.
pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Text that Windows wrote into a buffer, up to the first zero.
pub(crate) fn from_wide(buffer: &[u16]) -> String {
    let end = buffer
        .iter()
        .position(|&unit| unit == 0)
        .unwrap_or(buffer.len());
    String::from_utf16_lossy(&buffer[..end])
}

/// A function of unknown signature.
pub(crate) type Function = unsafe extern "system" fn() -> isize;

/// A function of a library that every process has loaded; `None` where Windows is too old for it.
pub(crate) fn loaded_function(library: &str, name: &CStr) -> Option<Function> {
    let library = wide(library);
    // SAFETY: both names are strings with a zero at the end that outlive the calls.
    unsafe {
        let module = GetModuleHandleW(library.as_ptr());
        if module.is_null() {
            None
        } else {
            GetProcAddress(module, name.as_ptr().cast())
        }
    }
}

/// A function of a library in Windows' own directory, which stays loaded.
pub(crate) fn system_function(library: &str, name: &CStr) -> Option<Function> {
    // With its whole path: no other directory is searched for a library of that name.
    let path = wide(system_directory()?.join(library).to_str()?);
    // SAFETY: both names are strings with a zero at the end that outlive the calls.
    unsafe {
        let module = LoadLibraryW(path.as_ptr());
        if module.is_null() {
            None
        } else {
            GetProcAddress(module, name.as_ptr().cast())
        }
    }
}

/// Windows' own directory of programs and libraries.
pub(crate) fn system_directory() -> Option<PathBuf> {
    let mut directory = [0_u16; MAX_PATH as usize];
    // SAFETY: the buffer is as long as the call is told.
    let length = unsafe { GetSystemDirectoryW(directory.as_mut_ptr(), MAX_PATH) };
    (length != 0 && length < MAX_PATH).then(|| PathBuf::from(from_wide(&directory)))
}

/// Version and build of Windows, whatever the program's manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) build: u32,
}

impl Version {
    /// Windows 10 1607, the first whose `ToUnicodeEx` can leave the keyboard's state alone.
    pub(crate) const WINDOWS_10_1607: Self = Self {
        major: 10,
        minor: 0,
        build: 14_393,
    };

    /// Windows 10 2004, the first that leaves windows out of pictures of the screen.
    pub(crate) const WINDOWS_10_2004: Self = Self {
        major: 10,
        minor: 0,
        build: 19_041,
    };

    /// Windows 11 21H2. It calls itself 10.0 and names itself Windows 10.
    pub(crate) const WINDOWS_11: Self = Self {
        major: 10,
        minor: 0,
        build: 22_000,
    };

    pub(crate) fn current() -> Self {
        let mut info = OSVERSIONINFOW {
            dwOSVersionInfoSize: size_of::<OSVERSIONINFOW>() as u32,
            ..Default::default()
        };
        // SAFETY: the structure says its own size.
        unsafe { RtlGetVersion(&raw mut info) };
        Self {
            major: info.dwMajorVersion,
            minor: info.dwMinorVersion,
            build: info.dwBuildNumber,
        }
    }
}

/// True under Wine. Only ever used to leave out a call that Wine cannot do.
pub(crate) fn is_wine() -> bool {
    loaded_function("ntdll.dll", c"wine_get_version").is_some()
}
