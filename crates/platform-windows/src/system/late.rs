//! Functions of libraries that Windows would look for beside our program first, where
//! anybody may have put another one: a download folder. They are loaded by their whole
//! path when they are first called, and never stand in the program's import list.

use std::ffi::{CStr, c_void};
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::RemoteDesktop::{WTS_INFO_CLASS, WTS_SESSION_INFOW};
use windows_sys::Win32::UI::Shell::NOTIFYICONDATAW;
use windows_sys::core::{BOOL, PWSTR};

use super::os::{Function, loaded_function, system_function};

/// Declares functions of one library. One that is not there answers zero: that it failed, or,
/// of the clock, that it is done, where undoing it then does nothing either.
macro_rules! functions_of {
    ($library:literal: $(fn $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)+) => { $(
        /// As Windows documents the function of this name.
        #[expect(non_snake_case, reason = "the name that its documentation has")]
        pub(crate) unsafe fn $name($($argument: $kind),*) -> $answer {
            static FOUND: OnceLock<Option<Function>> = OnceLock::new();
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => panic!("an identifier has no zero in it"),
            };
            let Some(function) = *FOUND.get_or_init(|| system_function($library, NAME)) else {
                return <$answer>::default();
            };
            // SAFETY: the documented signature, as windows-sys has it; the caller keeps its promises.
            unsafe {
                std::mem::transmute::<Function, unsafe extern "system" fn($($kind),*) -> $answer>(function)(
                    $($argument),*
                )
            }
        }
    )+ };
}

functions_of! { "wtsapi32.dll":
    fn WTSEnumerateSessionsW(
        server: HANDLE, reserved: u32, version: u32, list: *mut *mut WTS_SESSION_INFOW, count: *mut u32
    ) -> BOOL;
    fn WTSFreeMemory(memory: *mut c_void) -> ();
    fn WTSLogoffSession(server: HANDLE, session: u32, wait: BOOL) -> BOOL;
    fn WTSQuerySessionInformationW(
        server: HANDLE, session: u32, what: WTS_INFO_CLASS, text: *mut PWSTR, bytes: *mut u32
    ) -> BOOL;
    fn WTSQueryUserToken(session: u32, token: *mut HANDLE) -> BOOL;
}

functions_of! { "shell32.dll":
    fn Shell_NotifyIconW(message: u32, data: *const NOTIFYICONDATAW) -> BOOL;
}

functions_of! { "winmm.dll":
    fn timeBeginPeriod(millis: u32) -> u32;
    fn timeEndPeriod(millis: u32) -> u32;
}

/// From now on libraries that are loaded by name come from Windows' own directory, whoever
/// loads them. Windows 7 without its updates of 2011 cannot do that.
pub fn load_libraries_of_windows_only() {
    /// `LOAD_LIBRARY_SEARCH_SYSTEM32`
    const SYSTEM: u32 = 0x800;
    let Some(function) = loaded_function("kernel32.dll", c"SetDefaultDllDirectories") else {
        return;
    };
    // SAFETY: the documented signature.
    let set = unsafe {
        std::mem::transmute::<Function, unsafe extern "system" fn(u32) -> BOOL>(function)
    };
    // SAFETY: takes a number. Where it fails everything is as it was.
    let _unchanged = unsafe { set(SYSTEM) };
}
