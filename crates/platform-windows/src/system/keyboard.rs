//! The keyboard's layout and state, as the program in front sees them.

use std::ptr::null_mut;

use windows_sys::Win32::UI::Input::KeyboardAndMouse::{
    GetAsyncKeyState, GetKeyState, GetKeyboardLayout, HKL, MAPVK_VK_TO_CHAR, MAPVK_VK_TO_VSC_EX,
    MAPVK_VSC_TO_VK_EX, MapVirtualKeyExW, ToUnicodeEx, VIRTUAL_KEY, VK_CAPITAL, VK_CONTROL,
    VK_DIVIDE, VK_LBUTTON, VK_LCONTROL, VK_LMENU, VK_LWIN, VK_MENU, VK_MULTIPLY, VK_NUMLOCK,
    VK_RCONTROL, VK_RMENU, VK_RWIN, VK_SHIFT, VK_SPACE, VkKeyScanExW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{GetForegroundWindow, GetWindowThreadProcessId};

use super::os::Version;
use crate::keystrokes::{Layout, Modifiers};

/// Modifiers that are down now, by the hand of the person at the machine or ours.
pub(crate) fn modifiers() -> Modifiers {
    let is_down = |key: VIRTUAL_KEY| {
        // SAFETY: takes a number. The sign bit says that the key is down.
        unsafe { GetAsyncKeyState(i32::from(key)) < 0 }
    };
    let is_on = |key: VIRTUAL_KEY| {
        // SAFETY: takes a number. The lowest bit says that the lock is on.
        unsafe { GetKeyState(i32::from(key)) & 1 != 0 }
    };
    Modifiers {
        shift: is_down(VK_SHIFT),
        control_left: is_down(VK_LCONTROL),
        control_right: is_down(VK_RCONTROL),
        alt_left: is_down(VK_LMENU),
        alt_right: is_down(VK_RMENU),
        meta: is_down(VK_LWIN) || is_down(VK_RWIN),
        caps_lock: is_on(VK_CAPITAL),
        num_lock: is_on(VK_NUMLOCK),
    }
}

/// Every key and button that is down now, by its virtual key. Of Shift, Control and Alt
/// the left and the right one each, not the names for either.
pub(crate) fn keys_down() -> Vec<VIRTUAL_KEY> {
    const LAST: VIRTUAL_KEY = 0xfe;
    (VK_LBUTTON..=LAST)
        .filter(|key| ![VK_SHIFT, VK_CONTROL, VK_MENU].contains(key))
        // SAFETY: takes a number. The sign bit says that the key is down.
        .filter(|&key| unsafe { GetAsyncKeyState(i32::from(key)) < 0 })
        .collect()
}

/// The scan code of a virtual key, and whether it has the E0 prefix.
pub(crate) fn scan_code(key: VIRTUAL_KEY) -> (u16, bool) {
    // SAFETY: takes numbers; no layout is this thread's own.
    let code = unsafe { MapVirtualKeyExW(u32::from(key), MAPVK_VK_TO_VSC_EX, null_mut()) };
    // Before Windows Vista the call does not know these prefixes, and Wine leaves them out.
    let is_extended = matches!(key, VK_RCONTROL | VK_RMENU | VK_LWIN | VK_RWIN);
    ((code & 0xff) as u16, code & 0xff00 == 0xe000 || is_extended)
}

/// The layout of the window that would get a key now. Each program has its own.
pub(crate) struct ForegroundLayout {
    handle: HKL,
    can_ask_exactly: bool,
}

impl ForegroundLayout {
    pub(crate) fn current() -> Self {
        // SAFETY: a window that went away has thread 0, which stands for this one.
        let handle = unsafe {
            GetKeyboardLayout(GetWindowThreadProcessId(GetForegroundWindow(), null_mut()))
        };
        Self {
            handle,
            can_ask_exactly: Version::current() >= Version::WINDOWS_10_1607,
        }
    }

    /// Asks the layout itself, which knows dead keys and what Caps Lock does to each key.
    fn types_exactly(&self, virtual_key: u16, code: u16, modifiers: Modifiers, text: &str) -> bool {
        /// Leave the keyboard's state as it is, or a half-typed accent of the user would be lost.
        const KEEP_STATE: u32 = 1 << 2;
        let mut state = [0_u8; 256];
        let mut set = |key: VIRTUAL_KEY, value| state[usize::from(key)] = value;
        for (is_down, key) in [
            (modifiers.shift, VK_SHIFT),
            (modifiers.control(), VK_CONTROL),
            (modifiers.alt(), VK_MENU),
        ] {
            set(key, if is_down { 0x80 } else { 0 });
        }
        set(VK_CAPITAL, u8::from(modifiers.caps_lock));
        set(VK_NUMLOCK, u8::from(modifiers.num_lock));
        let mut units = [0_u16; 16];
        // SAFETY: the state has an entry for each key, and the buffer is as long as said.
        let count = unsafe {
            ToUnicodeEx(
                u32::from(virtual_key),
                u32::from(code),
                state.as_ptr(),
                units.as_mut_ptr(),
                units.len() as i32,
                KEEP_STATE,
                self.handle,
            )
        };
        // Negative for a dead key: it types nothing yet.
        let count = usize::try_from(count).unwrap_or(0).min(units.len());
        count > 0 && text.encode_utf16().eq(units[..count].iter().copied())
    }

    /// Asks the other way round, which key would type the text. Close enough
    /// where the exact question would disturb the user.
    fn is_the_key_for(&self, virtual_key: u16, modifiers: Modifiers, text: &str) -> bool {
        const SHIFT: i16 = 1;
        const CONTROL: i16 = 2;
        const ALT: i16 = 4;
        let mut characters = text.chars();
        let (Some(character), None) = (characters.next(), characters.next()) else {
            return false;
        };
        let Ok(unit) = u16::try_from(u32::from(character)) else {
            return false;
        };
        if (VK_MULTIPLY..=VK_DIVIDE).contains(&virtual_key) {
            return self.character(virtual_key) == u32::from(character);
        }
        if self.is_dead(virtual_key) {
            return false;
        }
        // SAFETY: takes a character and a layout that the system gave us.
        let found = unsafe { VkKeyScanExW(unit, self.handle) };
        let is_letter = character.is_lowercase() || character.is_uppercase();
        let shift = modifiers.shift != (modifiers.caps_lock && is_letter);
        let held = [
            (shift, SHIFT),
            (modifiers.control(), CONTROL),
            (modifiers.alt(), ALT),
        ];
        let mut held = held
            .iter()
            .filter(|(down, _)| *down)
            .fold(0, |all, (_, bit)| all | bit);
        if virtual_key == VK_SPACE {
            held &= !SHIFT;
        }
        found != -1 && found & 0xff == virtual_key.cast_signed() && found >> 8 == held
    }

    /// What the key types by itself.
    fn character(&self, virtual_key: u16) -> u32 {
        // SAFETY: takes numbers and a layout that the system gave us.
        unsafe { MapVirtualKeyExW(u32::from(virtual_key), MAPVK_VK_TO_CHAR, self.handle) }
    }

    fn is_dead(&self, virtual_key: u16) -> bool {
        const DEAD: u32 = 1 << 31;
        self.character(virtual_key) & DEAD != 0
    }
}

impl Layout for ForegroundLayout {
    fn virtual_key(&self, code: u16, extended: bool) -> u16 {
        let prefix = if extended { 0xe000 } else { 0 };
        // SAFETY: takes numbers and a layout that the system gave us.
        unsafe {
            MapVirtualKeyExW(u32::from(code) | prefix, MAPVK_VSC_TO_VK_EX, self.handle) as u16
        }
    }

    fn types(&self, virtual_key: u16, code: u16, modifiers: Modifiers, text: &str) -> bool {
        if self.can_ask_exactly {
            self.types_exactly(virtual_key, code, modifiers, text)
        } else {
            self.is_the_key_for(virtual_key, modifiers, text)
        }
    }
}
