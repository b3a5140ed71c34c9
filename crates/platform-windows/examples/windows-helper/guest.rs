//! The customer's window, asked of its own controls, as readers of screens do.
#![allow(unsafe_code)]

use std::ptr::null;

use windows_sys::Win32::Foundation::{HWND, LPARAM, TRUE};
use windows_sys::Win32::UI::WindowsAndMessaging::{EnumChildWindows, FindWindowW};
use windows_sys::core::BOOL;

use crate::notepad::{Place, class_of, place_of, text_of};

/// Everything on the window, a line for each control, buttons in brackets; nothing while there is none.
pub(crate) fn text() -> String {
    let mut lines = Vec::new();
    for control in controls() {
        // Gone again: the window is being changed, and is as good as not there.
        let Ok(text) = text_of(control) else {
            return String::new();
        };
        lines.push(if is_button(control) {
            format!("[{text}]")
        } else {
            text
        });
    }
    lines.join("\n")
}

/// Where the button with that label is.
pub(crate) fn place_of_button(label: &str) -> Result<Place, String> {
    let mut buttons = controls().into_iter().filter(|control| is_button(*control));
    let wanted = buttons.find(|button| text_of(*button).as_deref() == Ok(label));
    place_of(wanted.ok_or_else(|| format!("no button says {label}"))?)
}

fn is_button(control: HWND) -> bool {
    class_of(control) == "Button"
}

fn controls() -> Vec<HWND> {
    let class: Vec<u16> = "GuruConnectGuest\0".encode_utf16().collect();
    let mut all: Vec<HWND> = Vec::new();
    // SAFETY: the class's name ends with a zero; `all` outlives the call, and nobody else touches it meanwhile.
    unsafe {
        let window = FindWindowW(class.as_ptr(), null());
        if !window.is_null() {
            EnumChildWindows(window, Some(keep), (&raw mut all) as LPARAM);
        }
    }
    all
}

unsafe extern "system" fn keep(child: HWND, all: LPARAM) -> BOOL {
    // SAFETY: `controls` passes a pointer to its list.
    unsafe { (*(all as *mut Vec<HWND>)).push(child) };
    TRUE
}
