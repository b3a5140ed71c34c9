//! A window that is dragged was on the screen a moment ago, at another place.

mod support;

use std::time::Duration;

use gc_codec::{
    Decoder, EncodeOrder, Encoder, FilmFormat, FrameView, Moves, Pending, Update, film_codecs,
};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;
use proptest::prelude::*;
use support::{ORDER, hash};

const WIDTH: usize = 960;
const HEIGHT: usize = 600;

fn size() -> Size {
    Size::new(WIDTH as u32, HEIGHT as u32).expect("a usual size")
}

/// A photograph: soft shades with grain.
fn photo(x: usize, y: usize) -> [u8; 4] {
    let grain = hash(y * WIDTH + x) % 9;
    let shade = |period: usize, at: usize| ((at % period) * 200 / period + grain) as u8;
    [
        shade(700, x + y),
        shade(500, x + 2 * y),
        shade(900, 2 * x + y),
        0,
    ]
}

/// A window with letters on white, in a frame.
fn window(x: usize, y: usize) -> [u8; 4] {
    let letter = hash((y / 16) * 1_009 + x / 9) % 60;
    let stroke = hash(letter * 977 + (x % 9 / 2) * 31 + y % 16 / 3).is_multiple_of(3);
    let level = if stroke && y % 16 < 12 { 20 } else { 250 };
    [level, level, level, 0]
}

fn screen(place: Rect) -> Vec<u8> {
    let (left, top) = (place.x as usize, place.y as usize);
    let (right, bottom) = (left + place.width as usize, top + place.height as usize);
    (0..HEIGHT)
        .flat_map(|y| {
            (0..WIDTH).flat_map(move |x| {
                if (left..right).contains(&x) && (top..bottom).contains(&y) {
                    window(x - left, y - top)
                } else {
                    photo(x, y)
                }
            })
        })
        .collect()
}

/// An encoder and what its viewer shows.
struct Pair {
    encoder: Encoder,
    decoder: Decoder,
    now: Moment,
    shown: Vec<u8>,
}

impl Pair {
    fn new() -> Self {
        Self {
            encoder: Encoder::with_films(size(), film_codecs(&[FilmFormat::Vp9])).expect("memory"),
            decoder: Decoder::new(size()).expect("memory"),
            now: Moment::ZERO,
            shown: vec![0; WIDTH * HEIGHT * 4],
        }
    }

    /// Plays one picture until nothing of it is left to be sent; all updates.
    fn play(&mut self, screen: &[u8], order: &EncodeOrder) -> Vec<Update> {
        let view = FrameView::new(size(), WIDTH * 4, screen).expect("a whole frame");
        let mut changed = vec![Rect::whole(size())];
        let mut updates = Vec::new();
        loop {
            self.now = self.now + Duration::from_millis(11);
            let encoded = self
                .encoder
                .encode(self.now, &view, &changed, order)
                .expect("an encoder that works");
            changed.clear();
            if let Some(update) = encoded.update {
                self.show(&update);
                updates.push(update);
            }
            if encoded.pending != Pending::Now {
                return updates;
            }
        }
    }

    fn show(&mut self, update: &Update) {
        if let Some(moves) = &update.moves {
            assert!(moves.fits(size()));
            moves.apply(&mut self.shown, size(), 4);
        }
        let pixels = self.decoder.decode(&update.piece()).expect("a good update");
        let mut rest: &[u8] = pixels;
        for rect in &update.rects {
            for y in rect.rows() {
                let (row, later) = rest.split_at(rect.width as usize * 4);
                let at = (y as usize * WIDTH + rect.x as usize) * 4;
                self.shown[at..at + row.len()].copy_from_slice(row);
                rest = later;
            }
        }
    }

    fn shows(&self, screen: &[u8]) -> bool {
        self.shown == screen
    }
}

/// Where the window is, in steps of a hand that draws it along.
fn place(step: u32) -> Rect {
    Rect {
        x: 40 + step * 11,
        y: 30 + step * 7,
        width: 500,
        height: 300,
    }
}

#[test]
fn a_dragged_window_is_copied_and_what_it_uncovers_is_no_film() {
    let mut pair = Pair::new();
    pair.play(&screen(place(0)), &ORDER);
    for step in 1..30 {
        let screen = screen(place(step));
        let updates = pair.play(&screen, &ORDER);

        let moves = updates.iter().find_map(|update| update.moves.as_ref());
        let moves = moves.unwrap_or_else(|| panic!("a move in step {step}"));
        assert_eq!((moves.from_dx, moves.from_dy), (-11, -7));
        let copied: usize = moves.rects.iter().map(|rect| rect.area()).sum();
        assert!(copied * 10 >= 500 * 300 * 8, "{copied} pixels are copied");
        assert!(updates.iter().all(|update| update.film.is_none()));
        assert!(pair.shows(&screen), "exact in step {step}");
    }
}

#[test]
fn a_dragged_window_on_a_slow_line_is_exact_once_it_rests() {
    let slow = EncodeOrder {
        budget_bytes: 3_000,
        film: None,
        ..ORDER
    };
    let mut pair = Pair::new();
    pair.play(&screen(place(0)), &slow);
    for step in 1..20 {
        let screen = screen(place(step));
        let view = FrameView::new(size(), WIDTH * 4, &screen).expect("a whole frame");
        pair.now = pair.now + Duration::from_millis(33);
        let encoded = pair
            .encoder
            .encode(pair.now, &view, &[Rect::whole(size())], &slow)
            .expect("an encoder that works");
        if let Some(update) = encoded.update {
            pair.show(&update);
        }
    }
    let screen = screen(place(20));
    pair.play(&screen, &slow);
    pair.now = pair.now + Duration::from_secs(1);
    pair.play(&screen, &slow);
    assert!(pair.shows(&screen));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Wherever it goes and however much of the line is left, nothing is shown that is not there.
    #[test]
    fn whatever_moves_ends_exact(
        places in prop::collection::vec((0_u32..400, 0_u32..280, 60_u32..560, 40_u32..320), 1..5),
        budget_bytes in 2_000_usize..200_000,
    ) {
        let order = EncodeOrder { budget_bytes, film: None, ..ORDER };
        let mut pair = Pair::new();
        let mut last = Vec::new();
        for (x, y, width, height) in places {
            for near in [0, 5] {
                last = screen(Rect { x: x + near, y: y + near / 2, width: width.min(900 - x), height });
                pair.play(&last, &order);
            }
        }
        pair.now = pair.now + Duration::from_secs(1);
        pair.play(&last, &order);
        prop_assert!(pair.shows(&last));
    }

    /// Numbers from the network are never believed.
    #[test]
    fn what_lies_outside_of_the_picture_does_not_fit(
        (dx, dy) in (i32::MIN..=i32::MAX, i32::MIN..=i32::MAX),
        x in 0_u32..2_000, y in 0_u32..2_000, width in 0_u32..2_000, height in 0_u32..2_000,
    ) {
        let moves = Moves { from_dx: dx, from_dy: dy, rects: vec![Rect { x, y, width, height }] };
        let mut picture = vec![0; WIDTH * HEIGHT * 4];
        // What fits can be done.
        if moves.fits(size()) {
            moves.apply(&mut picture, size(), 4);
        } else {
            let inside = |from: u32, by: i32, length: u32, side: usize| {
                let first = i64::from(from) + i64::from(by);
                first >= 0 && first + i64::from(length) <= side as i64
                    && from + length <= side as u32
            };
            let all_inside = inside(x, dx, width, WIDTH) && inside(y, dy, height, HEIGHT);
            prop_assert!(!all_inside || width == 0 || height == 0);
        }
    }
}
