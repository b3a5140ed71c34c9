//! The application of the suite: a plain window on top that paints what it is
//! told and writes down the messages that it gets.
#![allow(unsafe_code)]

use std::ptr::{null, null_mut};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};

use gc_model::geometry::Rect;
use gc_model::input::MouseButton;
use gc_model::key::Usage;
use gc_platform::conformance::{Received, Stage};
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, RECT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{
    CreateSolidBrush, DeleteObject, FillRect, GdiFlush, GetDC, ReleaseDC,
};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::SetFocus;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, GetSystemMetrics, IDC_ARROW,
    LoadCursorW, MSG, RegisterClassW, SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SendMessageW,
    SetForegroundWindow, TranslateMessage, WM_APP, WM_CHAR, WM_KEYDOWN, WM_KEYUP, WM_LBUTTONDOWN,
    WM_LBUTTONUP, WM_MBUTTONDOWN, WM_MBUTTONUP, WM_MOUSEHWHEEL, WM_MOUSEWHEEL, WM_RBUTTONDOWN,
    WM_RBUTTONUP, WM_SYSKEYDOWN, WM_SYSKEYUP, WM_XBUTTONDOWN, WM_XBUTTONUP, WNDCLASSW,
    WS_EX_TOPMOST, WS_POPUP, WS_VISIBLE,
};

const LEFT: i32 = 100;
const TOP: i32 = 80;
const WIDTH: i32 = 420;
const HEIGHT: i32 = 320;

/// Asks the window to fill `*lparam`, a [`Fill`].
const WM_FILL: u32 = WM_APP;

struct Fill {
    rect: RECT,
    colour: u32,
}

/// Where the window's thread sends what it receives.
static MESSAGES: OnceLock<Mutex<Sender<Message>>> = OnceLock::new();

enum Message {
    Received(Received),
    Unit(u16),
}

pub(crate) struct Window {
    handle: HWND,
    messages: Receiver<Message>,
    /// The first half of a character that takes two units.
    half: Option<u16>,
}

impl Window {
    pub(crate) fn open() -> Self {
        let (sender, messages) = channel();
        assert!(MESSAGES.set(Mutex::new(sender)).is_ok(), "only one window");
        let (tell, opened) = channel();
        std::thread::spawn(move || run(&tell));
        let handle = opened.recv().expect("the window's thread runs") as HWND;
        assert!(!handle.is_null(), "the window opens");
        Self {
            handle,
            messages,
            half: None,
        }
    }
}

impl Stage for Window {
    fn area(&self) -> Rect {
        // SAFETY: takes a number.
        let (left, top) = unsafe {
            (
                GetSystemMetrics(SM_XVIRTUALSCREEN),
                GetSystemMetrics(SM_YVIRTUALSCREEN),
            )
        };
        let pixels = |length: i32| u32::try_from(length).expect("the window is on the screen");
        Rect {
            x: pixels(LEFT - left),
            y: pixels(TOP - top),
            width: pixels(WIDTH),
            height: pixels(HEIGHT),
        }
    }

    fn fill(&mut self, rect: Rect, colour: [u8; 3]) {
        let area = self.area();
        let (left, top) = (
            (rect.x - area.x).cast_signed(),
            (rect.y - area.y).cast_signed(),
        );
        let rect = RECT {
            left,
            top,
            right: left + rect.width.cast_signed(),
            bottom: top + rect.height.cast_signed(),
        };
        let [blue, green, red] = colour.map(u32::from);
        let fill = Fill {
            rect,
            colour: blue << 16 | green << 8 | red,
        };
        // SAFETY: the window's thread reads the structure before the call returns.
        unsafe { SendMessageW(self.handle, WM_FILL, 0, (&raw const fill) as LPARAM) };
    }

    fn received(&mut self) -> Vec<Received> {
        let mut all = Vec::new();
        for message in self.messages.try_iter() {
            match message {
                Message::Received(one) => all.push(one),
                Message::Unit(unit) => {
                    let units: Vec<u16> = self.half.take().into_iter().chain([unit]).collect();
                    match String::from_utf16(&units) {
                        Ok(text) if text.chars().any(char::is_control) => {}
                        Ok(text) => all.push(Received::Text(text)),
                        Err(_) => self.half = Some(unit),
                    }
                }
            }
        }
        all
    }
}

fn run(tell: &Sender<isize>) {
    let name: Vec<u16> = "GuruConnectStage\0".encode_utf16().collect();
    // SAFETY: the class's name outlives the window, which lives as long as the process.
    unsafe {
        let class = WNDCLASSW {
            lpfnWndProc: Some(handle_message),
            lpszClassName: name.as_ptr(),
            hCursor: LoadCursorW(null_mut(), IDC_ARROW),
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
        SetForegroundWindow(window);
        SetFocus(window);
        let _ = tell.send(window as isize);
        let mut message = MSG::default();
        while GetMessageW(&raw mut message, null_mut(), 0, 0) > 0 {
            TranslateMessage(&raw const message);
            DispatchMessageW(&raw const message);
        }
    }
}

unsafe extern "system" fn handle_message(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    let button = |button, down| Message::Received(Received::Button { button, down });
    let extra = || {
        if wparam >> 16 == 1 {
            MouseButton::Back
        } else {
            MouseButton::Forward
        }
    };
    let distance = i32::from((wparam >> 16) as i16);
    let news = match message {
        WM_FILL => {
            // SAFETY: `Window::fill` sends a pointer to its structure and waits.
            unsafe { fill(window, &*(lparam as *const Fill)) };
            return 0;
        }
        WM_KEYDOWN | WM_SYSKEYDOWN => key(lparam, true),
        WM_KEYUP | WM_SYSKEYUP => key(lparam, false),
        WM_CHAR => Some(Message::Unit(wparam as u16)),
        WM_LBUTTONDOWN => Some(button(MouseButton::Left, true)),
        WM_LBUTTONUP => Some(button(MouseButton::Left, false)),
        WM_RBUTTONDOWN => Some(button(MouseButton::Right, true)),
        WM_RBUTTONUP => Some(button(MouseButton::Right, false)),
        WM_MBUTTONDOWN => Some(button(MouseButton::Middle, true)),
        WM_MBUTTONUP => Some(button(MouseButton::Middle, false)),
        WM_XBUTTONDOWN => Some(button(extra(), true)),
        WM_XBUTTONUP => Some(button(extra(), false)),
        WM_MOUSEWHEEL => Some(Message::Received(Received::Wheel { x: 0, y: -distance })),
        WM_MOUSEHWHEEL => Some(Message::Received(Received::Wheel { x: distance, y: 0 })),
        // SAFETY: the arguments are the system's own.
        _ => return unsafe { DefWindowProcW(window, message, wparam, lparam) },
    };
    if let (Some(news), Some(messages)) = (news, MESSAGES.get()) {
        let _ = messages
            .lock()
            .expect("nobody panics with the lock")
            .send(news);
    }
    0
}

/// The key of a keyboard message: bits 16 to 23 are its scan code, bit 24 its prefix.
fn key(lparam: LPARAM, down: bool) -> Option<Message> {
    let code = ((lparam >> 16) & 0xff) as u16;
    let extended = lparam >> 24 & 1 != 0;
    let find = |wanted| {
        (1..=0xe7)
            .filter_map(Usage::new)
            .find(|usage| usage.scancode() == Some(wanted))
    };
    let usage = find((code, extended)).or_else(|| find((code, !extended)))?;
    Some(Message::Received(Received::Key { usage, down }))
}

unsafe fn fill(window: HWND, fill: &Fill) {
    // SAFETY: everything that is made here is freed here.
    unsafe {
        let dc = GetDC(window);
        let brush = CreateSolidBrush(fill.colour);
        FillRect(dc, &raw const fill.rect, brush);
        GdiFlush();
        DeleteObject(brush);
        ReleaseDC(window, dc);
    }
}
