//! Mouse and keyboard through XTEST.
//!
//! A key is pressed as the physical key whenever the machine's layout gives
//! what the technician typed, and as the text otherwise: with a key that has it,
//! or with an unused keycode that is bound to it. Shortcuts are always physical keys.

mod keymap;
mod server;
mod spare;
mod stroke;

use std::time::Instant;

use gc_model::input::{InputEvent, KeyInput, KeyText, MouseButton};
use gc_model::key::Usage;
use gc_platform::{Input, PlatformError};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_PRESS_EVENT,
    KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT, PropMode,
};
use x11rb::protocol::xtest::{self, ConnectionExt as _};
use x11rb::wrapper::ConnectionExt as _;

use crate::display::Connection;
use crate::error::During;
use keymap::{Keymap, SHIFT, State, cases_of};
use server::{
    CORE_KEYBOARD, read_keymap, read_spares, silence_repeats, watch_layout, xtest_keyboard,
};
use spare::{Choice, Spares};
use stroke::Stroke;

/// One notch of a wheel.
const NOTCH: i32 = 120;

/// Names the keycodes that we bound, for whoever connects next.
const SPARES_PROPERTY: &[u8] = b"_GURUCONNECT_SPARE_KEYCODES";

/// [`Input`] through XTEST.
pub(crate) struct X11Input {
    connection: Connection,
    /// The XTEST keyboard: its layout is what applications get when we type.
    keyboard: u16,
    keymap: Keymap,
    /// The layout changed since `keymap` was read.
    stale: bool,
    spares: Spares,
    spares_property: u32,
    // INVARIANT: `keys` and `buttons` are exactly what we pressed and did not release.
    keys: Vec<(Usage, u8)>,
    buttons: Vec<u8>,
    /// Right Alt is down at the viewer, and whether it is Alt or `AltGr` is not known yet.
    undecided_alt: Option<UndecidedAlt>,
    /// Scrolled distance that does not make a notch yet.
    wheel: (i32, i32),
    /// The last key was a dead one: the application composes the next.
    composing: bool,
}

struct UndecidedAlt {
    keycode: u8,
    /// It made a character already, so it was `AltGr`.
    typed: bool,
}

/// The X keycode of a physical key: its Linux event code and 8.
fn keycode_of(usage: Usage) -> Option<u8> {
    u8::try_from(usage.evdev()? + 8).ok()
}

impl X11Input {
    pub(crate) fn open(connection: Connection) -> Result<Self, PlatformError> {
        if !connection.has(xtest::X11_EXTENSION_NAME)? {
            return Err(PlatformError::Unsupported(
                "input on an X server without XTEST",
            ));
        }
        if !connection.has(xkb::X11_EXTENSION_NAME)? {
            return Err(PlatformError::Unsupported(
                "input on an X server without XKB",
            ));
        }
        let x = &connection.x;
        let xkb = x
            .xkb_use_extension(1, 0)
            .during("XkbUseExtension")?
            .reply()
            .during("XkbUseExtension")?;
        if !xkb.supported {
            return Err(PlatformError::Unsupported(
                "input on an X server with an old XKB",
            ));
        }
        let keyboard = xtest_keyboard(&connection)?.unwrap_or(CORE_KEYBOARD);
        watch_layout(&connection)?;
        silence_repeats(&connection, keyboard)?;
        let keymap = read_keymap(&connection, keyboard)?;
        let spares_property = x
            .intern_atom(false, SPARES_PROPERTY)
            .during("InternAtom")?
            .reply()
            .during("InternAtom")?
            .atom;
        let mut spares = Spares::default();
        spares.adopt(
            read_spares(&connection, spares_property)?,
            &keymap,
            Instant::now(),
        );
        Ok(Self {
            connection,
            keyboard,
            keymap,
            stale: false,
            spares,
            spares_property,
            keys: Vec::new(),
            buttons: Vec::new(),
            undecided_alt: None,
            wheel: (0, 0),
            composing: false,
        })
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) -> Result<(), PlatformError> {
        self.connection
            .x
            .xtest_fake_input(
                kind,
                detail,
                x11rb::CURRENT_TIME,
                self.connection.root,
                x,
                y,
                0,
            )
            .during("XTestFakeInput")?;
        Ok(())
    }

    fn key(&self, keycode: u8, down: bool) -> Result<(), PlatformError> {
        self.fake(
            if down {
                KEY_PRESS_EVENT
            } else {
                KEY_RELEASE_EVENT
            },
            keycode,
            0,
            0,
        )
    }

    fn button(&mut self, button: u8, down: bool) -> Result<(), PlatformError> {
        self.settle_alt()?;
        self.buttons.retain(|held| *held != button);
        self.buttons.extend(down.then_some(button));
        self.fake(
            if down {
                BUTTON_PRESS_EVENT
            } else {
                BUTTON_RELEASE_EVENT
            },
            button,
            0,
            0,
        )
    }

    fn scroll(&mut self, x: i32, y: i32) -> Result<(), PlatformError> {
        let (notches_x, rest_x) = notches(self.wheel.0, x);
        let (notches_y, rest_y) = notches(self.wheel.1, y);
        self.wheel = (rest_x, rest_y);
        for (notches, [negative, positive]) in [(notches_y, [4, 5]), (notches_x, [6, 7])] {
            let button = if notches < 0 { negative } else { positive };
            for _ in 0..notches.unsigned_abs() {
                self.button(button, true)?;
                self.button(button, false)?;
            }
        }
        Ok(())
    }

    fn press(&mut self, usage: Usage, text: Option<&KeyText>) -> Result<(), PlatformError> {
        self.read_events()?;
        let physical = keycode_of(usage);
        if usage.is_modifier() {
            return self.press_modifier(usage, physical);
        }
        // A press of a key that is down is a repeat, and only the viewer repeats.
        self.release(usage)?;
        let state = self.state()?;
        let composing = std::mem::take(&mut self.composing);
        match text {
            Some(text)
                if self.is_typed(physical, text, state) && !(composing && composes(text)) =>
            {
                self.type_text(usage, physical, text)
            }
            _ => {
                self.settle_alt()?;
                let Some(keycode) = physical else {
                    return Ok(());
                };
                self.composing = text.is_none() && self.keymap.is_dead(keycode, state);
                self.stroke(Some(usage), &Stroke::plain(keycode))
            }
        }
    }

    fn press_modifier(&mut self, usage: Usage, physical: Option<u8>) -> Result<(), PlatformError> {
        let Some(keycode) = physical else {
            return Ok(());
        };
        if self.keys.iter().any(|(held, _)| *held == usage)
            || self.undecided_alt.is_some() && usage == Usage::ALT_RIGHT
        {
            return Ok(());
        }
        if usage == Usage::ALT_RIGHT && !self.keymap.is_level3(keycode) {
            self.undecided_alt = Some(UndecidedAlt {
                keycode,
                typed: false,
            });
            return Ok(());
        }
        self.stroke(Some(usage), &Stroke::plain(keycode))
    }

    fn release(&mut self, usage: Usage) -> Result<(), PlatformError> {
        if usage == Usage::ALT_RIGHT
            && let Some(alt) = self.undecided_alt.take()
        {
            // Nothing followed: a tap of Alt. After text it was AltGr, which this layout does not have.
            if !alt.typed {
                self.key(alt.keycode, true)?;
                self.key(alt.keycode, false)?;
            }
            return Ok(());
        }
        if let Some(index) = self.keys.iter().position(|(held, _)| *held == usage) {
            let (_, keycode) = self.keys.remove(index);
            self.key(keycode, false)?;
        }
        Ok(())
    }

    /// Something other than text follows right Alt: it is Alt.
    fn settle_alt(&mut self) -> Result<(), PlatformError> {
        if let Some(alt) = self.undecided_alt.take() {
            self.keys.push((Usage::ALT_RIGHT, alt.keycode));
            self.key(alt.keycode, true)?;
        }
        Ok(())
    }

    /// True when the text counts, false when the physical key does (a shortcut).
    fn is_typed(&self, physical: Option<u8>, text: &KeyText, state: State) -> bool {
        let is_held = |wanted: fn(Usage) -> bool| self.keys.iter().any(|(usage, _)| wanted(*usage));
        let right_alt = is_held(|usage| usage == Usage::ALT_RIGHT);
        let right_alt_is_alt = right_alt
            && keycode_of(Usage::ALT_RIGHT).is_some_and(|key| !self.keymap.is_level3(key));
        let shortcut = is_held(is_command) || right_alt_is_alt || self.undecided_alt.is_some();
        if !shortcut {
            return true;
        }
        // Text beside right Alt that is not the key's own: the viewer's layout has
        // AltGr there (which Windows also reports as Ctrl+Alt).
        let plain = [0, SHIFT].map(|mods| State { mods, ..state });
        let own = |keycode| {
            plain.iter().any(|&state| {
                self.keymap
                    .character(keycode, state)
                    .is_some_and(|c| is_only(text, c))
            })
        };
        (right_alt || self.undecided_alt.is_some()) && !physical.is_some_and(own)
    }

    fn type_text(
        &mut self,
        usage: Usage,
        physical: Option<u8>,
        text: &KeyText,
    ) -> Result<(), PlatformError> {
        if let Some(alt) = &mut self.undecided_alt {
            alt.typed = true;
        }
        let single = text.as_str().chars().nth(1).is_none();
        for character in text.as_str().chars() {
            let stroke = self.stroke_for(character, physical)?;
            // One character lasts as long as its key; several are typed one after the other.
            let holder = (single && usage != Usage::UNKNOWN).then_some(usage);
            self.stroke(holder, &stroke)?;
        }
        Ok(())
    }

    fn stroke_for(
        &mut self,
        character: char,
        physical: Option<u8>,
    ) -> Result<Stroke, PlatformError> {
        let state = self.state()?;
        let held: Vec<u8> = self
            .keys
            .iter()
            .filter(|(usage, _)| usage.is_modifier())
            .map(|(_, keycode)| *keycode)
            .collect();
        if let Some(stroke) = stroke::find(&self.keymap, state, &held, character, physical) {
            return Ok(stroke);
        }
        self.bind(character)?;
        stroke::find(&self.keymap, state, &held, character, physical).ok_or(
            PlatformError::Unsupported("a character that the keyboard layout lacks"),
        )
    }

    /// Presses a key; `holder` keeps it down until its release, without one it is tapped.
    fn stroke(&mut self, holder: Option<Usage>, stroke: &Stroke) -> Result<(), PlatformError> {
        self.spares.note_use(stroke.keycode, Instant::now());
        for &keycode in &stroke.lift {
            self.key(keycode, false)?;
        }
        for &keycode in &stroke.add {
            self.key(keycode, true)?;
        }
        self.key(stroke.keycode, true)?;
        match holder {
            Some(usage) => self.keys.push((usage, stroke.keycode)),
            None => self.key(stroke.keycode, false)?,
        }
        for &keycode in stroke.add.iter().rev() {
            self.key(keycode, false)?;
        }
        for &keycode in stroke.lift.iter().rev() {
            self.key(keycode, true)?;
        }
        Ok(())
    }

    /// Gives the layout a character that it lacks, on a keycode that it does not use.
    ///
    /// Applications are told before they get the key press: events to one
    /// application stay in order, and the layout is read back before the key is pressed.
    fn bind(&mut self, character: char) -> Result<(), PlatformError> {
        let keycode = match self.spares.choose(&self.keymap, Instant::now()) {
            Choice::Free(keycode) => keycode,
            Choice::After(keycode, rest) => {
                std::thread::sleep(rest);
                keycode
            }
            Choice::None => {
                return Err(PlatformError::Unsupported(
                    "a keyboard layout without a free keycode",
                ));
            }
        };
        let (small, capital) = cases_of(character);
        let x = &self.connection.x;
        x.change_keyboard_mapping(1, keycode, 2, &[small, capital])
            .during("ChangeKeyboardMapping")?;
        self.spares.note_bound(keycode, small, Instant::now());
        let keycodes: Vec<u32> = self.spares.keycodes().map(u32::from).collect();
        x.change_property32(
            PropMode::REPLACE,
            self.connection.root,
            self.spares_property,
            AtomEnum::CARDINAL,
            &keycodes,
        )
        .during("ChangeProperty")?;
        self.keymap = read_keymap(&self.connection, self.keyboard)?;
        Ok(())
    }

    /// Modifiers and group as applications see them now.
    fn state(&self) -> Result<State, PlatformError> {
        let reply = self
            .connection
            .x
            .xkb_get_state(CORE_KEYBOARD)
            .during("XkbGetState")?
            .reply()
            .during("XkbGetState")?;
        Ok(State {
            mods: u16::from(reply.mods) as u8,
            group: reply.group.into(),
        })
    }

    /// Notices a new layout; also keeps the event queue empty.
    fn read_events(&mut self) -> Result<(), PlatformError> {
        while let Some(event) = self
            .connection
            .x
            .poll_for_event()
            .during("reading X events")?
        {
            self.stale |= matches!(
                event,
                Event::MappingNotify(_) | Event::XkbMapNotify(_) | Event::XkbNewKeyboardNotify(_)
            );
        }
        if std::mem::take(&mut self.stale) {
            self.keymap = read_keymap(&self.connection, self.keyboard)?;
            self.spares.note_layout(&self.keymap);
        }
        Ok(())
    }

    fn release_everything(&mut self) -> Result<(), PlatformError> {
        for (_, keycode) in std::mem::take(&mut self.keys) {
            self.key(keycode, false)?;
        }
        for button in std::mem::take(&mut self.buttons) {
            self.fake(BUTTON_RELEASE_EVENT, button, 0, 0)?;
        }
        // The server drops what it has not read when a client hangs up: wait until it has.
        self.connection.x.sync().during("GetInputFocus")
    }
}

impl Input for X11Input {
    fn inject(&mut self, event: &InputEvent) -> Result<(), PlatformError> {
        match event {
            InputEvent::PointerMove { x, y } => {
                let place = |value: &u32| i16::try_from(*value).unwrap_or(i16::MAX);
                self.fake(MOTION_NOTIFY_EVENT, 0, place(x), place(y))?;
            }
            InputEvent::Button { button, down } => self.button(button_number(*button), *down)?,
            InputEvent::Wheel { x, y } => self.scroll(*x, *y)?,
            InputEvent::Key(KeyInput {
                usage,
                down: true,
                text,
            }) => self.press(*usage, text.as_ref())?,
            InputEvent::Key(KeyInput {
                usage, down: false, ..
            }) => self.release(*usage)?,
            InputEvent::SecureAttention => return Err(PlatformError::Unsupported("Ctrl+Alt+Del")),
        }
        self.connection.x.flush().during("sending X requests")
    }
}

impl Drop for X11Input {
    fn drop(&mut self) {
        // When the connection is broken there is nothing left to release.
        let _broken = self.release_everything();
    }
}

/// Control, Alt and Meta: with one of them a key is a command.
fn is_command(usage: Usage) -> bool {
    usage.is_modifier() && !matches!(usage.code(), Some("ShiftLeft" | "ShiftRight" | "AltRight"))
}

fn is_only(text: &KeyText, character: char) -> bool {
    let mut characters = text.as_str().chars();
    characters.next() == Some(character) && characters.next().is_none()
}

/// True for text that a dead key and a letter make: the machine makes it from the same keys.
fn composes(text: &KeyText) -> bool {
    !text.as_str().is_ascii() || matches!(text.as_str(), "'" | "\"" | "`" | "^" | "~")
}

/// Whole notches of an old rest and a new distance, and the new rest.
const fn notches(rest: i32, distance: i32) -> (i32, i32) {
    // Turning round starts a new notch: the rest of the other direction is forgotten.
    let rest = if (rest < 0) == (distance < 0) {
        rest
    } else {
        0
    };
    let sum = rest + distance;
    (sum / NOTCH, sum % NOTCH)
}

const fn button_number(button: MouseButton) -> u8 {
    match button {
        MouseButton::Left => 1,
        MouseButton::Middle => 2,
        MouseButton::Right => 3,
        MouseButton::Back => 8,
        MouseButton::Forward => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_scrolls_add_up_to_notches() {
        let mut rest = 0;
        let mut sum = 0;
        for distance in [60, 30, 30, 240, -60, -60, 500] {
            let (whole, left) = notches(rest, distance);
            (rest, sum) = (left, sum + whole);
        }

        assert_eq!((sum, rest), (1 + 2 - 1 + 4, 20));
    }
}
