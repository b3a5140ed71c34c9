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
    AppendMenuW, CreateIcon, CreatePopupMenu, CreateWindowExW, DestroyIcon, DestroyMenu,
    DestroyWindow, DispatchMessageW, GWLP_USERDATA, GetCursorPos, GetMessageW, GetSystemMetrics,
    HICON, KillTimer, MF_STRING, MSG, PostMessageW, RegisterClassW, RegisterWindowMessageW,
    SM_CXSMICON, SetForegroundWindow, SetTimer, SetWindowLongPtrW, TPM_RIGHTBUTTON, TrackPopupMenu,
    WM_APP, WM_CLOSE, WM_COMMAND, WM_CONTEXTMENU, WM_LBUTTONUP, WM_NULL, WM_RBUTTONUP, WM_TIMER,
    WNDCLASSW, WS_POPUP,
};

use super::input_desktop::go_to_the_users_desktop;
use super::late::Shell_NotifyIconW;
use super::os::{is_wine, last_error, wide};
use super::window_face::{WindowFace, handle_message};
use super::worker::WorkerProcess;
use crate::icon_place::{Ask, IconPlace};

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

/// The timer's number.
const TRY_AGAIN: usize = 1;
/// 10 s: a task bar that is there says so, and then it is at once.
const TRY_AGAIN_AFTER_MS: u32 = 10_000;

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
    place: IconPlace,
    is_trying: bool,
}

/// What the window's procedure leaves for the thread. Cells, because Windows calls it in the
/// middle of our own calls.
#[derive(Default)]
struct Face {
    pressed: Cell<bool>,
    chosen: Cell<Option<usize>>,
    news: Cell<bool>,
    end: Cell<bool>,
    /// The task bar was made anew: it has forgotten the icon.
    is_forgotten: Cell<bool>,
    /// The message that says so.
    made_anew: Cell<u32>,
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
            place: IconPlace::default(),
            is_trying: false,
        };
        if is_held {
            return Ok(None);
        }
        tray.make_window()?;
        tray.icon = mark(GREEN)?;
        tray.watched_icon = mark(ORANGE)?;
        tray.show();
        Ok(Some(tray))
    }

    fn make_window(&mut self) -> Result<(), PlatformError> {
        let (class, made_anew) = (wide(CLASS), wide("TaskbarCreated"));
        // SAFETY: the names end with a zero and outlive the calls. The face is boxed and
        // outlives the window, which `drop` destroys first.
        unsafe {
            let described = WNDCLASSW {
                lpfnWndProc: Some(handle_message::<Face>),
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
            self.face
                .made_anew
                .set(RegisterWindowMessageW(made_anew.as_ptr()));
        }
        Ok(())
    }

    /// Shows the icon as it is to look now; tries again in a while where there is no task bar
    /// yet, or it has no time.
    fn show(&mut self) {
        let face = {
            let mut shown = self.shown.lock().expect("no code under this lock panics");
            let news = shown.news.take();
            TrayFace {
                news,
                ..shown.clone()
            }
        };
        let mut place = std::mem::take(&mut self.place);
        let is_there = place.show(|ask| match ask {
            Ask::Add => self.tell_shell(NIM_ADD, &face),
            Ask::Change => self.tell_shell(NIM_MODIFY, &face),
        });
        self.place = place;
        if !is_there {
            // For the next try, unless there is something newer by then.
            let mut shown = self.shown.lock().expect("no code under this lock panics");
            shown.news = shown.news.take().or(face.news);
        }
        if is_there == self.is_trying {
            self.is_trying = !is_there;
            // SAFETY: takes numbers; the window is ours, and the timer goes with it.
            unsafe {
                if self.is_trying {
                    SetTimer(self.window, TRY_AGAIN, TRY_AGAIN_AFTER_MS, None);
                } else {
                    KillTimer(self.window, TRY_AGAIN);
                }
            }
        }
    }

    /// False when the shell did not do it.
    fn tell_shell(&self, what: u32, face: &TrayFace) -> bool {
        let mut data = NOTIFYICONDATAW {
            cbSize: size_of::<NOTIFYICONDATAW>() as u32,
            hWnd: self.window,
            uID: 1,
            uFlags: NIF_ICON | NIF_MESSAGE | NIF_TIP,
            uCallbackMessage: FROM_ICON,
            hIcon: self.icon,
            dwInfoFlags: NIIF_INFO,
            ..Default::default()
        };
        if face.is_watched {
            data.hIcon = self.watched_icon;
        }
        data.szTip = fitted(&face.tip);
        if let Some((title, text)) = &face.news {
            data.uFlags |= NIF_INFO;
            data.szInfoTitle = fitted(title);
            data.szInfo = fitted(text);
        }
        // SAFETY: the structure says its own size; window and icon are ours.
        unsafe { Shell_NotifyIconW(what, &raw const data) != 0 }
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
            if self.face.is_forgotten.take() {
                self.place.forget();
                self.face.news.set(true);
            }
            if self.face.news.take() {
                self.show();
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
                DispatchMessageW(&raw const message);
            }
        }
    }
}

impl Drop for WindowsTray {
    fn drop(&mut self) {
        if !self.icon.is_null() {
            self.tell_shell(NIM_DELETE, &TrayFace::default());
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

impl WindowFace for Face {
    fn take(&self, window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Option<LRESULT> {
        match message {
            FROM_ICON => {
                let what = (lparam & 0xffff) as u32;
                if matches!(what, WM_LBUTTONUP | WM_RBUTTONUP | WM_CONTEXTMENU) {
                    self.pressed.set(true);
                    wake(window);
                }
            }
            // Zero where the system has no such message.
            told if told != WM_NULL && told == self.made_anew.get() => {
                self.is_forgotten.set(true);
                wake(window);
            }
            WM_COMMAND => self.chosen.set((wparam & 0xffff).checked_sub(FIRST_ITEM)),
            // The timer is the only one, for an icon that is not there.
            NEWS | WM_TIMER => self.news.set(true),
            END | WM_CLOSE => {
                self.end.set(true);
                wake(window);
            }
            _ => return None,
        }
        Some(0)
    }
}

/// The shell sends its messages: Windows calls the procedure from within `GetMessage`, which
/// goes on waiting until there is a message that was posted.
fn wake(window: HWND) {
    // SAFETY: takes numbers; the window is ours.
    unsafe { PostMessageW(window, WM_NULL, 0, 0) };
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
    use windows_sys::Win32::UI::WindowsAndMessaging::{
        PM_NOREMOVE, PM_REMOVE, PeekMessageW, SendMessageW,
    };

    use super::*;

    #[test]
    fn a_new_task_bar_is_heard_of_although_it_sends_its_word_and_does_not_post_it() {
        let tray = WindowsTray::open(&["Help"]).expect("a window");
        let tray = tray.expect("no other icon of ours");
        let mut message = MSG::default();

        // As the shell does it, which waits until the window's procedure is through.
        // SAFETY: takes numbers; the message has its place.
        let is_woken = unsafe {
            while PeekMessageW(&raw mut message, null_mut(), 0, 0, PM_REMOVE) != 0 {}
            SendMessageW(tray.window, tray.face.made_anew.get(), 0, 0);
            PeekMessageW(&raw mut message, tray.window, 0, 0, PM_NOREMOVE) != 0
        };

        assert!(tray.face.is_forgotten.get());
        assert!(is_woken, "whoever waits for messages goes on");
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        assert_eq!(fitted("ab😀cd"), [97, 98, 0xd83d, 0xde00, 0]);
        assert_eq!(fitted("ab😀cd"), [97, 98, 0, 0]);
    }
}
