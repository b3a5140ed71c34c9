//! A film is made small where the line is slow, and large again where it is not.

mod support;

use support::stage::{Stage, VIDEO, film, film_order};

#[test]
fn a_film_is_small_before_it_is_late() {
    let mut stage = Stage::new();
    stage.order.film.as_mut().expect("an order").target_bytes = 100;

    let update = stage.play(12);

    assert_eq!(film(&update).area, VIDEO);
    assert!(film(&update).coded_width <= VIDEO.width / 2);
    assert!(film(&update).coded_height <= VIDEO.height / 2);
}

#[test]
fn a_film_that_was_made_small_is_large_again_when_there_is_room() {
    let mut stage = Stage::new();
    film_order(&mut stage).target_bytes = 100;
    stage.play(12);

    film_order(&mut stage).target_bytes = 50_000;
    let update = stage.play(20);

    assert_eq!(film(&update).coded_width, VIDEO.width);
}

#[test]
fn a_small_film_that_leaves_bytes_unused_shows_whether_a_larger_one_is_late() {
    let mut stage = Stage::new();
    // Its first frame would be a little late at half of each side.
    film_order(&mut stage).target_bytes = 100;
    let small = film(&stage.play(12)).coded_width;

    let larger = film(&stage.play(20)).coded_width;

    assert_eq!(larger, small * 2);
}

#[test]
fn a_film_that_had_to_be_small_for_a_moment_is_large_again_soon() {
    let mut stage = Stage::new();
    for (target_bytes, frames) in [(60, 60), (20_000, 90), (60, 10)] {
        film_order(&mut stage).target_bytes = target_bytes;
        stage.play(frames);
    }

    film_order(&mut stage).target_bytes = 20_000;
    let update = stage.play(70);

    assert_eq!(film(&update).coded_width, VIDEO.width);
}

#[test]
fn a_film_is_not_made_small_for_one_frame_that_might_have_fewer_bytes() {
    let mut stage = Stage::new();
    for _ in 0..40 {
        for (target_bytes, frames) in [(320, 120), (250, 2)] {
            film_order(&mut stage).target_bytes = target_bytes;
            stage.play(frames);
        }
    }

    let opened = stage.notes.opened.lock().expect("a lock").len();
    assert!(opened <= 2, "{opened} streams");
}

#[test]
fn a_film_does_not_go_to_and_fro_between_two_sizes() {
    let mut stage = Stage::new();
    for _ in 0..20 {
        for target_bytes in [20, 2_000] {
            film_order(&mut stage).target_bytes = target_bytes;
            stage.play(30);
        }
    }

    // For 40 seconds the line says something else every second.
    let opened = stage.notes.opened.lock().expect("a lock").len();
    assert!(opened <= 8, "{opened} streams");
}
