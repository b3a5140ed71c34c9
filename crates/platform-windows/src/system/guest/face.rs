//! What the customer's window does when Windows calls it: paints, colours, and
//! turns presses into events.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use gc_platform::PlatformError;
use gc_platform::guest::{Action, GuestEvent};
use windows_sys::Win32::Foundation::{
    ERROR_CLASS_ALREADY_EXISTS, GetLastError, HWND, LPARAM, LRESULT, RECT, WPARAM,
};
use windows_sys::Win32::Graphics::Gdi::{
    BeginPaint, EndPaint, FillRect, FrameRect, GetDC, GetDeviceCaps, HBRUSH, HDC, LOGPIXELSY,
    PAINTSTRUCT, ReleaseDC, SetBkColor, SetTextColor,
};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::UI::Controls::{DRAWITEMSTRUCT, ODS_FOCUS, ODS_SELECTED};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    BN_CLICKED, GetClientRect, GetWindowTextLengthW, GetWindowTextW, IDC_ARROW, LoadCursorW,
    RegisterClassW, WM_CLOSE, WM_COMMAND, WM_CTLCOLOREDIT, WM_CTLCOLORSTATIC, WM_DISPLAYCHANGE,
    WM_DPICHANGED, WM_DRAWITEM, WM_PAINT, WNDCLASSW,
};

use crate::guest_layout::{BASE_DPI, Measure, Style};
use crate::system::letters::{Brush, Font, text_height, text_width, write_in_the_middle};
use crate::system::os::{last_error, loaded_function, wide};
use crate::system::window_face::{WindowFace, handle_message};

/// A page that just appeared is not answered by a click that was meant for what was there before.
const SETTLE: Duration = Duration::from_millis(400);

/// Class of the window, by which readers and tests find it.
pub(super) const CLASS: &str = "GuruConnectGuest";

/// First number of a button's control.
pub(super) const FIRST_BUTTON: i32 = 100;

/// Colours as Windows takes them, 0x00BBGGRR.
pub(super) const PAPER: u32 = 0x00ff_ffff;
pub(super) const INK: u32 = 0x0023_241b;
pub(super) const QUIET: u32 = 0x005e_6052;
pub(super) const STRONG: u32 = 0x0060_6b17;
pub(super) const PLAIN: u32 = 0x00e9_ebe4;
pub(super) const FOCUS: u32 = 0x0000_6ad0;

/// What the window's procedure needs. Cells, because Windows calls it in the middle of our own calls.
pub(super) struct Face {
    pub(super) events: RefCell<VecDeque<GuestEvent>>,
    /// What the buttons mean, and which are strong.
    pub(super) buttons: RefCell<Vec<(Action, bool)>>,
    /// The texts that are paler, and the words.
    pub(super) coloured: RefCell<Vec<(HWND, u32)>>,
    pub(super) shown_at: Cell<Instant>,
    pub(super) strip: Cell<i32>,
    /// Dots per inch or the screen changed: everything gets a new place.
    pub(super) restless: Cell<bool>,
    pub(super) fonts: RefCell<Fonts>,
    paper: Brush,
    plain: Brush,
    strong: Brush,
    focus: Brush,
}

pub(super) struct Fonts {
    pub(super) dpi: u32,
    fonts: [Font; 3],
}

impl Fonts {
    pub(super) fn new(dpi: u32) -> Result<Self, PlatformError> {
        let font = |style: Style| {
            let height = i64::from(style.height_px()) * i64::from(dpi) / i64::from(BASE_DPI);
            Font::new(height as i32, style == Style::Words)
        };
        let [title, text, words] = Style::ALL;
        Ok(Self {
            dpi,
            fonts: [font(title)?, font(text)?, font(words)?],
        })
    }

    pub(super) fn of(&self, style: Style) -> &Font {
        let at = Style::ALL.iter().position(|one| *one == style);
        &self.fonts[at.expect("ALL has all of them")]
    }
}

impl Measure for Fonts {
    fn height_px(&self, style: Style, text: &str, width_px: i32) -> i32 {
        text_height(self.of(style), text, width_px)
    }

    fn width_px(&self, style: Style, text: &str) -> i32 {
        text_width(self.of(style), text)
    }
}

impl Face {
    pub(super) fn new() -> Result<Self, PlatformError> {
        Ok(Self {
            events: RefCell::default(),
            buttons: RefCell::default(),
            coloured: RefCell::default(),
            shown_at: Cell::new(Instant::now()),
            strip: Cell::new(0),
            restless: Cell::new(false),
            fonts: RefCell::new(Fonts::new(screen_dpi())?),
            paper: Brush::new(PAPER)?,
            plain: Brush::new(PLAIN)?,
            strong: Brush::new(STRONG)?,
            focus: Brush::new(FOCUS)?,
        })
    }

    pub(super) fn press(&self, index: usize) {
        let Some((action, _)) = self.buttons.borrow().get(index).copied() else {
            return;
        };
        // Only a yes can be meant for the page before; a no is never too early.
        let widens = matches!(action, Action::Allow | Action::Resume);
        if !widens || self.shown_at.get().elapsed() >= SETTLE {
            let mut events = self.events.borrow_mut();
            events.push_back(GuestEvent::Pressed(action));
        }
    }

    fn draw_button(&self, item: &DRAWITEMSTRUCT) {
        let index = (item.CtlID as i32 - FIRST_BUTTON) as usize;
        let Some((_, strong)) = self.buttons.borrow().get(index).copied() else {
            return;
        };
        let (back, ink) = if strong {
            (&self.strong, PAPER)
        } else {
            (&self.plain, INK)
        };
        let label = text_of(item.hwndItem);
        let mut place = item.rcItem;
        // SAFETY: the context is the button's, for as long as this message lasts.
        unsafe { FillRect(item.hDC, &raw const place, back.handle()) };
        let fonts = self.fonts.borrow();
        write_in_the_middle(item.hDC, fonts.of(Style::Text), &label, place, ink);
        if item.itemState & (ODS_FOCUS | ODS_SELECTED) != 0 {
            for _ in 0..2 {
                // SAFETY: as above.
                unsafe { FrameRect(item.hDC, &raw const place, self.focus.handle()) };
                place.left += 1;
                place.top += 1;
                place.right -= 1;
                place.bottom -= 1;
            }
        }
    }

    fn paint(&self, window: HWND) {
        let mut paint = PAINTSTRUCT::default();
        let mut inner = RECT::default();
        // SAFETY: the window is ours; what BeginPaint gives is given back by EndPaint.
        unsafe {
            let dc = BeginPaint(window, &raw mut paint);
            GetClientRect(window, &raw mut inner);
            FillRect(dc, &raw const inner, self.paper.handle());
            inner.right = self.strip.get();
            FillRect(dc, &raw const inner, self.strong.handle());
            EndPaint(window, &raw const paint);
        }
    }

    fn colour(&self, dc: HDC, control: HWND) -> HBRUSH {
        let coloured = self.coloured.borrow();
        let own = coloured.iter().find(|(handle, _)| *handle == control);
        // SAFETY: the context is the control's, for as long as this message lasts.
        unsafe {
            SetTextColor(dc, own.map_or(INK, |(_, colour)| *colour));
            SetBkColor(dc, PAPER);
        }
        self.paper.handle()
    }
}

impl WindowFace for Face {
    fn take(&self, window: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Option<LRESULT> {
        match message {
            WM_COMMAND => {
                let (id, what) = ((wparam & 0xffff) as i32, (wparam >> 16) as u32 & 0xffff);
                if lparam != 0 && what == BN_CLICKED && id >= FIRST_BUTTON {
                    self.press((id - FIRST_BUTTON) as usize);
                }
            }
            WM_CLOSE => self.events.borrow_mut().push_back(GuestEvent::Closed),
            WM_DRAWITEM => {
                // SAFETY: Windows points to the structure of this message.
                if let Some(item) = unsafe { (lparam as *const DRAWITEMSTRUCT).as_ref() } {
                    self.draw_button(item);
                }
                return Some(1);
            }
            WM_CTLCOLORSTATIC | WM_CTLCOLOREDIT => {
                return Some(self.colour(wparam as HDC, lparam as HWND) as LRESULT);
            }
            WM_PAINT => self.paint(window),
            WM_DPICHANGED | WM_DISPLAYCHANGE => self.restless.set(true),
            _ => return None,
        }
        Some(0)
    }
}

pub(super) fn register_class() -> Result<(), PlatformError> {
    let name = wide(CLASS);
    // SAFETY: the name outlives the call; a class that is there already is ours from before.
    unsafe {
        let class = WNDCLASSW {
            lpfnWndProc: Some(handle_message::<Face>),
            hInstance: GetModuleHandleW(null()),
            hCursor: LoadCursorW(null_mut(), IDC_ARROW),
            lpszClassName: name.as_ptr(),
            ..Default::default()
        };
        if RegisterClassW(&raw const class) == 0 && GetLastError() != ERROR_CLASS_ALREADY_EXISTS {
            return Err(last_error("RegisterClass"));
        }
    }
    Ok(())
}

/// Dots per inch of the first screen.
pub(super) fn screen_dpi() -> u32 {
    // SAFETY: the screen's context is given back at once.
    let dpi = unsafe {
        let screen = GetDC(null_mut());
        let dpi = GetDeviceCaps(screen, LOGPIXELSY as i32);
        ReleaseDC(null_mut(), screen);
        dpi
    };
    u32::try_from(dpi).unwrap_or(0).max(BASE_DPI)
}

/// Dots per inch where the window is. Windows before 10 1607 has one number for all screens.
pub(super) fn window_dpi(window: HWND) -> u32 {
    let Some(function) = loaded_function("user32.dll", c"GetDpiForWindow") else {
        return screen_dpi();
    };
    // SAFETY: this is the function's documented signature.
    let dpi = unsafe {
        let function: unsafe extern "system" fn(HWND) -> u32 = std::mem::transmute(function);
        function(window)
    };
    dpi.max(BASE_DPI)
}

pub(super) fn text_of(control: HWND) -> String {
    // SAFETY: the control is ours, and the buffer is as long as said.
    unsafe {
        let length = usize::try_from(GetWindowTextLengthW(control)).unwrap_or(0);
        let mut buffer = vec![0_u16; length + 1];
        let length = GetWindowTextW(control, buffer.as_mut_ptr(), buffer.len() as i32);
        String::from_utf16_lossy(&buffer[..usize::try_from(length).unwrap_or(0)])
    }
}
