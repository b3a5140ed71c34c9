//! Mouse and keyboard through `SendInput`.

use std::collections::BTreeSet;
use std::sync::Arc;

use gc_model::input::{InputEvent, KeyInput, MouseButton};
use gc_platform::{Input, PlatformError};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{
    INPUT, INPUT_0, INPUT_KEYBOARD, INPUT_MOUSE, KEYBDINPUT, KEYEVENTF_EXTENDEDKEY,
    KEYEVENTF_KEYUP, KEYEVENTF_SCANCODE, KEYEVENTF_UNICODE, MOUSEEVENTF_ABSOLUTE,
    MOUSEEVENTF_HWHEEL, MOUSEEVENTF_LEFTDOWN, MOUSEEVENTF_LEFTUP, MOUSEEVENTF_MIDDLEDOWN,
    MOUSEEVENTF_MIDDLEUP, MOUSEEVENTF_MOVE, MOUSEEVENTF_RIGHTDOWN, MOUSEEVENTF_RIGHTUP,
    MOUSEEVENTF_VIRTUALDESK, MOUSEEVENTF_WHEEL, MOUSEEVENTF_XDOWN, MOUSEEVENTF_XUP, MOUSEINPUT,
    SendInput, VIRTUAL_KEY, VK_LBUTTON, VK_MBUTTON, VK_RBUTTON, VK_XBUTTON1, VK_XBUTTON2,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    GetSystemMetrics, SM_SWAPBUTTON, XBUTTON1, XBUTTON2,
};

use super::displays::virtual_screen;
use super::events::Captures;
use super::input_desktop::{Followed, ThreadDesktop};
use super::keyboard::{ForegroundLayout, keys_down, modifiers, scan_code};
use super::os::last_error;
use super::secure_attention;
use crate::keystrokes::{Keystrokes, Stroke};

/// Mouse and keyboard of the desktop that shows. What is down when it is dropped is released.
pub(crate) struct SendInputDevice {
    captures: Arc<Captures>,
    desktop: ThreadDesktop,
    keys: Keystrokes,
    buttons: BTreeSet<MouseButton>,
}

impl SendInputDevice {
    pub(crate) fn new(captures: Arc<Captures>) -> Self {
        Self {
            captures,
            desktop: ThreadDesktop::default(),
            keys: Keystrokes::new(),
            buttons: BTreeSet::new(),
        }
    }

    /// Releases every key and button that the system says is down; how many there were.
    pub(crate) fn release_leftovers(&mut self) -> Result<usize, PlatformError> {
        self.desktop.follow()?;
        let down = keys_down();
        let inputs: Vec<INPUT> = down.iter().map(|&key| release_of(key)).collect();
        self.send(&inputs)?;
        Ok(inputs.len())
    }

    fn key(&mut self, key: &KeyInput) -> Result<(), PlatformError> {
        let strokes = self
            .keys
            .strokes(key, modifiers(), &ForegroundLayout::current());
        self.send_strokes(&strokes)
    }

    fn send_strokes(&mut self, strokes: &[Stroke]) -> Result<(), PlatformError> {
        let inputs: Vec<INPUT> = strokes.iter().copied().map(stroke_input).collect();
        self.send(&inputs)
    }

    fn send(&mut self, inputs: &[INPUT]) -> Result<(), PlatformError> {
        if inputs.is_empty() {
            return Ok(());
        }
        let sent = send_input(inputs);
        if sent == inputs.len() {
            return Ok(());
        }
        // Refused as a whole while another desktop shows than the one this thread is on.
        let error = last_error("SendInput");
        match self.desktop.follow()? {
            Followed::Switched if send_input(&inputs[sent..]) == inputs.len() - sent => Ok(()),
            Followed::Refused => Err(PlatformError::Denied("input on the desktop that shows now")),
            Followed::Switched | Followed::Already => Err(error),
        }
    }
}

impl Input for SendInputDevice {
    fn inject(&mut self, event: &InputEvent) -> Result<(), PlatformError> {
        match event {
            InputEvent::PointerMove { x, y } => {
                let (x, y) = virtual_screen()?.absolute(*x, *y);
                self.send(&[mouse_input(
                    x,
                    y,
                    0,
                    MOUSEEVENTF_MOVE | MOUSEEVENTF_ABSOLUTE | MOUSEEVENTF_VIRTUALDESK,
                )])?;
            }
            InputEvent::Button { button, down } => {
                if *down {
                    self.buttons.insert(*button);
                } else {
                    self.buttons.remove(button);
                }
                self.send(&[button_input(*button, *down)])?;
            }
            InputEvent::Wheel { x, y } => {
                // Windows counts the vertical wheel upwards.
                let wheels = [(x, 1, MOUSEEVENTF_HWHEEL), (y, -1, MOUSEEVENTF_WHEEL)];
                let turned = wheels.iter().filter(|(distance, ..)| **distance != 0);
                let inputs: Vec<INPUT> = turned
                    .map(|(distance, sign, flag)| {
                        mouse_input(0, 0, distance.saturating_mul(*sign), *flag)
                    })
                    .collect();
                self.send(&inputs)?;
            }
            InputEvent::Key(key) => self.key(key)?,
            InputEvent::SecureAttention => secure_attention::send()?,
        }
        self.captures.tell_input();
        Ok(())
    }
}

impl Drop for SendInputDevice {
    fn drop(&mut self) {
        let strokes = self.keys.release_all();
        let buttons: Vec<INPUT> = std::mem::take(&mut self.buttons)
            .into_iter()
            .map(|button| button_input(button, false))
            .collect();
        // Nobody is left to be told of a failure.
        let _ = self.send_strokes(&strokes);
        let _ = self.send(&buttons);
        self.captures.tell_input();
    }
}

/// How many of `inputs` the system took.
fn send_input(inputs: &[INPUT]) -> usize {
    // SAFETY: as many structures of the size as said.
    unsafe {
        SendInput(
            inputs.len() as u32,
            inputs.as_ptr(),
            size_of::<INPUT>() as i32,
        ) as usize
    }
}

/// The release of a key or button by its virtual key.
fn release_of(key: VIRTUAL_KEY) -> INPUT {
    let button = |flag, data| mouse_input(0, 0, data, flag);
    match key {
        VK_LBUTTON | VK_RBUTTON => {
            // GetAsyncKeyState names the physical button, and so does SendInput.
            button(
                if key == VK_LBUTTON {
                    MOUSEEVENTF_LEFTUP
                } else {
                    MOUSEEVENTF_RIGHTUP
                },
                0,
            )
        }
        VK_MBUTTON => button(MOUSEEVENTF_MIDDLEUP, 0),
        VK_XBUTTON1 => button(MOUSEEVENTF_XUP, i32::from(XBUTTON1)),
        VK_XBUTTON2 => button(MOUSEEVENTF_XUP, i32::from(XBUTTON2)),
        _ => {
            let (code, extended) = scan_code(key);
            stroke_input(Stroke::Virtual {
                key,
                code,
                extended,
                down: false,
            })
        }
    }
}

fn mouse_input(dx: i32, dy: i32, data: i32, flags: u32) -> INPUT {
    let mi = MOUSEINPUT {
        dx,
        dy,
        mouseData: data.cast_unsigned(),
        dwFlags: flags,
        time: 0,
        dwExtraInfo: 0,
    };
    INPUT {
        r#type: INPUT_MOUSE,
        Anonymous: INPUT_0 { mi },
    }
}

fn button_input(button: MouseButton, down: bool) -> INPUT {
    // SAFETY: takes a number. For left-handed people Windows swaps what SendInput presses.
    let is_swapped = unsafe { GetSystemMetrics(SM_SWAPBUTTON) } != 0;
    let button = match button {
        MouseButton::Left if is_swapped => MouseButton::Right,
        MouseButton::Right if is_swapped => MouseButton::Left,
        other => other,
    };
    let (pressed, released, data) = match button {
        MouseButton::Left => (MOUSEEVENTF_LEFTDOWN, MOUSEEVENTF_LEFTUP, 0),
        MouseButton::Right => (MOUSEEVENTF_RIGHTDOWN, MOUSEEVENTF_RIGHTUP, 0),
        MouseButton::Middle => (MOUSEEVENTF_MIDDLEDOWN, MOUSEEVENTF_MIDDLEUP, 0),
        MouseButton::Back => (MOUSEEVENTF_XDOWN, MOUSEEVENTF_XUP, i32::from(XBUTTON1)),
        MouseButton::Forward => (MOUSEEVENTF_XDOWN, MOUSEEVENTF_XUP, i32::from(XBUTTON2)),
    };
    mouse_input(0, 0, data, if down { pressed } else { released })
}

fn stroke_input(stroke: Stroke) -> INPUT {
    let extended = |extended| if extended { KEYEVENTF_EXTENDEDKEY } else { 0 };
    let released = |down| if down { 0 } else { KEYEVENTF_KEYUP };
    let (key, code, flags) = match stroke {
        Stroke::Scan {
            code,
            extended: e0,
            virtual_key,
            down,
        } => (
            virtual_key,
            code,
            KEYEVENTF_SCANCODE | extended(e0) | released(down),
        ),
        Stroke::Virtual {
            key,
            code,
            extended: e0,
            down,
        } => (key, code, extended(e0) | released(down)),
        Stroke::Unicode { unit, down } => (0, unit, KEYEVENTF_UNICODE | released(down)),
    };
    let ki = KEYBDINPUT {
        wVk: key,
        wScan: code,
        dwFlags: flags,
        time: 0,
        dwExtraInfo: 0,
    };
    INPUT {
        r#type: INPUT_KEYBOARD,
        Anonymous: INPUT_0 { ki },
    }
}
