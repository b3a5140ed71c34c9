//! Where the machine's pointer is, as the viewer hears of it.

mod support;

use std::time::Duration;

use gc_model::pointer::Pointer;
use gc_session::viewer::ViewerEvent;
use support::films::playing;
use support::{Session, ms};

/// Moves the machine's pointer 60 times a second, for two seconds.
fn wander(session: &mut Session) -> Vec<(i32, i32)> {
    session.events.clear();
    for x in 0..120 {
        let pointer = Pointer {
            x,
            y: 7,
            visible: true,
            shape: None,
        };
        session.host.handle_pointer(session.now, &pointer);
        session.run_for(ms(16));
    }
    session.run_for(Duration::from_secs(2));
    let places = session.events.iter().filter_map(|event| match event {
        ViewerEvent::CursorPosition { x, y, .. } => Some((*x, *y)),
        _ => None,
    });
    places.collect()
}

#[test]
fn a_slow_line_hears_of_the_pointer_less_often_and_always_of_where_it_ends() {
    for (rate, most) in [(64_000, 20), (256_000, 70), (20_000_000, 120)] {
        let mut session = playing(rate, 100);

        let places = wander(&mut session);

        assert!(
            (most / 3..=most).contains(&places.len()),
            "{rate} bit/s: {} places",
            places.len()
        );
        assert_eq!(places.last(), Some(&(119, 7)), "{rate} bit/s");
    }
}

#[test]
fn a_pointer_that_disappears_is_told_at_once() {
    let mut session = playing(64_000, 100);
    let mut pointer = Pointer {
        x: 5,
        y: 7,
        visible: true,
        shape: None,
    };
    session.host.handle_pointer(session.now, &pointer);
    pointer.visible = false;
    session.events.clear();
    session.host.handle_pointer(session.now, &pointer);
    session.run_for(Duration::from_secs(2));

    let gone =
        |event: &ViewerEvent| matches!(event, ViewerEvent::CursorPosition { visible: false, .. });
    assert!(session.events.iter().any(gone));
}
