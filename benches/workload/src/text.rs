//! Text as an editor shows it: smooth letters, line numbers, a few colours, made-up words.

use std::fs;

use anyhow::{Context, anyhow};
use fontdue::{Font, FontSettings};

use crate::canvas::{Canvas, Rgb};

const FOLDER: &str = "/usr/share/fonts/truetype/dejavu";
pub(crate) const LINE_HEIGHT_PX: i32 = 18;
/// The advance of the fixed-width letters.
pub(crate) const LETTER_WIDTH_PX: i32 = 9;

const WORDS: [&str; 40] = [
    "relay", "session", "the", "agent", "of", "window", "a", "frame", "and", "capture", "in",
    "token", "to", "codec", "is", "stream", "update", "for", "server", "policy", "let", "match",
    "fn", "return", "struct", "if", "else", "while", "0x7f", "config", "port", "buffer", "with",
    "packet", "latency", "queue", "region", "client", "on", "key",
];

/// Numbers that look random and are the same every time (xorshift64).
#[derive(Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u32) -> Self {
        let mut chance = Self(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(seed) + 1) | 1);
        for _ in 0..8 {
            chance.below(1);
        }
        chance
    }

    /// 0 to `bound - 1`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32 % bound
    }

    /// Some words, at most `letters` long together.
    pub(crate) fn line(&mut self, letters: usize, words: u32) -> String {
        let mut line = String::new();
        for _ in 0..3 + self.below(words) {
            let word = WORDS[self.below(WORDS.len() as u32) as usize];
            if line.len() + word.len() + 1 > letters {
                break;
            }
            line.push_str(word);
            line.push(if self.below(9) == 0 { ',' } else { ' ' });
        }
        line
    }
}

pub(crate) struct Fonts {
    fixed: Font,
    plain: Font,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paper {
    Light,
    Dark,
}

impl Fonts {
    pub(crate) fn load() -> anyhow::Result<Self> {
        Ok(Self {
            fixed: load("DejaVuSansMono.ttf")?,
            plain: load("DejaVuSans.ttf")?,
        })
    }

    /// Fixed-width text; `y` is the base line.
    pub(crate) fn code(&self, canvas: &mut Canvas, x: i32, y: i32, colour: Rgb, text: &str) {
        for (place, letter) in text.chars().enumerate() {
            draw_letter(
                &self.fixed,
                15.0,
                canvas,
                x + place as i32 * LETTER_WIDTH_PX,
                y,
                colour,
                letter,
            );
        }
    }

    fn title(&self, canvas: &mut Canvas, x: i32, y: i32, colour: Rgb, text: &str) {
        let mut at = x as f32;
        for letter in text.chars() {
            draw_letter(&self.plain, 14.0, canvas, at as i32, y, colour, letter);
            at += self.plain.metrics(letter, 14.0).advance_width;
        }
    }

    /// A page of source code from `top` to the lower edge.
    pub(crate) fn page(&self, canvas: &mut Canvas, top: i32, paper: Paper, chance: &mut Chance) {
        let (width, height) = (i32::from(canvas.width), i32::from(canvas.height));
        let (background, colours) = match paper {
            Paper::Light => (0xff_ffff, [0x14_1414, 0x00_6e28, 0x14_3cb4, 0xa0_3c00]),
            Paper::Dark => (0x1e_1e2e, [0xcd_d6f4, 0xa6_e3a1, 0x89_b4fa, 0xfa_b387]),
        };
        canvas.fill(0, top, width, height - top, Rgb(background));
        for (number, y) in
            (1..).zip((top + LINE_HEIGHT_PX..height).step_by(LINE_HEIGHT_PX as usize))
        {
            self.code(canvas, 4, y - 4, Rgb(0x80_808c), &format!("{number:5}"));
            if chance.below(8) == 0 {
                continue;
            }
            let indent = chance.below(4) as i32 * 32;
            let letters = ((width - 80 - indent) / LETTER_WIDTH_PX).clamp(8, 390) as usize;
            let line = chance.line(letters, 14);
            let colour = colours[chance.below(4) as usize];
            self.code(canvas, 60 + indent, y - 4, Rgb(colour), &line);
        }
    }

    /// A window's title bar, 32 pixels high.
    pub(crate) fn title_bar(&self, canvas: &mut Canvas, title: &str) {
        let width = i32::from(canvas.width);
        canvas.fill(0, 0, width, TITLE_BAR_PX, Rgb(0xdf_e3ea));
        self.title(canvas, 12, 21, Rgb(0x28_2832), title);
        for (place, colour) in [0xe0_6c75, 0xe5_c07b, 0x98_c379].into_iter().enumerate() {
            canvas.fill(width - 26 - 20 * place as i32, 10, 12, 12, Rgb(colour));
        }
    }

    /// A window with a title and a page of text.
    pub(crate) fn document(
        &self,
        width: u16,
        height: u16,
        title: &str,
        paper: Paper,
        chance: &mut Chance,
    ) -> Canvas {
        let mut canvas = Canvas::new(width, height, Rgb::WHITE);
        self.page(&mut canvas, TITLE_BAR_PX, paper, chance);
        self.title_bar(&mut canvas, title);
        canvas
    }
}

pub(crate) const TITLE_BAR_PX: i32 = 32;

fn load(file: &str) -> anyhow::Result<Font> {
    let path = format!("{FOLDER}/{file}");
    let bytes = fs::read(&path)
        .with_context(|| format!("read {path} (Debian package fonts-dejavu-core)"))?;
    Font::from_bytes(bytes, FontSettings::default())
        .map_err(|reason| anyhow!("understand {path}: {reason}"))
}

fn draw_letter(
    font: &Font,
    size: f32,
    canvas: &mut Canvas,
    x: i32,
    baseline: i32,
    colour: Rgb,
    letter: char,
) {
    let (metrics, coverage) = font.rasterize(letter, size);
    let left = x + metrics.xmin;
    let top = baseline - metrics.ymin - metrics.height as i32;
    for (index, &share) in coverage.iter().enumerate().filter(|&(_, &share)| share > 0) {
        let (column, row) = (index % metrics.width, index / metrics.width);
        canvas.change(left + column as i32, top + row as i32, |below| {
            below.mixed(colour, share)
        });
    }
}
