//! What the input asks of the X server once, or when the layout changes.

use gc_platform::PlatformError;
use x11rb::protocol::xinput::{self, ConnectionExt as _};
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, ModMask};

use super::keymap::Keymap;
use crate::display::Connection;
use crate::error::During;

/// `XkbUseCoreKbd`: the keyboard that applications see.
pub(super) const CORE_KEYBOARD: u16 = 0x0100;

/// `XIAllDevices`.
const ALL_DEVICES: u16 = 0;

/// Most keycodes that are read from the property.
const MAX_PROPERTY_ITEMS: u32 = 256;

/// The keyboard that XTEST types on; `None` when the server does not say.
pub(super) fn xtest_keyboard(connection: &Connection) -> Result<Option<u16>, PlatformError> {
    let x = &connection.x;
    if !connection.has(xinput::X11_EXTENSION_NAME)? {
        return Ok(None);
    }
    let Ok(version) = x
        .xinput_xi_query_version(2, 2)
        .during("XIQueryVersion")?
        .reply()
    else {
        return Ok(None);
    };
    if version.major_version < 2 {
        return Ok(None);
    }
    let devices = x
        .xinput_xi_query_device(ALL_DEVICES)
        .during("XIQueryDevice")?
        .reply()
        .during("XIQueryDevice")?;
    // Every master has its own; the first belongs to the first master, which is where applications look.
    let keyboard = devices
        .infos
        .iter()
        .find(|device| device.name.ends_with(b"XTEST keyboard"));
    Ok(keyboard.map(|device| device.deviceid))
}

pub(super) fn watch_layout(connection: &Connection) -> Result<(), PlatformError> {
    let events = xkb::EventType::NEW_KEYBOARD_NOTIFY | xkb::EventType::MAP_NOTIFY;
    let parts = xkb::MapPart::KEY_TYPES | xkb::MapPart::KEY_SYMS | xkb::MapPart::MODIFIER_MAP;
    connection
        .x
        .xkb_select_events(
            CORE_KEYBOARD,
            0_u16.into(),
            events,
            parts,
            parts,
            &xkb::SelectEventsAux::new(),
        )
        .during("XkbSelectEvents")?;
    Ok(())
}

/// Lets the server not repeat the keys that we hold. When the network stalls, a
/// held Backspace must not go on deleting; so each repeat comes from the viewer.
/// The XTEST keyboard is ours and other such programs' alone: what a person types repeats as before.
pub(super) fn silence_repeats(connection: &Connection, keyboard: u16) -> Result<(), PlatformError> {
    if keyboard == CORE_KEYBOARD {
        return Ok(());
    }
    connection
        .x
        .xkb_set_controls(
            keyboard,
            ModMask::default(),
            ModMask::default(),
            ModMask::default(),
            ModMask::default(),
            0_u16.into(),
            0_u16.into(),
            0_u16.into(),
            0_u16.into(),
            0,
            0,
            0_u16.into(),
            xkb::BoolCtrl::REPEAT_KEYS,
            0_u32.into(),
            xkb::Control::CONTROLS_ENABLED,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0_u32.into(),
            0_u32.into(),
            0_u16.into(),
            0_u16.into(),
            &[0; 32],
        )
        .during("XkbSetControls")?;
    Ok(())
}

pub(super) fn read_keymap(connection: &Connection, keyboard: u16) -> Result<Keymap, PlatformError> {
    let parts = xkb::MapPart::KEY_TYPES | xkb::MapPart::KEY_SYMS | xkb::MapPart::MODIFIER_MAP;
    let nothing = xkb::MapPart::from(0_u16);
    let reply = connection
        .x
        .xkb_get_map(
            keyboard,
            parts,
            nothing,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0_u16.into(),
            0,
            0,
            0,
            0,
            0,
            0,
        )
        .during("XkbGetMap")?
        .reply()
        .during("XkbGetMap")?;
    Keymap::new(reply).ok_or(PlatformError::Unsupported("the X server's keyboard layout"))
}

pub(super) fn read_spares(
    connection: &Connection,
    property: u32,
) -> Result<Vec<u8>, PlatformError> {
    let reply = connection
        .x
        .get_property(
            false,
            connection.root,
            property,
            AtomEnum::CARDINAL,
            0,
            MAX_PROPERTY_ITEMS,
        )
        .during("GetProperty")?
        .reply()
        .during("GetProperty")?;
    let items = reply.value32().into_iter().flatten();
    Ok(items
        .filter_map(|keycode| u8::try_from(keycode).ok())
        .collect())
}
