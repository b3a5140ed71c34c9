//! Starting a program with administrator rights.

use std::ffi::{OsString, c_void};
use std::mem::transmute;
use std::os::windows::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr::null_mut;

use gc_platform::PlatformError;
use windows_sys::Win32::Foundation::{CloseHandle, ERROR_CANCELLED, GetLastError};
use windows_sys::Win32::System::Com::{COINIT_APARTMENTTHREADED, COINIT_DISABLE_OLE1DDE};
use windows_sys::Win32::System::Threading::GetProcessId;
use windows_sys::Win32::UI::Shell::{SEE_MASK_NOASYNC, SEE_MASK_NOCLOSEPROCESS, SHELLEXECUTEINFOW};
use windows_sys::Win32::UI::WindowsAndMessaging::SW_SHOWNORMAL;
use windows_sys::core::BOOL;

use super::os::{Function, last_error, system_function, wide};
use crate::protection::command_line;

/// What is needed of the shell. Its libraries are large, so nobody loads them who does not
/// ask for administrator rights: not the service that waits.
struct Shell {
    begin: unsafe extern "system" fn(*mut c_void, u32) -> i32,
    end: unsafe extern "system" fn(),
    execute: unsafe extern "system" fn(*mut SHELLEXECUTEINFOW) -> BOOL,
}

impl Shell {
    fn load() -> Option<Self> {
        let begin = system_function("ole32.dll", c"CoInitializeEx")?;
        let end = system_function("ole32.dll", c"CoUninitialize")?;
        let execute = system_function("shell32.dll", c"ShellExecuteExW")?;
        // SAFETY: these are the functions' documented signatures.
        unsafe {
            Some(Self {
                begin: transmute::<Function, unsafe extern "system" fn(*mut c_void, u32) -> i32>(
                    begin,
                ),
                end: transmute::<Function, unsafe extern "system" fn()>(end),
                execute: transmute::<
                    Function,
                    unsafe extern "system" fn(*mut SHELLEXECUTEINFOW) -> BOOL,
                >(execute),
            })
        }
    }
}

/// Starts a program with administrator rights; its process id. Windows asks the user, on a
/// screen of its own, and this waits for the answer.
///
/// # Errors
/// [`PlatformError::Denied`] when the user did not agree.
pub fn start_elevated(program: &Path, arguments: &[OsString]) -> Result<u32, PlatformError> {
    let mut parameters = Vec::new();
    let words: Vec<Vec<u16>> = arguments
        .iter()
        .map(|argument| argument.encode_wide().collect())
        .collect();
    command_line(&mut parameters, &[], &words);
    // The program is named apart; in front of the arguments are its two quotation marks.
    let parameters: Vec<u16> = parameters.into_iter().skip(3).chain([0]).collect();
    let program: Vec<u16> = program.as_os_str().encode_wide().chain([0]).collect();
    let verb = wide("runas");
    let mut request = SHELLEXECUTEINFOW {
        cbSize: size_of::<SHELLEXECUTEINFOW>() as u32,
        fMask: SEE_MASK_NOCLOSEPROCESS | SEE_MASK_NOASYNC,
        lpVerb: verb.as_ptr(),
        lpFile: program.as_ptr(),
        lpParameters: parameters.as_ptr(),
        nShow: SW_SHOWNORMAL,
        ..Default::default()
    };
    let shell = Shell::load().ok_or(PlatformError::Unsupported("starting with other rights"))?;
    // SAFETY: all texts end with a zero and outlive the call; the process' handle is ours then.
    unsafe {
        // The shell may call extensions that need it; when it is there already, nothing changes.
        let model = COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE;
        let com = (shell.begin)(null_mut(), model as u32);
        let started = (shell.execute)(&raw mut request) != 0;
        let (cancelled, error) = (
            GetLastError() == ERROR_CANCELLED,
            last_error("ShellExecuteEx"),
        );
        if com >= 0 {
            (shell.end)();
        }
        if !started {
            return Err(if cancelled {
                PlatformError::Denied("starting with administrator rights")
            } else {
                error
            });
        }
        if request.hProcess.is_null() {
            return Err(PlatformError::Gone("the program with administrator rights"));
        }
        let id = GetProcessId(request.hProcess);
        let error = last_error("GetProcessId");
        CloseHandle(request.hProcess);
        if id == 0 { Err(error) } else { Ok(id) }
    }
}
