//! Keycodes that the layout leaves unused, bound to characters that it lacks.
//!
//! Programs read a binding when they handle the key press, which may be long
//! after it was sent. So a binding stays until its keycode is needed for
//! something else, the one longest unused goes first, and never one that a
//! program may still have to look up. Bindings outlive the connection; a
//! property of the root window lets the next one take them over.

use std::time::{Duration, Instant};

use gc_model::key::Usage;

use super::keymap::{Keymap, State};

/// Most keycodes that are ever taken.
const MAX_SPARES: usize = 40;

/// A program that has not handled a key press after this time is stuck; until
/// then its keycode keeps its meaning.
pub(crate) const QUARANTINE: Duration = Duration::from_secs(1);

/// The keycodes that are ours to bind.
#[derive(Default)]
pub(crate) struct Spares {
    taken: Vec<Spare>,
}

struct Spare {
    keycode: u8,
    /// The keysym that it gives since it was bound, 0 before.
    symbol: u32,
    last_used: Option<Instant>,
}

/// A keycode that may be bound.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Now.
    Free(u8),
    /// When this time has passed.
    After(u8, Duration),
    /// The layout uses every keycode.
    None,
}

impl Spares {
    /// Takes over keycodes that were bound by an earlier connection. They are
    /// what a property said, so keys that a person or a modifier needs are left alone.
    pub(crate) fn adopt(
        &mut self,
        keycodes: impl IntoIterator<Item = u8>,
        keymap: &Keymap,
        now: Instant,
    ) {
        let physical: Vec<u8> = physical_keycodes().collect();
        for keycode in keycodes {
            let allowed = !physical.contains(&keycode) && keymap.modifiers_of(keycode) == 0;
            if allowed && !self.contains(keycode) && self.taken.len() < MAX_SPARES {
                self.taken.push(Spare {
                    keycode,
                    symbol: symbol(keymap, keycode),
                    last_used: Some(now),
                });
            }
        }
    }

    /// Remembers what a keycode was bound to.
    pub(crate) fn note_bound(&mut self, keycode: u8, symbol: u32, now: Instant) {
        if let Some(spare) = self.taken.iter_mut().find(|spare| spare.keycode == keycode) {
            (spare.symbol, spare.last_used) = (symbol, Some(now));
        }
    }

    /// Gives up what a new layout uses for itself.
    pub(crate) fn note_layout(&mut self, keymap: &Keymap) {
        self.taken.retain(|spare| {
            keymap.is_unused(spare.keycode) || symbol(keymap, spare.keycode) == spare.symbol
        });
    }

    /// Remembers that a key was pressed, if it is one of ours.
    pub(crate) fn note_use(&mut self, keycode: u8, now: Instant) {
        if let Some(spare) = self.taken.iter_mut().find(|spare| spare.keycode == keycode) {
            spare.last_used = Some(now);
        }
    }

    /// Chooses a keycode to bind. It counts as taken from now on.
    pub(crate) fn choose(&mut self, keymap: &Keymap, now: Instant) -> Choice {
        if self.taken.len() < MAX_SPARES
            && let Some(keycode) = self.untouched(keymap)
        {
            self.taken.push(Spare {
                keycode,
                symbol: 0,
                last_used: None,
            });
            return Choice::Free(keycode);
        }
        let Some(oldest) = self.taken.iter().min_by_key(|spare| spare.last_used) else {
            return Choice::None;
        };
        let rested = oldest
            .last_used
            .map_or(QUARANTINE, |used| now.saturating_duration_since(used));
        match QUARANTINE.checked_sub(rested) {
            Some(left) if !left.is_zero() => Choice::After(oldest.keycode, left),
            _ => Choice::Free(oldest.keycode),
        }
    }

    /// Every keycode that is ours, for the property on the root window.
    pub(crate) fn keycodes(&self) -> impl Iterator<Item = u8> {
        self.taken.iter().map(|spare| spare.keycode)
    }

    fn contains(&self, keycode: u8) -> bool {
        self.taken.iter().any(|spare| spare.keycode == keycode)
    }

    /// A keycode that neither the layout nor any physical key uses; high ones first.
    fn untouched(&self, keymap: &Keymap) -> Option<u8> {
        let physical: Vec<u8> = physical_keycodes().collect();
        let mut unused: Vec<u8> = keymap
            .keycodes()
            .filter(|&keycode| keymap.is_unused(keycode))
            .collect();
        unused.reverse();
        unused
            .into_iter()
            .find(|keycode| !physical.contains(keycode) && !self.contains(*keycode))
    }
}

/// What a keycode gives without modifiers, 0 for nothing.
fn symbol(keymap: &Keymap, keycode: u8) -> u32 {
    keymap
        .keysym(keycode, State { mods: 0, group: 0 })
        .unwrap_or(0)
}

/// The keycodes of every physical key that a viewer can name.
fn physical_keycodes() -> impl Iterator<Item = u8> {
    (1..=0xe7)
        .filter_map(Usage::new)
        .filter_map(super::keycode_of)
}

#[cfg(test)]
mod tests {
    use super::super::keymap::tests::small_keymap;
    use super::*;

    fn free(choice: &Choice) -> u8 {
        let Choice::Free(keycode) = choice else {
            panic!("got {choice:?}")
        };
        *keycode
    }

    /// Binds until no untouched keycode is left.
    fn exhausted(spares: &mut Spares, now: Instant) -> Vec<u8> {
        let keymap = small_keymap();
        let mut bound = Vec::new();
        loop {
            match spares.choose(&keymap, now) {
                Choice::Free(keycode) if !bound.contains(&keycode) => {
                    spares.note_use(keycode, now);
                    bound.push(keycode);
                }
                _ => return bound,
            }
        }
    }

    #[test]
    fn takes_only_keycodes_that_nothing_uses() {
        let bound = exhausted(&mut Spares::default(), Instant::now());

        assert!(!bound.is_empty() && bound.len() <= MAX_SPARES);
        assert!(
            bound
                .iter()
                .all(|keycode| ![10, 11, 13, 50, 108].contains(keycode))
        );
        assert!(
            bound
                .iter()
                .all(|keycode| physical_keycodes().all(|physical| physical != *keycode))
        );
    }

    #[test]
    fn rebinds_the_longest_unused_and_only_after_its_rest() {
        let start = Instant::now();
        let mut spares = Spares::default();
        let bound = exhausted(&mut spares, start);
        let later = start + QUARANTINE / 2;
        spares.note_use(bound[0], later);

        let choice = spares.choose(&small_keymap(), later);
        assert_eq!(choice, Choice::After(bound[1], QUARANTINE / 2));

        assert_eq!(
            free(&spares.choose(&small_keymap(), start + QUARANTINE)),
            bound[1]
        );
    }

    #[test]
    fn adopted_keycodes_are_reused_before_the_pool_grows_beyond_its_limit() {
        let now = Instant::now();
        let mut spares = Spares::default();

        spares.adopt(0..=255, &small_keymap(), now);

        let adopted: Vec<u8> = spares.keycodes().collect();
        assert_eq!(adopted.len(), MAX_SPARES);
        assert!(
            !adopted.contains(&50) && !adopted.contains(&10),
            "no modifier and no physical key: {adopted:?}"
        );
        assert!(matches!(
            spares.choose(&small_keymap(), now),
            Choice::After(..)
        ));
    }

    #[test]
    fn leaves_a_keycode_to_a_layout_that_uses_it_now() {
        let mut spares = Spares {
            taken: vec![Spare {
                keycode: 13,
                symbol: 0xfc,
                last_used: None,
            }],
        };

        spares.note_layout(&small_keymap());

        assert_eq!(spares.keycodes().count(), 0);
    }
}
