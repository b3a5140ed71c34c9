//! Where things stand on the customer's window: a page becomes controls with
//! places. Measuring text is the system's; everything else is decided here.

use gc_platform::guest::{Page, Shape};

/// Sizes below are pixels at this many dots per inch, where Windows shows everything at 100 %.
pub const BASE_DPI: u32 = 96;

const DIALOG_WIDTH: i32 = 480;
const BAR_WIDTH: i32 = 680;
const MARGIN: i32 = 24;
const GAP: i32 = 10;
const BUTTON_HEIGHT: i32 = 36;
const BAR_HEIGHT: i32 = 52;
/// The strip of colour at the bar's left end.
const STRIP: i32 = 6;
const LOG_HEIGHT: i32 = 190;
const HINT_HEIGHT: i32 = 22;
const FIELD_HEIGHT: i32 = 28;

/// Names the field, for readers of screens too.
const HINT: &str = "Write a message and press Enter";

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The title of a dialog.
    Title,
    /// Everything else.
    Text,
    /// The two words.
    Words,
}

impl Style {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Title, Self::Text, Self::Words];

    /// Height of the letters, in pixels at [`BASE_DPI`].
    pub const fn height_px(self) -> i32 {
        match self {
            Self::Title => 22,
            Self::Text => 16,
            Self::Words => 28,
        }
    }
}

/// Says how large text is when it is drawn.
pub trait Measure {
    /// Height of `text` when it is broken into lines of at most `width_px`.
    fn height_px(&self, style: Style, text: &str, width_px: i32) -> i32;

    /// Width of `text` on one line.
    fn width_px(&self, style: Style, text: &str) -> i32;
}

/// What a control is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text to read.
    Text {
        /// How it is written.
        style: Style,
        /// Paler than the rest.
        quiet: bool,
        /// One line, cut where it does not fit.
        single: bool,
    },
    /// The chat so far.
    Log,
    /// Where the next line is typed.
    Field,
    /// The page's button of that number.
    Button(usize),
}

/// A place in the window, in physical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From the left edge.
    pub x: i32,
    /// From the upper edge.
    pub y: i32,
    /// Extent to the right.
    pub width: i32,
    /// Extent downwards.
    pub height: i32,
}

/// A control: what it is, what it says, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
    /// Where it is.
    pub place: Place,
}

/// All of a page, in the order in which the keyboard goes through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Of the window's inside, in physical pixels.
    pub width: i32,
    /// Of the window's inside, in physical pixels.
    pub height: i32,
    /// Width of the strip of colour at the left edge; 0 for none.
    pub strip: i32,
    /// From top to bottom, the buttons last.
    pub controls: Vec<Control>,
}

/// Lays a page out for a screen of `dpi` dots per inch.
pub fn lay_out(page: &Page, measure: &dyn Measure, dpi: u32) -> Layout {
    let plan = Plan { measure, dpi };
    match page.shape {
        Shape::Dialog => plan.dialog(page),
        Shape::Bar => plan.bar(page),
    }
}

/// The chat as one text.
pub fn log_of(page: &Page) -> String {
    let rows = page.chat.as_deref().unwrap_or_default();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| format!("{}: {}", row.author, row.text))
        .collect();
    lines.join("\r\n")
}

struct Plan<'a> {
    measure: &'a dyn Measure,
    dpi: u32,
}

impl Plan<'_> {
    fn px(&self, at_base: i32) -> i32 {
        let scaled = i64::from(at_base) * i64::from(self.dpi) / i64::from(BASE_DPI);
        i32::try_from(scaled).unwrap_or(i32::MAX)
    }

    fn dialog(&self, page: &Page) -> Layout {
        let (width, margin) = (self.px(DIALOG_WIDTH), self.px(MARGIN));
        let inner = width - 2 * margin;
        let facts = page.facts.iter();
        let facts = facts.map(|(name, value)| (Style::Text, true, format!("{name}: {value}")));
        let words = page.words.iter();
        let words = words.map(|words| (Style::Words, false, words.clone()));
        let text = page.text.iter();
        let text = text.map(|text| (Style::Text, false, text.clone()));
        let paragraphs = std::iter::once((Style::Title, false, page.title.clone()))
            .chain(facts)
            .chain(words)
            .chain(text);
        let mut controls = Vec::new();
        let mut y = margin;
        for (style, quiet, text) in paragraphs {
            let height = self.measure.height_px(style, &text, inner);
            // Facts stand together; everything else has air around it.
            y += if quiet || controls.is_empty() {
                0
            } else {
                self.px(GAP)
            };
            let place = Place {
                x: margin,
                y,
                width: inner,
                height,
            };
            let kind = Kind::Text {
                style,
                quiet,
                single: false,
            };
            controls.push(Control { kind, text, place });
            y += height;
            if style == Style::Title {
                y += self.px(GAP);
            }
        }
        y = self.chat(page, &mut controls, margin, y, inner);
        y += 2 * self.px(GAP);
        controls.extend(self.buttons(page, y, width - margin, self.px(22)));
        Layout {
            width,
            height: y + self.px(BUTTON_HEIGHT) + margin,
            strip: 0,
            controls,
        }
    }

    fn bar(&self, page: &Page) -> Layout {
        let (width, strip, gap) = (self.px(BAR_WIDTH), self.px(STRIP), self.px(GAP));
        let top = (self.px(BAR_HEIGHT) - self.px(BUTTON_HEIGHT)) / 2;
        let buttons = self.buttons(page, top, width - gap, self.px(12));
        let left = buttons.first().map_or(width, |button| button.place.x);
        let x = strip + gap;
        let room = (left - gap - x).max(0);
        let second = page.words.as_ref().or(page.text.first());
        let lines = std::iter::once(&page.title).chain(second);
        let mut controls: Vec<Control> = lines
            .zip([4, 27])
            .enumerate()
            .map(|(index, (text, y))| Control {
                kind: Kind::Text {
                    style: Style::Text,
                    quiet: index > 0,
                    single: true,
                },
                text: text.clone(),
                place: Place {
                    x,
                    y: self.px(y),
                    width: room,
                    height: self.px(22),
                },
            })
            .collect();
        let mut height = self.px(BAR_HEIGHT);
        if page.chat.is_some() {
            height = self.chat(page, &mut controls, x, height, width - x - gap) + gap;
        }
        controls.extend(buttons);
        Layout {
            width,
            height,
            strip,
            controls,
        }
    }

    /// The chat below `y`; where it ends.
    fn chat(&self, page: &Page, controls: &mut Vec<Control>, x: i32, y: i32, width: i32) -> i32 {
        if page.chat.is_none() {
            return y;
        }
        let (log, hint) = (self.px(LOG_HEIGHT), self.px(HINT_HEIGHT));
        let (field, gap) = (self.px(FIELD_HEIGHT), self.px(GAP));
        let place = |y, height| Place {
            x,
            y,
            width,
            height,
        };
        controls.push(Control {
            kind: Kind::Log,
            text: log_of(page),
            place: place(y + gap, log),
        });
        controls.push(Control {
            kind: Kind::Text {
                style: Style::Text,
                quiet: true,
                single: true,
            },
            text: HINT.to_owned(),
            place: place(y + gap + log, hint),
        });
        controls.push(Control {
            kind: Kind::Field,
            text: String::new(),
            place: place(y + gap + log + hint, field),
        });
        y + gap + log + hint + field
    }

    /// The buttons, so that the last one ends at `right`.
    fn buttons(&self, page: &Page, y: i32, right: i32, padding: i32) -> Vec<Control> {
        let mut right = right;
        let mut buttons: Vec<Control> = Vec::new();
        for (index, button) in page.buttons.iter().enumerate().rev() {
            let width = self.measure.width_px(Style::Text, &button.label) + 2 * padding;
            buttons.push(Control {
                kind: Kind::Button(index),
                text: button.label.clone(),
                place: Place {
                    x: right - width,
                    y,
                    width,
                    height: self.px(BUTTON_HEIGHT),
                },
            });
            right -= width + self.px(GAP);
        }
        buttons.reverse();
        buttons
    }
}

#[cfg(test)]
mod tests {
    use gc_platform::guest::{Action, Button, ChatRow};
    use proptest::prelude::*;

    use super::*;

    /// Letters of half their height.
    struct Letters(u32);

    impl Letters {
        fn letter(&self, style: Style) -> i32 {
            style.height_px() * self.0 as i32 / BASE_DPI as i32
        }
    }

    impl Measure for Letters {
        fn height_px(&self, style: Style, text: &str, width_px: i32) -> i32 {
            let lines = self.width_px(style, text) / width_px.max(1) + 1;
            lines * self.letter(style)
        }

        fn width_px(&self, style: Style, text: &str) -> i32 {
            text.chars().count() as i32 * self.letter(style) / 2
        }
    }

    fn button(label: &str) -> Button {
        Button {
            action: Action::Allow,
            label: label.to_owned(),
            strong: false,
        }
    }

    fn question() -> Page {
        Page {
            title: "Let Ada see and control this computer?".to_owned(),
            facts: vec![
                ("Server".to_owned(), "support.example.com".to_owned()),
                ("Technician".to_owned(), "Ada".to_owned()),
            ],
            words: Some("maple otter".to_owned()),
            text: vec!["Decline if the words are not these.".to_owned()],
            buttons: vec![button("Decline"), button("Allow")],
            ..Page::default()
        }
    }

    fn overlap(one: &Place, other: &Place) -> bool {
        one.x < other.x + other.width
            && other.x < one.x + one.width
            && one.y < other.y + other.height
            && other.y < one.y + one.height
    }

    fn check(layout: &Layout) -> Result<(), TestCaseError> {
        for (index, control) in layout.controls.iter().enumerate() {
            let place = &control.place;
            prop_assert!(place.y >= 0 && place.y + place.height <= layout.height);
            prop_assert!(place.x + place.width <= layout.width);
            for other in &layout.controls[index + 1..] {
                prop_assert!(!overlap(place, &other.place), "{control:?} {other:?}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_question_has_everything_from_top_to_bottom_and_the_yes_at_the_right() {
        let layout = lay_out(&question(), &Letters(96), 96);

        let said: Vec<&str> = layout
            .controls
            .iter()
            .map(|one| one.text.as_str())
            .collect();
        let expected = [
            "Let Ada see and control this computer?",
            "Server: support.example.com",
            "Technician: Ada",
            "maple otter",
            "Decline if the words are not these.",
            "Decline",
            "Allow",
        ];
        assert_eq!(said, expected);
        let [.., decline, allow] = &layout.controls[..] else {
            panic!("two buttons");
        };
        assert!(decline.place.x + decline.place.width < allow.place.x);
        assert_eq!(allow.place.x + allow.place.width, layout.width - MARGIN);
    }

    #[test]
    fn a_bar_keeps_its_buttons_when_the_name_is_long() {
        let page = Page {
            shape: Shape::Bar,
            title: "A very long name ".repeat(40),
            buttons: vec![button("Pause"), button("Chat"), button("Disconnect")],
            ..question()
        };

        let layout = lay_out(&page, &Letters(96), 96);

        check(&layout).expect("nothing overlaps");
        assert_eq!(layout.height, BAR_HEIGHT);
    }

    #[test]
    fn everything_is_twice_as_large_on_a_screen_of_twice_the_dots() {
        let (page, once) = (question(), lay_out(&question(), &Letters(96), 96));

        let twice = lay_out(&page, &Letters(192), 192);

        assert_eq!(twice.width, 2 * once.width);
        assert_eq!(twice.height, 2 * once.height);
    }

    proptest! {
        #[test]
        fn nothing_overlaps_or_leaves_the_window(
            title in "[ -~]{0,80}",
            facts in proptest::collection::vec(("[a-z]{1,8}", "[ -~]{0,60}"), 0..4),
            words in proptest::option::of("[a-z]{3,8} [a-z]{3,8}"),
            text in proptest::collection::vec("[ -~]{0,200}", 0..4),
            chat in proptest::option::of(proptest::collection::vec("[ -~]{0,80}", 0..20)),
            labels in proptest::collection::vec("[A-Za-z ]{1,10}", 0..4),
            dpi in 96_u32..=288,
        ) {
            let rows = |texts: Vec<String>| {
                let row = |text| ChatRow { author: "Ada".to_owned(), text };
                texts.into_iter().map(row).collect()
            };
            let page = Page {
                shape: Shape::Dialog,
                title,
                facts,
                words,
                text,
                chat: chat.map(rows),
                buttons: labels.iter().map(|label| button(label)).collect(),
            };

            check(&lay_out(&page, &Letters(dpi), dpi))?;
            check(&lay_out(&Page { shape: Shape::Bar, ..page }, &Letters(dpi), dpi))?;
        }
    }
}
