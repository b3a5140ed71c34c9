//! The two marks by which a viewer's canvas is read: a bar code with the frame's number at
//! (16, 16), and below it a patch that flips between red and blue on every key or button
//! press. They are windows of their own above the scene.

use std::thread;

use anyhow::Context;
use serde_json::json;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt, InputFocus, Window};

use crate::canvas::Rgb;
use crate::output::{now_us, print};
use crate::screen::{Area, Screen};

/// Bits of the frame's number; a parity bit follows.
const NUMBER_BITS: i16 = 12;
const BLOCK_PX: u16 = 8;
const PATCH: Area = Area::new(16, 32, 32, 32);

pub(crate) struct BarCode {
    window: Window,
}

impl BarCode {
    pub(crate) fn new(screen: &Screen) -> anyhow::Result<Self> {
        let width = BLOCK_PX * (NUMBER_BITS as u16 + 1);
        Ok(Self {
            window: screen.window(Area::new(16, 16, width, BLOCK_PX), Rgb::BLACK)?,
        })
    }

    /// Lowest bit on the left; the block on the right makes the number of white blocks odd.
    pub(crate) fn show(&self, screen: &Screen, frame: u32) -> anyhow::Result<()> {
        let number = frame & ((1 << NUMBER_BITS) - 1);
        let parity = number.count_ones().is_multiple_of(2);
        for place in 0..=NUMBER_BITS {
            let white = if place < NUMBER_BITS {
                number >> place & 1 == 1
            } else {
                parity
            };
            let block = Area::new(place * BLOCK_PX as i16, 0, BLOCK_PX, BLOCK_PX);
            screen.fill(
                self.window,
                block,
                if white { Rgb::WHITE } else { Rgb::BLACK },
            )?;
        }
        Ok(())
    }
}

/// Serves the patch on a connection and a thread of its own, so that a scene that is busy
/// drawing does not hold up the answer to a key.
pub(crate) fn serve_patch() -> anyhow::Result<()> {
    let screen = Screen::open().context("open the display for the patch")?;
    let window = screen.input_window(PATCH, Rgb::BLACK, false)?;
    let connection = screen.connection();
    connection.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME)?;
    paint(&screen, window, 0)?;
    screen.finish()?;

    thread::Builder::new().name("patch".into()).spawn(move || {
        let mut flips = 0_u32;
        // The scene's own connection reports a display that went away.
        while let Ok(event) = screen.connection().wait_for_event() {
            let painted = match event {
                Event::KeyPress(_) | Event::ButtonPress(_) => {
                    flips += 1;
                    paint(&screen, window, flips)
                        .and_then(|()| screen.finish())
                        .inspect(|()| {
                            print(&json!({ "patch": flips, "us": now_us() }));
                        })
                }
                Event::Expose(_) => paint(&screen, window, flips),
                _ => Ok(()),
            };
            if painted
                .and_then(|()| Ok(screen.connection().flush()?))
                .is_err()
            {
                return;
            }
        }
    })?;
    Ok(())
}

fn paint(screen: &Screen, window: Window, flips: u32) -> anyhow::Result<()> {
    let colour = if flips.is_multiple_of(2) {
        Rgb(0xff_0000)
    } else {
        Rgb(0x00_00ff)
    };
    screen.fill(window, Area::new(0, 0, PATCH.width, PATCH.height), colour)
}
