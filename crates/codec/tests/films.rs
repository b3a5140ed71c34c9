//! What plays on the screen travels as a film, and nothing else does.

mod support;

use std::time::Duration;

use gc_codec::{Pending, Update};
use gc_model::geometry::Rect;

use support::stage::{CAPTION, Stage, VIDEO, film};

#[test]
fn a_video_becomes_a_film_of_its_own_rectangle() {
    let mut stage = Stage::new();

    let update = stage.play(12);

    assert_eq!(film(&update).area, VIDEO);
    assert_eq!(film(&update).rects, [VIDEO]);
    assert!(update.rects.is_empty() && update.reduced);
    assert_eq!(*stage.notes.opened.lock().expect("a lock"), [(320, 240)]);
}

#[test]
fn text_that_scrolls_stays_exact() {
    let mut stage = Stage::new();

    for line in 0..20 {
        stage.draw(VIDEO, |x, y| match (x / 3 + (y + line * 5) / 5) % 3 {
            0 => 0x20_20_20,
            1 => 0xd0_d0_d0,
            _ => 0x80_80_90,
        });
        let update = stage.encode(&[VIDEO]).update.expect("a change");
        assert!(update.film.is_none() && !update.reduced);
    }
}

#[test]
fn a_film_goes_on_while_the_answer_to_a_key_is_looked_for_again_and_again() {
    let mut stage = Stage::new();
    stage.play(12);
    for frame in 12..60 {
        for _ in 0..4 {
            let looked = stage.encode_after(Duration::from_millis(6), &[]);
            assert_eq!(looked.update, None);
        }
        stage.draw_film(VIDEO, frame);
        let encoded = stage.encode_after(Duration::from_millis(9), &[VIDEO]);
        let update = encoded.update.expect("a change");
        assert!(update.film.is_some(), "frame {frame} is exact");
    }
}

#[test]
fn a_picture_that_waits_to_be_sent_is_no_film() {
    let mut stage = Stage::new();
    stage.order.restart = true;
    stage.order.budget_bytes = 3_000;
    stage.draw(VIDEO, |x, y| {
        (x * 7 + y * 13).wrapping_mul(2_654_435_761) >> 7
    });

    for step in 0..200 {
        let update = stage.encode(&[]).update;
        stage.order.restart = false;
        let Some(update) = update else { return };
        assert!(update.film.is_none() && !update.reduced, "update {step}");
    }
    panic!("the picture is never whole");
}

#[test]
fn a_caption_over_a_film_is_sent_exactly_and_never_painted_over() {
    let mut stage = Stage::new();
    let caption = Rect {
        x: 256,
        y: 256,
        width: 60,
        height: 12,
    };
    // What plays leaves out the caption's tile.
    let around = [
        Rect {
            height: 96,
            ..VIDEO
        },
        Rect {
            y: 272,
            height: 128,
            ..VIDEO
        },
    ];
    for frame in 0..12 {
        for part in around {
            stage.draw(part, |x, y| {
                (x * 7 + y * 13 + frame * 29).wrapping_mul(2_654_435_761) >> 7
            });
        }
        stage.encode(&around);
    }

    stage.draw(caption, |x, _| x * 3);
    stage.draw(around[0], |x, y| (x + y).wrapping_mul(2_654_435_761) >> 7);
    let first = stage
        .encode(&[caption, around[0]])
        .update
        .expect("the caption");
    let second = stage.encode(&[]).update.expect("the film");

    assert_eq!(first.rects, [caption]);
    assert!(first.film.is_none(), "news go alone");
    assert!(
        film(&second)
            .rects
            .iter()
            .all(|rect| !rect.overlaps(caption))
    );
}

#[test]
fn a_film_that_stops_becomes_exact() {
    let mut stage = Stage::new();
    stage.play(12);

    let Pending::At(moment) = stage.encode(&[]).pending else {
        panic!("the film is to be sharpened");
    };
    stage.now = moment;
    let update = stage.encode(&[]).update.expect("the exact pixels");

    let area: usize = update.rects.iter().map(|rect| rect.area()).sum();
    assert_eq!(area, VIDEO.area());
    assert!(update.film.is_none() && !update.reduced);
    assert_eq!(stage.encode(&[]).pending, Pending::Nothing);
}

/// The right three quarters of [`VIDEO`].
const MOST_OF_IT: Rect = Rect {
    x: 192,
    width: 256,
    ..VIDEO
};

#[test]
fn what_stood_still_in_a_film_is_part_of_it_again_at_once() {
    // A moment, and longer than the film remembers its parts.
    for stood in [20, 60] {
        let mut stage = Stage::new();
        stage.play(12);
        for frame in 0..stood {
            stage.play_in(MOST_OF_IT, frame);
        }

        for frame in 70..74 {
            let update = stage.play_in(VIDEO, frame);
            assert!(update.rects.is_empty(), "{stood}: {:?}", update.rects);
            let painted = film(&update).rects.iter().map(|rect| rect.area());
            assert_eq!(painted.sum::<usize>(), VIDEO.area());
        }
    }
}

#[test]
fn a_film_of_which_parts_stood_still_becomes_exact_as_soon_as_any() {
    let mut stage = Stage::new();
    stage.play(12);
    for frame in 0..20 {
        stage.play_in(MOST_OF_IT, frame);
    }
    let moved_at = stage.now + Duration::from_millis(33 * 12);
    stage.play(12);

    let Pending::At(moment) = stage.encode(&[]).pending else {
        panic!("the film is to be sharpened");
    };
    assert_eq!(moment.since(moved_at), Duration::from_micros(82_500));
}

#[test]
fn text_beside_a_film_is_not_said_to_make_the_picture_exact() {
    let mut stage = Stage::new();
    stage.play(12);
    let text = Rect {
        x: 4,
        y: 4,
        width: 30,
        height: 12,
    };

    stage.draw(text, |_, _| 0xff_ffff);
    let update = stage.encode(&[text]).update.expect("the text");

    assert!(update.film.is_none() && update.complete);
    assert!(update.reduced);
}

#[test]
fn a_film_grows_with_what_plays_and_begins_anew_for_a_new_viewer() {
    let mut stage = Stage::new();
    let stream = film(&stage.play(12)).stream;
    let larger = Rect {
        width: 384,
        ..VIDEO
    };

    let updates: Vec<Update> = (0..12)
        .map(|frame| stage.play_in(larger, 60 + frame))
        .collect();
    let grown = film(updates.last().expect("updates"));
    assert_eq!(grown.area, larger);
    assert!(grown.stream > stream);

    stage.order.restart = true;
    let all = stage.play_in(larger, 90);
    stage.order.restart = false;
    assert!(all.starts_stream);
    assert!(film(&all).key && film(&all).stream > grown.stream);
}

/// Pixels that were sent exactly a second of a film whose left part moves after these frames,
/// again and again.
fn exact_pixels(pauses: &[u32]) -> usize {
    let mut stage = Stage::new();
    stage.play(12);
    let mut pauses = pauses.iter().cycle();
    let (mut wait, mut pixels) = (0, 0);
    for frame in 0..600 {
        let all = wait == 0;
        wait = if all {
            pauses.next().expect("a cycle") - 1
        } else {
            wait - 1
        };
        let update = stage.play_in(if all { VIDEO } else { MOST_OF_IT }, frame);
        pixels += update.rects.iter().map(|rect| rect.area()).sum::<usize>();
    }
    pixels / 20
}

#[test]
fn a_part_of_a_film_that_stutters_is_not_sent_exactly_between_its_frames() {
    for pauses in [&[1, 1, 5][..], &[1, 1, 1, 1, 1, 1, 1, 1, 1, 5], &[4], &[5]] {
        let pixels = exact_pixels(pauses);
        assert!(pixels < 4_000, "{pauses:?}: {pixels} a second");
    }
}

#[test]
fn a_small_change_elsewhere_goes_before_the_film() {
    let mut stage = Stage::new();
    stage.play(12);

    stage.draw(CAPTION, |x, _| x);
    let frame = stage.play_in(VIDEO, 70);

    assert_eq!(
        frame.rects.len(),
        0,
        "the caption was not reported as changed"
    );
    let update = stage.encode(&[CAPTION]).update.expect("the caption");
    assert_eq!(update.rects, [CAPTION]);
    assert!(update.film.is_none());
}
