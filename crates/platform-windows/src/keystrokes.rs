//! Which keystrokes make a key of the viewer happen here: the physical key where
//! the layout of this machine gives the same text for it, else the text itself.

use std::collections::BTreeMap;

use gc_model::input::{KeyInput, KeyText};
use gc_model::key::Usage;

/// One entry for `SendInput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// A physical key by its scan code of set 1.
    Scan {
        /// The code without prefix.
        code: u16,
        /// With the E0 prefix.
        extended: bool,
        /// What the code means here. Windows works that out itself; Wine delivers what it is given.
        virtual_key: u16,
        /// Pressed or released.
        down: bool,
    },
    /// A key that has no scan code of its own on its way through `SendInput`.
    Virtual {
        /// The virtual key.
        key: u16,
        /// Its scan code, for programs that look at it.
        code: u16,
        /// With the E0 prefix.
        extended: bool,
        /// Pressed or released.
        down: bool,
    },
    /// One unit of UTF-16 text, as if typed.
    Unicode {
        /// The unit.
        unit: u16,
        /// Pressed or released.
        down: bool,
    },
}

/// Modifiers that are down on the machine, whoever holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one key of the keyboard"
)]
pub struct Modifiers {
    /// Either Shift.
    pub shift: bool,
    /// Left Control.
    pub control_left: bool,
    /// Right Control.
    pub control_right: bool,
    /// Left Alt.
    pub alt_left: bool,
    /// Right Alt, AltGr on many layouts (which then also holds the left Control).
    pub alt_right: bool,
    /// Either Windows key.
    pub meta: bool,
    /// Caps Lock is on.
    pub caps_lock: bool,
    /// Num Lock is on.
    pub num_lock: bool,
}

impl Modifiers {
    /// Either Control.
    pub const fn control(self) -> bool {
        self.control_left || self.control_right
    }

    /// Either Alt.
    pub const fn alt(self) -> bool {
        self.alt_left || self.alt_right
    }

    /// They make a command of a key (Ctrl+C, Alt+F, Win+R), not another letter.
    /// Control with Alt, or the right Alt alone, is how AltGr looks.
    const fn make_a_command(self) -> bool {
        let alt_graph = self.alt_right || (self.control() && self.alt());
        self.meta || (!alt_graph && (self.control() || self.alt()))
    }
}

/// The keyboard layout of the program in front.
pub trait Layout {
    /// What a physical key is called under this layout; 0 when it has no such key.
    fn virtual_key(&self, code: u16, extended: bool) -> u16;

    /// True when pressing `virtual_key` with `modifiers` types exactly `text`.
    fn types(&self, virtual_key: u16, code: u16, modifiers: Modifiers, text: &str) -> bool;
}

const VK_CANCEL: u16 = 0x03;
const VK_PAUSE: u16 = 0x13;
const VK_NUMPAD0: u16 = 0x60;
const VK_DECIMAL: u16 = 0x6e;
const VK_NUMLOCK: u16 = 0x90;

/// A virtual key that means nothing to anybody. Pressed while Alt is down, it
/// keeps Alt's release from opening a menu.
const VK_NOTHING: u16 = 0xe8;

/// Turns keys into strokes and remembers how each one that is down was pressed.
#[derive(Debug, Default)]
pub struct Keystrokes {
    // INVARIANT: the keys that are down, each with the stroke that pressed it; none when it was typed as text.
    down: BTreeMap<Usage, Option<Stroke>>,
}

impl Keystrokes {
    /// No key is down.
    pub const fn new() -> Self {
        Self {
            down: BTreeMap::new(),
        }
    }

    /// The strokes for one press or release, to be sent in one go.
    ///
    /// `modifiers` are those that the system reports. It may be behind what was
    /// just sent, so the modifiers pressed here count as well.
    pub fn strokes(
        &mut self,
        key: &KeyInput,
        modifiers: Modifiers,
        layout: &dyn Layout,
    ) -> Vec<Stroke> {
        let modifiers = self.with_own(modifiers);
        if !key.down {
            let pressed = self
                .down
                .remove(&key.usage)
                .unwrap_or_else(|| physical(key, modifiers, layout));
            return pressed.map(Stroke::released).into_iter().collect();
        }
        let physical = physical(key, modifiers, layout);
        let (pressed, strokes) = match (physical, &key.text) {
            (Some(stroke), None) => (Some(stroke), vec![stroke]),
            (Some(stroke), Some(text)) if gives(stroke, key.usage, text, modifiers, layout) => {
                (Some(stroke), vec![stroke])
            }
            (_, Some(text)) => (None, typed(text, modifiers, layout)),
            (None, None) => (None, Vec::new()),
        };
        self.down.insert(key.usage, pressed);
        strokes
    }

    /// Releases every key that is down.
    pub fn release_all(&mut self) -> Vec<Stroke> {
        std::mem::take(&mut self.down)
            .into_values()
            .flatten()
            .map(Stroke::released)
            .collect()
    }

    fn with_own(&self, reported: Modifiers) -> Modifiers {
        let is_down =
            |code| Usage::from_code(code).is_some_and(|usage| self.down.contains_key(&usage));
        Modifiers {
            shift: reported.shift || is_down("ShiftLeft") || is_down("ShiftRight"),
            control_left: reported.control_left || is_down("ControlLeft"),
            control_right: reported.control_right || is_down("ControlRight"),
            alt_left: reported.alt_left || is_down("AltLeft"),
            alt_right: reported.alt_right || is_down("AltRight"),
            meta: reported.meta || is_down("MetaLeft") || is_down("MetaRight"),
            ..reported
        }
    }
}

impl Stroke {
    fn released(self) -> Self {
        match self {
            Self::Scan {
                code,
                extended,
                virtual_key,
                ..
            } => Self::Scan {
                code,
                extended,
                virtual_key,
                down: false,
            },
            Self::Virtual {
                key,
                code,
                extended,
                ..
            } => Self::Virtual {
                key,
                code,
                extended,
                down: false,
            },
            Self::Unicode { unit, .. } => Self::Unicode { unit, down: false },
        }
    }
}

/// The press of the physical key; `None` for a key without one.
fn physical(key: &KeyInput, modifiers: Modifiers, layout: &dyn Layout) -> Option<Stroke> {
    let (code, extended) = key.usage.scancode()?;
    let down = true;
    match key.usage.code()? {
        // Pause comes as E1 1D 45, which SendInput cannot say; with Control it is Break.
        "Pause" if modifiers.control() => Some(Stroke::Virtual {
            key: VK_CANCEL,
            code: 0x46,
            extended: true,
            down,
        }),
        "Pause" => Some(Stroke::Virtual {
            key: VK_PAUSE,
            code,
            extended: false,
            down,
        }),
        // Shares its code with Pause; only the virtual key tells them apart.
        "NumLock" => Some(Stroke::Virtual {
            key: VK_NUMLOCK,
            code,
            extended: true,
            down,
        }),
        _ => {
            let (extended, digit) = match numpad_digit(key.usage).filter(|_| modifiers.num_lock) {
                // Without text the viewer's Num Lock is off and the key is an arrow there: the twin with the prefix.
                Some(_) if key.text.is_none() && !modifiers.make_a_command() => (true, None),
                digit => (extended, digit),
            };
            let virtual_key = digit.unwrap_or_else(|| layout.virtual_key(code, extended));
            Some(Stroke::Scan {
                code,
                extended,
                virtual_key,
                down,
            })
        }
    }
}

/// The virtual key of a numeric pad's key while Num Lock is on.
fn numpad_digit(usage: Usage) -> Option<u16> {
    let name = usage.code()?.strip_prefix("Numpad")?;
    match name.parse::<u16>() {
        Ok(digit) => Some(VK_NUMPAD0 + digit),
        Err(_) => (name == "Decimal").then_some(VK_DECIMAL),
    }
}

/// True when the physical key does what the viewer's key did.
fn gives(
    stroke: Stroke,
    usage: Usage,
    text: &KeyText,
    modifiers: Modifiers,
    layout: &dyn Layout,
) -> bool {
    let Stroke::Scan {
        virtual_key, code, ..
    } = stroke
    else {
        return false;
    };
    if modifiers.make_a_command() {
        return true;
    }
    if numpad_digit(usage) == Some(virtual_key) && virtual_key != VK_DECIMAL {
        return text.as_str().parse() == Ok(virtual_key - VK_NUMPAD0);
    }
    // A right Alt without Control is a plain Alt on this layout. What the key gives without it
    // was meant as a command (Alt+F); anything else is what AltGr gave at the viewer.
    let without_alt = Modifiers {
        alt_right: modifiers.alt_right && modifiers.control(),
        ..modifiers
    };
    layout.types(virtual_key, code, without_alt, text.as_str())
}

/// Types `text` as text. Held Control and Alt are lifted meanwhile, or programs take it for a command.
fn typed(text: &KeyText, modifiers: Modifiers, layout: &dyn Layout) -> Vec<Stroke> {
    let held = [
        (modifiers.control_left, "ControlLeft"),
        (modifiers.control_right, "ControlRight"),
        (modifiers.alt_left, "AltLeft"),
        (modifiers.alt_right, "AltRight"),
    ];
    let held: Vec<(u16, bool)> = held
        .iter()
        .filter(|(down, _)| *down)
        .filter_map(|(_, code)| Usage::from_code(code)?.scancode())
        .collect();
    let modifier = |&(code, extended): &(u16, bool), down| Stroke::Scan {
        code,
        extended,
        virtual_key: layout.virtual_key(code, extended),
        down,
    };
    let nothing = |down| Stroke::Virtual {
        key: VK_NOTHING,
        code: 0,
        extended: false,
        down,
    };

    let mut strokes = Vec::new();
    if !held.is_empty() {
        strokes.extend([nothing(true), nothing(false)]);
        strokes.extend(held.iter().map(|key| modifier(key, false)));
    }
    for unit in text.as_str().encode_utf16() {
        strokes.extend([
            Stroke::Unicode { unit, down: true },
            Stroke::Unicode { unit, down: false },
        ]);
    }
    if !held.is_empty() {
        strokes.extend(held.iter().map(|key| modifier(key, true)));
        strokes.extend([nothing(true), nothing(false)]);
    }
    strokes
}

#[cfg(test)]
mod tests;
