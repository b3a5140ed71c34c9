//! A window in the middle of the screen that prints what it receives.
#![allow(unsafe_code)]

use std::io::Write;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{COLOR_WINDOW, HBRUSH};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::SetFocus;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, IDC_IBEAM, LoadCursorW, MSG,
    RegisterClassW, SetForegroundWindow, TranslateMessage, WM_CHAR, WM_KEYDOWN, WM_KEYUP,
    WM_LBUTTONDOWN, WM_LBUTTONUP, WM_MBUTTONDOWN, WM_MBUTTONUP, WM_MOUSEHWHEEL, WM_MOUSEMOVE,
    WM_MOUSEWHEEL, WM_RBUTTONDOWN, WM_RBUTTONUP, WM_SYSKEYDOWN, WM_SYSKEYUP, WM_XBUTTONDOWN,
    WM_XBUTTONUP, WNDCLASSW, WS_EX_TOPMOST, WS_POPUP, WS_VISIBLE,
};

const LEFT: i32 = 100;
const TOP: i32 = 100;
const WIDTH: i32 = 600;
const HEIGHT: i32 = 400;

/// Prints messages until the window is closed.
pub(crate) fn listen() -> Result<(), String> {
    let name: Vec<u16> = "GuruConnectListener\0".encode_utf16().collect();
    // SAFETY: the class's name outlives the window.
    unsafe {
        let class = WNDCLASSW {
            lpfnWndProc: Some(handle_message),
            lpszClassName: name.as_ptr(),
            hCursor: LoadCursorW(null_mut(), IDC_IBEAM),
            hbrBackground: (COLOR_WINDOW + 1) as usize as HBRUSH,
            ..Default::default()
        };
        RegisterClassW(&raw const class);
        let window = CreateWindowExW(
            WS_EX_TOPMOST,
            name.as_ptr(),
            name.as_ptr(),
            WS_POPUP | WS_VISIBLE,
            LEFT,
            TOP,
            WIDTH,
            HEIGHT,
            null_mut(),
            null_mut(),
            null_mut(),
            null(),
        );
        if window.is_null() {
            return Err("the window does not open".to_owned());
        }
        SetForegroundWindow(window);
        SetFocus(window);
        say(&format!("ready {LEFT} {TOP} {WIDTH} {HEIGHT}"));
        let mut message = MSG::default();
        while GetMessageW(&raw mut message, null_mut(), 0, 0) > 0 {
            TranslateMessage(&raw const message);
            DispatchMessageW(&raw const message);
        }
    }
    Ok(())
}

unsafe extern "system" fn handle_message(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    let place = || format!("{} {}", lparam as i16, (lparam >> 16) as i16);
    let key = || {
        format!(
            "vk={:#04x} code={:#04x} extended={}",
            wparam,
            (lparam >> 16) & 0xff,
            (lparam >> 24) & 1
        )
    };
    let line = match message {
        WM_KEYDOWN | WM_SYSKEYDOWN => format!("key-down {}", key()),
        WM_KEYUP | WM_SYSKEYUP => format!("key-up {}", key()),
        WM_CHAR => format!("char {wparam:#06x}"),
        WM_MOUSEMOVE => format!("move {}", place()),
        WM_LBUTTONDOWN => format!("left-down {}", place()),
        WM_LBUTTONUP => format!("left-up {}", place()),
        WM_RBUTTONDOWN => format!("right-down {}", place()),
        WM_RBUTTONUP => format!("right-up {}", place()),
        WM_MBUTTONDOWN => format!("middle-down {}", place()),
        WM_MBUTTONUP => format!("middle-up {}", place()),
        WM_XBUTTONDOWN => format!("extra{}-down {}", wparam >> 16, place()),
        WM_XBUTTONUP => format!("extra{}-up {}", wparam >> 16, place()),
        WM_MOUSEWHEEL => format!("wheel {}", (wparam >> 16) as i16),
        WM_MOUSEHWHEEL => format!("wheel-sideways {}", (wparam >> 16) as i16),
        // SAFETY: the arguments are the system's own.
        _ => return unsafe { DefWindowProcW(window, message, wparam, lparam) },
    };
    say(&line);
    0
}

/// Prints a line at once, also into a file.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
