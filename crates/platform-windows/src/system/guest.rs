//! The window of an attended session, made of Windows' own controls, so that
//! keyboard, magnifiers and readers of screens work as everywhere. Colours and
//! places are ours ([`crate::guest_layout`]).
//!
//! Everything here happens on the thread that opened the window.

mod face;

use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use gc_platform::PlatformError;
use gc_platform::guest::{GuestEvent, GuestWindow, MAX_TYPED_CHARS, Page, Shape};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ALREADY_EXISTS, GetLastError, HANDLE, HWND, RECT,
};
use windows_sys::Win32::Graphics::Gdi::InvalidateRect;
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::SystemServices::{
    SS_EDITCONTROL, SS_ENDELLIPSIS, SS_LEFT, SS_NOPREFIX,
};
use windows_sys::Win32::System::Threading::CreateMutexW;
use windows_sys::Win32::UI::Controls::{EM_LIMITTEXT, EM_SCROLLCARET, EM_SETSEL};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{
    GetFocus, GetKeyState, SetFocus, VK_RETURN, VK_SHIFT, VK_TAB,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    BS_OWNERDRAW, CreateWindowExW, DestroyWindow, DispatchMessageW, ES_AUTOHSCROLL, ES_AUTOVSCROLL,
    ES_MULTILINE, ES_READONLY, FLASHW_ALL, FLASHWINFO, FlashWindowEx, GWLP_USERDATA, GetClientRect,
    GetNextDlgTabItem, GetWindowRect, HMENU, HWND_TOPMOST, IsIconic, IsWindowVisible, MSG,
    MWMO_INPUTAVAILABLE, MoveWindow, MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW,
    QS_ALLINPUT, SPI_GETWORKAREA, SW_RESTORE, SW_SHOW, SW_SHOWNOACTIVATE, SWP_NOACTIVATE,
    SWP_NOMOVE, SWP_NOSIZE, SendMessageW, SetForegroundWindow, SetWindowLongPtrW, SetWindowPos,
    SetWindowTextW, ShowWindow, SystemParametersInfoW, TranslateMessage, WM_KEYDOWN, WM_SETFONT,
    WS_BORDER, WS_CAPTION, WS_CHILD, WS_CLIPCHILDREN, WS_EX_APPWINDOW, WS_EX_CLIENTEDGE,
    WS_EX_CONTROLPARENT, WS_EX_TOPMOST, WS_POPUP, WS_SYSMENU, WS_TABSTOP, WS_VISIBLE, WS_VSCROLL,
};

use self::face::{
    CLASS, FIRST_BUTTON, Face, Fonts, QUIET, STRONG, register_class, text_of, window_dpi,
};
use super::os::{last_error, wide};
use crate::guest_layout::{Control, Kind, Layout, Place, Style, lay_out};

/// The bar is put in front of everything again this often.
const FRONT_INTERVAL: Duration = Duration::from_secs(1);

/// In pixels, before the window has its size: large enough for a whole frame.
const FIRST_SIZE: i32 = 400;

/// Title of the window.
const TITLE: &str = "GuruConnect support";

/// Held by the program whose window is on this desktop.
const FIRST: &str = r"Local\GuruConnectGuest";

/// The window.
pub(crate) struct WindowsGuestWindow {
    /// Held while the program lives; null when another one has it.
    first: HANDLE,
    window: Option<(HWND, Shape)>,
    controls: Vec<(Control, HWND)>,
    shown: Page,
    front_at: Instant,
    /// What the window's procedure works with; it has a pointer to it.
    face: Box<Face>,
}

// SAFETY: one thread uses it: the seam's promise. The pointer in the window goes to a Box, which does not move.
unsafe impl Send for WindowsGuestWindow {}

impl WindowsGuestWindow {
    pub(crate) fn open() -> Result<Self, PlatformError> {
        let name = wide(FIRST);
        // SAFETY: the name ends with a zero and outlives the call.
        let (mutex, held) = unsafe {
            let mutex = CreateMutexW(null(), 0, name.as_ptr());
            (mutex, GetLastError() == ERROR_ALREADY_EXISTS)
        };
        if held && !mutex.is_null() {
            // SAFETY: the handle is ours and used no more.
            unsafe { CloseHandle(mutex) };
        }
        register_class()?;
        Ok(Self {
            first: if held { null_mut() } else { mutex },
            window: None,
            controls: Vec::new(),
            shown: Page::default(),
            front_at: Instant::now(),
            face: Box::new(Face::new()?),
        })
    }

    /// The window of this shape, made anew when it had another.
    fn window(&mut self, shape: Shape) -> Result<HWND, PlatformError> {
        if let Some((window, old)) = self.window {
            if old == shape {
                return Ok(window);
            }
            self.remove_controls();
            self.window = None;
            // SAFETY: the window is ours, made on this thread.
            unsafe { DestroyWindow(window) };
        }
        let (class, title) = (wide(CLASS), wide(TITLE));
        let style = match shape {
            Shape::Dialog => WS_POPUP | WS_CAPTION | WS_SYSMENU,
            Shape::Bar => WS_POPUP | WS_BORDER,
        };
        // SAFETY: the names end with a zero and outlive the call.
        let window = unsafe {
            CreateWindowExW(
                WS_EX_TOPMOST | WS_EX_CONTROLPARENT | WS_EX_APPWINDOW,
                class.as_ptr(),
                title.as_ptr(),
                style | WS_CLIPCHILDREN,
                0,
                0,
                FIRST_SIZE,
                FIRST_SIZE,
                null_mut(),
                null_mut(),
                GetModuleHandleW(null()),
                null(),
            )
        };
        if window.is_null() {
            return Err(last_error("CreateWindowEx"));
        }
        // SAFETY: the face is boxed and outlives the window, which `drop` destroys first.
        unsafe { SetWindowLongPtrW(window, GWLP_USERDATA, (&raw const *self.face) as _) };
        self.window = Some((window, shape));
        Ok(window)
    }

    fn draw(&mut self, page: &Page, anew: bool) -> Result<(), PlatformError> {
        let window = self.window(page.shape)?;
        let dpi = window_dpi(window);
        if self.face.fonts.borrow().dpi != dpi {
            // The old letters are let go when no control has them any more.
            let fonts = Fonts::new(dpi)?;
            let old = self.face.fonts.replace(fonts);
            self.remove_controls();
            drop(old);
        }
        let layout = lay_out(page, &*self.face.fonts.borrow(), dpi);
        let buttons = page.buttons.iter();
        let buttons = buttons.map(|button| (button.action, button.strong));
        self.face.buttons.replace(buttons.collect());
        self.face.strip.set(layout.strip);
        let kinds = layout.controls.iter().map(|control| control.kind);
        let same = self
            .controls
            .iter()
            .map(|(control, _)| control.kind)
            .eq(kinds);
        let draft = self.draft();
        if anew || !same {
            self.remove_controls();
        }
        self.place(window, &layout);
        self.fill(window, &layout)?;
        if let (Some(draft), Some(field)) = (draft, self.field())
            && (anew || !same)
            && !draft.is_empty()
        {
            set_text(field, &draft);
            show_end(field);
        }
        Ok(())
    }

    /// Puts the window where it belongs, in front of everything.
    fn place(&self, window: HWND, layout: &Layout) {
        let (mut outer, mut inner, mut work) = (RECT::default(), RECT::default(), RECT::default());
        // SAFETY: the window is ours, and the rectangles have their places.
        unsafe {
            GetWindowRect(window, &raw mut outer);
            GetClientRect(window, &raw mut inner);
            SystemParametersInfoW(SPI_GETWORKAREA, 0, (&raw mut work).cast(), 0);
        }
        let frame = |outer: i32, inner: i32| (outer - inner).max(0);
        let width = layout.width + frame(outer.right - outer.left, inner.right);
        let height = layout.height + frame(outer.bottom - outer.top, inner.bottom);
        let x = work.left + ((work.right - work.left - width) / 2).max(0);
        let y = match self.shown.shape {
            Shape::Dialog => work.top + ((work.bottom - work.top - height) / 3).max(0),
            Shape::Bar => work.top,
        };
        // SAFETY: as above.
        unsafe { SetWindowPos(window, HWND_TOPMOST, x, y, width, height, SWP_NOACTIVATE) };
    }

    /// Makes the controls, or gives those that are there their new texts and places.
    fn fill(&mut self, window: HWND, layout: &Layout) -> Result<(), PlatformError> {
        for (index, wanted) in layout.controls.iter().enumerate() {
            let Some((control, handle)) = self.controls.get_mut(index) else {
                let handle = self.make(window, wanted)?;
                self.controls.push((wanted.clone(), handle));
                continue;
            };
            if control.text != wanted.text && wanted.kind != Kind::Field {
                set_text(*handle, &wanted.text);
                if wanted.kind == Kind::Log {
                    show_end(*handle);
                }
            }
            if control.place != wanted.place {
                let Place {
                    x,
                    y,
                    width,
                    height,
                } = wanted.place;
                // SAFETY: the control is ours.
                unsafe { MoveWindow(*handle, x, y, width, height, 1) };
            }
            *control = wanted.clone();
        }
        // SAFETY: the window is ours.
        unsafe { InvalidateRect(window, null(), 1) };
        Ok(())
    }

    fn make(&self, window: HWND, control: &Control) -> Result<HWND, PlatformError> {
        let (class, style, edge, id, font) = match control.kind {
            Kind::Text { style, single, .. } => {
                let lines = if single {
                    SS_ENDELLIPSIS
                } else {
                    SS_EDITCONTROL
                };
                ("STATIC", SS_LEFT | SS_NOPREFIX | lines, 0, 0, style)
            }
            Kind::Log => {
                let style = (ES_MULTILINE | ES_READONLY | ES_AUTOVSCROLL) as u32 | WS_VSCROLL;
                ("EDIT", style, WS_EX_CLIENTEDGE, 0, Style::Text)
            }
            Kind::Field => {
                let style = ES_AUTOHSCROLL as u32 | WS_TABSTOP;
                ("EDIT", style, WS_EX_CLIENTEDGE, 0, Style::Text)
            }
            Kind::Button(index) => {
                let id = FIRST_BUTTON + index as i32;
                (
                    "BUTTON",
                    BS_OWNERDRAW as u32 | WS_TABSTOP,
                    0,
                    id,
                    Style::Text,
                )
            }
        };
        let (class, text) = (wide(class), wide(&control.text));
        let Place {
            x,
            y,
            width,
            height,
        } = control.place;
        // SAFETY: the texts end with a zero and outlive the call; the parent is ours.
        let handle = unsafe {
            CreateWindowExW(
                edge,
                class.as_ptr(),
                text.as_ptr(),
                WS_CHILD | WS_VISIBLE | style,
                x,
                y,
                width,
                height,
                window,
                id as usize as HMENU,
                GetModuleHandleW(null()),
                null(),
            )
        };
        if handle.is_null() {
            return Err(last_error("CreateWindowEx"));
        }
        let colour = match control.kind {
            Kind::Text { quiet: true, .. } => Some(QUIET),
            Kind::Text {
                style: Style::Words,
                ..
            } => Some(STRONG),
            _ => None,
        };
        if let Some(colour) = colour {
            self.face.coloured.borrow_mut().push((handle, colour));
        }
        // With its letters it draws itself, in its colour.
        let fonts = self.face.fonts.borrow();
        // SAFETY: the control is ours; the font lives until no control has it.
        unsafe { SendMessageW(handle, WM_SETFONT, fonts.of(font).handle() as usize, 1) };
        match control.kind {
            Kind::Log => show_end(handle),
            Kind::Field => {
                // SAFETY: the control is ours; the message takes a number.
                unsafe { SendMessageW(handle, EM_LIMITTEXT, MAX_TYPED_CHARS, 0) };
            }
            _ => {}
        }
        Ok(handle)
    }

    fn remove_controls(&mut self) {
        self.face.coloured.borrow_mut().clear();
        for (_, handle) in self.controls.drain(..) {
            // SAFETY: the control is ours, made on this thread.
            unsafe { DestroyWindow(handle) };
        }
    }

    fn field(&self) -> Option<HWND> {
        let mut all = self.controls.iter();
        let field = all.find(|(control, _)| control.kind == Kind::Field);
        field.map(|(_, handle)| *handle)
    }

    /// What is being typed.
    fn draft(&self) -> Option<String> {
        self.field().map(text_of)
    }

    /// Something new to read: in front, with the keyboard.
    fn come_to_the_front(&self, typing: bool) {
        let Some((window, shape)) = self.window else {
            return;
        };
        // SAFETY: the window and the field are ours.
        unsafe {
            if shape == Shape::Bar && !typing {
                // The bar leaves the keyboard to whatever the person works with.
                ShowWindow(window, SW_SHOWNOACTIVATE);
                return;
            }
            ShowWindow(window, SW_SHOW);
            if SetForegroundWindow(window) == 0 {
                let flash = FLASHWINFO {
                    cbSize: size_of::<FLASHWINFO>() as u32,
                    hwnd: window,
                    dwFlags: FLASHW_ALL,
                    uCount: 3,
                    dwTimeout: 0,
                };
                FlashWindowEx(&raw const flash);
            }
            // No button has the keyboard: Enter answers nothing by accident.
            SetFocus(self.field().unwrap_or(window));
        }
    }

    /// Nobody else puts the window away or something in front of the bar.
    fn stay_in_front(&mut self) {
        let Some((window, shape)) = self.window else {
            return;
        };
        if self.front_at.elapsed() < FRONT_INTERVAL {
            return;
        }
        self.front_at = Instant::now();
        // SAFETY: the window is ours.
        unsafe {
            if IsIconic(window) != 0 {
                ShowWindow(window, SW_RESTORE);
            } else if IsWindowVisible(window) == 0 {
                ShowWindow(window, SW_SHOWNOACTIVATE);
            }
            if shape == Shape::Bar {
                let keep = SWP_NOMOVE | SWP_NOSIZE | SWP_NOACTIVATE;
                SetWindowPos(window, HWND_TOPMOST, 0, 0, 0, 0, keep);
            }
        }
    }

    /// Keys that mean the same on every page. True when the key is dealt with.
    fn handle_key(&mut self, message: &MSG) -> bool {
        let Some((window, _)) = self.window else {
            return false;
        };
        // SAFETY: takes nothing.
        let focus = unsafe { GetFocus() };
        match message.wParam as u16 {
            VK_TAB => {
                // SAFETY: both are windows of this thread, or the window itself, for which null stands.
                unsafe {
                    let back = GetKeyState(i32::from(VK_SHIFT)) < 0;
                    let from = if focus == window { null_mut() } else { focus };
                    let next = GetNextDlgTabItem(window, from, back.into());
                    if !next.is_null() {
                        SetFocus(next);
                    }
                }
                true
            }
            VK_RETURN if self.field() == Some(focus) => {
                let text = text_of(focus);
                let text: String = text.trim().chars().take(MAX_TYPED_CHARS).collect();
                if !text.is_empty() {
                    set_text(focus, "");
                    self.face
                        .events
                        .borrow_mut()
                        .push_back(GuestEvent::Typed(text));
                }
                true
            }
            VK_RETURN => {
                let mut all = self.controls.iter();
                let focused = all.find(|(_, handle)| *handle == focus);
                if let Some((Kind::Button(index), _)) =
                    focused.map(|(control, handle)| (control.kind, handle))
                {
                    self.face.press(index);
                }
                true
            }
            _ => false,
        }
    }

    fn handle_messages(&mut self) {
        let mut message = MSG::default();
        // SAFETY: the message has its place; only this thread's are taken.
        while unsafe { PeekMessageW(&raw mut message, null_mut(), 0, 0, PM_REMOVE) } != 0 {
            if message.message == WM_KEYDOWN && self.handle_key(&message) {
                continue;
            }
            // SAFETY: the message is the system's own.
            unsafe {
                TranslateMessage(&raw const message);
                DispatchMessageW(&raw const message);
            }
        }
    }
}

impl GuestWindow for WindowsGuestWindow {
    fn is_first(&self) -> bool {
        !self.first.is_null()
    }

    fn show(&mut self, page: &Page) -> Result<(), PlatformError> {
        let restless = self.face.restless.replace(false);
        if *page == self.shown && self.window.is_some() && !restless {
            return Ok(());
        }
        let anew = page.asks() != self.shown.asks() || self.window.is_none();
        let opens_chat = page.chat.is_some() && (self.shown.chat.is_none() || anew);
        if anew {
            self.face.shown_at.set(Instant::now());
        }
        self.shown = page.clone();
        self.draw(page, anew)?;
        if anew || opens_chat {
            self.come_to_the_front(opens_chat);
        }
        Ok(())
    }

    fn wait(&mut self, timeout: Duration) -> Result<Option<GuestEvent>, PlatformError> {
        let end = Instant::now() + timeout;
        loop {
            self.handle_messages();
            if let Some(event) = self.face.events.borrow_mut().pop_front() {
                return Ok(Some(event));
            }
            if self.face.restless.get() {
                let page = self.shown.clone();
                self.show(&page)?;
            }
            self.stay_in_front();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let millis = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1);
            // SAFETY: no handles are given; the thread's messages end the wait.
            unsafe {
                MsgWaitForMultipleObjectsEx(0, null(), millis, QS_ALLINPUT, MWMO_INPUTAVAILABLE)
            };
        }
    }
}

impl Drop for WindowsGuestWindow {
    fn drop(&mut self) {
        // SAFETY: window and mutex are ours; the controls go with the window, before fonts and brushes.
        unsafe {
            if let Some((window, _)) = self.window {
                SetWindowLongPtrW(window, GWLP_USERDATA, 0);
                DestroyWindow(window);
            }
            if !self.first.is_null() {
                CloseHandle(self.first);
            }
        }
    }
}

fn set_text(control: HWND, text: &str) {
    let text = wide(text);
    // SAFETY: the text ends with a zero and outlives the call; the control is ours.
    unsafe { SetWindowTextW(control, text.as_ptr()) };
}

/// Shows the end of a text that is longer than its place.
fn show_end(edit: HWND) {
    let end = i32::MAX;
    // SAFETY: the control is ours; the messages take numbers.
    unsafe {
        SendMessageW(edit, EM_SETSEL, end as usize, end as isize);
        SendMessageW(edit, EM_SCROLLCARET, 0, 0);
    }
}
