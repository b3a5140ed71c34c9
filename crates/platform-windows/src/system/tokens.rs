//! Which account this process runs as.

use std::io;

use gc_platform::PlatformError;
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_NOT_ALL_ASSIGNED, GetLastError, HANDLE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::ConvertSidToStringSidW;
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, DuplicateTokenEx, GetTokenInformation, LookupPrivilegeValueW, PSID,
    SE_PRIVILEGE_ENABLED, SecurityImpersonation, SetTokenInformation, TOKEN_ADJUST_DEFAULT,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_ADJUST_SESSIONID, TOKEN_ASSIGN_PRIMARY, TOKEN_DUPLICATE,
    TOKEN_ELEVATION, TOKEN_PRIVILEGES, TOKEN_QUERY, TOKEN_USER, TokenElevation, TokenPrimary,
    TokenSessionId, TokenUser,
};
use windows_sys::Win32::System::RemoteDesktop::WTSQueryUserToken;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::os::{last_error, wide};

/// An access token of ours.
pub(crate) struct Token(HANDLE);

impl Token {
    pub(crate) const fn handle(&self) -> HANDLE {
        self.0
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: nobody else closes the handle.
        unsafe { CloseHandle(self.0) };
    }
}

/// A token like this process' own, for a program in another desktop session.
pub(crate) fn for_session(session: u32) -> Result<Token, PlatformError> {
    let access = TOKEN_QUERY
        | TOKEN_DUPLICATE
        | TOKEN_ASSIGN_PRIMARY
        | TOKEN_ADJUST_DEFAULT
        | TOKEN_ADJUST_SESSIONID;
    let mut own = std::ptr::null_mut();
    // SAFETY: the current process' handle needs no closing; the token's is closed by `Token`.
    if unsafe { OpenProcessToken(GetCurrentProcess(), access, &raw mut own) } == 0 {
        return Err(last_error("OpenProcessToken"));
    }
    let own = Token(own);
    let mut copy = std::ptr::null_mut();
    // SAFETY: the token is open; the copy is closed by `Token`.
    let known = unsafe {
        DuplicateTokenEx(
            own.0,
            access,
            std::ptr::null(),
            SecurityImpersonation,
            TokenPrimary,
            &raw mut copy,
        )
    };
    if known == 0 {
        return Err(last_error("DuplicateTokenEx"));
    }
    let copy = Token(copy);
    // SAFETY: the token is open, and the session's number is as long as said.
    let known = unsafe {
        SetTokenInformation(
            copy.0,
            TokenSessionId,
            (&raw const session).cast(),
            size_of_val(&session) as u32,
        )
    };
    if known == 0 {
        return Err(last_error("SetTokenInformation"));
    }
    Ok(copy)
}

/// The token of who is signed in there. Only the system is given it.
pub(crate) fn of_user(session: u32) -> Result<Token, PlatformError> {
    let mut token = std::ptr::null_mut();
    // SAFETY: the token is closed by `Token`.
    if unsafe { WTSQueryUserToken(session, &raw mut token) } == 0 {
        return Err(last_error("WTSQueryUserToken"));
    }
    Ok(Token(token))
}

/// Lets this process use a privilege that its account has.
pub(crate) fn enable_privilege(name: &str) -> Result<(), PlatformError> {
    let mut own = std::ptr::null_mut();
    let access = TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY;
    // SAFETY: the current process' handle needs no closing; the token's is closed by `Token`.
    if unsafe { OpenProcessToken(GetCurrentProcess(), access, &raw mut own) } == 0 {
        return Err(last_error("OpenProcessToken"));
    }
    let own = Token(own);
    let name = wide(name);
    let mut wanted = TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        ..Default::default()
    };
    wanted.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    // SAFETY: the name ends with a zero; the number has a place; the token is open, and
    // nothing is asked to be told of the privileges before.
    unsafe {
        let luid = &raw mut wanted.Privileges[0].Luid;
        if LookupPrivilegeValueW(std::ptr::null(), name.as_ptr(), luid) == 0 {
            return Err(last_error("LookupPrivilegeValue"));
        }
        let adjusted = AdjustTokenPrivileges(
            own.0,
            0,
            &raw const wanted,
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        );
        // It succeeds without having given what the account does not have.
        if adjusted == 0 || GetLastError() == ERROR_NOT_ALL_ASSIGNED {
            return Err(PlatformError::Denied("AdjustTokenPrivileges"));
        }
    }
    Ok(())
}

/// The SID of the account that this process runs as, as text.
pub(crate) fn current_account() -> io::Result<String> {
    let mut token = std::ptr::null_mut();
    // SAFETY: the current process' handle needs no closing; the token's is closed by `Token`.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let token = Token(token);
    // Room for the structure and the longest SID behind it, aligned as the structure asks.
    let mut buffer = [0_usize; 32];
    let mut needed = 0;
    // SAFETY: the buffer is as long as said.
    let known = unsafe {
        GetTokenInformation(
            token.0,
            TokenUser,
            buffer.as_mut_ptr().cast(),
            size_of_val(&buffer) as u32,
            &raw mut needed,
        )
    };
    if known == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call wrote a TOKEN_USER there, whose SID lies in the same buffer.
    unsafe { sid_text((*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid) }
}

/// A SID as text, like `S-1-5-18`.
///
/// # Safety
/// `sid` points to a SID.
pub(crate) unsafe fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text = std::ptr::null_mut();
    // SAFETY: the caller's promise. The text is freed below.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: Windows made a text that ends with a zero; it is copied before it is freed.
    unsafe {
        let mut length = 0;
        while *text.add(length) != 0 {
            length += 1;
        }
        let copy = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(copy)
    }
}

/// True when this process has the rights of an administrator.
pub(crate) fn is_elevated() -> bool {
    let mut token = std::ptr::null_mut();
    // SAFETY: the current process' handle needs no closing; the token's is closed by `Token`.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return false;
    }
    let token = Token(token);
    let mut elevation = TOKEN_ELEVATION::default();
    let mut needed = 0;
    // SAFETY: the structure is as long as said.
    let known = unsafe {
        GetTokenInformation(
            token.0,
            TokenElevation,
            (&raw mut elevation).cast(),
            size_of_val(&elevation) as u32,
            &raw mut needed,
        )
    };
    known != 0 && elevation.TokenIsElevated != 0
}

/// True for the account of services that are part of the system.
pub(crate) fn is_local_system() -> bool {
    current_account().is_ok_and(|account| account == "S-1-5-18")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_account_by_its_sid() {
        assert!(current_account().expect("an account").starts_with("S-1-5-"));
    }
}
