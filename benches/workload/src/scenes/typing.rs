//! A person types in an editor: a letter and a caret a frame, a scroll at the end of the page.

use std::collections::VecDeque;

use x11rb::protocol::xproto::Window;

use super::{Scene, Stage};
use crate::canvas::{Canvas, Rgb};
use crate::screen::{Area, Screen};
use crate::text::{Chance, Fonts, LETTER_WIDTH_PX, LINE_HEIGHT_PX, Paper, TITLE_BAR_PX};

const WIDTH: u16 = 1_200;
const HEIGHT: u16 = 800;
const LEFT_PX: i32 = 60;
const PLACE: Area = Area::new(360, 140, WIDTH, HEIGHT);

pub(super) struct Typing {
    window: Window,
    fonts: Fonts,
    chance: Chance,
    pending: VecDeque<char>,
    caret: (i32, i32),
}

impl Typing {
    pub(super) fn new(stage: &Stage) -> anyhow::Result<Self> {
        stage.desktop(1)?;
        let mut chance = stage.chance();
        let mut page = stage.fonts.document(
            WIDTH,
            HEIGHT,
            "notes.txt - Editor",
            Paper::Light,
            &mut chance,
        );
        let half = i32::from(HEIGHT / 2);
        page.fill(0, half, i32::from(WIDTH), half, Rgb::WHITE);
        let window = stage.screen.window(PLACE, Rgb::WHITE)?;
        stage.screen.put(window, &page, 0, 0)?;
        let caret = (LEFT_PX, half + LINE_HEIGHT_PX);
        Ok(Self {
            window,
            fonts: Fonts::load()?,
            chance,
            pending: VecDeque::new(),
            caret,
        })
    }

    fn next_letter(&mut self) -> char {
        if self.pending.is_empty() {
            self.pending = self.chance.line(380, 12).chars().collect();
        }
        self.pending.pop_front().unwrap_or(' ')
    }

    fn new_line(&mut self, screen: &Screen) -> anyhow::Result<()> {
        self.caret = (LEFT_PX, self.caret.1 + LINE_HEIGHT_PX);
        if self.caret.1 > i32::from(HEIGHT) - 20 {
            let (top, line) = (TITLE_BAR_PX as i16, LINE_HEIGHT_PX as i16);
            let kept = Area::new(0, top + line, WIDTH, HEIGHT - (top + line) as u16);
            screen.copy(self.window, kept, self.window, 0, top)?;
            screen.fill(
                self.window,
                Area::new(0, HEIGHT as i16 - line, WIDTH, line as u16),
                Rgb::WHITE,
            )?;
            self.caret.1 -= LINE_HEIGHT_PX;
        }
        Ok(())
    }
}

impl Scene for Typing {
    fn text(&self) -> Option<Area> {
        let title = TITLE_BAR_PX as u16;
        let top = PLACE.y + title as i16;
        Some(Area::new(PLACE.x, top, WIDTH, HEIGHT - title))
    }

    fn draw(&mut self, screen: &Screen, _frame: u32) -> anyhow::Result<()> {
        let letter = self.next_letter();
        let (x, y) = self.caret;
        let mut cell = Canvas::new(LETTER_WIDTH_PX as u16, LINE_HEIGHT_PX as u16, Rgb::WHITE);
        self.fonts
            .code(&mut cell, 0, 12, Rgb(0x14_1414), &letter.to_string());
        screen.put(self.window, &cell, x as i16, (y - 14) as i16)?;
        self.caret.0 += LETTER_WIDTH_PX;
        if self.caret.0 > i32::from(WIDTH) - 80 {
            self.new_line(screen)?;
        }
        let (x, y) = self.caret;
        screen.fill(
            self.window,
            Area::new(x as i16, (y - 14) as i16, 2, LINE_HEIGHT_PX as u16),
            Rgb::BLACK,
        )
    }
}
