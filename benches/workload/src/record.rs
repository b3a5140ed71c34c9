//! A window that writes down what a person's hands did to it: keys by X key code and key
//! symbol, buttons with their place, and whether it has the focus.

use anyhow::Context;
use serde_json::json;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt, GetKeyboardMappingReply, InputFocus, KeyPressEvent};

use crate::canvas::Rgb;
use crate::output::{print, wait_for_end_of_input};
use crate::screen::{Area, Screen};

const AREA: Area = Area::new(100, 100, 600, 400);

pub(crate) fn run(screen: &Screen, managed: bool) -> anyhow::Result<()> {
    let window = screen.input_window(AREA, Rgb(0x33_6699), managed)?;
    screen.finish()?;
    if !managed {
        screen
            .connection()
            .set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME)?;
    }
    screen.finish()?;
    print(
        &json!({ "ready": "record", "x": AREA.x, "y": AREA.y, "width": AREA.width, "height": AREA.height }),
    );

    // The main thread reads events; the end of standard input ends the process.
    std::thread::spawn(|| {
        wait_for_end_of_input();
        std::process::exit(0);
    });
    loop {
        let event = screen
            .connection()
            .wait_for_event()
            .context("read an event")?;
        match event {
            Event::KeyPress(key) => print_key(screen, &key, "down")?,
            Event::KeyRelease(key) => print_key(screen, &key, "up")?,
            Event::ButtonPress(button) => {
                print(
                    &json!({ "button": button.detail, "is": "down", "x": button.event_x, "y": button.event_y }),
                );
            }
            Event::ButtonRelease(button) => {
                print(
                    &json!({ "button": button.detail, "is": "up", "x": button.event_x, "y": button.event_y }),
                );
            }
            Event::FocusIn(_) => print(&json!({ "focus": true })),
            Event::FocusOut(_) => print(&json!({ "focus": false })),
            // Another program gave a key another meaning; the next look-up sees it.
            _ => {}
        }
    }
}

fn print_key(screen: &Screen, key: &KeyPressEvent, is: &str) -> anyhow::Result<()> {
    let mapping: GetKeyboardMappingReply = screen
        .connection()
        .get_keyboard_mapping(key.detail, 1)?
        .reply()
        .context("ask what a key means")?;
    let symbol = mapping.keysyms.first().copied().unwrap_or_default();
    print(
        &json!({ "key": key.detail, "symbol": symbol, "is": is, "modifiers": u16::from(key.state) }),
    );
    Ok(())
}
