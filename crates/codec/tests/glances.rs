//! A large photograph on a slow line is seen coarsely before it is exact.

mod support;

use std::time::Duration;

use gc_codec::{FilmFormat, Pending, Update};
use gc_model::geometry::Rect;

use support::stage::{CAPTION, Notes, Stage, VIDEO, film};

/// A line that carries a tenth of [`VIDEO`] before anybody becomes impatient.
fn slow_stage() -> Stage {
    let mut stage = Stage::new();
    stage.order.glance_above_bytes = Some(VIDEO.area() / 10);
    stage.order.budget_bytes = 3_000;
    stage
}

/// All that follows until nothing is left.
fn rest(stage: &mut Stage) -> Vec<Update> {
    let mut updates = Vec::new();
    for _ in 0..1_000 {
        let encoded = stage.encode_after(Duration::from_millis(50), &[]);
        updates.extend(encoded.update);
        if encoded.pending == Pending::Nothing {
            return updates;
        }
    }
    panic!("the picture is never exact");
}

fn pixels(rects: &[Rect]) -> usize {
    rects.iter().map(|rect| rect.area()).sum()
}

#[test]
fn a_photograph_that_would_take_long_is_seen_at_once_and_exact_later() {
    let mut stage = slow_stage();

    let first = stage.play_in(VIDEO, 1);
    let glance = stage.encode(&[]).update.expect("more");

    assert!(
        !first.rects.is_empty() && first.film.is_none(),
        "what it takes is found out"
    );
    let seen = pixels(&first.rects) + pixels(&film(&glance).rects);
    assert_eq!(seen, VIDEO.area(), "all of it is seen");
    assert!(glance.reduced && glance.rects.is_empty());
    let later = rest(&mut stage);
    assert!(later.iter().all(|update| update.film.is_none()));
    assert!(later.len() > 3, "in {} parts", later.len());
    assert!(!later.last().expect("some").reduced);
    let exact: usize = later.iter().map(|update| pixels(&update.rects)).sum();
    assert_eq!(
        pixels(&first.rects) + exact,
        VIDEO.area(),
        "each pixel once"
    );
}

#[test]
fn the_next_photograph_is_seen_at_once_while_the_last_one_is_not_exact_yet() {
    let mut stage = slow_stage();
    stage.play_in(VIDEO, 1);
    for _ in 0..10 {
        stage.encode_after(Duration::from_millis(50), &[]);
    }

    stage.play_in(VIDEO, 20);
    let glance = stage.encode(&[]).update.expect("more");

    assert!(pixels(&film(&glance).rects) * 4 > VIDEO.area() * 3);
    assert!(!rest(&mut stage).last().expect("some").reduced);
}

#[test]
fn text_goes_before_a_glance_and_stays_exact() {
    let mut stage = slow_stage();
    stage.draw_film(VIDEO, 1);
    stage.draw(CAPTION, |x, y| {
        [0xff_ffff, 0x10_1010][((x / 3 + y) % 2) as usize]
    });

    let first = stage.encode(&[VIDEO, CAPTION]).update.expect("a change");

    let covers = |update: &Update| update.rects.iter().any(|rect| rect.overlaps(CAPTION));
    assert!(covers(&first), "the text is there");
    assert!(first.film.is_none(), "and did not wait for the photograph");
    let mut later = rest(&mut stage).into_iter();
    let glance = later
        .find(|update| update.film.is_some())
        .expect("a glance");
    assert!(
        film(&glance)
            .rects
            .iter()
            .all(|rect| !rect.overlaps(CAPTION))
    );
}

#[test]
fn a_photograph_that_was_there_before_is_exact_at_once() {
    let mut stage = slow_stage();
    stage.order.budget_bytes = 12_000;
    stage.play_in(VIDEO, 1);
    rest(&mut stage);
    stage.play_in(VIDEO, 20);
    rest(&mut stage);

    let again = stage.play_in(VIDEO, 1);

    let later = rest(&mut stage);
    assert!(later.len() < 10, "in {} parts", later.len());
    let all = later.iter().chain([&again]);
    assert!(all.into_iter().all(|update| update.film.is_none()));
}

#[test]
fn what_comes_soon_enough_is_exact_at_once() {
    let small = Rect {
        width: 64,
        height: 64,
        ..VIDEO
    };
    let mut stage = slow_stage();
    stage.play_in(small, 1);
    let all = rest(&mut stage);
    assert!(
        all.iter().all(|update| update.film.is_none()),
        "a small picture"
    );

    let mut stage = slow_stage();
    stage.order.glance_above_bytes = None;
    stage.play_in(VIDEO, 1);
    let all = rest(&mut stage);
    assert!(
        all.iter().all(|update| update.film.is_none()),
        "on a fast line"
    );

    let mut stage = slow_stage();
    stage.order.film = None;
    stage.play_in(VIDEO, 1);
    let all = rest(&mut stage);
    assert!(
        all.iter()
            .all(|update| update.film.is_none() && !update.reduced),
        "for somebody who wants it exact at all times, or decodes no films"
    );
}

#[test]
fn a_film_that_plays_does_not_grow_by_a_photograph_elsewhere() {
    let photograph = Rect {
        x: 0,
        y: 416,
        width: 640,
        height: 64,
    };
    let mut stage = slow_stage();
    stage.order.glance_above_bytes = None;
    stage.play(12);
    stage.order.glance_above_bytes = Some(10_000);

    stage.draw_film(photograph, 3);
    stage.draw_film(VIDEO, 12);
    stage.encode(&[VIDEO, photograph]);
    for frame in 13..30 {
        let update = stage.play_in(VIDEO, frame);
        if let Some(film) = update.film {
            assert_eq!(film.area, VIDEO);
        }
    }
}

#[test]
fn a_film_that_begins_inside_of_a_photograph_has_its_own_place_and_size() {
    let inside = Rect {
        x: 192,
        y: 208,
        width: 128,
        height: 96,
    };
    let mut stage = slow_stage();
    stage.play_in(VIDEO, 1);
    let glance = stage.encode(&[]).update.expect("more");
    assert!(glance.film.is_some());
    stage.order.glance_above_bytes = None;

    let films: Vec<_> = (2..20)
        .filter_map(|frame| stage.play_in(inside, frame).film)
        .collect();

    let first = films.first().expect("a film");
    assert!(first.key && first.area == inside, "{:?}", first.area);
    assert!(first.stream != film(&glance).stream);
}

#[test]
fn where_no_codec_takes_it_a_photograph_is_exact_and_never_few_colours() {
    let mut codec = Notes::of(FilmFormat::Vp9);
    codec.shortest_side = 1_000;
    let mut stage = Stage::with(vec![codec]);
    stage.order.glance_above_bytes = Some(VIDEO.area() / 10);
    stage.order.budget_bytes = 3_000;

    let first = stage.play_in(VIDEO, 1);

    let later = rest(&mut stage);
    let all: Vec<_> = std::iter::once(&first).chain(&later).collect();
    assert!(
        all.iter()
            .all(|update| !update.reduced && update.film.is_none())
    );
    let sent: usize = all.iter().map(|update| pixels(&update.rects)).sum();
    assert_eq!(sent, VIDEO.area(), "each pixel once");
}
