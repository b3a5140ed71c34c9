//! Notepad's text, asked of its own edit control.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HWND, LPARAM, POINT, RECT, TRUE};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::GetAsyncKeyState;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    EnumChildWindows, FindWindowW, GetClassNameW, GetCursorPos, GetSystemMetrics, GetWindowRect,
    SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SMTO_ABORTIFHUNG, SendMessageTimeoutW, WM_GETTEXT,
};
use windows_sys::core::BOOL;

/// More than any test types.
const MAX_UNITS: usize = 1 << 20;

const PATIENCE_MS: u32 = 5000;

/// The text in Notepad.
pub(crate) fn text() -> Result<String, String> {
    text_of(edit_control()?)
}

/// What a control of another program says.
pub(crate) fn text_of(control: HWND) -> Result<String, String> {
    let mut buffer = vec![0_u16; MAX_UNITS];
    let mut length = 0;
    // SAFETY: Windows copies the text from the other process, at most as many units as said.
    let answered = unsafe {
        SendMessageTimeoutW(
            control,
            WM_GETTEXT,
            buffer.len(),
            buffer.as_mut_ptr() as LPARAM,
            SMTO_ABORTIFHUNG,
            PATIENCE_MS,
            &raw mut length,
        )
    };
    if answered == 0 {
        return Err("the program does not answer".to_owned());
    }
    Ok(String::from_utf16_lossy(
        &buffer[..length.min(buffer.len())],
    ))
}

/// Where the pointer is in the picture.
pub(crate) fn pointer() -> Result<(i32, i32), String> {
    let mut place = POINT::default();
    // SAFETY: the structure is ours; the other calls take numbers.
    let (known, left, top) = unsafe {
        (
            GetCursorPos(&raw mut place),
            GetSystemMetrics(SM_XVIRTUALSCREEN),
            GetSystemMetrics(SM_YVIRTUALSCREEN),
        )
    };
    if known == 0 {
        return Err("the pointer is nowhere".to_owned());
    }
    Ok((place.x - left, place.y - top))
}

/// The virtual keys and buttons that are down for the whole desktop.
pub(crate) fn keys_down() -> impl Iterator<Item = i32> {
    // SAFETY: takes a number. The sign bit says that the key is down.
    (1..255).filter(|&key| unsafe { GetAsyncKeyState(key) < 0 })
}

/// A rectangle in picture coordinates.
pub(crate) struct Place {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

impl Place {
    pub(crate) fn json(&self) -> String {
        let Self {
            x,
            y,
            width,
            height,
        } = self;
        format!(r#"{{"x":{x},"y":{y},"width":{width},"height":{height}}}"#)
    }

    pub(crate) fn middle(&self) -> (u32, u32) {
        let inside = |start: i32, length: i32| u32::try_from(start + length / 2).unwrap_or(0);
        (inside(self.x, self.width), inside(self.y, self.height))
    }
}

/// Where the text is.
pub(crate) fn place() -> Result<Place, String> {
    place_of(edit_control()?)
}

/// Where a control is.
pub(crate) fn place_of(control: HWND) -> Result<Place, String> {
    let mut rect = RECT::default();
    // SAFETY: the structure is ours; the other calls take numbers.
    let (known, left, top) = unsafe {
        (
            GetWindowRect(control, &raw mut rect),
            GetSystemMetrics(SM_XVIRTUALSCREEN),
            GetSystemMetrics(SM_YVIRTUALSCREEN),
        )
    };
    if known == 0 {
        return Err("the window went away".to_owned());
    }
    let (width, height) = (rect.right - rect.left, rect.bottom - rect.top);
    Ok(Place {
        x: rect.left - left,
        y: rect.top - top,
        width,
        height,
    })
}

fn edit_control() -> Result<HWND, String> {
    let class: Vec<u16> = "Notepad\0".encode_utf16().collect();
    // SAFETY: the class's name ends with a zero.
    let notepad = unsafe { FindWindowW(class.as_ptr(), null()) };
    if notepad.is_null() {
        return Err("Notepad is not open".to_owned());
    }
    let mut found: HWND = null_mut();
    // SAFETY: `found` outlives the call, and nobody else touches it meanwhile.
    unsafe { EnumChildWindows(notepad, Some(keep_edit), (&raw mut found) as LPARAM) };
    if found.is_null() {
        Err("Notepad has no place for text".to_owned())
    } else {
        Ok(found)
    }
}

/// Keeps the first child that holds text: `Edit`, or a rich edit control in newer versions.
unsafe extern "system" fn keep_edit(child: HWND, found: LPARAM) -> BOOL {
    let class = class_of(child);
    if class == "Edit" || class.starts_with("RichEdit") {
        // SAFETY: `edit_control` passes a pointer to its variable.
        unsafe { *(found as *mut HWND) = child };
        return 0;
    }
    TRUE
}

/// The class of a window.
pub(crate) fn class_of(window: HWND) -> String {
    let mut buffer = [0_u16; 64];
    // SAFETY: the buffer is as long as said.
    let length = unsafe { GetClassNameW(window, buffer.as_mut_ptr(), buffer.len() as i32) };
    String::from_utf16_lossy(&buffer[..usize::try_from(length).unwrap_or(0)])
}
