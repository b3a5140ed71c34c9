//! What the machine's firmware and its Windows say of themselves.

use std::fmt::Write as _;

use windows_sys::Win32::System::SystemInformation::{GetSystemFirmwareTable, RSMB};

use super::registry;
use crate::firmware::system_uuid;

/// Where Windows keeps an id that it makes when it is installed.
const INSTALLATION_KEY: &str = r"SOFTWARE\Microsoft\Cryptography";

/// 1 MiB: real tables have a few KiB.
const MOST_TABLE_BYTES: u32 = 1024 * 1024;

/// What tells this installation of Windows on this hardware from every other. A copied disk has
/// the same id of Windows and another one of the hardware.
pub(crate) fn installation() -> Option<String> {
    let mut text = registry::read_text(INSTALLATION_KEY, "MachineGuid")?;
    for byte in system_uuid(&tables()).unwrap_or_default() {
        let _never_fails = write!(text, " {byte:02x}");
    }
    Some(text)
}

/// The firmware's tables (SMBIOS); empty where there are none.
fn tables() -> Vec<u8> {
    // SAFETY: without a buffer the call only says how long one has to be.
    let length = unsafe { GetSystemFirmwareTable(RSMB, 0, std::ptr::null_mut(), 0) };
    let length = length.min(MOST_TABLE_BYTES);
    let mut table = vec![0; length as usize];
    // SAFETY: the buffer is as long as said.
    let written = unsafe { GetSystemFirmwareTable(RSMB, 0, table.as_mut_ptr(), length) };
    if written > length {
        return Vec::new();
    }
    table.truncate(written as usize);
    table
}
