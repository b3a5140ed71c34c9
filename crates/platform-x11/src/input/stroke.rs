//! How a character is typed on the machine's layout: which key, and which
//! modifiers must change for it.

use super::keymap::{CONTROL, Keymap, SHIFT, State};

/// One key press with what must be done to the modifiers around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stroke {
    /// The key.
    pub(crate) keycode: u8,
    /// Held modifiers to release before and to press again after it.
    pub(crate) lift: Vec<u8>,
    /// Modifiers to press before and to release after it.
    pub(crate) add: Vec<u8>,
}

impl Stroke {
    /// The key as it is.
    pub(crate) const fn plain(keycode: u8) -> Self {
        Self {
            keycode,
            lift: Vec::new(),
            add: Vec::new(),
        }
    }
}

/// Finds the key for `character` with the fewest changes of modifiers: none,
/// Shift, the layout's third level, both. `held` are the modifiers that we hold
/// (others cannot be lifted), `preferred` is tried first. Control and Alt
/// are always out of the way. `None` when the layout does not have the character.
pub(crate) fn find(
    keymap: &Keymap,
    state: State,
    held: &[u8],
    character: char,
    preferred: Option<u8>,
) -> Option<Stroke> {
    let level3 = keymap.level3();
    let level3_mods = level3.map_or(0, |(_, mods)| mods);
    let base = Change {
        mods: state.mods,
        lift: Vec::new(),
        add: Vec::new(),
    };
    let commands = ALL_MODS & !SHIFT & !super::keymap::LOCK & !level3_mods;
    let base = base.lifted(keymap, held, commands).unwrap_or(base);

    for toggles in [[false, false], [true, false], [false, true], [true, true]] {
        let shifted = if toggles[0] {
            base.toggled(
                keymap,
                held,
                SHIFT,
                keymap
                    .keycodes()
                    .find(|&code| keymap.modifiers_of(code) == SHIFT),
            )
        } else {
            Some(base.clone())
        };
        let changed = if toggles[1] {
            shifted.and_then(|change| {
                change.toggled(
                    keymap,
                    held,
                    level3_mods,
                    level3.map(|(keycode, _)| keycode),
                )
            })
        } else {
            shifted
        };
        let Some(change) = changed else { continue };
        let state = State {
            mods: change.mods,
            ..state
        };
        if let Some(keycode) = keymap.find(character, state, preferred) {
            return Some(Stroke {
                keycode,
                lift: change.lift,
                add: change.add,
            });
        }
    }
    None
}

/// Every modifier bit.
const ALL_MODS: u8 = !0;

const _: () = assert!(CONTROL & ALL_MODS != 0);

#[derive(Clone)]
struct Change {
    mods: u8,
    lift: Vec<u8>,
    add: Vec<u8>,
}

impl Change {
    /// With the modifiers of `bits` that we hold released; `None` when we hold none.
    fn lifted(&self, keymap: &Keymap, held: &[u8], bits: u8) -> Option<Self> {
        let keys: Vec<u8> = held
            .iter()
            .copied()
            .filter(|&keycode| keymap.modifiers_of(keycode) & bits != 0)
            .collect();
        if keys.is_empty() {
            return None;
        }
        let gone = keys
            .iter()
            .fold(0, |mods, &keycode| mods | keymap.modifiers_of(keycode));
        let mut change = self.clone();
        change.mods &= !gone;
        change.lift.extend(keys);
        Some(change)
    }

    /// With a modifier the other way; `None` when that is not in our power.
    fn toggled(&self, keymap: &Keymap, held: &[u8], bits: u8, key: Option<u8>) -> Option<Self> {
        if self.mods & bits != 0 {
            return self.lifted(keymap, held, bits);
        }
        let mut change = self.clone();
        change.mods |= bits;
        change.add.push(key?);
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keymap::LOCK;
    use super::super::keymap::tests::{LEVEL3, small_keymap};
    use super::*;

    const fn with(mods: u8) -> State {
        State { mods, group: 0 }
    }

    #[test]
    fn leaves_the_modifiers_alone_when_a_key_fits() {
        assert_eq!(
            find(&small_keymap(), with(0), &[], 'q', None),
            Some(Stroke::plain(10))
        );
        assert_eq!(
            find(&small_keymap(), with(SHIFT), &[50], '/', None),
            Some(Stroke::plain(11))
        );
    }

    #[test]
    fn presses_what_a_character_needs() {
        let keymap = small_keymap();

        let slash = find(&keymap, with(0), &[], '/', None);
        let brace = find(&keymap, with(0), &[], '{', None);

        assert_eq!(
            slash,
            Some(Stroke {
                keycode: 11,
                lift: vec![],
                add: vec![50]
            })
        );
        assert_eq!(
            brace,
            Some(Stroke {
                keycode: 11,
                lift: vec![],
                add: vec![108]
            })
        );
    }

    #[test]
    fn lifts_what_a_character_must_not_have() {
        let keymap = small_keymap();

        let seven = find(&keymap, with(SHIFT), &[50], '7', None);
        let brace = find(&keymap, with(SHIFT), &[50], '{', None);

        assert_eq!(
            seven,
            Some(Stroke {
                keycode: 11,
                lift: vec![50],
                add: vec![]
            })
        );
        assert_eq!(
            brace,
            Some(Stroke {
                keycode: 11,
                lift: vec![50],
                add: vec![108]
            })
        );
    }

    #[test]
    fn cannot_lift_a_key_that_a_person_holds() {
        assert_eq!(find(&small_keymap(), with(SHIFT), &[], '7', None), None);
        assert_eq!(
            find(&small_keymap(), with(SHIFT | LEVEL3), &[108], '/', None)
                .map(|stroke| stroke.lift),
            Some(vec![108])
        );
    }

    #[test]
    fn types_a_small_letter_under_caps_lock() {
        let small = find(&small_keymap(), with(LOCK), &[], 'q', None);

        assert_eq!(
            small,
            Some(Stroke {
                keycode: 10,
                lift: vec![],
                add: vec![50]
            })
        );
    }

    #[test]
    fn gives_up_on_a_character_that_the_layout_lacks() {
        assert_eq!(find(&small_keymap(), with(0), &[], '漢', None), None);
    }
}
