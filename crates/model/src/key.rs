//! Physical keys: one table from the browser's `KeyboardEvent.code` to the USB
//! HID usage that travels, and from there to Linux and Windows.
//!
//! Sources: W3C UI Events `code` values, USB HID Usage Tables page 0x07,
//! Linux `input-event-codes.h`, and Microsoft's scan code set 1 translation table.

/// A physical key as USB HID usage of page 0x07 (Keyboard/Keypad).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usage(u16);

impl Usage {
    /// A key that has no usage: only its text counts.
    pub const UNKNOWN: Self = Self(0);
    /// Left Control.
    pub const CONTROL_LEFT: Self = Self(0xe0);
    /// Left Shift.
    pub const SHIFT_LEFT: Self = Self(0xe1);
    /// Left Alt.
    pub const ALT_LEFT: Self = Self(0xe2);
    /// Left Windows, Super or Command.
    pub const META_LEFT: Self = Self(0xe3);
    /// Right Alt, AltGr on many layouts.
    pub const ALT_RIGHT: Self = Self(0xe6);
    /// Delete above the arrows.
    pub const DELETE: Self = Self(0x4c);

    /// Takes a usage from the network. `None` for a number that is no key we know; 0 is [`Usage::UNKNOWN`].
    pub fn new(number: u32) -> Option<Self> {
        let usage = Self(u16::try_from(number).ok()?);
        (usage == Self::UNKNOWN || usage.key().is_some()).then_some(usage)
    }

    /// The key that a browser calls `code` (`KeyboardEvent.code`).
    pub fn from_code(code: &str) -> Option<Self> {
        KEYS.iter()
            .find(|key| key.code == code)
            .map(|key| Self(key.usage))
    }

    /// The HID usage number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The browser's name of the key.
    pub fn code(self) -> Option<&'static str> {
        self.key().map(|key| key.code)
    }

    /// The Linux event code; an X11 keycode is this plus 8.
    pub fn evdev(self) -> Option<u16> {
        self.key().map(|key| key.evdev)
    }

    /// The scan code of set 1 and whether it has the extended prefix (E0).
    pub fn scancode(self) -> Option<(u16, bool)> {
        self.key().map(|key| (key.scancode, key.extended))
    }

    /// True for Shift, Control, Alt and Meta, left and right.
    pub const fn is_modifier(self) -> bool {
        self.0 >= 0xe0 && self.0 <= 0xe7
    }

    fn key(self) -> Option<&'static Key> {
        KEYS.binary_search_by_key(&self.0, |key| key.usage)
            .ok()
            .map(|index| &KEYS[index])
    }
}

struct Key {
    code: &'static str,
    usage: u16,
    evdev: u16,
    scancode: u16,
    extended: bool,
}

/// Sorted by usage.
#[rustfmt::skip]
static KEYS: [Key; 126] = [
    Key { code: "KeyA", usage: 0x04, evdev: 30, scancode: 0x1e, extended: false },
    Key { code: "KeyB", usage: 0x05, evdev: 48, scancode: 0x30, extended: false },
    Key { code: "KeyC", usage: 0x06, evdev: 46, scancode: 0x2e, extended: false },
    Key { code: "KeyD", usage: 0x07, evdev: 32, scancode: 0x20, extended: false },
    Key { code: "KeyE", usage: 0x08, evdev: 18, scancode: 0x12, extended: false },
    Key { code: "KeyF", usage: 0x09, evdev: 33, scancode: 0x21, extended: false },
    Key { code: "KeyG", usage: 0x0a, evdev: 34, scancode: 0x22, extended: false },
    Key { code: "KeyH", usage: 0x0b, evdev: 35, scancode: 0x23, extended: false },
    Key { code: "KeyI", usage: 0x0c, evdev: 23, scancode: 0x17, extended: false },
    Key { code: "KeyJ", usage: 0x0d, evdev: 36, scancode: 0x24, extended: false },
    Key { code: "KeyK", usage: 0x0e, evdev: 37, scancode: 0x25, extended: false },
    Key { code: "KeyL", usage: 0x0f, evdev: 38, scancode: 0x26, extended: false },
    Key { code: "KeyM", usage: 0x10, evdev: 50, scancode: 0x32, extended: false },
    Key { code: "KeyN", usage: 0x11, evdev: 49, scancode: 0x31, extended: false },
    Key { code: "KeyO", usage: 0x12, evdev: 24, scancode: 0x18, extended: false },
    Key { code: "KeyP", usage: 0x13, evdev: 25, scancode: 0x19, extended: false },
    Key { code: "KeyQ", usage: 0x14, evdev: 16, scancode: 0x10, extended: false },
    Key { code: "KeyR", usage: 0x15, evdev: 19, scancode: 0x13, extended: false },
    Key { code: "KeyS", usage: 0x16, evdev: 31, scancode: 0x1f, extended: false },
    Key { code: "KeyT", usage: 0x17, evdev: 20, scancode: 0x14, extended: false },
    Key { code: "KeyU", usage: 0x18, evdev: 22, scancode: 0x16, extended: false },
    Key { code: "KeyV", usage: 0x19, evdev: 47, scancode: 0x2f, extended: false },
    Key { code: "KeyW", usage: 0x1a, evdev: 17, scancode: 0x11, extended: false },
    Key { code: "KeyX", usage: 0x1b, evdev: 45, scancode: 0x2d, extended: false },
    Key { code: "KeyY", usage: 0x1c, evdev: 21, scancode: 0x15, extended: false },
    Key { code: "KeyZ", usage: 0x1d, evdev: 44, scancode: 0x2c, extended: false },
    Key { code: "Digit1", usage: 0x1e, evdev: 2, scancode: 0x02, extended: false },
    Key { code: "Digit2", usage: 0x1f, evdev: 3, scancode: 0x03, extended: false },
    Key { code: "Digit3", usage: 0x20, evdev: 4, scancode: 0x04, extended: false },
    Key { code: "Digit4", usage: 0x21, evdev: 5, scancode: 0x05, extended: false },
    Key { code: "Digit5", usage: 0x22, evdev: 6, scancode: 0x06, extended: false },
    Key { code: "Digit6", usage: 0x23, evdev: 7, scancode: 0x07, extended: false },
    Key { code: "Digit7", usage: 0x24, evdev: 8, scancode: 0x08, extended: false },
    Key { code: "Digit8", usage: 0x25, evdev: 9, scancode: 0x09, extended: false },
    Key { code: "Digit9", usage: 0x26, evdev: 10, scancode: 0x0a, extended: false },
    Key { code: "Digit0", usage: 0x27, evdev: 11, scancode: 0x0b, extended: false },
    Key { code: "Enter", usage: 0x28, evdev: 28, scancode: 0x1c, extended: false },
    Key { code: "Escape", usage: 0x29, evdev: 1, scancode: 0x01, extended: false },
    Key { code: "Backspace", usage: 0x2a, evdev: 14, scancode: 0x0e, extended: false },
    Key { code: "Tab", usage: 0x2b, evdev: 15, scancode: 0x0f, extended: false },
    Key { code: "Space", usage: 0x2c, evdev: 57, scancode: 0x39, extended: false },
    Key { code: "Minus", usage: 0x2d, evdev: 12, scancode: 0x0c, extended: false },
    Key { code: "Equal", usage: 0x2e, evdev: 13, scancode: 0x0d, extended: false },
    Key { code: "BracketLeft", usage: 0x2f, evdev: 26, scancode: 0x1a, extended: false },
    Key { code: "BracketRight", usage: 0x30, evdev: 27, scancode: 0x1b, extended: false },
    Key { code: "Backslash", usage: 0x31, evdev: 43, scancode: 0x2b, extended: false },
    Key { code: "Semicolon", usage: 0x33, evdev: 39, scancode: 0x27, extended: false },
    Key { code: "Quote", usage: 0x34, evdev: 40, scancode: 0x28, extended: false },
    Key { code: "Backquote", usage: 0x35, evdev: 41, scancode: 0x29, extended: false },
    Key { code: "Comma", usage: 0x36, evdev: 51, scancode: 0x33, extended: false },
    Key { code: "Period", usage: 0x37, evdev: 52, scancode: 0x34, extended: false },
    Key { code: "Slash", usage: 0x38, evdev: 53, scancode: 0x35, extended: false },
    Key { code: "CapsLock", usage: 0x39, evdev: 58, scancode: 0x3a, extended: false },
    Key { code: "F1", usage: 0x3a, evdev: 59, scancode: 0x3b, extended: false },
    Key { code: "F2", usage: 0x3b, evdev: 60, scancode: 0x3c, extended: false },
    Key { code: "F3", usage: 0x3c, evdev: 61, scancode: 0x3d, extended: false },
    Key { code: "F4", usage: 0x3d, evdev: 62, scancode: 0x3e, extended: false },
    Key { code: "F5", usage: 0x3e, evdev: 63, scancode: 0x3f, extended: false },
    Key { code: "F6", usage: 0x3f, evdev: 64, scancode: 0x40, extended: false },
    Key { code: "F7", usage: 0x40, evdev: 65, scancode: 0x41, extended: false },
    Key { code: "F8", usage: 0x41, evdev: 66, scancode: 0x42, extended: false },
    Key { code: "F9", usage: 0x42, evdev: 67, scancode: 0x43, extended: false },
    Key { code: "F10", usage: 0x43, evdev: 68, scancode: 0x44, extended: false },
    Key { code: "F11", usage: 0x44, evdev: 87, scancode: 0x57, extended: false },
    Key { code: "F12", usage: 0x45, evdev: 88, scancode: 0x58, extended: false },
    Key { code: "PrintScreen", usage: 0x46, evdev: 99, scancode: 0x37, extended: true },
    Key { code: "ScrollLock", usage: 0x47, evdev: 70, scancode: 0x46, extended: false },
    Key { code: "Pause", usage: 0x48, evdev: 119, scancode: 0x45, extended: false },
    Key { code: "Insert", usage: 0x49, evdev: 110, scancode: 0x52, extended: true },
    Key { code: "Home", usage: 0x4a, evdev: 102, scancode: 0x47, extended: true },
    Key { code: "PageUp", usage: 0x4b, evdev: 104, scancode: 0x49, extended: true },
    Key { code: "Delete", usage: 0x4c, evdev: 111, scancode: 0x53, extended: true },
    Key { code: "End", usage: 0x4d, evdev: 107, scancode: 0x4f, extended: true },
    Key { code: "PageDown", usage: 0x4e, evdev: 109, scancode: 0x51, extended: true },
    Key { code: "ArrowRight", usage: 0x4f, evdev: 106, scancode: 0x4d, extended: true },
    Key { code: "ArrowLeft", usage: 0x50, evdev: 105, scancode: 0x4b, extended: true },
    Key { code: "ArrowDown", usage: 0x51, evdev: 108, scancode: 0x50, extended: true },
    Key { code: "ArrowUp", usage: 0x52, evdev: 103, scancode: 0x48, extended: true },
    Key { code: "NumLock", usage: 0x53, evdev: 69, scancode: 0x45, extended: true },
    Key { code: "NumpadDivide", usage: 0x54, evdev: 98, scancode: 0x35, extended: true },
    Key { code: "NumpadMultiply", usage: 0x55, evdev: 55, scancode: 0x37, extended: false },
    Key { code: "NumpadSubtract", usage: 0x56, evdev: 74, scancode: 0x4a, extended: false },
    Key { code: "NumpadAdd", usage: 0x57, evdev: 78, scancode: 0x4e, extended: false },
    Key { code: "NumpadEnter", usage: 0x58, evdev: 96, scancode: 0x1c, extended: true },
    Key { code: "Numpad1", usage: 0x59, evdev: 79, scancode: 0x4f, extended: false },
    Key { code: "Numpad2", usage: 0x5a, evdev: 80, scancode: 0x50, extended: false },
    Key { code: "Numpad3", usage: 0x5b, evdev: 81, scancode: 0x51, extended: false },
    Key { code: "Numpad4", usage: 0x5c, evdev: 75, scancode: 0x4b, extended: false },
    Key { code: "Numpad5", usage: 0x5d, evdev: 76, scancode: 0x4c, extended: false },
    Key { code: "Numpad6", usage: 0x5e, evdev: 77, scancode: 0x4d, extended: false },
    Key { code: "Numpad7", usage: 0x5f, evdev: 71, scancode: 0x47, extended: false },
    Key { code: "Numpad8", usage: 0x60, evdev: 72, scancode: 0x48, extended: false },
    Key { code: "Numpad9", usage: 0x61, evdev: 73, scancode: 0x49, extended: false },
    Key { code: "Numpad0", usage: 0x62, evdev: 82, scancode: 0x52, extended: false },
    Key { code: "NumpadDecimal", usage: 0x63, evdev: 83, scancode: 0x53, extended: false },
    Key { code: "IntlBackslash", usage: 0x64, evdev: 86, scancode: 0x56, extended: false },
    Key { code: "ContextMenu", usage: 0x65, evdev: 127, scancode: 0x5d, extended: true },
    Key { code: "NumpadEqual", usage: 0x67, evdev: 117, scancode: 0x59, extended: false },
    Key { code: "F13", usage: 0x68, evdev: 183, scancode: 0x64, extended: false },
    Key { code: "F14", usage: 0x69, evdev: 184, scancode: 0x65, extended: false },
    Key { code: "F15", usage: 0x6a, evdev: 185, scancode: 0x66, extended: false },
    Key { code: "F16", usage: 0x6b, evdev: 186, scancode: 0x67, extended: false },
    Key { code: "F17", usage: 0x6c, evdev: 187, scancode: 0x68, extended: false },
    Key { code: "F18", usage: 0x6d, evdev: 188, scancode: 0x69, extended: false },
    Key { code: "F19", usage: 0x6e, evdev: 189, scancode: 0x6a, extended: false },
    Key { code: "F20", usage: 0x6f, evdev: 190, scancode: 0x6b, extended: false },
    Key { code: "F21", usage: 0x70, evdev: 191, scancode: 0x6c, extended: false },
    Key { code: "F22", usage: 0x71, evdev: 192, scancode: 0x6d, extended: false },
    Key { code: "F23", usage: 0x72, evdev: 193, scancode: 0x6e, extended: false },
    Key { code: "F24", usage: 0x73, evdev: 194, scancode: 0x76, extended: false },
    Key { code: "NumpadComma", usage: 0x85, evdev: 121, scancode: 0x7e, extended: false },
    Key { code: "IntlRo", usage: 0x87, evdev: 89, scancode: 0x73, extended: false },
    Key { code: "KanaMode", usage: 0x88, evdev: 93, scancode: 0x70, extended: false },
    Key { code: "IntlYen", usage: 0x89, evdev: 124, scancode: 0x7d, extended: false },
    Key { code: "Convert", usage: 0x8a, evdev: 92, scancode: 0x79, extended: false },
    Key { code: "NonConvert", usage: 0x8b, evdev: 94, scancode: 0x7b, extended: false },
    Key { code: "Lang1", usage: 0x90, evdev: 122, scancode: 0x72, extended: false },
    Key { code: "Lang2", usage: 0x91, evdev: 123, scancode: 0x71, extended: false },
    Key { code: "ControlLeft", usage: 0xe0, evdev: 29, scancode: 0x1d, extended: false },
    Key { code: "ShiftLeft", usage: 0xe1, evdev: 42, scancode: 0x2a, extended: false },
    Key { code: "AltLeft", usage: 0xe2, evdev: 56, scancode: 0x38, extended: false },
    Key { code: "MetaLeft", usage: 0xe3, evdev: 125, scancode: 0x5b, extended: true },
    Key { code: "ControlRight", usage: 0xe4, evdev: 97, scancode: 0x1d, extended: true },
    Key { code: "ShiftRight", usage: 0xe5, evdev: 54, scancode: 0x36, extended: false },
    Key { code: "AltRight", usage: 0xe6, evdev: 100, scancode: 0x38, extended: true },
    Key { code: "MetaRight", usage: 0xe7, evdev: 126, scancode: 0x5c, extended: true },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_names_each_key_once() {
        assert!(KEYS.windows(2).all(|pair| pair[0].usage < pair[1].usage));
        for key in &KEYS {
            assert_eq!(Usage::from_code(key.code), Some(Usage(key.usage)));
        }
    }

    #[test]
    fn maps_a_key_to_every_system() {
        let right = Usage::from_code("ArrowRight").expect("a key of the table");

        assert_eq!(right.number(), 0x4f);
        assert_eq!(right.evdev(), Some(106));
        assert_eq!(right.scancode(), Some((0x4d, true)));
    }

    #[test]
    fn refuses_numbers_that_are_no_key() {
        assert_eq!(Usage::new(0xffff), None);
        assert_eq!(Usage::new(0x1_0004), None);
        assert_eq!(Usage::new(0), Some(Usage::UNKNOWN));
    }
}
