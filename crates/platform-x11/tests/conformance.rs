//! The X11 platform under a real Xvfb: the suite that every platform passes,
//! with and without the extensions, and what only X has.

#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use gc_model::geometry::Rect;
use gc_model::input::{InputEvent, KeyInput, KeyText};
use gc_model::key::Usage;
use gc_platform::conformance::{self, Received, Stage};
use gc_platform::{Desktop, Grab, PlatformError, Wait};
use gc_platform_x11::X11Desktop;
use gc_testkit::xvfb::Xvfb;
use support::Window;

const AREA: Rect = Rect {
    x: 40,
    y: 50,
    width: 400,
    height: 300,
};

fn start(arguments: &[&str]) -> (Xvfb, X11Desktop, Window) {
    let all: Vec<&str> = ["-screen", "0", "800x600x24"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    let xvfb = Xvfb::start_with(&all).expect("Xvfb");
    let desktop = X11Desktop::connect(Some(xvfb.display())).expect("desktop");
    let window = Window::open(xvfb.display(), AREA);
    (xvfb, desktop, window)
}

fn set_layout(xvfb: &Xvfb, layout: &str) {
    let status = Command::new("setxkbmap")
        .args(["-display", xvfb.display(), layout])
        .status();
    assert!(status.expect("setxkbmap (package x11-xkb-utils)").success());
}

fn key(code: &str, down: bool, text: Option<&str>) -> InputEvent {
    let usage = Usage::from_code(code).expect("a code of the table");
    InputEvent::Key(KeyInput {
        usage,
        down,
        text: text.map(|text| KeyText::new(text).expect("text")),
    })
}

fn received_until(window: &mut Window, last: &Received) -> Vec<Received> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut all = Vec::new();
    while !all.contains(last) {
        assert!(
            Instant::now() < deadline,
            "{last:?} arrives; received {all:?}"
        );
        all.extend(window.received());
        std::thread::sleep(Duration::from_millis(2));
    }
    all
}

fn typed(received: &[Received]) -> String {
    received
        .iter()
        .filter_map(|one| {
            if let Received::Text(text) = one {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect()
}

fn typed_characters(window: &mut Window, count: usize) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut text = String::new();
    while text.chars().count() < count {
        assert!(
            Instant::now() < deadline,
            "{count} characters arrive; received {text:?}"
        );
        text += &typed(&window.received());
        std::thread::sleep(Duration::from_millis(2));
    }
    text
}

#[test]
fn x11_conforms() {
    let (_xvfb, mut desktop, mut window) = start(&[]);

    conformance::check_all(&mut desktop, &mut window);
}

#[test]
fn x11_conforms_without_shared_memory() {
    let (_xvfb, mut desktop, mut window) = start(&["-extension", "MIT-SHM"]);

    conformance::check_all(&mut desktop, &mut window);
}

#[test]
fn captures_and_types_without_damage_and_monitors() {
    let (_xvfb, mut desktop, mut window) = start(&["-extension", "DAMAGE", "-extension", "RANDR"]);

    conformance::layout_has_one_primary_display_inside_the_picture(&mut desktop);
    conformance::first_grab_is_the_whole_picture(&mut desktop);
    conformance::pointer_is_where_it_was_moved(&mut desktop, &mut window);
    conformance::foreign_text_arrives_unchanged(&mut desktop, &mut window);
    let mut capture = desktop.open_capture().expect("capture");
    capture.grab().expect("grab");
    window.fill(AREA, [7, 8, 9]);
    while capture.wait(Duration::from_secs(10)).expect("wait") == Wait::Pointer {
        capture.pointer().expect("pointer");
    }
    capture.grab().expect("grab");
    assert_eq!(capture.frame().row(AREA.x, AREA.y, 1)[..3], [7, 8, 9]);
}

#[test]
fn reads_small_changes_only() {
    let (_xvfb, mut desktop, mut window) = start(&[]);
    let mut capture = desktop.open_capture().expect("capture");
    while capture.grab().expect("grab") != Grab::Unchanged {}
    let (left, right) = (
        Rect {
            x: 60,
            y: 70,
            width: 9,
            height: 9,
        },
        Rect {
            x: 360,
            y: 300,
            width: 9,
            height: 9,
        },
    );

    window.fill(left, [1, 1, 1]);
    window.fill(right, [2, 2, 2]);

    assert_eq!(
        capture.wait(Duration::from_secs(10)).expect("wait"),
        Wait::Activity
    );
    assert_eq!(
        capture.grab().expect("grab"),
        Grab::Changed(vec![left, right])
    );
}

#[test]
fn asks_to_reopen_when_the_resolution_changes() {
    let (xvfb, mut desktop, _window) = start(&[]);
    let mut capture = desktop.open_capture().expect("capture");
    capture.grab().expect("grab");

    let steps = [
        "--newmode small 23.86 640 656 720 800 480 481 484 497",
        "--addmode screen small",
        "--output screen --mode small",
    ];
    for step in steps {
        let status = Command::new("xrandr")
            .args(["-display", xvfb.display()])
            .args(step.split(' '))
            .status();
        assert!(
            status
                .expect("xrandr (package x11-xserver-utils)")
                .success(),
            "xrandr {step}"
        );
    }

    let deadline = Instant::now() + Duration::from_secs(10);
    while capture.grab().expect("grab") != Grab::Reopen {
        assert!(
            Instant::now() < deadline,
            "the capture notices the new resolution"
        );
        capture.wait(Duration::from_millis(50)).expect("wait");
    }
    let picture = desktop.layout().expect("layout").picture;
    assert_eq!((picture.width(), picture.height()), (640, 480));
    let mut capture = desktop.open_capture().expect("a new capture");
    assert_eq!(
        capture.grab().expect("grab"),
        Grab::Changed(vec![Rect::whole(picture)])
    );
}

#[test]
fn says_that_the_server_is_gone() {
    let (xvfb, mut desktop, _window) = start(&[]);
    let mut capture = desktop.open_capture().expect("capture");
    let mut input = desktop.open_input().expect("input");

    drop(xvfb);

    let lost = loop {
        match capture.wait(Duration::from_secs(10)) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(lost, PlatformError::Gone(_)), "{lost:?}");
    assert!(matches!(capture.grab(), Err(PlatformError::Gone(_))));
    assert!(matches!(
        input.inject(&key("KeyA", true, Some("a"))),
        Err(PlatformError::Gone(_))
    ));
}

#[test]
fn refuses_a_screen_with_few_colours() {
    let xvfb = Xvfb::start_with(&["-screen", "0", "320x240x16"]).expect("Xvfb");

    let refused = X11Desktop::connect(Some(xvfb.display())).err();

    assert!(
        matches!(refused, Some(PlatformError::Unsupported(_))),
        "{refused:?}"
    );
}

#[test]
fn says_when_there_is_no_server() {
    let refused = X11Desktop::connect(Some(":9999"))
        .err()
        .expect("no such display");

    assert_eq!(refused.to_string(), "connecting to the X server failed");
}

#[test]
fn types_on_the_layout_that_the_machine_has_now() {
    let (xvfb, mut desktop, mut window) = start(&[]);
    let mut input = desktop.open_input().expect("input");

    for layout in ["de", "us", "fr", "ru", "de"] {
        set_layout(&xvfb, layout);
        for (code, text) in [
            ("KeyY", "z"),
            ("BracketLeft", "ü"),
            ("KeyQ", "@"),
            ("KeyZ", "ы"),
            ("Digit2", "é"),
        ] {
            input.inject(&key(code, true, Some(text))).expect("inject");
            input.inject(&key(code, false, None)).expect("inject");
        }
        input.inject(&key("F9", true, None)).expect("inject");
        input.inject(&key("F9", false, None)).expect("inject");

        let last = Received::Key {
            usage: Usage::from_code("F9").expect("a key"),
            down: false,
        };
        let received = received_until(&mut window, &last);
        assert_eq!(
            typed(&received),
            "zü@ыé",
            "on layout {layout}: {received:?}"
        );
    }
}

#[test]
fn presses_the_physical_key_where_layouts_agree() {
    let (xvfb, mut desktop, mut window) = start(&[]);
    set_layout(&xvfb, "de");
    let mut input = desktop.open_input().expect("input");
    window.received();

    input.inject(&key("AltRight", true, None)).expect("inject");
    input.inject(&key("KeyQ", true, Some("@"))).expect("inject");
    input.inject(&key("KeyQ", false, None)).expect("inject");
    input.inject(&key("AltRight", false, None)).expect("inject");

    let usage = |code| Usage::from_code(code).expect("a key");
    let received = received_until(
        &mut window,
        &Received::Key {
            usage: usage("AltRight"),
            down: false,
        },
    );
    let expected = [
        Received::Key {
            usage: usage("AltRight"),
            down: true,
        },
        Received::Key {
            usage: usage("KeyQ"),
            down: true,
        },
        Received::Text("@".to_owned()),
        Received::Key {
            usage: usage("KeyQ"),
            down: false,
        },
        Received::Key {
            usage: usage("AltRight"),
            down: false,
        },
    ];
    assert_eq!(received, expected);
}

#[test]
fn right_alt_is_alt_for_shortcuts_and_nothing_for_text() {
    let (_xvfb, mut desktop, mut window) = start(&[]);
    let mut input = desktop.open_input().expect("input");
    let usage = |code| Usage::from_code(code).expect("a key");

    input.inject(&key("AltRight", true, None)).expect("inject");
    input.inject(&key("KeyF", true, Some("f"))).expect("inject");
    input.inject(&key("KeyF", false, None)).expect("inject");
    input.inject(&key("AltRight", false, None)).expect("inject");
    let shortcut = received_until(
        &mut window,
        &Received::Key {
            usage: usage("AltRight"),
            down: false,
        },
    );
    assert_eq!(
        shortcut[0],
        Received::Key {
            usage: usage("AltRight"),
            down: true
        }
    );

    input.inject(&key("AltRight", true, None)).expect("inject");
    input.inject(&key("KeyE", true, Some("€"))).expect("inject");
    input.inject(&key("KeyE", false, None)).expect("inject");
    input.inject(&key("AltRight", false, None)).expect("inject");
    input.inject(&key("F9", true, None)).expect("inject");
    let text = received_until(
        &mut window,
        &Received::Key {
            usage: usage("F9"),
            down: true,
        },
    );
    assert_eq!(typed(&text), "€");
    assert!(
        !text.contains(&Received::Key {
            usage: usage("AltRight"),
            down: true
        }),
        "{text:?}"
    );
}

#[test]
fn a_long_text_of_many_foreign_characters_arrives_whole() {
    let (_xvfb, mut desktop, mut window) = start(&[]);
    let text: String = ('一'..)
        .take(60)
        .chain("äöüÄÖÜéèñçß€ЖжΩω".chars())
        .collect();
    let mut input = desktop.open_input().expect("input");

    for piece in text.chars().collect::<Vec<_>>().chunks(8) {
        let text = KeyText::new(&piece.iter().collect::<String>());
        input
            .inject(&InputEvent::Key(KeyInput {
                usage: Usage::UNKNOWN,
                down: true,
                text,
            }))
            .expect("inject");
        assert_eq!(
            typed_characters(&mut window, piece.len()),
            piece.iter().collect::<String>()
        );
    }
}

#[test]
fn bindings_of_an_earlier_connection_are_used_again() {
    let (_xvfb, mut desktop, mut window) = start(&[]);

    for character in ('一'..).take(20) {
        let mut input = desktop.open_input().expect("input");
        let text = character.to_string();
        input
            .inject(&key("KeyA", true, Some(&text)))
            .expect("inject");
        drop(input);

        let released = received_until(&mut window, &Received::Text(text));
        assert!(!released.is_empty());
    }
}

#[test]
fn held_keys_do_not_repeat_by_themselves() {
    let (_xvfb, mut desktop, mut window) = start(&[]);
    let mut input = desktop.open_input().expect("input");

    input.inject(&key("KeyA", true, Some("a"))).expect("inject");
    std::thread::sleep(Duration::from_secs(1));
    input.inject(&key("KeyA", false, None)).expect("inject");

    let usage = Usage::from_code("KeyA").expect("a key");
    let received = received_until(&mut window, &Received::Key { usage, down: false });
    assert_eq!(typed(&received), "a");
}
