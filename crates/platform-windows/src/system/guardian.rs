//! Blocks the machine's own mouse and keyboard with low-level hooks, which tell
//! a hand's input from a program's, and darkens its screens with a window that
//! captures leave out. Both end with their thread, and so with the process.

use std::ptr::{null, null_mut};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use gc_platform::{Guardian, Guards, PlatformError};
use windows_sys::Win32::Foundation::{HINSTANCE, HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{BLACK_BRUSH, GetStockObject};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CallNextHookEx, CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, GetMessageW,
    HC_ACTION, HHOOK, HWND_TOPMOST, KBDLLHOOKSTRUCT, LLKHF_INJECTED, LLMHF_INJECTED, LWA_ALPHA,
    MSG, MSLLHOOKSTRUCT, PM_NOREMOVE, PeekMessageW, PostThreadMessageW, RegisterClassW,
    SWP_NOACTIVATE, SWP_SHOWWINDOW, SetLayeredWindowAttributes, SetTimer, SetWindowPos,
    SetWindowsHookExW, UnhookWindowsHookEx, WH_KEYBOARD_LL, WH_MOUSE_LL, WM_QUIT, WM_TIMER,
    WNDCLASSW, WS_EX_LAYERED, WS_EX_NOACTIVATE, WS_EX_TOOLWINDOW, WS_EX_TOPMOST, WS_EX_TRANSPARENT,
    WS_POPUP,
};
use windows_sys::core::BOOL;

use super::displays::virtual_screen;
use super::os::{Function, Version, is_wine, last_error, loaded_function, wide};

/// 250 ms: how soon a dark screen is in front again of what came in front of it.
const RAISE_MS: u32 = 250;

/// `WDA_EXCLUDEFROMCAPTURE`: the window is on the screen and in no picture of it.
const EXCLUDE_FROM_CAPTURE: u32 = 0x11;

/// What this Windows can keep from the person at the machine.
pub(crate) fn guards() -> Guards {
    Guards {
        block_input: true,
        blank_screen: Version::current() >= Version::WINDOWS_10_2004 && !is_wine(),
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct WindowsGuardian {
    thread: Option<GuardThread>,
}

impl Guardian for WindowsGuardian {
    fn set(&mut self, wanted: Guards) -> Result<(), PlatformError> {
        self.thread = None;
        if wanted.blank_screen && !guards().blank_screen {
            return Err(PlatformError::Unsupported(
                "blanking the screen (before Windows 10 version 2004)",
            ));
        }
        if wanted != Guards::default() {
            self.thread = Some(GuardThread::start(wanted)?);
        }
        Ok(())
    }
}

/// The thread that hooks and the window belong to.
#[derive(Debug)]
struct GuardThread {
    id: u32,
    thread: Option<JoinHandle<()>>,
}

impl GuardThread {
    fn start(wanted: Guards) -> Result<Self, PlatformError> {
        let (tell, told) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("guard".to_owned())
            .spawn(move || match Kept::new(wanted) {
                Ok(kept) => {
                    // SAFETY: takes nothing.
                    let _starter_gone = tell.send(Ok(unsafe { GetCurrentThreadId() }));
                    kept.until_told_to_end();
                }
                Err(error) => {
                    let _starter_gone = tell.send(Err(error));
                }
            })
            .map_err(|source| PlatformError::Os {
                call: "CreateThread",
                source,
            })?;
        let id = told
            .recv()
            .unwrap_or(Err(PlatformError::Gone("the guarding thread")))?;
        Ok(Self {
            id,
            thread: Some(thread),
        })
    }
}

impl Drop for GuardThread {
    fn drop(&mut self) {
        // SAFETY: takes numbers. The thread had its queue before it said its number.
        unsafe { PostThreadMessageW(self.id, WM_QUIT, 0, 0) };
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// What is kept from the person, for as long as this lives on its thread.
struct Kept {
    hooks: Vec<Hook>,
    darkness: Option<Darkness>,
}

impl Kept {
    fn new(wanted: Guards) -> Result<Self, PlatformError> {
        let mut message = MSG::default();
        // SAFETY: the structure is ours. This makes the thread's queue.
        unsafe { PeekMessageW(&raw mut message, null_mut(), 0, 0, PM_NOREMOVE) };
        let hooks = if wanted.block_input {
            vec![
                Hook::new(WH_KEYBOARD_LL, keep_keys)?,
                Hook::new(WH_MOUSE_LL, keep_mouse)?,
            ]
        } else {
            Vec::new()
        };
        let darkness = wanted.blank_screen.then(Darkness::new).transpose()?;
        Ok(Self { hooks, darkness })
    }

    /// Windows calls hooks and windows only while their thread takes messages.
    fn until_told_to_end(self) {
        let mut message = MSG::default();
        // SAFETY: the structure is ours.
        while unsafe { GetMessageW(&raw mut message, null_mut(), 0, 0) } > 0 {
            if message.message == WM_TIMER
                && let Some(darkness) = &self.darkness
            {
                darkness.raise();
            }
            // SAFETY: what the system gave us.
            unsafe { DispatchMessageW(&raw const message) };
        }
        drop(self.hooks);
    }
}

type HookProcedure = unsafe extern "system" fn(i32, WPARAM, LPARAM) -> LRESULT;

struct Hook(HHOOK);

impl Hook {
    fn new(kind: i32, procedure: HookProcedure) -> Result<Self, PlatformError> {
        // SAFETY: the procedure has the signature of its kind, and is part of this program.
        let hook = unsafe { SetWindowsHookExW(kind, Some(procedure), own_module(), 0) };
        if hook.is_null() {
            Err(last_error("SetWindowsHookEx"))
        } else {
            Ok(Self(hook))
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody else takes it away.
        unsafe { UnhookWindowsHookEx(self.0) };
    }
}

/// Swallows the event.
const KEPT: LRESULT = 1;

unsafe extern "system" fn keep_keys(code: i32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: with this code Windows passes a structure of this kind.
    let is_by_hand = code == HC_ACTION as i32
        && unsafe { (*(lparam as *const KBDLLHOOKSTRUCT)).flags & LLKHF_INJECTED == 0 };
    if is_by_hand {
        return KEPT;
    }
    // SAFETY: the arguments are the system's own; the first is not used any more.
    unsafe { CallNextHookEx(null_mut(), code, wparam, lparam) }
}

unsafe extern "system" fn keep_mouse(code: i32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
    // SAFETY: with this code Windows passes a structure of this kind.
    let is_by_hand = code == HC_ACTION as i32
        && unsafe { (*(lparam as *const MSLLHOOKSTRUCT)).flags & LLMHF_INJECTED == 0 };
    if is_by_hand {
        return KEPT;
    }
    // SAFETY: the arguments are the system's own; the first is not used any more.
    unsafe { CallNextHookEx(null_mut(), code, wparam, lparam) }
}

/// A black window over all monitors that lets clicks through.
struct Darkness(HWND);

impl Darkness {
    fn new() -> Result<Self, PlatformError> {
        let name = wide("GuruConnectDarkness");
        // SAFETY: the names end with a zero and outlive the calls; the procedure is the
        // system's own; the window belongs to this thread, which takes its messages.
        let window = unsafe {
            let class = WNDCLASSW {
                lpfnWndProc: Some(DefWindowProcW),
                hInstance: own_module(),
                lpszClassName: name.as_ptr(),
                hbrBackground: GetStockObject(BLACK_BRUSH),
                ..Default::default()
            };
            // Fails when it is registered already.
            RegisterClassW(&raw const class);
            CreateWindowExW(
                WS_EX_TOPMOST
                    | WS_EX_LAYERED
                    | WS_EX_TRANSPARENT
                    | WS_EX_NOACTIVATE
                    | WS_EX_TOOLWINDOW,
                name.as_ptr(),
                null(),
                WS_POPUP,
                0,
                0,
                0,
                0,
                null_mut(),
                null_mut(),
                own_module(),
                null(),
            )
        };
        if window.is_null() {
            return Err(last_error("CreateWindowEx"));
        }
        let darkness = Self(window);
        // Before it is seen: what captures cannot leave out must never be shown.
        darkness.leave_out_of_pictures()?;
        // SAFETY: the window is ours.
        unsafe {
            SetLayeredWindowAttributes(window, 0, u8::MAX, LWA_ALPHA);
            SetTimer(window, 1, RAISE_MS, None);
        }
        darkness.raise();
        Ok(darkness)
    }

    fn leave_out_of_pictures(&self) -> Result<(), PlatformError> {
        let function = loaded_function("user32.dll", c"SetWindowDisplayAffinity")
            .ok_or(PlatformError::Unsupported("blanking the screen"))?;
        // SAFETY: the documented signature of SetWindowDisplayAffinity.
        let set = unsafe {
            std::mem::transmute::<Function, unsafe extern "system" fn(HWND, u32) -> BOOL>(function)
        };
        // SAFETY: the window is ours.
        if unsafe { set(self.0, EXCLUDE_FROM_CAPTURE) } == 0 {
            return Err(last_error("SetWindowDisplayAffinity"));
        }
        Ok(())
    }

    /// In front of everything, over all monitors as they are now.
    fn raise(&self) {
        let Ok(screen) = virtual_screen() else {
            return;
        };
        let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
        // SAFETY: the window is ours.
        unsafe {
            SetWindowPos(
                self.0,
                HWND_TOPMOST,
                screen.left(),
                screen.top(),
                side(screen.size().width()),
                side(screen.size().height()),
                SWP_NOACTIVATE | SWP_SHOWWINDOW,
            );
        }
    }
}

impl Drop for Darkness {
    fn drop(&mut self) {
        // SAFETY: ours, on its own thread.
        unsafe { DestroyWindow(self.0) };
    }
}

fn own_module() -> HINSTANCE {
    // SAFETY: no name stands for this program.
    unsafe { GetModuleHandleW(null()) }
}
