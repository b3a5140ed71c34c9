//! Displays, logins, and what is kept from the person at the machine.

mod support;

use std::time::Duration;

use gc_model::geometry::{Display, DisplayLayout, Size};
use gc_model::input::{InputEvent, MouseButton};
use gc_session::viewer::ViewerEvent;
use gc_session::{
    CloseReason, DesktopSession, DesktopSessionKind, Guard, HostOutput, Preferences, ScreenSource,
};
use support::{HEIGHT, Session, WIDTH, host_with, layout};

const MOMENT: Duration = Duration::from_millis(50);

const BOTH: Guard = Guard {
    block_input: true,
    blank_screen: true,
};

/// A session whose machine has displays 1 and 2 and can guard.
fn connected() -> Session {
    let mut session = Session::over(100_000_000, Duration::from_millis(5));
    session.host = host_with(|config| {
        config.layout = two_displays();
        config.guards = BOTH;
    });
    session.connect();
    session
}

fn two_displays() -> DisplayLayout {
    let mut both = layout(WIDTH, HEIGHT);
    both.displays.push(Display {
        id: 2,
        name: "Second".to_owned(),
        x: 100,
        y: 0,
        size: Size::new(100, 100).expect("a small display"),
        primary: false,
    });
    both
}

/// What the host wants of the machine, and has wanted since the last call.
fn wanted(session: &mut Session) -> Vec<HostOutput> {
    session.run_for(MOMENT);
    std::mem::take(&mut session.machine)
}

#[test]
fn one_display_is_shown_alone_and_the_technician_is_told_which() {
    let mut session = connected();

    session.viewer.handle_select_display(session.now, Some(2));
    assert!(matches!(
        wanted(&mut session)[..],
        [HostOutput::Show(Some(2))]
    ));
    session
        .host
        .handle_layout(session.now, two_displays(), Some(2));
    session.run_for(MOMENT);

    let told = session.events.iter().rev().find_map(|event| match event {
        ViewerEvent::Layout { layout, only } => Some((layout.displays.len(), *only)),
        _ => None,
    });
    assert_eq!(told, Some((2, Some(2))));
}

#[test]
fn a_display_that_was_unplugged_is_not_asked_for() {
    let mut session = connected();

    session.viewer.handle_select_display(session.now, Some(7));

    assert!(wanted(&mut session).is_empty());
}

#[test]
fn what_is_held_is_released_before_another_login_is_shown() {
    let mut session = connected();
    session.viewer.handle_pointer(session.now, 30, 40, 1);
    session.run_for(MOMENT);
    session.injected.clear();

    session.viewer.handle_select_desktop_session(session.now, 2);

    assert!(matches!(
        wanted(&mut session)[..],
        [HostOutput::ShowDesktopSession(2)]
    ));
    let release = InputEvent::Button {
        button: MouseButton::Left,
        down: false,
    };
    assert_eq!(session.injected, [release]);
}

#[test]
fn a_viewer_whose_machine_shows_another_login_is_not_told_that_the_session_is_over() {
    let mut session = connected();
    session.viewer.handle_pointer(session.now, 30, 40, 1);
    session.run_for(MOMENT);
    session.injected.clear();

    session.host.close(session.now, CloseReason::DesktopChanged);
    session.run_for(MOMENT);

    assert!(session.host.is_ended());
    assert_eq!(session.injected.len(), 1, "the button is released");
    assert!(
        !session
            .events
            .iter()
            .any(|event| matches!(event, ViewerEvent::Ended { .. })),
        "{:?}",
        session.events
    );
}

#[test]
fn a_click_into_a_picture_that_is_gone_hits_nothing_and_its_release_counts() {
    let mut session = connected();
    session.viewer.handle_pointer(session.now, 30, 40, 1);
    session.run_for(MOMENT);
    session.injected.clear();

    // The machine has changed, and the viewer does not know it yet.
    session
        .host
        .handle_layout(session.now, two_displays(), Some(2));
    session.viewer.handle_pointer(session.now, 31, 40, 0);
    session.viewer.handle_pointer(session.now, 32, 40, 0b10);
    session.viewer.handle_wheel(session.now, 32, 40, 0, 0, 120);
    session.run_for(MOMENT);

    let release = InputEvent::Button {
        button: MouseButton::Left,
        down: false,
    };
    assert_eq!(session.injected, [release]);
}

#[test]
fn what_was_kept_from_the_person_is_given_back_when_the_viewer_leaves() {
    let mut session = connected();
    session.viewer.handle_set_guard(session.now, BOTH);
    assert!(matches!(
        wanted(&mut session)[..],
        [HostOutput::Guard(BOTH)]
    ));
    session.host.handle_guard(session.now, BOTH, "");

    session.host.handle_disconnected(session.now);

    let last = wanted(&mut session);
    assert!(
        matches!(&last[..], [HostOutput::Guard(guard)] if guard.is_none()),
        "{last:?}"
    );
}

#[test]
fn who_only_looks_keeps_nothing_from_anybody() {
    let mut session = connected();
    session.viewer.handle_set_guard(session.now, BOTH);
    wanted(&mut session);
    session.host.handle_guard(session.now, BOTH, "");
    let only_look = Preferences {
        view_only: true,
        ..Preferences::default()
    };

    session.viewer.handle_preferences(session.now, only_look);
    let lifted = wanted(&mut session);
    session.viewer.handle_set_guard(session.now, BOTH);
    session.viewer.handle_select_desktop_session(session.now, 2);

    assert!(matches!(&lifted[..], [HostOutput::Guard(guard)] if guard.is_none()));
    assert!(wanted(&mut session).is_empty());
}

#[test]
fn a_refusal_is_told_in_the_machines_words() {
    let mut session = connected();
    let blocked = Guard {
        block_input: true,
        blank_screen: false,
    };

    session
        .host
        .handle_guard(session.now, blocked, "the screen cannot be blanked");
    session.run_for(MOMENT);

    assert!(session.events.contains(&ViewerEvent::Guard {
        guard: blocked,
        detail: "the screen cannot be blanked".to_owned(),
    }));
}

#[test]
fn the_technician_is_told_how_the_screen_is_read() {
    let mut session = connected();
    let source = ScreenSource {
        method: "GDI".to_owned(),
        reason: "desktop duplication: not implemented by this system".to_owned(),
    };

    session.host.handle_screen_source(session.now, &source);
    session.run_for(MOMENT);

    assert!(session.events.contains(&ViewerEvent::ScreenSource(source)));
}

#[test]
fn logins_are_listed_and_one_is_chosen() {
    let mut session = connected();
    let login = |id, kind, user: &str, shown| DesktopSession {
        id,
        kind,
        user: user.to_owned(),
        shown,
    };
    let logins = vec![
        login(1, DesktopSessionKind::Console, "ada", true),
        login(2, DesktopSessionKind::Remote, "bob", false),
    ];

    session.host.handle_desktop_sessions(session.now, &logins);
    session.run_for(MOMENT);
    session.viewer.handle_select_desktop_session(session.now, 2);

    assert!(
        session
            .events
            .contains(&ViewerEvent::DesktopSessions(logins))
    );
    assert!(matches!(
        wanted(&mut session)[..],
        [HostOutput::ShowDesktopSession(2)]
    ));
}
