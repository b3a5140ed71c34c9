//! What is held down at the machine, and what a viewer's input does to it.

use gc_model::geometry::Size;
use gc_model::input::{InputEvent, KeyInput, KeyText, MouseButton};
use gc_model::key::Usage;
use gc_proto::limits::{MAX_CHORD_KEYS, MAX_WHEEL};
use gc_proto::v1;

use crate::convert::ConvertError;

/// More keys than two hands hold; further presses are dropped.
const MAX_HELD_KEYS: usize = 32;

/// Input of one viewer.
///
/// INVARIANT: `keys` and `buttons` are exactly what this viewer pressed and did
/// not release, so that [`HeldInput::release_all`] leaves nothing down.
#[derive(Default)]
pub(crate) struct HeldInput {
    keys: Vec<Usage>,
    buttons: u32,
}

impl HeldInput {
    pub(crate) fn mouse(&mut self, event: &v1::MouseEvent, picture: Size) -> Vec<InputEvent> {
        let clamp = |value: i32, side: u32| value.clamp(0, side as i32 - 1) as u32;
        let mut out = vec![InputEvent::PointerMove {
            x: clamp(event.x, picture.width()),
            y: clamp(event.y, picture.height()),
        }];
        for (bit, button) in MouseButton::ALL.into_iter().enumerate() {
            let mask = 1_u32 << bit;
            if (self.buttons ^ event.buttons) & mask != 0 {
                out.push(InputEvent::Button {
                    button,
                    down: event.buttons & mask != 0,
                });
                self.buttons ^= mask;
            }
        }
        let x = event.wheel_x.clamp(-MAX_WHEEL, MAX_WHEEL);
        let y = event.wheel_y.clamp(-MAX_WHEEL, MAX_WHEEL);
        if x != 0 || y != 0 {
            out.push(InputEvent::Wheel { x, y });
        }
        out
    }

    /// A mouse event of a picture that is not shown any more: where it points is not known, so
    /// it only releases.
    pub(crate) fn mouse_elsewhere(&mut self, event: &v1::MouseEvent) -> Vec<InputEvent> {
        let released = self.buttons & !event.buttons;
        self.buttons &= event.buttons;
        released_buttons(released).collect()
    }

    pub(crate) fn key(&mut self, event: &v1::KeyEvent) -> Vec<InputEvent> {
        // A key that this version does not know still types its text.
        let usage = Usage::new(event.usage).unwrap_or(Usage::UNKNOWN);
        let text = KeyText::new(&event.text);
        if usage == Usage::UNKNOWN {
            return match text {
                Some(text) if event.down => [true, false]
                    .map(|down| {
                        InputEvent::Key(KeyInput {
                            usage,
                            down,
                            text: down.then(|| text.clone()),
                        })
                    })
                    .into(),
                _ => Vec::new(),
            };
        }
        let held = self.keys.iter().position(|&key| key == usage);
        match (event.down, held) {
            (true, None) if self.keys.len() >= MAX_HELD_KEYS => return Vec::new(),
            (true, None) => self.keys.push(usage),
            (true, Some(_)) => {}
            (false, Some(index)) => {
                self.keys.remove(index);
            }
            (false, None) => return Vec::new(),
        }
        let text = if event.down { text } else { None };
        vec![InputEvent::Key(KeyInput {
            usage,
            down: event.down,
            text,
        })]
    }

    /// Presses the chord's keys and releases them again, with nothing else held.
    pub(crate) fn chord(&mut self, chord: &v1::KeyChord) -> Result<Vec<InputEvent>, ConvertError> {
        let mut out = self.release_all();
        match v1::key_chord::Kind::try_from(chord.kind) {
            Ok(v1::key_chord::Kind::SecureAttention) => out.push(InputEvent::SecureAttention),
            Ok(v1::key_chord::Kind::Usages) => {
                if chord.usages.len() > MAX_CHORD_KEYS {
                    return Err(ConvertError("the key combination has too many keys"));
                }
                let keys: Vec<Usage> = chord
                    .usages
                    .iter()
                    .map(|&number| Usage::new(number).filter(|&usage| usage != Usage::UNKNOWN))
                    .collect::<Option<_>>()
                    .ok_or(ConvertError("the key combination has an unknown key"))?;
                out.extend(keys.iter().map(|&usage| press(usage, true)));
                out.extend(keys.iter().rev().map(|&usage| press(usage, false)));
            }
            _ => return Err(ConvertError("the key combination is of an unknown kind")),
        }
        Ok(out)
    }

    /// Releases everything, last pressed first.
    pub(crate) fn release_all(&mut self) -> Vec<InputEvent> {
        let mut out: Vec<_> = self
            .keys
            .drain(..)
            .rev()
            .map(|usage| press(usage, false))
            .collect();
        out.extend(released_buttons(std::mem::take(&mut self.buttons)));
        out
    }
}

/// The releases of the buttons whose bits are set.
fn released_buttons(bits: u32) -> impl Iterator<Item = InputEvent> {
    let buttons = MouseButton::ALL.into_iter().enumerate();
    buttons
        .filter(move |(bit, _)| bits & (1 << bit) != 0)
        .map(|(_, button)| InputEvent::Button {
            button,
            down: false,
        })
}

fn press(usage: Usage, down: bool) -> InputEvent {
    InputEvent::Key(KeyInput {
        usage,
        down,
        text: None,
    })
}
