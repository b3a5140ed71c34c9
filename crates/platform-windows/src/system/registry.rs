//! The machine's registry.

use std::io;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND;
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_USERS, REG_SZ, RRF_RT_REG_DWORD,
    RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY, RegDeleteKeyValueW, RegDeleteTreeW, RegEnumKeyExW,
    RegGetValueW, RegSetKeyValueW,
};

use super::events::code_to_result;
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

/// Writes a text below `HKEY_LOCAL_MACHINE`; makes the key. An empty name is the key's own value.
pub(crate) fn write_text(key: &str, value: &str, text: &str) -> io::Result<()> {
    let (key, value, text) = (wide(key), wide(value), wide(text));
    // SAFETY: names and text end with a zero, and the text is as long as said.
    code_to_result(unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            REG_SZ,
            text.as_ptr().cast(),
            size_of_val(text.as_slice()) as u32,
        )
    })
}

/// Deletes a key below `HKEY_LOCAL_MACHINE` with everything in it, where there is one.
pub(crate) fn delete_key(key: &str) -> io::Result<()> {
    let key = wide(key);
    // SAFETY: the name ends with a zero.
    match unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.as_ptr()) } {
        ERROR_FILE_NOT_FOUND => Ok(()),
        code => code_to_result(code),
    }
}

/// Deletes what starts programs with a user, for every user who is signed in.
pub(crate) fn delete_run_values(names: &[&str]) {
    const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
    let users = user_hives();
    let keys = users
        .iter()
        .map(|user| (HKEY_USERS, format!(r"{user}\{RUN}")))
        .chain([(HKEY_CURRENT_USER, RUN.to_owned())]);
    for (root, key) in keys {
        for name in names {
            delete_value(root, &key, name);
        }
    }
}

/// Deletes a value below `HKEY_LOCAL_MACHINE`, where there is one.
pub(crate) fn try_delete_machine_value(key: &str, value: &str) -> io::Result<()> {
    let (key, value) = (wide(key), wide(value));
    // SAFETY: the names end with a zero.
    match unsafe { RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, key.as_ptr(), value.as_ptr()) } {
        ERROR_FILE_NOT_FOUND => Ok(()),
        code => code_to_result(code),
    }
}

/// Deletes a value below `HKEY_LOCAL_MACHINE`, where there is one and that is allowed.
pub(crate) fn delete_machine_value(key: &str, value: &str) {
    delete_value(HKEY_LOCAL_MACHINE, key, value);
}

/// What is not there, or not ours to delete, stays.
fn delete_value(root: HKEY, key: &str, value: &str) {
    let (key, value) = (wide(key), wide(value));
    // SAFETY: the names end with a zero.
    unsafe { RegDeleteKeyValueW(root, key.as_ptr(), value.as_ptr()) };
}

/// The accounts whose part of the registry is loaded.
fn user_hives() -> Vec<String> {
    /// No machine has as many users signed in.
    const MOST: u32 = 1000;
    let mut hives = Vec::new();
    for index in 0..MOST {
        // A key's name has at most 255 characters.
        let mut name = [0_u16; 256];
        let mut length = name.len() as u32;
        // SAFETY: the buffer is as long as said; nothing else is asked for.
        let code = unsafe {
            RegEnumKeyExW(
                HKEY_USERS,
                index,
                name.as_mut_ptr(),
                &raw mut length,
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        if code != 0 {
            break;
        }
        hives.push(from_wide(&name));
    }
    hives
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
    fn what_was_written_is_read_and_deleted_with_its_key() {
        let key = format!(r"SOFTWARE\GuruConnect test {}", std::process::id());
        write_text(&key, "", "Service").expect("an administrator");
        assert_eq!(read_text(&key, "").as_deref(), Some("Service"));

        delete_key(&key).expect("deleted");
        delete_key(&key).expect("nothing is left to delete");

        assert_eq!(read_text(&key, ""), None);
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
