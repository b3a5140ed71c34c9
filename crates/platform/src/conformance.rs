//! What every platform must do, as one suite of plain functions. Each platform
//! brings a [`Stage`], an ordinary application on the desktop under test, and
//! calls [`check_all`]. The functions panic with a sentence, like any test.
//!
//! The desktop must use a US keyboard layout and nothing else may draw on it.

use std::time::{Duration, Instant};

use gc_model::geometry::{Rect, Size};
use gc_model::input::{InputEvent, KeyInput, KeyText, MouseButton};
use gc_model::key::Usage;
use gc_model::pointer::Pointer;

use crate::{Capture, Desktop, Grab, Input, PlatformError, Wait};

/// An application on the desktop under test that can paint and listen. Its
/// window is on top, has the keyboard focus and fills [`Stage::area`].
pub trait Stage {
    /// The part of the picture that the application owns: at least 200 x 200 pixels.
    fn area(&self) -> Rect;

    /// Fills a rectangle (picture coordinates, inside the area) with a BGR colour and returns when it is drawn.
    fn fill(&mut self, rect: Rect, colour: [u8; 3]);

    /// What the application received since the last call.
    fn received(&mut self) -> Vec<Received>;
}

/// What an application sees of our input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A physical key; stands before the text that it typed.
    Key {
        /// Which.
        usage: Usage,
        /// Pressed or released.
        down: bool,
    },
    /// Text that a key press typed, control characters left out.
    Text(String),
    /// A mouse button.
    Button {
        /// Which.
        button: MouseButton,
        /// Pressed or released.
        down: bool,
    },
    /// Scrolling in 1/120 of a notch, positive right and down.
    Wheel {
        /// Horizontal distance.
        x: i32,
        /// Vertical distance.
        y: i32,
    },
}

/// How long a condition may take. Generous: slow machines run this too.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long nothing is waited for where nothing is expected.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// Runs every check.
pub fn check_all(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    layout_has_one_primary_display_inside_the_picture(desktop);
    first_grab_is_the_whole_picture(desktop);
    drawing_is_announced_reported_and_read_exactly(desktop, stage);
    overlapping_drawings_end_in_the_last_one(desktop, stage);
    a_still_screen_is_unchanged(desktop);
    a_wait_ends_when_woken(desktop);
    pointer_is_where_it_was_moved(desktop, stage);
    keys_arrive_with_their_text(desktop, stage);
    keys_that_type_nothing_arrive(desktop, stage);
    shortcuts_press_the_physical_key(desktop, stage);
    foreign_text_arrives_unchanged(desktop, stage);
    repeats_type_again(desktop, stage);
    buttons_and_wheel_arrive(desktop, stage);
    input_left_held_is_released_on_close(desktop, stage);
    secure_attention_is_refused_where_it_has_no_effect(desktop);
}

/// The layout can be shown: one primary display, all inside the picture.
pub fn layout_has_one_primary_display_inside_the_picture(desktop: &mut dyn Desktop) {
    let layout = desktop.layout().expect("layout");

    assert_eq!(
        layout
            .displays
            .iter()
            .filter(|display| display.primary)
            .count(),
        1,
        "one primary display"
    );
    for display in &layout.displays {
        let x = u32::try_from(display.x).expect("a display starts inside the picture");
        let y = u32::try_from(display.y).expect("a display starts inside the picture");
        let rect = Rect {
            x,
            y,
            width: display.size.width(),
            height: display.size.height(),
        };
        assert!(
            rect.fits(layout.picture),
            "display {} lies inside the picture",
            display.name
        );
    }
}

/// A new capture knows nothing, so all of the picture is new.
pub fn first_grab_is_the_whole_picture(desktop: &mut dyn Desktop) {
    let picture = desktop.layout().expect("layout").picture;
    let mut capture = desktop.open_capture().expect("capture");

    let grab = capture.grab().expect("grab");

    assert_eq!(capture.frame().size(), picture);
    let Grab::Changed(rects) = grab else {
        panic!("the first grab was {grab:?}")
    };
    assert!(
        covers(&rects, Rect::whole(picture), picture),
        "the first grab covers the picture, got {rects:?}"
    );
}

/// What an application draws ends the wait, is inside what the grab reports, and has its exact colour.
pub fn drawing_is_announced_reported_and_read_exactly(
    desktop: &mut dyn Desktop,
    stage: &mut dyn Stage,
) {
    let picture = desktop.layout().expect("layout").picture;
    let mut capture = settled(desktop);
    let area = stage.area();
    let cases = [
        (
            Rect {
                x: area.x + 17,
                y: area.y + 33,
                width: 61,
                height: 7,
            },
            [1, 2, 3],
        ),
        (
            Rect {
                x: area.x,
                y: area.y,
                width: area.width,
                height: 1,
            },
            [250, 128, 0],
        ),
        (
            Rect {
                x: area.x + 100,
                y: area.y + 50,
                width: 1,
                height: 120,
            },
            [0, 255, 77],
        ),
        (area, [90, 80, 70]),
    ];

    for (rect, colour) in cases {
        stage.fill(rect, colour);
        let reported = grab_until(&mut *capture, |capture| is_filled(capture, rect, colour));

        assert!(
            covers(&reported, rect, picture),
            "{rect:?} lies inside the reported {reported:?}"
        );
    }
}

/// Many changes between two grabs are one grab with the newest pixels.
pub fn overlapping_drawings_end_in_the_last_one(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut capture = settled(desktop);
    let area = stage.area();

    for step in 0..100 {
        let rect = Rect {
            x: area.x + step,
            y: area.y + (step * 7) % 90,
            width: 40,
            height: 12,
        };
        stage.fill(rect, [step as u8, 10, 200]);
    }
    let last = Rect {
        x: area.x + 30,
        y: area.y + 30,
        width: 80,
        height: 80,
    };
    stage.fill(last, [5, 6, 7]);

    grab_until(&mut *capture, |capture| is_filled(capture, last, [5, 6, 7]));
}

/// When nothing is drawn, grabs say so.
pub fn a_still_screen_is_unchanged(desktop: &mut dyn Desktop) {
    let mut capture = settled(desktop);

    for _ in 0..3 {
        assert_eq!(capture.grab().expect("grab"), Grab::Unchanged);
    }
}

/// [`crate::Wake::wake`] ends a wait, whether it comes before or during it.
pub fn a_wait_ends_when_woken(desktop: &mut dyn Desktop) {
    let mut capture = settled(desktop);
    let waker = capture.waker();

    waker.wake();
    assert!(
        wait_until(&mut *capture, Wait::Woken),
        "woken before the wait"
    );
    let thread = std::thread::spawn(move || {
        std::thread::sleep(SHORT_WAIT);
        waker.wake();
    });
    assert!(
        wait_until(&mut *capture, Wait::Woken),
        "woken during the wait"
    );
    thread.join().expect("the waking thread ends");
}

/// The pointer goes where it is sent, is reported there, and has a shape that fits its numbers.
pub fn pointer_is_where_it_was_moved(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let area = stage.area();
    let mut capture = desktop.open_capture().expect("capture");
    let mut input = desktop.open_input().expect("input");

    let first = capture
        .pointer()
        .expect("pointer")
        .expect("the first call reports the pointer");
    if let Some(shape) = &first.shape {
        assert_eq!(
            shape.rgba.len(),
            shape.width as usize * shape.height as usize * 4
        );
        assert!(
            shape.hot_x < shape.width && shape.hot_y < shape.height,
            "hot spot inside the shape"
        );
    }
    for (x, y) in [
        (area.x + 10, area.y + 20),
        (area.x + 150, area.y + 21),
        (area.x + 11, area.y + 160),
    ] {
        inject(&mut *input, &InputEvent::PointerMove { x, y });
        await_pointer(&mut *capture, x, y);
    }
}

/// A key whose text the machine's layout gives is pressed as the physical key.
pub fn keys_arrive_with_their_text(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut input = focused(desktop, stage);

    tap(&mut *input, "KeyA", Some("a"));
    tap(&mut *input, "Digit7", Some("7"));
    hold(&mut *input, "ShiftLeft", |input| {
        tap(input, "KeyB", Some("B"));
    });

    let mut seen = await_text(stage, "a7B");
    seen.extend(await_received(stage, "Shift's release", |more| {
        seen.iter()
            .chain(more)
            .any(|one| *one == key("ShiftLeft", false))
    }));
    for code in ["KeyA", "Digit7", "KeyB", "ShiftLeft"] {
        assert_pressed_and_released(&seen, code);
    }
}

/// Keys without text arrive as themselves, also those that share a code with another key.
pub fn keys_that_type_nothing_arrive(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let codes = [
        "ArrowLeft",
        "Home",
        "F5",
        "Enter",
        "NumpadEnter",
        "ControlRight",
        "ShiftRight",
        "Escape",
        "Delete",
    ];
    let mut input = focused(desktop, stage);

    for code in codes {
        tap(&mut *input, code, None);
    }

    let seen = await_received(stage, "the last key's release", |seen| {
        seen.contains(&key("Delete", false))
    });
    for code in codes {
        assert_pressed_and_released(&seen, code);
    }
}

/// With Control held the physical key counts, even when the viewer's layout gives other text.
pub fn shortcuts_press_the_physical_key(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut input = focused(desktop, stage);

    hold(&mut *input, "ControlLeft", |input| {
        tap(input, "KeyQ", Some("я"));
    });

    let seen = await_received(stage, "Control's release", |seen| {
        seen.contains(&key("ControlLeft", false))
    });
    assert_pressed_and_released(&seen, "KeyQ");
}

/// Text that the machine's layout does not have on that key, or at all, arrives as the text it is.
pub fn foreign_text_arrives_unchanged(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut input = focused(desktop, stage);

    // As from a German keyboard, then from an input method.
    hold(&mut *input, "ShiftLeft", |input| {
        tap(input, "KeyG", Some("G"));
    });
    for (code, text) in [
        ("KeyR", "r"),
        ("BracketLeft", "ü"),
        ("Minus", "ß"),
        ("KeyE", "e"),
        ("Space", " "),
    ] {
        tap(&mut *input, code, Some(text));
    }
    hold(&mut *input, "AltRight", |input| {
        tap(input, "KeyE", Some("€"));
        tap(input, "KeyQ", Some("@"));
    });
    hold(&mut *input, "ShiftLeft", |input| {
        tap(input, "Digit7", Some("/"));
        tap(input, "KeyY", Some("Z"));
        tap(input, "BracketLeft", Some("Ü"));
    });
    tap(&mut *input, "KeyY", Some("z"));
    tap(&mut *input, "Semicolon", Some("ñ"));
    tap_usage(&mut *input, Usage::UNKNOWN, Some("漢"));
    tap_usage(&mut *input, Usage::UNKNOWN, Some("字😀"));
    tap(&mut *input, "KeyY", Some("я"));

    await_text(stage, "Grüße €@/ZÜzñ漢字😀я");
}

/// A press of a key that is down already types once more.
pub fn repeats_type_again(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut input = focused(desktop, stage);

    for _ in 0..3 {
        inject(&mut *input, &press("KeyX", Some("x")));
    }
    for _ in 0..3 {
        inject(&mut *input, &press("Semicolon", Some("ö")));
    }
    inject(&mut *input, &release("KeyX"));
    inject(&mut *input, &release("Semicolon"));
    tap(&mut *input, "Period", Some("."));

    await_text(stage, "xxxööö.");
}

/// Every button and every direction of the wheel arrives, small scrolls add up.
pub fn buttons_and_wheel_arrive(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut input = focused(desktop, stage);

    for button in MouseButton::ALL {
        inject(&mut *input, &InputEvent::Button { button, down: true });
        inject(
            &mut *input,
            &InputEvent::Button {
                button,
                down: false,
            },
        );
    }
    for (x, y) in [
        (0, 240),
        (0, -120),
        (360, 0),
        (-120, 0),
        (0, 60),
        (0, 60),
        (0, -30),
        (0, -90),
    ] {
        inject(&mut *input, &InputEvent::Wheel { x, y });
    }

    let seen = await_received(stage, "the sum of all scrolling", |seen| {
        scrolled(seen) == (240, 120)
    });
    for button in MouseButton::ALL {
        for down in [true, false] {
            assert!(
                seen.contains(&Received::Button { button, down }),
                "{button:?} down={down} in {seen:?}"
            );
        }
    }
}

/// When input is closed, nothing stays pressed.
pub fn input_left_held_is_released_on_close(desktop: &mut dyn Desktop, stage: &mut dyn Stage) {
    let mut input = focused(desktop, stage);
    inject(&mut *input, &press("ShiftLeft", None));
    inject(
        &mut *input,
        &InputEvent::Button {
            button: MouseButton::Left,
            down: true,
        },
    );

    drop(input);

    let button = Received::Button {
        button: MouseButton::Left,
        down: false,
    };
    await_received(stage, "both releases", |seen| {
        seen.contains(&key("ShiftLeft", false)) && seen.contains(&button)
    });
}

/// What the desktop says about the secure attention chord is what input does with it.
pub fn secure_attention_is_refused_where_it_has_no_effect(desktop: &mut dyn Desktop) {
    if desktop.has_secure_attention() {
        return;
    }
    let mut input = desktop.open_input().expect("input");

    let answer = input.inject(&InputEvent::SecureAttention);

    assert!(
        matches!(answer, Err(PlatformError::Unsupported(_))),
        "got {answer:?}"
    );
}

/// A capture that has read the screen and found it still.
fn settled(desktop: &mut dyn Desktop) -> Box<dyn Capture> {
    let mut capture = desktop.open_capture().expect("capture");
    let deadline = Instant::now() + PATIENCE;
    while capture.grab().expect("grab") != Grab::Unchanged {
        assert!(Instant::now() < deadline, "the screen comes to rest");
        capture.wait(SHORT_WAIT).expect("wait");
    }
    capture
}

/// Waits and grabs until `done`; gives everything that was reported changed.
fn grab_until(capture: &mut dyn Capture, done: impl Fn(&dyn Capture) -> bool) -> Vec<Rect> {
    let deadline = Instant::now() + PATIENCE;
    let mut reported = Vec::new();
    loop {
        capture.wait(SHORT_WAIT).expect("wait");
        if let Grab::Changed(rects) = capture.grab().expect("grab") {
            reported.extend(rects);
        }
        if done(capture) {
            return reported;
        }
        assert!(
            Instant::now() < deadline,
            "what was drawn is in the frame; reported: {reported:?}"
        );
    }
}

fn wait_until(capture: &mut dyn Capture, wanted: Wait) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if capture.wait(PATIENCE).expect("wait") == wanted {
            return true;
        }
    }
    false
}

fn await_pointer(capture: &mut dyn Capture, x: u32, y: u32) {
    let wanted = (x.cast_signed(), y.cast_signed());
    let deadline = Instant::now() + PATIENCE;
    let mut last: Option<Pointer> = None;
    while Instant::now() < deadline {
        if let Some(pointer) = capture.pointer().expect("pointer") {
            if (pointer.x, pointer.y) == wanted {
                return;
            }
            last = Some(pointer);
        }
        capture.wait(SHORT_WAIT).expect("wait");
    }
    panic!("the pointer never was at {wanted:?}; last news {last:?}");
}

/// Opens input with the pointer over the stage and forgets what it received before.
fn focused(desktop: &mut dyn Desktop, stage: &mut dyn Stage) -> Box<dyn Input> {
    let area = stage.area();
    let mut input = desktop.open_input().expect("input");
    inject(
        &mut *input,
        &InputEvent::PointerMove {
            x: area.x + area.width / 2,
            y: area.y + area.height / 2,
        },
    );
    stage.received();
    input
}

fn await_received(
    stage: &mut dyn Stage,
    what: &str,
    done: impl Fn(&[Received]) -> bool,
) -> Vec<Received> {
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    loop {
        seen.extend(stage.received());
        if done(&seen) {
            return seen;
        }
        assert!(
            Instant::now() < deadline,
            "{what} arrives; received: {seen:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn await_text(stage: &mut dyn Stage, text: &str) -> Vec<Received> {
    let typed = |seen: &[Received]| {
        seen.iter().fold(String::new(), |mut all, one| {
            if let Received::Text(text) = one {
                all.push_str(text);
            }
            all
        })
    };
    let seen = await_received(stage, text, |seen| {
        typed(seen).chars().count() >= text.chars().count()
    });
    assert_eq!(typed(&seen), text, "received: {seen:?}");
    seen
}

fn assert_pressed_and_released(seen: &[Received], code: &str) {
    let down = seen.iter().position(|one| *one == key(code, true));
    let up = seen.iter().rposition(|one| *one == key(code, false));
    assert!(
        down.is_some() && up > down,
        "{code} is pressed and then released in {seen:?}"
    );
}

fn scrolled(seen: &[Received]) -> (i32, i32) {
    seen.iter().fold((0, 0), |sum, one| match one {
        Received::Wheel { x, y } => (sum.0 + x, sum.1 + y),
        _ => sum,
    })
}

fn usage(code: &str) -> Usage {
    Usage::from_code(code).expect("a code of the table")
}

fn key(code: &str, down: bool) -> Received {
    Received::Key {
        usage: usage(code),
        down,
    }
}

fn press(code: &str, text: Option<&str>) -> InputEvent {
    key_event(usage(code), true, text)
}

fn release(code: &str) -> InputEvent {
    key_event(usage(code), false, None)
}

fn key_event(usage: Usage, down: bool, text: Option<&str>) -> InputEvent {
    let text = text.map(|text| KeyText::new(text).expect("printable text"));
    InputEvent::Key(KeyInput { usage, down, text })
}

fn tap(input: &mut dyn Input, code: &str, text: Option<&str>) {
    tap_usage(input, usage(code), text);
}

fn tap_usage(input: &mut dyn Input, usage: Usage, text: Option<&str>) {
    inject(input, &key_event(usage, true, text));
    inject(input, &key_event(usage, false, None));
}

fn hold(input: &mut dyn Input, code: &str, meanwhile: impl FnOnce(&mut dyn Input)) {
    inject(input, &press(code, None));
    meanwhile(input);
    inject(input, &release(code));
}

fn inject(input: &mut dyn Input, event: &InputEvent) {
    input.inject(event).expect("inject");
}

fn is_filled(capture: &dyn Capture, rect: Rect, colour: [u8; 3]) -> bool {
    let frame = capture.frame();
    rect.rows().all(|y| {
        frame
            .row(rect.x, y, rect.width)
            .chunks_exact(4)
            .all(|pixel| pixel[..3] == colour)
    })
}

/// True when every pixel of `rect` is in one of `rects`, which all lie inside the picture.
fn covers(rects: &[Rect], rect: Rect, picture: Size) -> bool {
    assert!(
        rects.iter().all(|rect| rect.fits(picture)),
        "{rects:?} lie inside the picture"
    );
    rect.rows().all(|y| {
        let mut spans: Vec<(u32, u32)> = rects
            .iter()
            .filter(|rect| rect.y <= y && y < rect.y + rect.height)
            .map(|rect| (rect.x, rect.x + rect.width))
            .collect();
        spans.sort_unstable();
        let reached = spans.iter().fold(rect.x, |reached, &(from, to)| {
            if from <= reached {
                reached.max(to)
            } else {
                reached
            }
        });
        reached >= rect.x + rect.width
    })
}
