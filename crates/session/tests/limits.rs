//! What the statistics say that limits the picture.

mod support;

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_session::viewer::Limit;
use support::films::{play, playing};
use support::{Session, VIDEO, ms};

/// How many of the frames since the last look named `limit`, from 0 to 1.
fn share(session: &Session, limit: Limit) -> f64 {
    let named = session
        .frames
        .iter()
        .filter(|(_, frame)| frame.limit == limit);
    named.count() as f64 / session.frames.len().max(1) as f64
}

#[test]
fn the_network_is_the_limit_of_a_film_that_it_holds_back() {
    for (rate, rtt) in [(64_000, 300), (256_000, 300), (1_000_000, 40)] {
        let mut session = Session::with_films(rate, ms(rtt));
        // Noise, which is more than any of them carries.
        session.soft = false;
        play(&mut session);

        session.run_for(Duration::from_secs(10));

        let network = share(&session, Limit::Network);
        assert!(network > 0.9, "{rate} bit/s: of {network:.2} of the frames");
    }
}

#[test]
fn the_network_is_the_limit_of_a_large_change_on_a_slow_line() {
    let mut session = Session::over(256_000, ms(300));
    session.connect();
    session.run_for(Duration::from_secs(2));
    session.frames.clear();
    session.draw(VIDEO, 4);

    session.run_for(Duration::from_secs(2));

    let network = share(&session, Limit::Network);
    assert!(network > 0.5, "of {network:.2} of the frames");
}

#[test]
fn a_browser_that_takes_long_is_the_limit() {
    let mut session = Session::over(1_000_000_000, ms(5));
    session.paint = ms(150);
    session.connect();
    session.video = true;
    session.run_for(Duration::from_secs(5));
    session.frames.clear();

    session.run_for(Duration::from_secs(5));

    let viewer = share(&session, Limit::Viewer);
    assert!(viewer > 0.9, "of {viewer:.2} of the frames");
}

/// What it takes looks like a slow line now and then, and its films are coarser for it.
#[test]
fn a_busy_browser_next_door_is_the_limit_of_a_film_that_it_holds_back() {
    let mut session = Session::with_films(1_000_000_000, ms(2));
    session.packing = ms(12);
    session.soft = false;
    play(&mut session);

    for paint in [10, 70, 20, 40, 120].into_iter().cycle().take(100) {
        session.paint = ms(paint);
        session.run_for(ms(100));
    }

    let viewer = share(&session, Limit::Viewer);
    assert!(viewer > 0.7, "of {viewer:.2} of the frames");
}

#[test]
fn nothing_is_the_limit_of_typed_text_and_of_a_film_next_door() {
    let mut session = Session::over(2_000_000, ms(80));
    session.connect();
    session.run_for(Duration::from_secs(2));
    session.frames.clear();
    for column in 0..30_i32 {
        session.draw(Rect::between(column * 9, 40, column * 9 + 8, 54), 1);
        session.run_for(ms(100));
    }
    let free = share(&session, Limit::FrameRate);
    assert!(free > 0.95, "text: of {free:.2} of the frames");

    let mut session = playing(1_000_000_000, 5);
    session.run_for(Duration::from_secs(5));
    let free = share(&session, Limit::FrameRate);
    assert!(free > 0.9, "a film: of {free:.2} of the frames");
}
