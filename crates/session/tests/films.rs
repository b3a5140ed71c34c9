//! How films play over simulated links, in virtual time, encoded and decoded for real.

mod support;

use std::time::Duration;

use gc_model::geometry::Rect;
use gc_model::time::Moment;
use gc_session::viewer::ShownFrame;
use gc_session::{Preferences, Quality};
use support::films::{films, has_film, play, playing};
use support::{HEIGHT, Session, VIDEO, WIDTH, ms};

/// Rate in bit/s and round trip.
const LINKS: [(u64, u64); 7] = [
    (64_000, 300),
    (256_000, 300),
    (1_000_000, 40),
    (2_000_000, 80),
    (20_000_000, 40),
    (100_000_000, 200),
    (1_000_000_000, 5),
];

#[test]
fn a_film_plays_smoothly_from_two_megabits_on() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        session.run_for(Duration::from_secs(5));

        let wanted = if rate >= 2_000_000 { 15 } else { 2 };
        let shown = films(&session) / 5;
        assert!(
            shown >= wanted,
            "{rate} bit/s, {rtt} ms: {shown} frames a second"
        );
    }
}

#[test]
fn a_film_that_plays_alone_is_not_begun_anew() {
    let mut session = playing(20_000_000, 40);

    session.run_for(Duration::from_secs(20));

    let begun = |(_, frame): &&(Moment, ShownFrame)| {
        !frame.rects.is_empty() || frame.film.as_ref().is_some_and(|film| film.key)
    };
    let begun = session.frames.iter().filter(begun).count();
    assert_eq!(begun, 0, "of {} frames", session.frames.len());
}

/// So that what comes after it need not find the line's rate first.
#[test]
fn a_film_that_needs_little_shows_how_much_the_line_carries() {
    for (rate, rtt) in [(4_000_000, 40), (10_000_000, 20)] {
        let mut session = playing(rate, rtt);
        session.fine = true;
        session.paint = ms(6);
        session.paint_screen = ms(20);
        session.run_for(Duration::from_secs(5));

        let used = session.bits_per_second_for(Duration::from_secs(10)) / rate as f64;

        let (_, frame) = session.frames.last().expect("frames");
        let known = frame.delivered_rate as f64 * 8.0 / rate as f64;
        assert!(used < 0.3, "{rate} bit/s: the film takes {used:.2} of it");
        assert!(
            (0.6..1.2).contains(&known),
            "{rate} bit/s, {rtt} ms: {known:.2} of it are known"
        );
    }
}

#[test]
fn what_is_shown_of_a_film_looks_like_it() {
    for (rate, rtt, limit) in [(20_000_000, 40, 6.0), (1_000_000, 40, 12.0)] {
        let mut session = playing(rate, rtt);

        // The screen goes on meanwhile: stop it, and look before anything is sharpened.
        session.video = false;
        session.run_for(ms(rtt + 100));

        let error = session.error_in(VIDEO);
        assert!(error < limit, "{rate} bit/s: {error:.1} levels");
        assert!(!session.is_exact());
    }
}

#[test]
fn a_film_that_stops_is_exact_soon() {
    for (rate, rtt) in [(2_000_000, 80), (20_000_000, 40), (1_000_000_000, 5)] {
        let mut session = playing(rate, rtt);

        session.video = false;
        // Its pixels are 24 to 98 KB, whatever they were packed as before.
        let own = Duration::from_secs_f64(98_000.0 * 8.0 / rate as f64);
        let exact = session.run_until(Duration::from_secs(20), Session::is_exact);

        let limit = ms(150 + rtt) + own;
        assert!(
            exact.is_some_and(|took| took < limit),
            "{rate}: {exact:?} of {limit:?}"
        );
    }
}

#[test]
fn a_line_that_became_slow_is_not_flooded_because_a_film_needs_little() {
    let mut session = playing(20_000_000, 40);
    session.fine = true;
    session.paint = ms(6);
    session.paint_screen = ms(20);
    session.run_for(Duration::from_secs(5));
    session.down.set_rate(session.now.as_micros(), 1_000_000);
    session.run_for(Duration::from_secs(10));

    let below = Rect {
        x: 0,
        y: VIDEO.bottom(),
        width: WIDTH,
        height: 48,
    };
    session.draw(below, 5);
    session.run_for(ms(60));

    let queue = Duration::from_secs_f64(session.down.queued_bytes() as f64 * 8.0 / 1e6);
    assert!(queue < ms(200), "{queue:?}");
}

/// Another way through the net, or a tunnel that was set up.
#[test]
fn longer_ways_are_not_taken_for_a_queue() {
    for rate in [1_000_000, 2_000_000, 20_000_000] {
        let mut session = playing(rate, 5);
        session.fine = true;
        for link in [&mut session.down, &mut session.up] {
            link.set_delay(ms(60));
        }
        session.run_for(Duration::from_secs(2));
        session.frames.clear();

        session.run_for(Duration::from_secs(3));

        let shown = films(&session) / 3;
        assert!(shown >= 25, "{rate} bit/s: {shown} frames a second");
    }
}

#[test]
fn a_film_that_a_slow_line_made_coarse_is_fine_again_on_a_faster_one() {
    let mut session = playing(64_000, 40);
    session.video = false;
    session.run_for(ms(90));
    let coarse = session.error_in(VIDEO);
    session.video = true;

    session.down.set_rate(session.now.as_micros(), 20_000_000);
    session.run_for(Duration::from_secs(6));
    session.video = false;
    session.run_for(ms(90));

    let error = session.error_in(VIDEO);
    assert!(error < 6.0, "{error:.1} levels, {coarse:.1} before");
}

/// Bytes a second of a film whose frames come after these pauses, again and again, in ms.
fn bytes_of_film(pauses: &[u64]) -> u64 {
    let mut session = playing(20_000_000, 40);
    session.video = false;
    let mut frame = 1_000;
    let mut before = 0;
    for seconds in [2, 8] {
        before = session.down.carried_bytes();
        let end = session.now + Duration::from_secs(seconds);
        for pause in pauses.iter().cycle() {
            session.run_for(ms(*pause));
            frame += 1;
            session.draw_film(VIDEO, frame);
            if session.now >= end {
                break;
            }
        }
    }
    (session.down.carried_bytes() - before) / 8
}

#[test]
fn a_film_that_stutters_is_not_sent_exactly_between_its_frames() {
    let steady = bytes_of_film(&[40]);
    for pauses in [
        &[33, 33, 33, 33, 33, 33, 33, 115][..],
        &[20, 110],
        &[33, 120],
        &[20, 180],
    ] {
        let bytes = bytes_of_film(pauses);
        assert!(bytes < steady * 3 / 2, "{pauses:?}: {bytes} of {steady}");
    }
}

/// Twelve pictures, one every half second; how many frames of a film were made of them.
fn show_slides(session: &mut Session) -> usize {
    session.frames.clear();
    for slide in 0..12 {
        session.draw_film(VIDEO, slide * 50);
        session.run_for(ms(500));
    }
    films(session)
}

#[test]
fn slides_are_no_film_where_the_line_carries_them() {
    for (rate, rtt) in [(20_000_000, 40), (1_000_000_000, 5)] {
        let mut session = Session::with_films(rate, ms(rtt));
        session.connect();
        session.run_for(Duration::from_secs(2));

        assert_eq!(show_slides(&mut session), 0, "{rate} bit/s");
        assert!(session.is_exact());

        // Where a film played just now, the first of them may look like more of it.
        play(&mut session);
        session.video = false;
        let films = show_slides(&mut session);
        assert!(films < 5, "{rate} bit/s: {films}");
    }
}

#[test]
fn a_film_that_was_paused_for_a_moment_goes_on_as_one() {
    let mut session = playing(20_000_000, 40);
    session.video = false;
    session.run_for(Duration::from_secs(3));
    assert!(session.is_exact());

    session.frames.clear();
    session.video = true;
    session.run_for(ms(200));

    assert!(session.frames.len() > 2);
    assert!(session.frames.iter().all(|(_, frame)| has_film(frame)));
}

#[test]
fn slides_become_a_film_where_the_line_would_be_late() {
    let mut session = Session::with_films(256_000, ms(300));
    session.connect();
    session.run_for(Duration::from_secs(5));

    assert!(show_slides(&mut session) > 0);
}

#[test]
fn a_key_press_is_seen_soon_beside_a_film() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        let mut took: Vec<Duration> = (0..20)
            .map(|seed| {
                let took = session.time_key_press(seed);
                session.run_for(ms(500 + u64::from(seed) * 37 % 400));
                took
            })
            .collect();
        took.sort_unstable();

        let own = Duration::from_secs_f64(1_000.0 * 8.0 / rate as f64);
        let limit = match (rate, rtt) {
            (2_000_000, 80) => ms(250),
            _ => ms(2 * rtt) + own + ms(300),
        };
        assert!(took[17] < limit, "{rate} bit/s, {rtt} ms: {took:?}");
        assert!(took[19] < limit + own, "{rate} bit/s, {rtt} ms: {took:?}");
    }
}

#[test]
fn no_queue_stands_while_a_film_plays() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        let mut queues = Vec::new();
        for _ in 0..1_000 {
            session.run_for(ms(10));
            queues.push(session.down.queued_bytes());
        }
        queues.sort_unstable();

        let median = Duration::from_secs_f64(queues[500] as f64 * 8.0 / rate as f64);
        assert!(
            median < ms(rtt + 50) + Duration::from_secs_f64(1_000.0 * 8.0 / rate as f64),
            "{rate} bit/s, {rtt} ms: {median:?}"
        );
    }
}

#[test]
fn a_line_that_answers_no_more_gets_a_few_frames_however_fast_it_was() {
    let mut session = playing(1_000_000_000, 5);
    session.video = false;
    session.run_for(Duration::from_secs(5));
    let before = session.down.carried_bytes();

    session.viewer_hangs = true;
    session.video = true;
    session.run_for(Duration::from_secs(2));

    let sent = session.down.carried_bytes() - before;
    assert!(sent < 8_000, "{sent} bytes");
}

#[test]
fn the_highest_quality_has_no_films() {
    let mut session = playing(1_000_000_000, 5);

    let preferences = Preferences {
        quality: Quality::High,
        ..Preferences::default()
    };
    session.viewer.handle_preferences(session.now, preferences);
    session.run_for(ms(500));
    session.frames.clear();
    session.run_for(Duration::from_secs(1));

    assert_eq!(films(&session), 0);
    assert!(session.frames.iter().all(|(_, frame)| !frame.reduced));
}

#[test]
fn a_lower_quality_takes_fewer_bytes_of_the_same_film() {
    let bytes = [Quality::Low, Quality::Medium, Quality::Auto].map(|quality| {
        let mut session = playing(20_000_000, 40);
        let preferences = Preferences {
            quality,
            ..Preferences::default()
        };
        session.viewer.handle_preferences(session.now, preferences);
        session.run_for(Duration::from_secs(3));
        session.bits_per_second_for(Duration::from_secs(5))
    });

    let [low, medium, auto] = bytes;
    assert!(
        low * 1.2 < medium && medium * 1.2 < auto,
        "{low:.0}, {medium:.0} and {auto:.0} bit/s"
    );
}

#[test]
fn a_large_photograph_is_seen_long_before_it_is_exact() {
    let whole = Rect::between(0, 0, WIDTH as i32, HEIGHT as i32);
    for (rate, rtt) in [(64_000, 300), (256_000, 300)] {
        let mut session = Session::with_films(rate, ms(rtt));
        session.connect();
        session
            .run_until(Duration::from_secs(30), Session::is_exact)
            .expect("the first picture comes");

        for frame in [1, 40] {
            session.run_for(Duration::from_secs(5));
            session.draw_film(whole, frame);
            let looks_like_it = |session: &Session| session.error_in(whole) < 20.0;
            let seen = session
                .run_until(Duration::from_secs(30), looks_like_it)
                .expect("it is seen");
            let after = session
                .run_until(Duration::from_mins(1), Session::is_exact)
                .expect("it is exact");
            assert!(seen < ms(2_500), "{rate} bit/s: seen after {seen:?}");
            assert!(
                seen * 2 < after,
                "{rate} bit/s: {seen:?}, exact {after:?} later"
            );
        }
    }
}

/// The line is found out anew with each session, and a photograph need not be coarse meanwhile.
#[test]
fn a_photograph_next_door_is_exact_from_the_beginning() {
    let whole = Rect::between(0, 0, WIDTH as i32, HEIGHT as i32);
    for (rate, rtt) in [(1_000_000_000, 2), (100_000_000, 5), (20_000_000, 40)] {
        let mut session = Session::with_films(rate, ms(rtt));
        session.paint = ms(6);
        session.draw_film(whole, 1);
        session.connect();
        session
            .run_until(Duration::from_secs(5), Session::is_exact)
            .expect("the first picture comes");
        session.run_for(Duration::from_secs(2));
        session.draw_film(whole, 50);
        session
            .run_until(Duration::from_secs(5), Session::is_exact)
            .expect("the next picture comes");

        let coarse = |(_, frame): &(Moment, ShownFrame)| frame.film.is_some();
        assert!(!session.frames.iter().any(coarse), "{rate} bit/s");
    }
}
