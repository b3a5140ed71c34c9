//! What stands behind a window of ours: a structure that takes its messages.

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    DefWindowProcW, GWLP_USERDATA, GetWindowLongPtrW,
};

/// Takes the messages of a window whose user data points to it.
pub(crate) trait WindowFace {
    /// Takes one message; `None` leaves it to the system.
    fn take(&self, window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Option<LRESULT>;
}

/// The procedure of windows with such a face.
///
/// # Safety
/// Only for windows whose user data is zero or points to an `F` that outlives the window.
pub(crate) unsafe extern "system" fn handle_message<F: WindowFace>(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: zero, or the face that outlives the window.
    let face = unsafe { (GetWindowLongPtrW(window, GWLP_USERDATA) as *const F).as_ref() };
    let answer = face.and_then(|face| face.take(window, message, wparam, lparam));
    // SAFETY: the arguments are the system's own.
    answer.unwrap_or_else(|| unsafe { DefWindowProcW(window, message, wparam, lparam) })
}
