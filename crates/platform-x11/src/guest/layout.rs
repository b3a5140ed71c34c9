//! Puts a page onto a canvas, and says where its buttons are.

use ab_glyph::FontVec;
use gc_platform::guest::{Action, Page, Shape};

use super::paint::{Canvas, Colour, fit, line_height, width_of, wrap};

const DIALOG_WIDTH: i32 = 520;
const BAR_WIDTH: i32 = 640;
const MARGIN: i32 = 24;
const GAP: i32 = 10;
const BUTTON_HEIGHT: i32 = 40;
const BAR_HEIGHT: i32 = 52;
/// Lines of the chat that are shown: the newest.
const CHAT_LINES: usize = 9;

const TITLE_SIZE: f32 = 23.0;
const WORDS_SIZE: f32 = 30.0;
const TEXT_SIZE: f32 = 17.0;

const PAPER: Colour = 0x00ff_ffff;
const INK: Colour = 0x001b_2423;
const QUIET: Colour = 0x0052_605e;
const STRONG: Colour = 0x0017_6b60;
const PLAIN: Colour = 0x00e4_ebe9;
const FOCUS: Colour = 0x00d0_6a00;
const FIELD: Colour = 0x00f4_f7f6;

/// Where something that can be pressed is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) action: Action,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Spot {
    pub(super) const fn holds(&self, x: i32, y: i32) -> bool {
        x >= self.x && y >= self.y && x < self.x + self.width && y < self.y + self.height
    }
}

/// A page as it is drawn.
pub(super) struct Drawn {
    pub(super) canvas: Canvas,
    pub(super) spots: Vec<Spot>,
}

/// Draws a page. `focus` counts the buttons; `draft` is what is being typed.
pub(super) fn draw(font: &FontVec, page: &Page, focus: Option<usize>, draft: &str) -> Drawn {
    match page.shape {
        Shape::Dialog => dialog(font, page, focus, draft),
        Shape::Bar => bar(font, page, focus, draft),
    }
}

enum Line {
    Text(f32, i32, String, Colour),
    Gap(i32),
    Chat,
}

fn dialog(font: &FontVec, page: &Page, focus: Option<usize>, draft: &str) -> Drawn {
    let inner = DIALOG_WIDTH - 2 * MARGIN;
    let mut lines = Vec::new();
    let mut add = |size: f32, text: &str, colour: Colour| {
        for line in wrap(font, size, text, inner) {
            lines.push(Line::Text(size, MARGIN, line, colour));
        }
    };
    add(TITLE_SIZE, &page.title, INK);
    for (name, value) in &page.facts {
        add(TEXT_SIZE, &format!("{name}: {value}"), QUIET);
    }
    if let Some(words) = &page.words {
        add(WORDS_SIZE, words, STRONG);
    }
    for text in &page.text {
        add(TEXT_SIZE, text, INK);
    }
    lines.insert(
        wrap(font, TITLE_SIZE, &page.title, inner).len(),
        Line::Gap(GAP),
    );
    if page.chat.is_some() {
        lines.push(Line::Chat);
    }
    let height_of = |line: &Line| match line {
        Line::Text(size, ..) => line_height(*size),
        Line::Gap(height) => *height,
        Line::Chat => chat_height(),
    };
    let content: i32 = lines.iter().map(height_of).sum();
    let height = MARGIN + content + GAP * 2 + BUTTON_HEIGHT + MARGIN;
    let mut canvas = Canvas::new(DIALOG_WIDTH as usize, height as usize, PAPER);
    let mut y = MARGIN;
    for line in &lines {
        match line {
            Line::Text(size, x, text, colour) => canvas.text(font, *size, *x, y, text, *colour),
            Line::Gap(_) => {}
            Line::Chat => chat(&mut canvas, font, page, draft, y, inner),
        }
        y += height_of(line);
    }
    let top = height - MARGIN - BUTTON_HEIGHT;
    let spots = buttons(&mut canvas, font, page, focus, top, DIALOG_WIDTH - MARGIN);
    Drawn { canvas, spots }
}

fn bar(font: &FontVec, page: &Page, focus: Option<usize>, draft: &str) -> Drawn {
    let extra = if page.chat.is_some() {
        chat_height() + GAP
    } else {
        0
    };
    let mut canvas = Canvas::new(BAR_WIDTH as usize, (BAR_HEIGHT + extra) as usize, PAPER);
    canvas.fill(0, 0, 6, BAR_HEIGHT + extra, STRONG);
    let top = (BAR_HEIGHT - BUTTON_HEIGHT) / 2;
    let spots = buttons(&mut canvas, font, page, focus, top, BAR_WIDTH - GAP);
    let left = spots.iter().map(|spot| spot.x).min().unwrap_or(BAR_WIDTH);
    let room = left - 2 * GAP - 14;
    let second = page.words.as_ref().or(page.text.first());
    canvas.text(
        font,
        TEXT_SIZE,
        14,
        5,
        &fit(font, TEXT_SIZE, &page.title, room),
        INK,
    );
    if let Some(second) = second {
        let line = fit(font, TEXT_SIZE - 2.0, second, room);
        canvas.text(font, TEXT_SIZE - 2.0, 14, 27, &line, QUIET);
    }
    if page.chat.is_some() {
        chat(
            &mut canvas,
            font,
            page,
            draft,
            BAR_HEIGHT,
            BAR_WIDTH - 2 * MARGIN,
        );
    }
    Drawn { canvas, spots }
}

const fn chat_height() -> i32 {
    line_height(TEXT_SIZE) * (CHAT_LINES as i32 + 1) + 3 * GAP
}

fn chat(canvas: &mut Canvas, font: &FontVec, page: &Page, draft: &str, y: i32, inner: i32) {
    let step = line_height(TEXT_SIZE);
    let mut lines = Vec::new();
    let rows = page.chat.as_deref().unwrap_or_default();
    for row in &rows[rows.len().saturating_sub(CHAT_LINES)..] {
        lines.extend(wrap(
            font,
            TEXT_SIZE,
            &format!("{}: {}", row.author, row.text),
            inner,
        ));
    }
    let shown = &lines[lines.len().saturating_sub(CHAT_LINES)..];
    for (index, line) in shown.iter().enumerate() {
        canvas.text(font, TEXT_SIZE, MARGIN, y + index as i32 * step, line, INK);
    }
    let field = y + step * CHAT_LINES as i32 + GAP;
    canvas.fill(MARGIN, field, inner, step + GAP, FIELD);
    canvas.frame(MARGIN, field, inner, step + GAP, QUIET);
    let hint = "Write a message and press Enter";
    let (text, colour) = if draft.is_empty() {
        (hint.to_owned(), QUIET)
    } else {
        // The end is what is being typed.
        let mut tail: Vec<char> = draft.chars().collect();
        while width_of(font, TEXT_SIZE, &tail.iter().collect::<String>()) > inner - 30 {
            tail.remove(0);
        }
        (tail.into_iter().collect::<String>() + "|", INK)
    };
    canvas.text(font, TEXT_SIZE, MARGIN + 8, field + GAP / 2, &text, colour);
}

/// Buttons from `right` to the left, so that the last one ends there.
fn buttons(
    canvas: &mut Canvas,
    font: &FontVec,
    page: &Page,
    focus: Option<usize>,
    top: i32,
    right: i32,
) -> Vec<Spot> {
    let padding = if page.shape == Shape::Bar { 12 } else { 22 };
    let mut right = right;
    let mut spots = Vec::new();
    for (index, button) in page.buttons.iter().enumerate().rev() {
        let text = width_of(font, TEXT_SIZE, &button.label);
        let width = text + 2 * padding;
        let x = right - width;
        let (back, ink) = if button.strong {
            (STRONG, PAPER)
        } else {
            (PLAIN, INK)
        };
        canvas.fill(x, top, width, BUTTON_HEIGHT, back);
        if focus == Some(index) {
            canvas.frame(x, top, width, BUTTON_HEIGHT, FOCUS);
        }
        let y = top + (BUTTON_HEIGHT - line_height(TEXT_SIZE)) / 2;
        canvas.text(font, TEXT_SIZE, x + padding, y, &button.label, ink);
        spots.push(Spot {
            action: button.action,
            x,
            y: top,
            width,
            height: BUTTON_HEIGHT,
        });
        right = x - GAP;
    }
    spots.reverse();
    spots
}
