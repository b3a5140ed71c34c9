//! A window with text and a picture is dragged about over a photograph.

use x11rb::protocol::xproto::Window;

use super::{Scene, Stage};
use crate::canvas::Rgb;
use crate::picture::photograph;
use crate::screen::{Area, Screen};
use crate::text::Paper;

pub(super) struct Drag {
    window: Window,
}

impl Drag {
    pub(super) fn new(stage: &Stage) -> anyhow::Result<Self> {
        stage.desktop(0)?;
        let mut document = stage.fonts.document(
            800,
            600,
            "Report - Viewer",
            Paper::Light,
            &mut stage.chance(),
        );
        document.place(&photograph(320, 240, stage.seed + 9), 440, 200);
        let window = stage
            .screen
            .window(Area::new(200, 200, 800, 600), Rgb::WHITE)?;
        stage
            .screen
            .set_background(window, stage.screen.store(&document)?)?;
        Ok(Self { window })
    }
}

impl Scene for Drag {
    fn draw(&mut self, screen: &Screen, frame: u32) -> anyhow::Result<()> {
        let seconds = f64::from(frame) / 30.0;
        let x = 560.0 + 430.0 * (seconds * 1.7).sin();
        let y = 250.0 + 180.0 * (seconds * 2.3 + 0.5).sin();
        screen.move_window(self.window, x as i32, y as i32)
    }
}
