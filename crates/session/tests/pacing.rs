//! Frames on simulated links, in virtual time: skipped, never queued.

mod support;

use std::time::Duration;

use gc_model::geometry::{Rect, Size};
use support::{Session, ms};

/// Rate in bit/s and round trip of every link that is promised to work.
const LINKS: [(u64, u64); 12] = [
    (64_000, 5),
    (64_000, 300),
    (64_000, 600),
    (256_000, 300),
    (1_000_000, 40),
    (2_000_000, 80),
    (10_000_000, 20),
    (20_000_000, 40),
    (100_000_000, 5),
    (100_000_000, 200),
    (1_000_000_000, 5),
    (1_000_000_000, 600),
];

fn playing(bits_per_second: u64, rtt_ms: u64) -> Session {
    let mut session = Session::over(bits_per_second, ms(rtt_ms));
    session.connect();
    session
        .run_until(Duration::from_secs(30), Session::is_exact)
        .expect("the first picture comes");
    session.video = true;
    session.run_for(Duration::from_secs(10));
    session
}

#[test]
fn a_key_press_is_seen_soon_while_a_video_plays_on_any_link() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        let mut slowest = Duration::ZERO;
        for seed in 0..8 {
            slowest = slowest.max(session.time_key_press(seed));
            session.run_for(ms(700));
        }

        // One round trip there and back, one base round trip of queue at most, and the echo's own bytes (noise, under 1 KB).
        let own = Duration::from_secs_f64(1_000.0 * 8.0 / rate as f64);
        let limit = ms(2 * rtt) + own + ms(650);
        assert!(
            slowest < limit,
            "{rate} bit/s, {rtt} ms: {slowest:?} of {limit:?}"
        );
        if (rate, rtt) == (64_000, 300) {
            assert!(
                slowest < ms(1_500),
                "the promise for the slowest link: {slowest:?}"
            );
        }
    }
}

#[test]
fn no_queue_stands_while_a_video_plays() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        let mut queues = Vec::new();
        for _ in 0..1_000 {
            session.run_for(ms(10));
            queues.push(session.down.queued_bytes());
        }
        queues.sort_unstable();

        let median = Duration::from_secs_f64(queues[500] as f64 * 8.0 / rate as f64);
        // The smallest piece of a video is about 2 KB, whatever the link.
        let limit = ms(rtt + 50).max(Duration::from_secs_f64(2_500.0 * 8.0 / rate as f64));
        assert!(
            median <= limit,
            "{rate} bit/s, {rtt} ms: {median:?} of {limit:?}"
        );
    }
}

#[test]
fn a_video_uses_most_of_a_slow_link() {
    for (rate, rtt, least) in [
        (64_000, 300, 0.5),
        (256_000, 300, 0.6),
        (1_000_000, 40, 0.8),
        (2_000_000, 80, 0.8),
    ] {
        let mut session = playing(rate, rtt);
        // A browser that takes a moment for each picture, while the next is on its way.
        session.paint = ms(6);
        session.paint_screen = ms(20);
        session.run_for(Duration::from_secs(5));

        let used = session.bits_per_second_for(Duration::from_secs(20)) / rate as f64;

        assert!(
            used > least,
            "{rate} bit/s, {rtt} ms: {used:.2} of the link"
        );
    }
}

#[test]
fn a_new_screen_takes_little_more_than_its_bytes_do() {
    let whole = Rect::whole(Size::new(support::WIDTH, support::HEIGHT).expect("a small screen"));
    for (rate, rtt) in [(1_000_000, 40), (2_000_000, 80), (20_000_000, 40)] {
        let mut session = Session::over(rate, ms(rtt));
        session.paint = ms(6);
        session.paint_screen = ms(20);
        session.draw(whole, 8);
        session.connect();
        session
            .run_until(Duration::from_secs(30), Session::is_exact)
            .expect("the first screen comes");
        session.run_for(Duration::from_secs(3));

        let before = session.down.carried_bytes();
        session.draw(whole, 9);
        let took = session
            .run_until(Duration::from_secs(30), Session::is_exact)
            .expect("the next screen comes");

        let bytes = (session.down.carried_bytes() - before) as f64;
        let limit = Duration::from_secs_f64(bytes * 8.0 / rate as f64 * 1.3) + ms(2 * rtt + 100);
        assert!(
            took < limit,
            "{rate} bit/s, {rtt} ms: {took:?} of {limit:?}"
        );
    }
}

#[test]
fn thirty_frames_a_second_are_shown_where_the_link_carries_them() {
    for (rate, rtt) in [(100_000_000, 5), (1_000_000_000, 5), (1_000_000_000, 200)] {
        let mut session = playing(rate, rtt);
        let before = session.frames.len();

        session.run_for(Duration::from_secs(5));

        let complete = session.frames[before..]
            .iter()
            .filter(|(_, frame)| frame.complete)
            .count();
        assert!(
            complete >= 5 * 28,
            "{rate} bit/s, {rtt} ms: {complete} frames in 5 s"
        );
    }
}

#[test]
fn recovers_from_a_link_that_becomes_twenty_times_slower() {
    for (rate, rtt) in [(20_000_000, 40), (100_000_000, 5), (10_000_000, 300)] {
        let mut session = playing(rate, rtt);

        session.down.set_rate(session.now.as_micros(), rate / 20);
        // What was sent in the last round trip of before now takes twenty.
        session.run_for(ms(20 * rtt + 2_000).max(Duration::from_secs(4)));
        let slowest = (0..5)
            .map(|seed| {
                session.run_for(ms(500));
                session.time_key_press(seed)
            })
            .max()
            .expect("five of them");

        let limit = ms(2 * rtt + 300);
        assert!(
            slowest < limit,
            "{rate} bit/s, {rtt} ms: {slowest:?} of {limit:?}"
        );
    }
}

#[test]
fn a_line_that_became_slow_while_nothing_moved_is_not_flooded() {
    // The last has longer ways as well.
    for (rate, before, rtt, rest) in [
        (256_000, 300, 300, 8_000),
        (2_000_000, 80, 80, 8_000),
        (256_000, 5, 5, 700),
        (256_000, 2, 300, 700),
    ] {
        let mut session = playing(1_000_000_000, before);
        session.video = false;
        session.run_for(ms(rest));
        session.down.set_rate(session.now.as_micros(), rate);
        for link in [&mut session.down, &mut session.up] {
            link.set_delay(ms(rtt) / 2);
        }
        session.run_for(ms(rest));

        session.video = true;
        let mut most = 0;
        for _ in 0..400 {
            session.run_for(ms(10));
            most = most.max(session.down.queued_bytes());
        }
        let queue = Duration::from_secs_f64(most as f64 * 8.0 / rate as f64);
        assert!(
            queue < ms(2_500),
            "{rate} bit/s, {rtt} ms: {queue:?} in the queue"
        );
    }
}

#[test]
fn uses_a_link_again_that_becomes_twenty_times_faster() {
    let mut session = playing(1_000_000, 40);
    session.down.set_rate(session.now.as_micros(), 20_000_000);
    session.run_for(Duration::from_secs(5));

    let used = session.bits_per_second_for(Duration::from_secs(5));

    assert!(used > 10_000_000.0, "{used} bit/s");
}

#[test]
fn goes_on_after_an_outage_of_five_seconds() {
    let mut session = playing(10_000_000, 40);
    session.down.set_rate(session.now.as_micros(), 0);
    session.run_for(Duration::from_secs(5));
    let captures = session.captures;

    session.down.set_rate(session.now.as_micros(), 10_000_000);
    session.run_for(Duration::from_secs(1));
    let latency = session.time_key_press(1);

    assert!(session.captures > captures);
    assert!(latency < ms(300), "{latency:?}");
    session.video = false;
    assert!(
        session
            .run_until(Duration::from_secs(5), Session::is_exact)
            .is_some()
    );
}

#[test]
fn makes_no_frames_for_a_viewer_that_stops_reading() {
    let mut session = playing(10_000_000, 40);
    session.viewer_hangs = true;
    session.run_for(Duration::from_secs(1));
    let captures = session.captures;
    let carried = session.down.carried_bytes();

    session.run_for(Duration::from_secs(20));

    assert_eq!(session.captures, captures);
    // Answers to the pings of the viewer's worker, nothing else.
    let carried = session.down.carried_bytes() - carried;
    assert!(carried < 2_000, "{carried} bytes");
}

#[test]
fn reads_no_screen_before_a_viewer_was_admitted_and_none_when_nothing_changes() {
    let mut session = Session::over(10_000_000, ms(20));
    session.draw(support::ECHO, 1);
    assert_eq!(session.captures, 0);
    session.connect();
    session
        .run_until(Duration::from_secs(5), Session::is_exact)
        .expect("the first picture comes");
    session.run_for(Duration::from_secs(1));
    let captures = session.captures;

    session.run_for(Duration::from_mins(1));

    assert_eq!(session.captures, captures);
}

#[test]
fn a_slow_viewer_sets_the_pace() {
    let mut session = playing(1_000_000_000, 5);
    session.paint = ms(100);
    session.run_for(Duration::from_secs(5));

    let latency = session.time_key_press(1);

    assert!(latency < ms(600), "{latency:?}");
}

/// Of sixteen, one or two in half a second.
fn mean_key_press(session: &mut Session) -> Duration {
    let took = (0..16).map(|seed| {
        session.run_for(ms(300 + u64::from(seed) * 37 % 200));
        session.time_key_press(seed)
    });
    took.sum::<Duration>() / 16
}

#[test]
fn a_key_waits_for_few_pictures_of_a_slow_viewer() {
    for (paint, rate, rtt) in [
        (100, 20_000_000, 40),
        (250, 1_000_000_000, 5),
        (250, 20_000_000, 40),
    ] {
        let mut session = playing(rate, rtt);
        session.paint = ms(paint);
        session.run_for(Duration::from_secs(5));

        // The one that is being painted, its own, and seldom one more.
        let mean = mean_key_press(&mut session);
        let limit = ms(paint) * 12 / 5 + ms(rtt);
        assert!(
            mean < limit,
            "{paint} ms, {rate} bit/s: {mean:?} of {limit:?}"
        );
    }
}

#[test]
fn a_busy_viewer_does_not_make_a_line_look_faster() {
    for (paint, rate, rtt, limit) in [
        (20, 2_000_000, 40, 250),
        (60, 2_000_000, 40, 250),
        (25, 4_000_000, 10, 130),
    ] {
        let mut session = playing(rate, rtt);
        session.paint = ms(paint);
        session.run_for(Duration::from_secs(5));

        let mean = mean_key_press(&mut session);
        assert!(
            mean < ms(limit),
            "{paint} ms, {rate} bit/s, {rtt} ms: {mean:?}"
        );
    }
}

/// The time for a picture depends little on its size: a busy machine's browser, or a phone's.
#[test]
fn a_viewer_next_door_that_takes_its_time_has_the_whole_picture_at_once() {
    for paint in [5, 10, 15, 20, 25, 30, 40, 60, 80] {
        let mut session = Session::over(1_000_000_000, ms(1));
        session.paint = ms(paint);
        session.draw(
            Rect::whole(Size::new(support::WIDTH, support::HEIGHT).expect("a small screen")),
            7,
        );
        session.connect();

        session
            .run_until(Duration::from_secs(20), Session::is_exact)
            .expect("the picture comes");

        // In pieces that are limited by what the viewer takes for each, it would be 75.
        let updates = session.frames.len();
        assert!(updates < 20, "{paint} ms for each: {updates} updates");
    }
}

#[test]
fn a_browser_that_paints_a_screen_of_few_bytes_is_no_slow_line() {
    let whole = Rect::whole(Size::new(support::WIDTH, support::HEIGHT).expect("a small screen"));
    let mut session = Session::over(1_000_000_000, ms(1));
    session.paint_screen = ms(60);
    session.connect();
    // Windows that come back cost a few bytes each.
    for seed in 0..24 {
        session.draw(whole, 7 + seed % 2);
        session.run_for(ms(500));
    }
    assert!(session.is_exact());

    session.frames.clear();
    session.draw(whole, 9);
    session
        .run_until(Duration::from_secs(20), Session::is_exact)
        .expect("the picture comes");

    // Were painting taken for a queue, the pieces would shrink with each window.
    let updates = session.frames.len();
    assert!(updates < 5, "{updates} updates");
}

#[test]
fn a_slow_machine_rests_between_the_frames_of_what_moves_on() {
    let mut session = playing(1_000_000_000, 5);
    session.packing = ms(30);
    session.run_for(Duration::from_secs(2));

    let before = session.captures;
    session.run_for(Duration::from_secs(5));

    let worked = ms(31) * u32::try_from(session.captures - before).expect("a small number");
    assert!(worked < ms(3_600), "{worked:?} of 5 s");
    assert!(worked > ms(2_500), "{worked:?} of 5 s");
}

/// A machine that takes `packing` for a picture draws a whole new screen: how many updates that
/// takes, and how long until it is shown.
fn change_everything(mut session: Session, packing: Duration) -> (u32, Duration) {
    let whole = Rect::whole(Size::new(support::WIDTH, support::HEIGHT).expect("a small screen"));
    session.packing = packing;
    session.connect();
    session.run_for(Duration::from_secs(5));

    session.frames.clear();
    session.draw(whole, 9);
    let took = session
        .run_until(Duration::from_secs(20), Session::is_exact)
        .expect("the picture comes");

    let updates = u32::try_from(session.frames.len()).expect("a small number");
    assert!(updates > 2, "{updates} updates");
    (updates, took)
}

#[test]
fn a_slow_machine_packs_one_large_change_without_a_rest() {
    let (updates, took) = change_everything(Session::over(20_000_000, ms(10)), ms(30));

    assert!(took < ms(40) * updates, "{took:?} for {updates} updates");
}

#[test]
fn the_parts_of_a_large_change_follow_each_other_at_once() {
    let (updates, took) = change_everything(Session::over(1_000_000_000, ms(1)), ms(5));

    assert!(took < ms(12) * updates, "{took:?} for {updates} updates");
}

#[test]
fn work_that_input_asked_for_is_not_made_up_for_in_a_pause_afterwards() {
    let mut session = playing(1_000_000_000, 5);
    session.packing = ms(30);
    for step in 0..1_000 {
        session
            .viewer
            .handle_pointer(session.now, step % 200, 20, 0);
        session.run_for(ms(10));
    }

    session.frames.clear();
    let mut times = vec![session.now];
    session.run_for(ms(1_000));
    times.extend(session.frames.iter().map(|(at, _)| *at));
    times.push(session.now);
    let gaps = times.windows(2).map(|pair| pair[1].since(pair[0]));
    let longest = gaps.max().expect("frames");
    assert!(longest < ms(150), "nothing for {longest:?}");
}

#[test]
fn a_viewer_that_takes_long_for_any_picture_gets_large_pieces() {
    for rtt in [5, 100] {
        let mut session = Session::over(1_000_000_000, ms(rtt));
        session.paint = ms(250);
        session.connect();
        let first = session
            .run_until(Duration::from_mins(1), Session::is_exact)
            .expect("the first picture comes");
        session.draw(support::VIDEO, 7);
        let next = session
            .run_until(Duration::from_mins(1), Session::is_exact)
            .expect("the next picture comes");

        assert!(
            first < Duration::from_secs(8),
            "{rtt} ms: first after {first:?}"
        );
        assert!(
            next < Duration::from_secs(3),
            "{rtt} ms: next after {next:?}"
        );
    }
}

#[test]
fn a_browser_on_a_busy_machine_gets_whole_pictures() {
    let mut session = Session::over(1_000_000_000, ms(5));
    session.connect();
    session.run_for(Duration::from_secs(1));
    session.draw(support::VIDEO, 8);

    // From 50 to 550 ms for each picture, in no order.
    let mut steps = 0;
    while !session.is_exact() {
        steps += 1;
        assert!(steps < 400, "not exact after 8 s");
        session.paint = ms(50 + steps * 7_919 % 500);
        session.run_for(ms(20));
    }
}

#[test]
fn the_picture_is_exact_once_nothing_moves() {
    for (rate, rtt) in LINKS {
        let mut session = playing(rate, rtt);

        session.video = false;
        let needed = session.run_until(Duration::from_mins(1), Session::is_exact);

        assert!(needed.is_some(), "{rate} bit/s, {rtt} ms");
        if rate >= 20_000_000 && rtt <= 40 {
            assert!(needed < Some(ms(500)), "{rate} bit/s, {rtt} ms: {needed:?}");
        }
    }
}

#[test]
fn little_goes_with_a_typed_letter_and_the_line_is_known_with_each_frame() {
    let mut session = Session::over(2_000_000, ms(80));
    session.connect();
    session
        .run_until(Duration::from_secs(30), Session::is_exact)
        .expect("the first picture comes");
    session.run_for(Duration::from_secs(2));
    let letter = |column| Rect::between(column * 9, 40, column * 9 + 8, 54);
    session.draw(letter(0), 0);
    session.run_for(ms(500));

    let (frames, pixels) = (session.frames.len(), session.updates.len());
    for column in 1..=20_i32 {
        session.draw(letter(column), column.unsigned_abs());
        session.run_for(ms(100));
    }

    let typed = &session.frames[frames..];
    assert_eq!(typed.len(), 20);
    for (_, frame) in typed {
        assert!(
            frame.base_rtt >= ms(80) && frame.rtt >= frame.base_rtt,
            "{frame:?}"
        );
    }
    let bytes: usize = typed.iter().map(|(_, frame)| frame.bytes).sum();
    let beside = (bytes - (session.updates.len() - pixels)) / typed.len();
    assert!(beside <= 52, "{beside} bytes beside the pixels");
}
