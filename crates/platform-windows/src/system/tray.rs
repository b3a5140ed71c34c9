//! The icon beside the clock: a hidden window that Windows tells of presses, and
//! a menu. Between two messages the thread sleeps in Windows.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

use gc_platform::{PlatformError, Tray, TrayFace, TrayTeller};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ALREADY_EXISTS, GetLastError, HANDLE, HWND, LPARAM, LRESULT, POINT, WPARAM,
};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::Threading::CreateMutexW;
use windows_sys::Win32::UI::Shell::{
    NIF_ICON, NIF_INFO, NIF_MESSAGE, NIF_TIP, NIIF_INFO, NIM_ADD, NIM_DELETE, NIM_MODIFY,
    NOTIFYICONDATAW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    AppendMenuW, CreateIcon, CreatePopupMenu, CreateWindowExW, DefWindowProcW, DestroyIcon,
    DestroyMenu, DestroyWindow, DispatchMessageW, GWLP_USERDATA, GetCursorPos, GetMessageW,
    GetSystemMetrics, GetWindowLongPtrW, HICON, MF_STRING, MSG, PostMessageW, RegisterClassW,
    RegisterWindowMessageW, SM_CXSMICON, SetForegroundWindow, SetWindowLongPtrW, TPM_RIGHTBUTTON,
    TrackPopupMenu, WM_APP, WM_CLOSE, WM_COMMAND, WM_CONTEXTMENU, WM_LBUTTONUP, WM_NULL,
    WM_RBUTTONUP, WNDCLASSW, WS_POPUP,
};

use super::input_desktop::go_to_the_users_desktop;
use super::late::Shell_NotifyIconW;
use super::os::{is_wine, last_error, wide};
use super::worker::WorkerProcess;

/// Class of the hidden window, by which tests find it.
const CLASS: &str = "GuruConnectTray";

/// Held by the program whose icon is in this login.
const FIRST: &str = r"Local\GuruConnectTray";

/// Number of the first item of the menu.
const FIRST_ITEM: usize = 1;

/// The shell says what was done to the icon.
const FROM_ICON: u32 = WM_APP + 1;
/// There is something new to show.
const NEWS: u32 = WM_APP + 2;
/// The icon goes.
const END: u32 = WM_APP + 3;

/// The mark's colour, as bytes of a pixel: blue, green, red, alpha.
const GREEN: [u8; 4] = [0x60, 0x6b, 0x17, 0xff];
/// While somebody looks.
const ORANGE: [u8; 4] = [0x0c, 0x41, 0xc2, 0xff];
const WHITE: [u8; 4] = [0xff, 0xff, 0xff, 0xff];
const NOTHING: [u8; 4] = [0; 4];

/// The icon.
pub(crate) struct WindowsTray {
    first: HANDLE,
    window: HWND,
    icon: HICON,
    /// While somebody looks.
    watched_icon: HICON,
    items: Vec<Vec<u16>>,
    face: Box<Face>,
    shown: Arc<Mutex<TrayFace>>,
    /// The task bar was made anew: it has forgotten the icon.
    made_anew: u32,
}

/// What the window's procedure leaves for the thread. Cells, because Windows calls it in the
/// middle of our own calls.
#[derive(Default)]
struct Face {
    pressed: Cell<bool>,
    chosen: Cell<Option<usize>>,
    news: Cell<bool>,
    end: Cell<bool>,
}

/// See [`Tray::teller`].
struct Teller {
    /// A window's handle as a number: it may be used from every thread.
    window: usize,
    shown: Arc<Mutex<TrayFace>>,
}

impl WindowsTray {
    /// `None` when this login has an icon of ours already.
    pub(crate) fn open(items: &[&str]) -> Result<Option<Self>, PlatformError> {
        let name = wide(FIRST);
        // SAFETY: the name ends with a zero and outlives the call.
        let (first, is_held) = unsafe {
            let first = CreateMutexW(null(), 0, name.as_ptr());
            (first, GetLastError() == ERROR_ALREADY_EXISTS)
        };
        if first.is_null() {
            return Err(last_error("CreateMutex"));
        }
        let mut tray = Self {
            first,
            window: null_mut(),
            icon: null_mut(),
            watched_icon: null_mut(),
            items: items.iter().map(|item| wide(item)).collect(),
            face: Box::default(),
            shown: Arc::default(),
            made_anew: 0,
        };
        if is_held {
            return Ok(None);
        }
        tray.make_window()?;
        tray.icon = mark(GREEN)?;
        tray.watched_icon = mark(ORANGE)?;
        tray.tell_shell(NIM_ADD, NIF_ICON | NIF_MESSAGE);
        Ok(Some(tray))
    }

    fn make_window(&mut self) -> Result<(), PlatformError> {
        let (class, made_anew) = (wide(CLASS), wide("TaskbarCreated"));
        // SAFETY: the names end with a zero and outlive the calls. The face is boxed and
        // outlives the window, which `drop` destroys first.
        unsafe {
            let described = WNDCLASSW {
                lpfnWndProc: Some(handle_message),
                hInstance: GetModuleHandleW(null()),
                lpszClassName: class.as_ptr(),
                ..Default::default()
            };
            if RegisterClassW(&raw const described) == 0 {
                return Err(last_error("RegisterClass"));
            }
            // No window for messages alone: those are not told of a new task bar.
            self.window = CreateWindowExW(
                0,
                class.as_ptr(),
                null(),
                WS_POPUP,
                0,
                0,
                0,
                0,
                null_mut(),
                null_mut(),
                GetModuleHandleW(null()),
                null(),
            );
            if self.window.is_null() {
                return Err(last_error("CreateWindowEx"));
            }
            SetWindowLongPtrW(self.window, GWLP_USERDATA, (&raw const *self.face) as _);
            self.made_anew = RegisterWindowMessageW(made_anew.as_ptr());
        }
        Ok(())
    }

    /// Where there is no task bar yet, it says so when there is one.
    fn tell_shell(&self, what: u32, parts: u32) {
        let mut data = NOTIFYICONDATAW {
            cbSize: size_of::<NOTIFYICONDATAW>() as u32,
            hWnd: self.window,
            uID: 1,
            uFlags: parts | NIF_TIP,
            uCallbackMessage: FROM_ICON,
            hIcon: self.icon,
            dwInfoFlags: NIIF_INFO,
            ..Default::default()
        };
        {
            let mut shown = self.shown.lock().expect("no code under this lock panics");
            if shown.is_watched {
                data.hIcon = self.watched_icon;
            }
            data.szTip = fitted(&shown.tip);
            if let Some((title, text)) = shown.news.take() {
                data.uFlags |= NIF_INFO;
                data.szInfoTitle = fitted(&title);
                data.szInfo = fitted(&text);
            }
        }
        // SAFETY: the structure says its own size; window and icon are ours.
        unsafe { Shell_NotifyIconW(what, &raw const data) };
    }

    fn open_menu(&self) {
        // SAFETY: the menu is ours and destroyed here; the texts end with a zero and outlive it.
        unsafe {
            let menu = CreatePopupMenu();
            if menu.is_null() {
                return;
            }
            for (index, item) in self.items.iter().enumerate() {
                AppendMenuW(menu, MF_STRING, FIRST_ITEM + index, item.as_ptr());
            }
            let mut at = POINT::default();
            GetCursorPos(&raw mut at);
            // Otherwise a press elsewhere leaves the menu open: "TrackPopupMenu", Remarks.
            SetForegroundWindow(self.window);
            TrackPopupMenu(menu, TPM_RIGHTBUTTON, at.x, at.y, 0, self.window, null());
            PostMessageW(self.window, WM_NULL, 0, 0);
            DestroyMenu(menu);
        }
    }
}

impl Tray for WindowsTray {
    fn teller(&self) -> Box<dyn TrayTeller> {
        Box::new(Teller {
            window: self.window as usize,
            shown: Arc::clone(&self.shown),
        })
    }

    fn wait(&mut self) -> Option<usize> {
        loop {
            if self.face.end.get() {
                return None;
            }
            if self.face.news.take() {
                self.tell_shell(NIM_MODIFY, NIF_ICON | NIF_MESSAGE);
            }
            if self.face.pressed.take() {
                self.open_menu();
            }
            if let Some(chosen) = self.face.chosen.take() {
                if chosen < self.items.len() {
                    return Some(chosen);
                }
                continue;
            }
            let mut message = MSG::default();
            // SAFETY: the message has its place; only this thread's are taken.
            unsafe {
                if GetMessageW(&raw mut message, null_mut(), 0, 0) <= 0 {
                    return None;
                }
                if message.message == self.made_anew {
                    self.tell_shell(NIM_ADD, NIF_ICON | NIF_MESSAGE);
                }
                DispatchMessageW(&raw const message);
            }
        }
    }
}

impl Drop for WindowsTray {
    fn drop(&mut self) {
        if !self.icon.is_null() {
            self.tell_shell(NIM_DELETE, 0);
        }
        // SAFETY: window, icon and mutex are ours and used no more.
        unsafe {
            if !self.window.is_null() {
                SetWindowLongPtrW(self.window, GWLP_USERDATA, 0);
                DestroyWindow(self.window);
            }
            for icon in [self.icon, self.watched_icon] {
                if !icon.is_null() {
                    DestroyIcon(icon);
                }
            }
            CloseHandle(self.first);
        }
    }
}

impl TrayTeller for Teller {
    fn show(&self, face: TrayFace) {
        {
            let mut shown = self.shown.lock().expect("no code under this lock panics");
            // What was not shown yet is not lost.
            let news = face.news.or_else(|| shown.news.take());
            *shown = TrayFace { news, ..face };
        }
        self.post(NEWS);
    }

    fn end(&self) {
        self.post(END);
    }
}

impl Teller {
    fn post(&self, message: u32) {
        // SAFETY: takes numbers; a window that is gone is told nothing.
        unsafe { PostMessageW(self.window as HWND, message, 0, 0) };
    }
}

unsafe extern "system" fn handle_message(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: zero, or the face that outlives the window.
    let face = unsafe { (GetWindowLongPtrW(window, GWLP_USERDATA) as *const Face).as_ref() };
    match (face, message) {
        (Some(face), FROM_ICON) => {
            let what = (lparam & 0xffff) as u32;
            if matches!(what, WM_LBUTTONUP | WM_RBUTTONUP | WM_CONTEXTMENU) {
                face.pressed.set(true);
            }
            0
        }
        (Some(face), WM_COMMAND) => {
            face.chosen.set((wparam & 0xffff).checked_sub(FIRST_ITEM));
            0
        }
        (Some(face), NEWS) => {
            face.news.set(true);
            0
        }
        (Some(face), END | WM_CLOSE) => {
            face.end.set(true);
            0
        }
        // SAFETY: the arguments are the system's own.
        _ => unsafe { DefWindowProcW(window, message, wparam, lparam) },
    }
}

/// A text into a field that ends with a zero.
fn fitted<const UNITS: usize>(text: &str) -> [u16; UNITS] {
    let mut field = [0; UNITS];
    let mut used = 0;
    let mut pair = [0; 2];
    for character in text.chars() {
        let units = character.encode_utf16(&mut pair);
        // The last unit stays zero.
        if used + units.len() >= UNITS {
            break;
        }
        field[used..used + units.len()].copy_from_slice(units);
        used += units.len();
    }
    field
}

/// The product's mark: a ring on a disc of that colour.
fn mark(disc: [u8; 4]) -> Result<HICON, PlatformError> {
    // SAFETY: takes a number.
    let side = unsafe { GetSystemMetrics(SM_CXSMICON) }.clamp(16, 64);
    let count = (side * side) as usize;
    let mut pixels = Vec::with_capacity(count * 4);
    for at in 0..side * side {
        // Twice the distance from the middle, so that whole numbers do.
        let (x, y) = (2 * (at % side) + 1 - side, 2 * (at / side) + 1 - side);
        let square = x * x + y * y;
        let within = |tenths: i32| square * 100 <= side * side * tenths * tenths;
        let colour = match (within(10), within(6), within(3)) {
            (false, ..) => NOTHING,
            (_, true, false) => WHITE,
            _ => disc,
        };
        pixels.extend_from_slice(&colour);
    }
    // A row of the mask fills whole 16-bit words.
    let mask = vec![0_u8; (side as usize).div_ceil(16) * 2 * side as usize];
    // SAFETY: both pictures have as many rows and columns as said, 32 bits and one bit deep.
    let icon = unsafe {
        CreateIcon(
            GetModuleHandleW(null()),
            side,
            side,
            1,
            32,
            mask.as_ptr(),
            pixels.as_ptr(),
        )
    };
    if icon.is_null() {
        Err(last_error("CreateIcon"))
    } else {
        Ok(icon)
    }
}

/// Starts a program of the signed-in user's, as that user.
///
/// # Errors
/// [`PlatformError::Denied`] for everybody but the system; the system's where nobody is signed in.
pub fn start_for_user(
    session: u32,
    program: &Path,
    arguments: &[OsString],
) -> Result<WorkerProcess, PlatformError> {
    // Under Wine a program's threads begin on the desktop of the thread that started it.
    if is_wine() {
        go_to_the_users_desktop()?;
    }
    WorkerProcess::start_as_user(session, program, arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        assert_eq!(fitted("ab😀cd"), [97, 98, 0xd83d, 0xde00, 0]);
        assert_eq!(fitted("ab😀cd"), [97, 98, 0, 0]);
    }
}
