//! The machine's keyboard layout: which character a key gives with which
//! modifiers. Follows the XKB protocol specification, sections 2 and 12.

use x11rb::protocol::xkb;
use xkeysym::Keysym;

/// Shift's bit in a modifier mask; the same on every X server, like the two below.
pub(crate) const SHIFT: u8 = 1 << 0;
/// Caps Lock's bit.
pub(crate) const LOCK: u8 = 1 << 1;
/// Control's bit.
pub(crate) const CONTROL: u8 = 1 << 2;

/// `ISO_Level3_Shift`: what `AltGr` sends on layouts that have it.
const LEVEL3_SHIFT: u32 = 0xfe03;
/// `Mode_switch`, its older name.
const MODE_SWITCH: u32 = 0xff7e;

/// Modifiers and layout group that are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// Real modifiers, one bit each.
    pub(crate) mods: u8,
    /// Layout group from 0.
    pub(crate) group: u8,
}

/// A keyboard layout.
pub(crate) struct Keymap {
    first: u8,
    keys: Vec<Key>,
    types: Vec<LevelType>,
    /// Keys that switch modifiers, with the bits that they switch.
    modifiers: Vec<(u8, u8)>,
}

struct Key {
    types: [u8; 4],
    groups: u8,
    out_of_range: OutOfRange,
    width: usize,
    syms: Vec<u32>,
}

/// What a key does with a group that it does not have.
enum OutOfRange {
    Wrap,
    Clamp,
    Redirect(u8),
}

/// Which modifiers choose which of a key's levels.
struct LevelType {
    mask: u8,
    levels: Vec<Level>,
}

struct Level {
    mods: u8,
    /// Modifiers that stay in force although they chose the level.
    preserved: u8,
    number: u8,
}

impl Keymap {
    /// Reads the answer to `XkbGetMap`; `None` when parts are missing.
    pub(crate) fn new(reply: xkb::GetMapReply) -> Option<Self> {
        let types = reply.map.types_rtrn?.iter().map(LevelType::new).collect();
        let keys = reply.map.syms_rtrn?.into_iter().map(Key::new).collect();
        let modifiers = reply
            .map
            .modmap_rtrn?
            .into_iter()
            .map(|entry| (entry.keycode, u16::from(entry.mods) as u8));
        Some(Self {
            first: reply.first_key_sym,
            keys,
            types,
            modifiers: modifiers.collect(),
        })
    }

    /// The keysym that a client gets for a key.
    pub(crate) fn keysym(&self, keycode: u8, state: State) -> Option<u32> {
        let key = self.key(keycode)?;
        let group = key.group(state.group)?;
        let chosen = self.types.get(usize::from(key.types[usize::from(group)]));
        let (level, consumed) = chosen.map_or((0, 0), |chosen| chosen.level(state.mods));
        let index = usize::from(group) * key.width + usize::from(level);
        let symbol = key.syms.get(index).copied().filter(|&symbol| symbol != 0)?;
        // A Caps Lock that the key itself does not know capitalises what it gives.
        let capitalises = state.mods & LOCK != 0 && consumed & LOCK == 0;
        Some(if capitalises { upper(symbol) } else { symbol })
    }

    /// The character that a key types.
    pub(crate) fn character(&self, keycode: u8, state: State) -> Option<char> {
        character_of(self.keysym(keycode, state)?)
    }

    /// The key that types `character`; `preferred` when it does.
    pub(crate) fn find(&self, character: char, state: State, preferred: Option<u8>) -> Option<u8> {
        preferred
            .into_iter()
            .chain(self.keycodes())
            .find(|&keycode| self.character(keycode, state) == Some(character))
    }

    /// True when the key gives nothing and switches nothing: it may be bound to something else.
    pub(crate) fn is_unused(&self, keycode: u8) -> bool {
        self.key(keycode)
            .is_some_and(|key| key.syms.iter().all(|&symbol| symbol == 0))
            && self.modifiers_of(keycode) == 0
    }

    /// Modifier bits that the key switches.
    pub(crate) fn modifiers_of(&self, keycode: u8) -> u8 {
        self.modifiers
            .iter()
            .filter(|(code, _)| *code == keycode)
            .fold(0, |mods, (_, bits)| mods | bits)
    }

    /// The key that reaches a layout's third level, with its modifier bits.
    pub(crate) fn level3(&self) -> Option<(u8, u8)> {
        self.keycodes()
            .filter(|&keycode| self.is_level3(keycode))
            .find_map(|keycode| {
                let mods = self.modifiers_of(keycode);
                (mods != 0).then_some((keycode, mods))
            })
    }

    /// True when the key reaches the layout's third level.
    pub(crate) fn is_level3(&self, keycode: u8) -> bool {
        self.key(keycode)
            .and_then(|key| key.syms.first())
            .is_some_and(|&symbol| symbol == LEVEL3_SHIFT || symbol == MODE_SWITCH)
    }

    /// True when the key waits for another one to put an accent on.
    pub(crate) fn is_dead(&self, keycode: u8, state: State) -> bool {
        self.keysym(keycode, state)
            .is_some_and(|symbol| (0xfe50..=0xfe93).contains(&symbol))
    }

    /// Every key of the layout.
    pub(crate) fn keycodes(&self) -> impl Iterator<Item = u8> + use<> {
        let first = self.first;
        (0..self.keys.len()).filter_map(move |index| u8::try_from(usize::from(first) + index).ok())
    }

    fn key(&self, keycode: u8) -> Option<&Key> {
        self.keys.get(usize::from(keycode.checked_sub(self.first)?))
    }
}

impl Key {
    fn new(wire: xkb::KeySymMap) -> Self {
        let groups = wire.group_info & 0x0f;
        let out_of_range = match wire.group_info & 0xc0 {
            0x40 => OutOfRange::Clamp,
            0x80 => OutOfRange::Redirect((wire.group_info >> 4) & 0x03),
            _ => OutOfRange::Wrap,
        };
        Self {
            types: wire.kt_index,
            groups: groups.min(4),
            out_of_range,
            width: wire.width.into(),
            syms: wire.syms,
        }
    }

    /// The key's own group for the keyboard's; `None` for a key that has none.
    fn group(&self, wanted: u8) -> Option<u8> {
        if self.groups == 0 {
            return None;
        }
        if wanted < self.groups {
            return Some(wanted);
        }
        Some(match self.out_of_range {
            OutOfRange::Wrap => wanted % self.groups,
            OutOfRange::Clamp => self.groups - 1,
            OutOfRange::Redirect(group) if group < self.groups => group,
            OutOfRange::Redirect(_) => 0,
        })
    }
}

impl LevelType {
    fn new(wire: &xkb::KeyType) -> Self {
        let preserved = |index: usize| {
            wire.preserve
                .get(index)
                .map_or(0, |kept| u16::from(kept.mask) as u8)
        };
        let levels = wire
            .map
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.active)
            .map(|(index, entry)| Level {
                mods: u16::from(entry.mods_mask) as u8,
                preserved: preserved(index),
                number: entry.level,
            });
        Self {
            mask: u16::from(wire.mods_mask) as u8,
            levels: levels.collect(),
        }
    }

    /// Level and the modifiers that were used up to choose it.
    fn level(&self, mods: u8) -> (u8, u8) {
        let entry = self
            .levels
            .iter()
            .find(|entry| entry.mods == mods & self.mask);
        entry.map_or((0, self.mask), |entry| {
            (entry.number, self.mask & !entry.preserved)
        })
    }
}

/// The keysym of a character: Latin-1 as it is, anything else by its Unicode
/// number (X11 protocol, appendix A).
pub(crate) const fn keysym_of(character: char) -> u32 {
    match character as u32 {
        latin @ (0x20..=0x7e | 0xa0..=0xff) => latin,
        other => 0x0100_0000 + other,
    }
}

/// The character of a keysym, control characters left out.
pub(crate) fn character_of(symbol: u32) -> Option<char> {
    Keysym::new(symbol)
        .key_char()
        .filter(|character| !character.is_control())
}

/// Small and capital form of a character as keysyms; twice the same when it has no case.
pub(crate) fn cases_of(character: char) -> (u32, u32) {
    let small = single(character.to_lowercase()).unwrap_or(character);
    let capital = single(character.to_uppercase()).unwrap_or(character);
    // Not every pair is a pair: small and capital must lead to each other, and to `character`.
    let paired = single(small.to_uppercase()) == Some(capital)
        && single(capital.to_lowercase()) == Some(small);
    if paired && (character == small || character == capital) {
        (keysym_of(small), keysym_of(capital))
    } else {
        (keysym_of(character), keysym_of(character))
    }
}

fn upper(symbol: u32) -> u32 {
    let Some(character) = character_of(symbol) else {
        return symbol;
    };
    match single(character.to_uppercase()) {
        Some(capital) if capital != character => keysym_of(capital),
        _ => symbol,
    }
}

/// The only character of a sequence.
fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let only = characters.next()?;
    characters.next().is_none().then_some(only)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// `AltGr` in the keymaps below: Mod5, as usual.
    pub(crate) const LEVEL3: u8 = 1 << 7;

    const NOTHING: State = State { mods: 0, group: 0 };

    const fn with(mods: u8) -> State {
        State { mods, group: 0 }
    }

    /// A layout of a few keys: 10 alphabetic q/Q, 11 with four levels 7 / {, 12 unused,
    /// 13 q in group 1 and Cyrillic in group 2, 50 Shift, 108 `AltGr`.
    pub(crate) fn small_keymap() -> Keymap {
        let level = |mods, number| Level {
            mods,
            preserved: 0,
            number,
        };
        let one = LevelType {
            mask: 0,
            levels: vec![],
        };
        let alphabetic = LevelType {
            mask: SHIFT | LOCK,
            levels: vec![level(SHIFT, 1), level(LOCK, 1)],
        };
        let four = LevelType {
            mask: SHIFT | LEVEL3,
            levels: vec![level(SHIFT, 1), level(LEVEL3, 2), level(SHIFT | LEVEL3, 3)],
        };
        let key = |kind: u8, groups: u8, width: usize, syms: &[u32]| Key {
            types: [kind; 4],
            groups,
            out_of_range: OutOfRange::Wrap,
            width,
            syms: syms.to_vec(),
        };
        let mut keys: Vec<Key> = (0..101).map(|_| key(0, 0, 0, &[])).collect();
        keys[2] = key(1, 1, 2, &[u32::from('q'), u32::from('Q')]);
        keys[3] = key(
            2,
            1,
            4,
            &[u32::from('7'), u32::from('/'), u32::from('{'), 0],
        );
        keys[5] = key(1, 2, 2, &[u32::from('w'), u32::from('W'), 0x6c3, 0x6e3]);
        keys[42] = key(0, 1, 1, &[0xffe1]);
        keys[100] = key(0, 1, 1, &[LEVEL3_SHIFT]);
        let modifiers = vec![(50, SHIFT), (108, LEVEL3)];
        Keymap {
            first: 8,
            keys,
            types: vec![one, alphabetic, four],
            modifiers,
        }
    }

    #[test]
    fn gives_each_level_of_a_key() {
        let keymap = small_keymap();
        let cases = [
            (0, Some('7')),
            (SHIFT, Some('/')),
            (LEVEL3, Some('{')),
            (SHIFT | LEVEL3, None),
        ];

        for (mods, expected) in cases {
            assert_eq!(keymap.character(11, with(mods)), expected, "with {mods:#b}");
        }
    }

    #[test]
    fn caps_lock_capitalises_letters_once() {
        let keymap = small_keymap();

        assert_eq!(keymap.character(10, with(LOCK)), Some('Q'));
        assert_eq!(keymap.character(10, with(LOCK | SHIFT)), Some('q'));
        assert_eq!(keymap.character(11, with(LOCK)), Some('7'));
    }

    #[test]
    fn follows_the_group_and_wraps_where_a_key_has_fewer() {
        let keymap = small_keymap();
        let second = State { mods: 0, group: 1 };

        assert_eq!(keymap.character(13, second), Some('ц'));
        assert_eq!(keymap.character(10, second), Some('q'));
    }

    #[test]
    fn finds_a_character_under_given_modifiers_only() {
        let keymap = small_keymap();

        assert_eq!(keymap.find('/', with(SHIFT), None), Some(11));
        assert_eq!(keymap.find('/', NOTHING, None), None);
    }

    #[test]
    fn knows_which_keys_are_free() {
        let keymap = small_keymap();

        assert!(keymap.is_unused(12));
        assert!(!keymap.is_unused(10) && !keymap.is_unused(50) && !keymap.is_unused(255));
        assert_eq!(keymap.level3(), Some((108, LEVEL3)));
    }

    #[test]
    fn names_characters_as_the_protocol_does() {
        let cases = [
            ('a', 0x61),
            ('ü', 0xfc),
            ('€', 0x0100_20ac),
            ('漢', 0x0100_6f22),
            ('😀', 0x0101_f600),
        ];

        for (character, symbol) in cases {
            assert_eq!(keysym_of(character), symbol);
            assert_eq!(character_of(symbol), Some(character));
        }
    }

    #[test]
    fn pairs_only_letters_that_have_two_forms() {
        assert_eq!(cases_of('Ü'), (0xfc, 0xdc));
        assert_eq!(cases_of('ü'), (0xfc, 0xdc));
        for lonely in ['ß', '€', '漢', 'ı', 'µ'] {
            let (small, capital) = cases_of(lonely);
            assert_eq!(
                (small, capital),
                (keysym_of(lonely), keysym_of(lonely)),
                "{lonely}"
            );
        }
    }
}
