//! Four full screens take turns, as when a person changes windows.

use x11rb::protocol::xproto::Window;

use super::{Scene, Stage};
use crate::canvas::{Canvas, Rgb};
use crate::picture::photograph;
use crate::screen::{Screen, Stored};
use crate::text::Paper;

pub(super) struct Switch {
    window: Window,
    views: [Stored; 4],
}

impl Switch {
    pub(super) fn new(stage: &Stage) -> anyhow::Result<Self> {
        let (screen, fonts) = (stage.screen, &stage.fonts);
        let mut chance = stage.chance();
        let mut document =
            |title, paper| fonts.document(screen.width, screen.height, title, paper, &mut chance);

        let editor = document("main.rs - Editor", Paper::Dark);
        let mut browser = document("News - Browser", Paper::Light);
        browser.place(&photograph(900, 500, stage.seed + 3), 960, 120);
        let mut table = document("Budget - Spreadsheet", Paper::Light);
        draw_grid(&mut table);
        let mut pictures = photograph(screen.width, screen.height, stage.seed + 4);
        fonts.title_bar(&mut pictures, "Holiday - Pictures");

        let window = screen.window(screen.whole(), Rgb::BLACK)?;
        let views = [
            screen.store(&editor)?,
            screen.store(&browser)?,
            screen.store(&table)?,
            screen.store(&pictures)?,
        ];
        screen.show(views[0], window)?;
        Ok(Self { window, views })
    }
}

impl Scene for Switch {
    fn draw(&mut self, screen: &Screen, frame: u32) -> anyhow::Result<()> {
        screen.show(self.views[frame as usize % self.views.len()], self.window)
    }
}

fn draw_grid(canvas: &mut Canvas) {
    let (width, height) = (i32::from(canvas.width), i32::from(canvas.height));
    for x in (0..width).step_by(90) {
        canvas.fill(x, 32, 1, height - 32, Rgb(0xd0_d4dc));
    }
    for y in (32..height).step_by(18) {
        canvas.fill(0, y, width, 1, Rgb(0xd0_d4dc));
    }
}
