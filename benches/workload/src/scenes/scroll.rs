//! A long document with photographs scrolls up and down in a large window.

use x11rb::protocol::xproto::Window;

use super::{Scene, Stage};
use crate::canvas::{Canvas, Rgb};
use crate::picture::photograph;
use crate::screen::{Area, Screen, Stored};
use crate::text::Paper;

const WIDTH: u16 = 1_400;
const HEIGHT: u16 = 960;
const DOCUMENT_HEIGHT: u16 = 16_000;
const STEP_PX: u32 = 40;
const PLACE: Area = Area::new(260, 80, WIDTH, HEIGHT);
/// Photographs stand from this column on.
const PHOTOGRAPHS_PX: u16 = 900;

pub(super) struct Scroll {
    window: Window,
    document: Stored,
}

impl Scroll {
    pub(super) fn new(stage: &Stage) -> anyhow::Result<Self> {
        stage.desktop(0)?;
        let mut document = Canvas::new(WIDTH, DOCUMENT_HEIGHT, Rgb::WHITE);
        stage
            .fonts
            .page(&mut document, 0, Paper::Light, &mut stage.chance());
        for place in 0..10 {
            let picture = photograph(420, 240, stage.seed + 50 + place);
            document.place(&picture, PHOTOGRAPHS_PX.into(), 700 + place as i32 * 1_500);
        }
        let document = stage.screen.store(&document)?;
        let window = stage.screen.window(PLACE, Rgb::WHITE)?;
        stage.screen.show(document, window)?;
        Ok(Self { window, document })
    }
}

impl Scene for Scroll {
    fn text(&self) -> Option<Area> {
        Some(Area::new(PLACE.x, PLACE.y, PHOTOGRAPHS_PX, HEIGHT))
    }

    fn draw(&mut self, screen: &Screen, frame: u32) -> anyhow::Result<()> {
        let span = u32::from(DOCUMENT_HEIGHT - HEIGHT);
        let way = frame * STEP_PX % (2 * span);
        let offset = if way > span { 2 * span - way } else { way };
        screen.copy(
            self.document.id,
            Area::new(0, offset as i16, WIDTH, HEIGHT),
            self.window,
            0,
            0,
        )
    }
}
