//! The icon beside the clock, as the shell shows it: asked of the shell's own tips.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, HWND, LPARAM};
use windows_sys::Win32::System::Diagnostics::Debug::{ReadProcessMemory, WriteProcessMemory};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAllocEx, VirtualFreeEx,
};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_VM_OPERATION, PROCESS_VM_READ, PROCESS_VM_WRITE,
};
use windows_sys::Win32::UI::Controls::{TTM_ENUMTOOLSW, TTTOOLINFOW};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    FindWindowExW, FindWindowW, GetWindowThreadProcessId, IsWindowVisible, SMTO_ABORTIFHUNG,
    SendMessageTimeoutW,
};

use crate::notepad::{Place, place_of};

const PATIENCE_MS: u32 = 5000;

/// A tip has 127 characters, what appears beside the icon 255.
const TEXT_UNITS: usize = 512;

/// What the shell shows of icons right now, a line each: the tip of the one that the pointer
/// rests on, and what appears beside one.
pub(crate) fn tips() -> String {
    let class: Vec<u16> = "tooltips_class32\0".encode_utf16().collect();
    let mut lines = Vec::new();
    let mut window = null_mut();
    loop {
        // SAFETY: the class's name ends with a zero.
        window = unsafe { FindWindowExW(null_mut(), window, class.as_ptr(), null()) };
        if window.is_null() {
            return lines.join("\n");
        }
        // SAFETY: takes a handle.
        if unsafe { IsWindowVisible(window) } != 0 {
            lines.extend(tip_of(window));
        }
    }
}

/// Where the shell shows its icons, one beside the other; `None` while it shows none.
pub(crate) fn place() -> Result<Option<Place>, String> {
    place_of_class("Shell_TrayWnd")
}

/// Where a menu is; `None` while there is none.
pub(crate) fn place_of_menu() -> Result<Option<Place>, String> {
    place_of_class("#32768")
}

fn place_of_class(class: &str) -> Result<Option<Place>, String> {
    let class: Vec<u16> = class.encode_utf16().chain([0]).collect();
    // SAFETY: the class's name ends with a zero; the other call takes a handle.
    let window = unsafe {
        let window = FindWindowW(class.as_ptr(), null());
        if window.is_null() || IsWindowVisible(window) == 0 {
            return Ok(None);
        }
        window
    };
    place_of(window).map(Some)
}

/// Memory of another process, given back at the end.
struct Lent {
    process: HANDLE,
    at: *mut c_void,
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: both are ours, from `lend`.
        unsafe {
            VirtualFreeEx(self.process, self.at, 0, MEM_RELEASE);
            CloseHandle(self.process);
        }
    }
}

fn lend(window: HWND, size: usize) -> Option<Lent> {
    // SAFETY: the number has its place; the process' handle is closed by `Lent`, or here.
    unsafe {
        let mut id = 0;
        GetWindowThreadProcessId(window, &raw mut id);
        let rights = PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE;
        let process = OpenProcess(rights, 0, id);
        if process.is_null() {
            return None;
        }
        let at = VirtualAllocEx(
            process,
            null(),
            size,
            MEM_COMMIT | MEM_RESERVE,
            PAGE_READWRITE,
        );
        if at.is_null() {
            CloseHandle(process);
            return None;
        }
        Some(Lent { process, at })
    }
}

/// The message's structure and text have to be in the memory of the window's own process.
fn tip_of(window: HWND) -> Option<String> {
    let size = size_of::<TTTOOLINFOW>();
    let lent = lend(window, size + TEXT_UNITS * 2)?;
    let mut info = TTTOOLINFOW {
        cbSize: size as u32,
        // SAFETY: within the memory that was lent.
        lpszText: unsafe { lent.at.cast::<u8>().add(size) }.cast(),
        ..Default::default()
    };
    let mut text = vec![0_u16; TEXT_UNITS];
    // SAFETY: what is written and read lies within what was lent, and our places are as long as said.
    unsafe {
        let wrote = WriteProcessMemory(
            lent.process,
            lent.at,
            (&raw const info).cast(),
            size,
            null_mut(),
        );
        let mut has_tool = 0;
        let answered = SendMessageTimeoutW(
            window,
            TTM_ENUMTOOLSW,
            0,
            lent.at as LPARAM,
            SMTO_ABORTIFHUNG,
            PATIENCE_MS,
            &raw mut has_tool,
        );
        let read = |from: *const c_void, to: *mut c_void, length: usize| {
            ReadProcessMemory(lent.process, from, to, length, null_mut()) != 0
        };
        let known = wrote != 0
            && answered != 0
            && has_tool != 0
            && read(lent.at, (&raw mut info).cast(), size)
            && read(
                info.lpszText.cast(),
                text.as_mut_ptr().cast(),
                TEXT_UNITS * 2,
            );
        if !known {
            return None;
        }
    }
    let length = text.iter().position(|unit| *unit == 0)?;
    Some(String::from_utf16_lossy(&text[..length]))
}
