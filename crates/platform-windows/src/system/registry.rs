//! Reading the machine's registry.

use std::ptr::null_mut;

use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY, RegGetValueW,
};

use super::os::{from_wide, wide};

/// Longest text that is read, in bytes: more than any of our values needs.
const MAX_TEXT_BYTES: u32 = 4096;

/// A text below `HKEY_LOCAL_MACHINE`; `None` when it is missing, empty, no text or too long.
pub(crate) fn read_text(key: &str, value: &str) -> Option<String> {
    let mut buffer = [0_u16; MAX_TEXT_BYTES as usize / 2];
    let mut length = MAX_TEXT_BYTES;
    let (key, value) = (wide(key), wide(value));
    // SAFETY: the names end with a zero, and the buffer is as long as said.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY,
            null_mut(),
            buffer.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let text = if code == 0 {
        from_wide(&buffer)
    } else {
        String::new()
    };
    (!text.is_empty()).then_some(text)
}

/// A number below `HKEY_LOCAL_MACHINE`.
pub(crate) fn read_number(key: &str, value: &str) -> Option<u32> {
    let mut number = 0_u32;
    let mut length = size_of::<u32>() as u32;
    let (key, value) = (wide(key), wide(value));
    // SAFETY: the names end with a zero, and the buffer is as long as said.
    let code = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY,
            null_mut(),
            (&raw mut number).cast(),
            &raw mut length,
        )
    };
    (code == 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";

    #[test]
    fn reads_a_text() {
        assert!(read_text(WINDOWS, "ProductName").is_some_and(|name| name.contains("Windows")));
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_none() {
        assert_eq!(read_text(WINDOWS, "GuruConnect has no such value"), None);
        assert_eq!(
            read_text(r"SOFTWARE\GuruConnect has no such key", "Server"),
            None
        );
        assert_eq!(read_number(WINDOWS, "ProductName"), None);
    }
}
