//! Three windows on a photograph; in one of them a caret blinks.

use x11rb::protocol::xproto::Window;

use super::{Scene, Stage};
use crate::canvas::Rgb;
use crate::screen::{Area, Screen};

pub(super) struct Idle {
    caret: Window,
}

impl Idle {
    pub(super) fn new(stage: &Stage) -> anyhow::Result<Self> {
        stage.desktop(3)?;
        Ok(Self {
            caret: stage
                .screen
                .window(Area::new(600, 640, 2, 16), Rgb::BLACK)?,
        })
    }
}

impl Scene for Idle {
    fn draw(&mut self, screen: &Screen, frame: u32) -> anyhow::Result<()> {
        let colour = if frame % 2 == 1 {
            Rgb::BLACK
        } else {
            Rgb::WHITE
        };
        screen.fill(self.caret, Area::new(0, 0, 2, 16), colour)
    }
}
