//! The platform's own input and files, asked for by a test.

use std::path::Path;

use gc_model::input::{InputEvent, KeyInput, KeyText, MouseButton};
use gc_model::key::Usage;
use gc_model::power::PowerAction;
use gc_platform::{Host, Input, PlatformError};
use gc_platform_windows::WindowsHost;

use crate::notepad::Place;

/// Clicks into the middle of `place` and types `text`, a character at a time.
pub(crate) fn click_and_type(place: &Place, text: &str) -> Result<(), String> {
    let press = |input: &mut dyn Input| -> Result<(), PlatformError> {
        let (x, y) = place.middle();
        input.inject(&InputEvent::PointerMove { x, y })?;
        for down in [true, false] {
            input.inject(&InputEvent::Button {
                button: MouseButton::Left,
                down,
            })?;
        }
        for character in text.chars() {
            let usage = usage_of(character);
            let text = KeyText::new(character.encode_utf8(&mut [0; 4]));
            input.inject(&InputEvent::Key(KeyInput {
                usage,
                down: true,
                text,
            }))?;
            input.inject(&InputEvent::Key(KeyInput {
                usage,
                down: false,
                text: None,
            }))?;
        }
        Ok(())
    };
    let mut desktop = WindowsHost
        .open_desktop()
        .map_err(|error| error.to_string())?;
    let mut input = desktop.open_input().map_err(|error| error.to_string())?;
    press(&mut *input).map_err(|error| error.to_string())
}

/// The key of an American keyboard for a small letter or a digit; everything else is text without a key.
fn usage_of(character: char) -> Usage {
    let code = match character {
        'a'..='z' => format!("Key{}", character.to_ascii_uppercase()),
        '0'..='9' => format!("Digit{character}"),
        _ => return Usage::UNKNOWN,
    };
    Usage::from_code(&code).unwrap_or(Usage::UNKNOWN)
}

/// How Windows starts the next time.
pub(crate) fn set_safe_mode(kind: &str) -> Result<(), String> {
    let kind = match kind {
        "ordinary" => None,
        kind => Some(PowerAction::parse(kind).ok_or("no such kind")?),
    };
    let power = WindowsHost.power().ok_or("no power")?;
    power.set_safe_mode(kind).map_err(|error| error.to_string())
}

/// A folder and a file as the agent makes them for its key.
pub(crate) fn make_private(path: &str) -> Result<(), String> {
    let path = Path::new(path);
    let make = || {
        WindowsHost.create_private_dir(path)?;
        WindowsHost.replace_private_file(&path.join("secret.txt"), b"secret")
    };
    make().map_err(|error| error.to_string())
}
