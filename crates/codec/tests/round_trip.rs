//! What the encoder sends, the decoder shows.

use std::time::Duration;

use gc_codec::{
    Abilities, Colours, DecodeError, Decoder, EncodeOrder, Encoded, Encoder, FrameView, Pending,
    Piece, Update,
};
use gc_model::geometry::{Rect, Size};
use gc_model::time::Moment;
use proptest::prelude::*;

/// A screen, its encoder, and the viewer's copy of it.
struct Pair {
    size: Size,
    screen: Vec<u8>,
    encoder: Encoder,
    decoder: Decoder,
    shown: Vec<u8>,
    now: Moment,
}

const UNLIMITED: EncodeOrder = EncodeOrder {
    restart: false,
    budget_bytes: usize::MAX / 128,
    colours: Colours::All,
    rested: Duration::ZERO,
    hold_films: false,
    viewer: Abilities {
        moves: true,
        photos: true,
    },
    film: None,
    glance_above_bytes: None,
};

impl Pair {
    fn new(width: u32, height: u32) -> Self {
        let size = Size::new(width, height).expect("a small size");
        let bytes = size.area() * 4;
        Self {
            size,
            screen: vec![0; bytes],
            encoder: Encoder::new(size).expect("memory"),
            decoder: Decoder::new(size).expect("memory"),
            shown: vec![1; bytes],
            now: Moment::ZERO,
        }
    }

    fn fill(&mut self, rect: Rect, seed: u32) {
        let mut value = seed.wrapping_mul(2_654_435_761) | 1;
        for y in rect.rows() {
            for x in rect.columns() {
                value = value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (y * self.size.width() + x) as usize * 4;
                self.screen[at..at + 4].copy_from_slice(&(value >> 8).to_le_bytes());
            }
        }
    }

    /// What is in `rect` goes up (or down) by some rows; noise comes after it.
    fn scroll(&mut self, rect: Rect, rows: i32, seed: u32) {
        let before = self.screen.clone();
        self.fill(rect, seed);
        let stride = self.size.width() as usize * 4;
        for y in rect.rows() {
            let from = i64::from(y) + i64::from(rows);
            if (i64::from(rect.y)..i64::from(rect.bottom())).contains(&from) {
                let at = |y: usize| y * stride + rect.x as usize * 4;
                let (from, row) = (at(from as usize), rect.width as usize * 4);
                self.screen[at(y as usize)..at(y as usize) + row]
                    .copy_from_slice(&before[from..from + row]);
            }
        }
    }

    fn encode(&mut self, changed: &[Rect], order: &EncodeOrder) -> Encoded {
        self.now = self.now + Duration::from_millis(33);
        let frame = FrameView::new(self.size, self.size.width() as usize * 4, &self.screen)
            .expect("a whole frame");
        self.encoder
            .encode(self.now, &frame, changed, order)
            .expect("an encoder that works")
    }

    fn show(&mut self, update: &Update) {
        if let Some(moves) = &update.moves {
            assert!(moves.fits(self.size));
            moves.apply(&mut self.shown, self.size, 4);
        }
        let pixels = self.decoder.decode(&update.piece()).expect("a good update");
        let mut from = 0;
        for rect in &update.rects {
            for y in rect.rows() {
                let row = rect.width as usize * 4;
                let at = (y * self.size.width() + rect.x) as usize * 4;
                self.shown[at..at + row].copy_from_slice(&pixels[from..from + row]);
                from += row;
            }
        }
    }

    /// Encodes and shows until nothing is pending.
    fn settle(&mut self, changed: &[Rect], order: &EncodeOrder) {
        let mut changed = changed;
        for _ in 0..10_000 {
            let encoded = self.encode(changed, order);
            changed = &[];
            if let Some(update) = &encoded.update {
                self.show(update);
            }
            match encoded.pending {
                Pending::Nothing => return,
                Pending::Now => {}
                Pending::At(moment) => self.now = self.now.max(moment),
            }
        }
        panic!("the encoder never finishes");
    }
}

#[test]
fn a_whole_screen_comes_in_parts_that_can_be_painted_meanwhile() {
    let mut pair = Pair::new(1920, 1080);
    pair.settle(&[], &UNLIMITED);
    let whole = Rect::whole(pair.size);
    pair.fill(whole, 3);

    let first = pair.encode(&[whole], &UNLIMITED);
    let update = first.update.expect("a change");
    let area: usize = update.rects.iter().map(|rect| rect.area()).sum();
    pair.show(&update);

    assert_eq!(first.pending, Pending::Now);
    assert!(!update.complete);
    assert!((400_000..700_000).contains(&area), "{area} pixels");
    pair.settle(&[], &UNLIMITED);
    assert_eq!(pair.shown, pair.screen);
}

#[test]
fn shows_the_whole_screen_first_and_then_only_what_changed() {
    let mut pair = Pair::new(300, 200);
    pair.fill(
        Rect {
            x: 0,
            y: 0,
            width: 300,
            height: 200,
        },
        1,
    );
    pair.settle(&[], &UNLIMITED);
    assert!(pair.shown == pair.screen);

    let caret = Rect {
        x: 70,
        y: 20,
        width: 2,
        height: 9,
    };
    pair.fill(caret, 2);
    let update = pair
        .encode(
            &[Rect {
                x: 0,
                y: 0,
                width: 300,
                height: 200,
            }],
            &UNLIMITED,
        )
        .update
        .expect("a change");
    pair.show(&update);

    assert_eq!(update.rects, [caret]);
    assert!(pair.shown == pair.screen);
}

#[test]
fn sends_nothing_when_nothing_changed() {
    let mut pair = Pair::new(128, 64);
    pair.settle(&[], &UNLIMITED);

    let encoded = pair.encode(
        &[Rect {
            x: 0,
            y: 0,
            width: 128,
            height: 64,
        }],
        &UNLIMITED,
    );

    assert_eq!(
        encoded,
        Encoded {
            update: None,
            pending: Pending::Nothing
        }
    );
}

#[test]
fn keeps_to_the_budget_and_finishes_in_later_updates() {
    let mut pair = Pair::new(640, 480);
    pair.fill(
        Rect {
            x: 0,
            y: 0,
            width: 640,
            height: 480,
        },
        3,
    );
    let order = EncodeOrder {
        budget_bytes: 20_000,
        ..UNLIMITED
    };

    let first = pair.encode(&[], &order);

    let update = first.update.expect("some of it");
    assert!(!update.complete);
    assert_eq!(first.pending, Pending::Now);
    // The last piece may exceed the budget by the error of the estimate, never by a picture.
    assert!(update.bytes() < 200_000, "{} bytes", update.bytes());
    pair.show(&update);
    pair.settle(&[], &order);
    assert!(pair.shown == pair.screen);
}

#[test]
fn sends_a_key_press_before_the_video_that_plays() {
    let whole = Rect {
        x: 0,
        y: 0,
        width: 640,
        height: 480,
    };
    let video = Rect {
        x: 0,
        y: 160,
        width: 640,
        height: 320,
    };
    let letter = Rect {
        x: 100,
        y: 20,
        width: 8,
        height: 12,
    };
    let mut pair = Pair::new(640, 480);
    pair.fill(whole, 4);
    pair.settle(&[], &UNLIMITED);
    let tight = EncodeOrder {
        budget_bytes: 2_000,
        ..UNLIMITED
    };
    for seed in 0..10 {
        pair.fill(video, 100 + seed);
        let update = pair.encode(&[video], &tight).update.expect("video");
        pair.show(&update);
    }

    pair.fill(letter, 5);
    pair.fill(video, 200);
    let update = pair
        .encode(&[letter, video], &tight)
        .update
        .expect("a change");

    assert_eq!(update.rects[0], letter);
}

#[test]
fn a_film_waits_when_something_else_is_expected_and_goes_on_afterwards() {
    let film = Rect {
        x: 0,
        y: 160,
        width: 640,
        height: 320,
    };
    let letter = Rect {
        x: 100,
        y: 20,
        width: 8,
        height: 12,
    };
    let holding = EncodeOrder {
        hold_films: true,
        viewer: Abilities {
            moves: true,
            photos: true,
        },
        film: None,
        ..UNLIMITED
    };
    let mut pair = Pair::new(640, 480);
    pair.settle(&[], &UNLIMITED);
    for seed in 0..20 {
        pair.fill(film, 400 + seed);
        let update = pair.encode(&[film], &UNLIMITED).update.expect("a frame");
        pair.show(&update);
    }

    pair.fill(film, 500);
    let waiting = pair.encode(&[film], &holding);
    pair.fill(letter, 5);
    let answer = pair.encode(&[letter], &holding);

    assert_eq!((waiting.update, waiting.pending), (None, Pending::Now));
    let update = answer.update.expect("the letter");
    assert_eq!(update.rects, [letter]);
    assert_eq!(answer.pending, Pending::Now);
    pair.show(&update);
    pair.settle(&[], &UNLIMITED);
    assert!(pair.shown == pair.screen);
}

#[test]
fn shows_fewer_colours_while_a_photo_moves_and_all_of_them_when_it_stands_still() {
    let whole = Rect {
        x: 0,
        y: 0,
        width: 640,
        height: 480,
    };
    let mut pair = Pair::new(640, 480);
    pair.fill(whole, 6);
    let order = EncodeOrder {
        colours: Colours::Reduced,
        ..UNLIMITED
    };
    pair.settle(&[], &order);
    let mut reduced = false;
    for seed in 0..20 {
        pair.fill(whole, 300 + seed);
        let update = pair.encode(&[whole], &order).update.expect("video");
        reduced |= update.reduced;
        pair.show(&update);
    }
    assert!(reduced && pair.shown != pair.screen);

    pair.settle(&[], &order);

    assert!(pair.shown == pair.screen);
}

#[test]
fn what_scrolled_is_copied_and_only_what_is_new_is_sent() {
    let list = Rect {
        x: 64,
        y: 50,
        width: 400,
        height: 400,
    };
    for rows in [37, -20] {
        let mut pair = Pair::new(640, 480);
        pair.fill(Rect::whole(pair.size), 1);
        pair.settle(&[], &UNLIMITED);

        pair.scroll(list, rows, 2);
        let update = pair.encode(&[list], &UNLIMITED).update.expect("a change");
        pair.show(&update);

        let moves = update.moves.as_ref().expect("moves");
        assert_eq!((moves.from_dx, moves.from_dy), (0, rows));
        let sent: usize = update.rects.iter().map(|rect| rect.area()).sum();
        // The rows that are new, and the rest of the tiles that they share.
        let new = 400 * (rows.unsigned_abs() as usize + 32) + 64 * 400;
        assert!(sent <= new, "{sent} of {new} pixels");
        assert!(pair.shown == pair.screen);
    }
}

#[test]
fn nothing_is_copied_that_the_viewer_does_not_have_exactly() {
    let whole = Rect {
        x: 0,
        y: 0,
        width: 640,
        height: 480,
    };
    let mut pair = Pair::new(640, 480);
    pair.settle(&[], &UNLIMITED);
    let order = EncodeOrder {
        colours: Colours::Few,
        ..UNLIMITED
    };
    for seed in 0..20 {
        pair.fill(whole, 700 + seed);
        let update = pair.encode(&[whole], &order).update.expect("video");
        pair.show(&update);
    }

    pair.scroll(whole, 40, 9);
    let update = pair.encode(&[whole], &order).update.expect("a change");

    assert_eq!(update.moves, None);
}

#[test]
fn starts_a_new_stream_when_told_to() {
    let mut pair = Pair::new(200, 100);
    pair.fill(
        Rect {
            x: 0,
            y: 0,
            width: 200,
            height: 100,
        },
        7,
    );
    pair.settle(&[], &UNLIMITED);
    pair.decoder = Decoder::new(pair.size).expect("memory");
    pair.shown.fill(0);

    let update = pair
        .encode(
            &[],
            &EncodeOrder {
                restart: true,
                ..UNLIMITED
            },
        )
        .update
        .expect("everything");
    pair.show(&update);

    assert!(update.starts_stream);
    assert!(pair.shown == pair.screen);
}

#[test]
fn updates_without_pixels_of_their_own_are_no_fault_however_many_there_are() {
    let mut pair = Pair::new(128, 64);
    let update = pair.encode(&[], &UNLIMITED).update.expect("everything");
    pair.show(&update);

    // What comes with a film's frame, or with what was only moved.
    let nothing = Piece {
        rects: &[],
        photos: &[],
        data: &[],
        photo_data: &[],
        starts_stream: false,
    };
    for update in 0..100 {
        let pixels = pair.decoder.decode(&nothing).map(|pixels| pixels.len());
        assert_eq!(pixels, Ok(0), "update {update}");
    }
}

#[test]
fn refuses_an_update_whose_bytes_do_not_fill_its_rectangles() {
    let mut pair = Pair::new(128, 64);
    let update = pair.encode(&[], &UNLIMITED).update.expect("everything");

    let smaller = Rect {
        x: 0,
        y: 0,
        width: 64,
        height: 64,
    };
    let outside = Rect {
        x: 100,
        y: 0,
        width: u32::MAX,
        height: 64,
    };
    let good = update.piece();
    for bad in [
        Piece {
            rects: &[smaller],
            ..good
        },
        Piece {
            rects: &[outside],
            ..good
        },
        Piece {
            data: &good.data[..good.data.len() - 1],
            ..good
        },
        Piece {
            photos: &[0],
            ..good
        },
        Piece {
            photos: &[good.rects.len() as u32],
            ..good
        },
        Piece {
            starts_stream: false,
            ..good
        },
    ] {
        assert!(pair.decoder.decode(&bad).is_err(), "{bad:?}");
    }
    assert!(
        pair.decoder.decode(&good).is_ok(),
        "a new stream makes it well again"
    );
}

#[test]
fn refuses_photographs_whose_own_bytes_do_not_fill_them() {
    let mut pair = Pair::new(128, 64);
    pair.fill(Rect::whole(pair.size), 7);
    let update = pair.encode(&[], &UNLIMITED).update.expect("everything");
    let good = update.piece();
    assert!(!good.photos.is_empty() && good.data.is_empty());
    let more = [good.photo_data, good.photo_data].concat();

    for bad in [
        Piece {
            photo_data: &good.photo_data[..good.photo_data.len() - 1],
            ..good
        },
        Piece {
            photo_data: &more,
            ..good
        },
        Piece {
            photo_data: &[],
            ..good
        },
        Piece {
            photos: &[],
            ..good
        },
        Piece {
            data: good.photo_data,
            ..good
        },
    ] {
        assert!(pair.decoder.decode(&bad).is_err(), "{bad:?}");
    }
    pair.show(&update);
    assert!(pair.shown == pair.screen);
}

#[test]
fn refuses_photographs_that_are_named_twice_or_out_of_order() {
    let mut pair = Pair::new(128, 64);
    let (top, bottom) = (
        Rect {
            x: 0,
            y: 0,
            width: 128,
            height: 32,
        },
        Rect {
            x: 0,
            y: 32,
            width: 128,
            height: 32,
        },
    );
    let update = pair.encode(&[], &UNLIMITED).update.expect("everything");
    for photos in [&[1, 0][..], &[0, 0], &[0, 1, u32::MAX]] {
        let piece = Piece {
            rects: &[top, bottom],
            photos,
            ..update.piece()
        };
        assert_eq!(pair.decoder.decode(&piece), Err(DecodeError::Photo));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_sequence_of_changes_and_budgets_ends_with_the_same_picture(
        width in 1_u32..200,
        height in 1_u32..120,
        steps in proptest::collection::vec((any::<u32>(), 0_u32..200, 0_u32..120, 1_u32..200, 1_u32..120, 0_usize..30_000, 0_u8..12), 1..25),
    ) {
        let mut pair = Pair::new(width, height);
        for (seed, x, y, w, h, budget_bytes, kind) in steps {
            let rect = Rect { x: x % width, y: y % height, width: w, height: h }.clamped(pair.size);
            pair.fill(rect, seed);
            let colours = [Colours::All, Colours::Reduced, Colours::Few][usize::from(kind % 3)];
            let order = EncodeOrder { restart: kind == 11, budget_bytes, colours, rested: Duration::ZERO, hold_films: false, viewer: Abilities { moves: true, photos: true }, film: None, glance_above_bytes: None, };
            if let Some(update) = pair.encode(&[rect], &order).update {
                pair.show(&update);
            }
        }
        pair.settle(&[], &UNLIMITED);
        prop_assert!(pair.shown == pair.screen);
    }

    #[test]
    fn any_scrolling_ends_with_the_same_picture(
        steps in proptest::collection::vec((any::<u32>(), 0_u32..200, 0_u32..200, 100_u32..400, 100_u32..400, -120_i32..120, 0_usize..200_000, 0_u8..6), 1..12),
    ) {
        let mut pair = Pair::new(400, 400);
        let whole = Rect::whole(pair.size);
        pair.fill(whole, 1);
        pair.settle(&[], &UNLIMITED);
        for (seed, x, y, width, height, rows, budget_bytes, kind) in steps {
            let rect = Rect { x, y, width, height }.clamped(pair.size);
            pair.scroll(rect, rows, seed);
            let colours = [Colours::All, Colours::Reduced][usize::from(kind % 2)];
            let order = EncodeOrder { restart: kind == 5, budget_bytes, colours, ..UNLIMITED };
            let encoded = pair.encode(&[rect], &order);
            if let Some(update) = encoded.update {
                pair.show(&update);
                let exact = update.complete && !update.reduced;
                prop_assert!(!exact || pair.shown == pair.screen);
            }
            if encoded.pending == Pending::Nothing {
                prop_assert!(pair.shown == pair.screen);
            }
        }
        pair.settle(&[], &UNLIMITED);
        prop_assert!(pair.shown == pair.screen);
    }

    #[test]
    fn any_bytes_are_an_error_and_never_a_panic(
        data in proptest::collection::vec(any::<u8>(), 0..2_000),
        photo_data in proptest::collection::vec(any::<u8>(), 0..2_000),
        photos in proptest::collection::vec(0..6_u32, 0..4),
        rects in proptest::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()), 0..5),
    ) {
        let rects: Vec<Rect> = rects.into_iter().map(|(x, y, width, height)| Rect { x, y, width, height }).collect();
        let mut decoder = Decoder::new(Size::new(64, 64).expect("a small size")).expect("memory");
        let _ = decoder.decode(&Piece { rects: &rects, photos: &photos, data: &data, photo_data: &photo_data, starts_stream: true });
    }
}
