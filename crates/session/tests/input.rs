//! Mouse and keyboard: what is pressed is released, whatever happens.

mod support;

use std::time::Duration;

use gc_model::input::{InputEvent, MouseButton};
use gc_session::viewer::ViewerEvent;
use gc_session::{Preferences, Quality};
use proptest::prelude::*;
use support::Session;

const MOMENT: Duration = Duration::from_millis(50);

fn connected() -> Session {
    let mut session = Session::over(100_000_000, Duration::from_millis(5));
    session.connect();
    session
}

/// Keys and buttons that the machine believes are down.
fn held(injected: &[InputEvent]) -> Vec<String> {
    let mut held = Vec::new();
    for event in injected {
        let (name, down) = match event {
            InputEvent::Key(key) => (format!("{:?}", key.usage), key.down),
            InputEvent::Button { button, down } => (format!("{button:?}"), *down),
            _ => continue,
        };
        held.retain(|other| *other != name);
        if down {
            held.push(name);
        }
    }
    held
}

#[test]
fn a_click_moves_presses_and_releases() {
    let mut session = connected();

    session.viewer.handle_pointer(session.now, 30, 40, 1);
    session.viewer.handle_pointer(session.now, 30, 40, 0);
    session.run_for(MOMENT);

    let to = InputEvent::PointerMove { x: 30, y: 40 };
    let button = |down| InputEvent::Button {
        button: MouseButton::Left,
        down,
    };
    assert_eq!(
        session.injected,
        [to.clone(), button(true), to, button(false)]
    );
}

#[test]
fn the_pointer_stays_inside_the_picture() {
    let mut session = connected();

    session.viewer.handle_pointer(session.now, -5, i32::MAX, 0);
    session.run_for(MOMENT);

    assert_eq!(
        session.injected,
        [InputEvent::PointerMove {
            x: 0,
            y: support::HEIGHT - 1
        }]
    );
}

#[test]
fn releases_held_keys_when_the_viewer_loses_the_focus() {
    let mut session = connected();
    session
        .viewer
        .handle_key(session.now, "ShiftLeft", true, None, 1, false);
    session.viewer.handle_pointer(session.now, 1, 1, 0b10);
    session.run_for(MOMENT);
    assert_eq!(held(&session.injected).len(), 2);

    session.viewer.handle_release_all(session.now);
    session.run_for(MOMENT);

    assert!(held(&session.injected).is_empty());
}

#[test]
fn releases_held_keys_when_the_connection_is_lost() {
    let mut session = connected();
    session
        .viewer
        .handle_key(session.now, "ControlLeft", true, None, 2, false);
    session.run_for(MOMENT);

    session.host.handle_disconnected(session.now);
    session.run_for(MOMENT);

    assert!(held(&session.injected).is_empty());
    assert!(session.ended.is_some());
}

#[test]
fn view_only_releases_what_is_held_and_sends_nothing_more() {
    let mut session = connected();
    session
        .viewer
        .handle_key(session.now, "AltLeft", true, None, 4, false);
    session.run_for(MOMENT);

    session.viewer.handle_preferences(
        session.now,
        Preferences {
            quality: Quality::Auto,
            view_only: true,
        },
    );
    session
        .viewer
        .handle_key(session.now, "KeyA", true, Some("a"), 0, false);
    session.run_for(MOMENT);

    assert!(held(&session.injected).is_empty());
    assert_eq!(session.injected.len(), 2, "Alt down and up");
}

#[test]
fn a_viewer_without_the_right_to_control_moves_nothing() {
    let mut session = Session::over(100_000_000, Duration::from_millis(5));
    session.viewer = support::viewer(support::signed_grant(|grant| {
        grant
            .rights
            .retain(|&right| right == gc_proto::v1::Right::View as i32);
    }));
    session.connect();
    assert!(matches!(
        session.events[0],
        ViewerEvent::Connected {
            rights: gc_session::Rights::VIEW,
            ..
        }
    ));

    session.viewer.handle_pointer(session.now, 1, 1, 1);
    session.run_for(MOMENT);

    assert_eq!(session.injected, []);
}

#[test]
fn the_agent_enforces_the_right_to_control_against_a_viewer_that_does_not() {
    let mut session = connected();
    session
        .viewer
        .handle_key(session.now, "KeyA", true, Some("a"), 0, false);
    session
        .viewer
        .handle_key(session.now, "KeyA", false, None, 0, false);
    // The agent heard of view-only; a dishonest viewer goes on typing.
    session.run_for(MOMENT);
    let before = session.injected.len();
    session.viewer.handle_preferences(
        session.now,
        Preferences {
            quality: Quality::Auto,
            view_only: true,
        },
    );
    session.viewer.handle_release_all(session.now);
    session.run_for(MOMENT);

    assert_eq!(session.injected.len(), before);
}

#[test]
fn text_of_an_input_method_is_typed_as_text() {
    let mut session = connected();

    session
        .viewer
        .handle_key(session.now, "", true, Some("漢"), 0, false);
    session.run_for(MOMENT);

    let texts: Vec<_> = session
        .injected
        .iter()
        .filter_map(|event| match event {
            InputEvent::Key(key) => Some((
                key.down,
                key.text.as_ref().map(|text| text.as_str().to_owned()),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(texts, [(true, Some("漢".to_owned())), (false, None)]);
}

#[test]
fn a_chord_presses_in_order_and_releases_in_reverse() {
    let mut session = connected();

    assert!(
        session
            .viewer
            .handle_chord(session.now, &["ControlLeft", "ShiftLeft", "Escape"])
    );
    assert!(!session.viewer.handle_chord(session.now, &["NoSuchKey"]));
    session.run_for(MOMENT);

    let downs: Vec<bool> = session
        .injected
        .iter()
        .map(|event| matches!(event, InputEvent::Key(key) if key.down))
        .collect();
    assert_eq!(downs, [true, true, true, false, false, false]);
    assert!(held(&session.injected).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_stays_down_after_any_input_and_a_lost_connection(
        steps in proptest::collection::vec((0_u8..6, any::<u16>(), any::<bool>()), 0..60),
    ) {
        let codes = ["KeyA", "ShiftLeft", "AltRight", "F5", "Enter", "", "NoSuchKey"];
        let mut session = connected();
        for (kind, value, flag) in steps {
            let now = session.now;
            match kind {
                0 | 1 => {
                    let code = codes[usize::from(value) % codes.len()];
                    session.viewer.handle_key(now, code, flag, flag.then_some("x"), 0, false);
                }
                2 => session.viewer.handle_pointer(now, value.into(), 3, u32::from(value) & 0x3f),
                3 => session.viewer.handle_wheel(now, 1, 1, u32::from(value) & 3, value.into(), -5),
                4 => { session.viewer.handle_chord(now, &["AltLeft", "F4"]); }
                _ => session.viewer.handle_preferences(now, Preferences { quality: Quality::Low, view_only: flag }),
            }
            session.run_for(Duration::from_millis(2));
        }
        session.run_for(MOMENT);

        session.host.handle_disconnected(session.now);
        session.run_for(MOMENT);

        prop_assert!(held(&session.injected).is_empty());
    }
}
