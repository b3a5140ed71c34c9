//! The fake passes the suite that the real platforms pass.

use gc_model::geometry::{Rect, Size};
use gc_model::input::{InputEvent, KeyInput};
use gc_platform::conformance::{self, Received, Stage};
use gc_platform::fake::{FakeScreen, Refusal};
use gc_platform::{Desktop, Grab, PlatformError, Wait};
use std::time::Duration;

struct FakeStage {
    screen: FakeScreen,
}

impl Stage for FakeStage {
    fn area(&self) -> Rect {
        Rect {
            x: 20,
            y: 30,
            width: 200,
            height: 210,
        }
    }

    fn fill(&mut self, rect: Rect, [blue, green, red]: [u8; 3]) {
        self.screen.fill(rect, [blue, green, red, 0]);
    }

    fn received(&mut self) -> Vec<Received> {
        self.screen
            .take_injected()
            .into_iter()
            .flat_map(as_an_application_sees_it)
            .collect()
    }
}

fn as_an_application_sees_it(event: InputEvent) -> Vec<Received> {
    match event {
        InputEvent::Key(KeyInput { usage, down, text }) => {
            let typed = text
                .filter(|_| down)
                .map(|text| Received::Text(text.as_str().to_owned()));
            [Received::Key { usage, down }]
                .into_iter()
                .chain(typed)
                .collect()
        }
        InputEvent::Button { button, down } => vec![Received::Button { button, down }],
        InputEvent::Wheel { x, y } => vec![Received::Wheel { x, y }],
        InputEvent::PointerMove { .. } | InputEvent::SecureAttention => Vec::new(),
    }
}

fn small() -> FakeScreen {
    FakeScreen::new(Size::new(320, 240).expect("a small size"))
}

#[test]
fn fake_conforms() {
    let screen = small();

    conformance::check_all(
        &mut screen.desktop(),
        &mut FakeStage {
            screen: screen.clone(),
        },
    );
}

#[test]
fn asks_to_reopen_after_a_resolution_change() {
    let screen = small();
    let mut desktop = screen.desktop();
    let mut capture = desktop.open_capture().expect("capture");
    capture.grab().expect("grab");

    screen.resize(Size::new(100, 50).expect("a small size"));

    assert_eq!(capture.wait(Duration::ZERO).expect("wait"), Wait::Activity);
    assert_eq!(capture.grab().expect("grab"), Grab::Reopen);
    assert_eq!(desktop.layout().expect("layout").picture.width(), 100);
}

#[test]
fn says_when_the_desktop_is_gone_or_refuses_input() {
    let screen = small();
    let mut desktop = screen.desktop();
    let mut capture = desktop.open_capture().expect("capture");

    screen.refuse_input(Refusal::Unsupported);
    screen.remove_desktop();

    assert!(matches!(
        desktop.open_input().err(),
        Some(PlatformError::Unsupported(_))
    ));
    assert!(matches!(capture.grab(), Err(PlatformError::Gone(_))));
}
