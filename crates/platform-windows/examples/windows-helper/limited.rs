//! Starts a program as a person's double click does: without administrator rights.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::{
    DuplicateTokenEx, GetTokenInformation, SecurityImpersonation, TOKEN_ALL_ACCESS,
    TOKEN_LINKED_TOKEN, TokenLinkedToken, TokenPrimary,
};
use windows_sys::Win32::System::Threading::{
    CreateProcessAsUserW, GetCurrentProcess, INFINITE, OpenProcessToken, PROCESS_INFORMATION,
    STARTUPINFOW, WaitForSingleObject,
};

/// Starts `program` with the limited token that belongs to this process' own, and waits for its end.
pub(crate) fn run(program: &str) -> Result<(), String> {
    let failed = |call: &str| format!("{call}: {}", std::io::Error::last_os_error());
    let program: Vec<u16> = program.encode_utf16().chain([0]).collect();
    let (mut own, mut limited): (HANDLE, HANDLE) = (null_mut(), null_mut());
    let mut linked = TOKEN_LINKED_TOKEN::default();
    let mut started = PROCESS_INFORMATION::default();
    let mut size = 0;
    let startup = STARTUPINFOW {
        cb: size_of::<STARTUPINFOW>() as u32,
        ..Default::default()
    };
    // SAFETY: everything that is pointed to outlives its call; handles go with this process.
    unsafe {
        if OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &raw mut own) == 0 {
            return Err(failed("OpenProcessToken"));
        }
        let known = GetTokenInformation(
            own,
            TokenLinkedToken,
            (&raw mut linked).cast(),
            size_of_val(&linked) as u32,
            &raw mut size,
        );
        if known == 0 {
            return Err(failed("TokenLinkedToken"));
        }
        let copied = DuplicateTokenEx(
            linked.LinkedToken,
            TOKEN_ALL_ACCESS,
            null(),
            SecurityImpersonation,
            TokenPrimary,
            &raw mut limited,
        );
        if copied == 0 {
            return Err(failed("DuplicateTokenEx"));
        }
        let running = CreateProcessAsUserW(
            limited,
            program.as_ptr(),
            null_mut(),
            null(),
            null(),
            0,
            0,
            null(),
            null(),
            &raw const startup,
            &raw mut started,
        );
        if running == 0 {
            return Err(failed("CreateProcessAsUser"));
        }
        WaitForSingleObject(started.hProcess, INFINITE);
    }
    Ok(())
}
