//! The agent as a process, on an Xvfb display, with a server and a viewer.

#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use std::time::Duration;

use gc_proto::v1;
use gc_proto::v1::{agent_control, server_control};
use gc_session::viewer::{EndCode, ViewerEvent};
use gc_testkit::xvfb::Xvfb;
use support::{API_KEY, Agent, PATIENCE, Server, TOKEN, Watch};
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Shift's keycode on every Linux X server.
const SHIFT: usize = 50;

struct Story {
    server: Server,
    agent: Agent,
    xvfb: Xvfb,
    place: tempfile::TempDir,
}

impl Story {
    async fn begin() -> Self {
        let (server, place) = (
            Server::start().await,
            tempfile::tempdir().expect("a directory"),
        );
        let xvfb = Xvfb::start(640, 480).expect("Xvfb");
        let arguments = ["--server", &server.address, "--token", TOKEN];
        let agent = Agent::start(place.path(), Some(xvfb.display()), &arguments);
        Self {
            server,
            agent,
            xvfb,
            place,
        }
    }

    fn paint(&self, colour: &str) {
        let status = Command::new("xsetroot")
            .args(["-display", self.xvfb.display(), "-solid", colour])
            .status();
        assert!(
            status
                .expect("xsetroot (package x11-xserver-utils)")
                .success()
        );
    }

    fn xrandr(&self, arguments: &str) {
        let status = Command::new("xrandr")
            .args(["-display", self.xvfb.display()])
            .args(arguments.split(' '))
            .status();
        assert!(
            status
                .expect("xrandr (package x11-xserver-utils)")
                .success(),
            "xrandr {arguments}"
        );
    }

    /// Makes a part of the screen a monitor.
    fn set_monitor(&self, monitor: &str) {
        self.xrandr(&format!("--setmonitor {monitor}"));
    }

    fn screen(&self) -> RustConnection {
        RustConnection::connect(Some(self.xvfb.display()))
            .expect("connect to Xvfb")
            .0
    }
}

fn is_pressed(screen: &RustConnection, keycode: usize) -> bool {
    let keys = screen
        .query_keymap()
        .expect("send")
        .reply()
        .expect("keys")
        .keys;
    keys[keycode / 8] & (1 << (keycode % 8)) != 0
}

/// Where the pointer is on the whole screen.
fn pointer(screen: &RustConnection) -> (i16, i16) {
    use x11rb::connection::Connection as _;

    let root = screen.setup().roots[0].root;
    let pointer = screen
        .query_pointer(root)
        .expect("send")
        .reply()
        .expect("a pointer");
    (pointer.root_x, pointer.root_y)
}

fn shows(watch: &Watch, colour: [u8; 3]) -> bool {
    watch.picture.size.is_some()
        && [(0, 0), (320, 240), (639, 479)]
            .iter()
            .all(|&(x, y)| watch.picture.pixel(x, y) == colour)
}

#[tokio::test]
async fn a_viewer_sees_the_screen_and_its_changes() {
    let mut story = Story::begin().await;
    story.paint("#102030");
    let (mut control, hello) = story.server.agent().await;
    assert_eq!(hello.facts.expect("facts").os_family, "linux");

    let mut watch = story.server.view(&mut control).await;
    watch
        .until("the picture comes", |watch| {
            shows(watch, [0x10, 0x20, 0x30])
        })
        .await;
    story.paint("#aabbcc");
    watch
        .until("the change comes", |watch| shows(watch, [0xaa, 0xbb, 0xcc]))
        .await;

    let connected = watch.events.first().expect("an event");
    assert!(
        matches!(
            connected,
            ViewerEvent::Connected {
                rights: gc_session::Rights::CONTROL,
                has_cursor: true,
                ..
            }
        ),
        "{connected:?}"
    );
}

#[tokio::test]
async fn input_reaches_the_screen_and_the_pointer_comes_back() {
    let mut story = Story::begin().await;
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch.until("connected", Watch::is_connected).await;

    watch.viewer.handle_pointer(watch.clock.now(), 123, 45, 0);

    let there = |event: &ViewerEvent| {
        matches!(
            event,
            ViewerEvent::CursorPosition {
                x: 123,
                y: 45,
                visible: true
            }
        )
    };
    watch
        .until("the pointer's place comes back", |watch| {
            watch.events.iter().any(there)
        })
        .await;
    assert!(
        watch
            .events
            .iter()
            .any(|event| matches!(event, ViewerEvent::CursorShape { shape: Some(_), .. }))
    );
}

#[tokio::test]
async fn held_keys_are_released_when_the_viewer_vanishes() {
    let mut story = Story::begin().await;
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch.until("connected", Watch::is_connected).await;
    let screen = story.screen();
    watch
        .viewer
        .handle_key(watch.clock.now(), "ShiftLeft", true, None, 1, false);
    watch
        .until("Shift is down", |_| is_pressed(&screen, SHIFT))
        .await;

    drop(watch);

    let deadline = tokio::time::Instant::now() + PATIENCE;
    while is_pressed(&screen, SHIFT) {
        assert!(tokio::time::Instant::now() < deadline, "Shift is released");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stopped_agent_tells_the_viewer_and_releases_keys() {
    let mut story = Story::begin().await;
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch.until("connected", Watch::is_connected).await;
    let screen = story.screen();
    watch
        .viewer
        .handle_key(watch.clock.now(), "ShiftLeft", true, None, 1, false);
    watch
        .until("Shift is down", |_| is_pressed(&screen, SHIFT))
        .await;

    story.agent.terminate();

    watch
        .until("the viewer is told", |watch| watch.ending().is_some())
        .await;
    assert_eq!(
        watch.ending().map(|(code, _)| code),
        Some(EndCode::EndedByAgent)
    );
    assert!(story.agent.ended().await.success());
    assert!(!is_pressed(&screen, SHIFT));
}

#[tokio::test]
async fn a_resolution_change_is_followed() {
    let mut story = Story::begin().await;
    story.paint("#336699");
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch
        .until("the picture comes", |watch| {
            shows(watch, [0x33, 0x66, 0x99])
        })
        .await;

    for step in [
        "--newmode small 13.18 320 328 360 400 240 241 244 252",
        "--addmode screen small",
        "--output screen --mode small",
    ] {
        story.xrandr(step);
    }
    story.paint("#ff0080");

    watch
        .until("the small picture comes", |watch| {
            watch
                .picture
                .size
                .is_some_and(|size| (size.width(), size.height()) == (320, 240))
                && watch.picture.pixel(319, 239) == [0xff, 0x00, 0x80]
        })
        .await;
}

#[tokio::test]
async fn one_of_two_monitors_is_shown_alone_and_clicked_into() {
    let mut story = Story::begin().await;
    story.set_monitor("left 320/80x480/120+0+0 screen");
    story.set_monitor("right 320/80x480/120+320+0 none");
    story.paint("#336699");
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch
        .until("the picture comes", |watch| {
            shows(watch, [0x33, 0x66, 0x99])
        })
        .await;
    let right = watch
        .layout()
        .0
        .displays
        .into_iter()
        .find(|display| display.name == "right")
        .expect("the monitor is listed");

    watch
        .viewer
        .handle_select_display(watch.clock.now(), Some(right.id));
    watch
        .until("the monitor is shown alone", |watch| {
            watch.layout().1 == Some(right.id)
                && watch
                    .picture
                    .size
                    .is_some_and(|size| (size.width(), size.height()) == (320, 480))
                && watch.picture.pixel(319, 479) == [0x33, 0x66, 0x99]
        })
        .await;
    watch.viewer.handle_pointer(watch.clock.now(), 10, 20, 0);
    watch
        .until("the pointer is on the second monitor", |_| {
            pointer(&story.screen()) == (330, 20)
        })
        .await;
    watch.viewer.handle_select_display(watch.clock.now(), None);

    watch
        .until("both are shown again", |watch| {
            watch.layout().1.is_none()
                && watch.picture.size.is_some_and(|size| size.width() == 640)
                && watch.picture.pixel(639, 479) == [0x33, 0x66, 0x99]
        })
        .await;
}

#[tokio::test]
async fn a_monitor_that_goes_away_while_it_is_shown_gives_way_to_all() {
    let mut story = Story::begin().await;
    story.set_monitor("left 320/80x480/120+0+0 screen");
    story.set_monitor("right 320/80x480/120+320+0 none");
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch.until("connected", Watch::is_connected).await;
    let right = watch.layout().0.displays[1].id;
    watch
        .viewer
        .handle_select_display(watch.clock.now(), Some(right));
    watch
        .until("it is shown alone", |watch| watch.layout().1 == Some(right))
        .await;

    story.xrandr("--delmonitor right");
    // A server does not tell everybody of every change of monitors; of modes it does.
    for step in [
        "--newmode small 13.18 320 328 360 400 240 241 244 252",
        "--addmode screen small",
        "--output screen --mode small",
    ] {
        story.xrandr(step);
    }

    watch
        .until("everything is shown", |watch| {
            watch.layout().1.is_none() && watch.picture.size.is_some_and(|size| size.width() == 320)
        })
        .await;
}

#[tokio::test]
async fn a_lost_display_ends_the_session_in_words() {
    let mut story = Story::begin().await;
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch.until("connected", Watch::is_connected).await;

    let Story {
        xvfb, mut agent, ..
    } = story;
    drop(xvfb);

    watch
        .until("the viewer is told", |watch| watch.ending().is_some())
        .await;
    assert_eq!(
        watch.ending().map(|(code, _)| code),
        Some(EndCode::DesktopLost)
    );
    assert!(agent.is_running());
}

#[tokio::test]
async fn without_a_display_the_viewer_is_told_why() {
    let (mut server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let _agent = Agent::start(
        place.path(),
        None,
        &["--server", &server.address, "--token", TOKEN],
    );
    let (mut control, _) = server.agent().await;

    let mut watch = server.view(&mut control).await;
    watch
        .until("the viewer is told", |watch| watch.ending().is_some())
        .await;

    let (code, message) = watch.ending().expect("an ending");
    assert_eq!(code, EndCode::DesktopLost);
    assert!(message.contains("DISPLAY is not set"), "{message}");
}

#[tokio::test]
async fn a_session_goes_on_while_the_control_connection_is_made_anew() {
    let mut story = Story::begin().await;
    let (mut control, _) = story.server.agent().await;
    let mut watch = story.server.view(&mut control).await;
    watch.until("connected", Watch::is_connected).await;

    drop(control);
    let (_control, _) = story.server.agent().await;
    story.paint("#00ff00");

    watch
        .until("the change comes", |watch| shows(watch, [0, 0xff, 0]))
        .await;
}

#[tokio::test]
async fn a_restarted_server_finds_its_agent_again() {
    let mut story = Story::begin().await;
    let (control, _) = story.server.agent().await;

    drop(control);
    let port = story.server.kill();
    story.agent.logs("No connection to the server").await;
    let mut server = Server::start_on(port).await;

    let (_control, hello) = server.agent().await;
    assert_eq!(hello.control_version, 1);
}

#[tokio::test]
async fn a_machine_enrols_once_and_keeps_its_key() {
    let mut story = Story::begin().await;
    story.server.agent().await;
    story.agent.terminate();
    story.agent.ended().await;

    let again = Agent::start(story.place.path(), None, &[]);
    story.server.agent().await;

    assert_eq!(story.server.enrolments().len(), 1);
    let log = again.log();
    assert!(
        !log.contains(API_KEY) && !log.contains(TOKEN),
        "no secret is in the log: {log}"
    );
}

#[tokio::test]
async fn orders_are_answered_and_in_a_dry_run_only_told_to_the_log() {
    let (mut server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let arguments = ["--server", &server.address, "--token", TOKEN];
    let arguments = [&arguments[..], &["--power-dry-run"]].concat();
    let agent = Agent::start(place.path(), None, &arguments);
    let (mut control, hello) = server.agent().await;
    assert!(hello.power_actions.iter().any(|name| name == "restart"));
    let order = |request_id, action: &str| {
        server_control::Body::Power(v1::PowerOrder {
            request_id,
            action: action.to_owned(),
            return_after_seconds: 0,
            technician: "Ada".to_owned(),
        })
    };

    control.send(order(7, "safe_mode_network")).await;
    let done = control.receive().await;
    control.send(order(8, "explode")).await;
    let refused = control.receive().await;

    let Some(agent_control::Body::Power(done)) = done else {
        panic!("an answer, not {done:?}")
    };
    assert_eq!((done.request_id, done.problem.as_str()), (7, ""));
    let Some(agent_control::Body::Power(refused)) = refused else {
        panic!("an answer, not {refused:?}")
    };
    assert_eq!(refused.request_id, 8);
    assert!(refused.problem.contains("cannot"), "{}", refused.problem);
    agent.logs("Would do it (dry run)").await;
}

#[tokio::test]
async fn a_machine_whose_power_nobody_can_use_offers_none() {
    let mut story = Story::begin().await;

    let (_control, hello) = story.server.agent().await;

    assert_eq!(hello.power_actions, [""; 0]);
}

#[tokio::test]
async fn a_revoked_machine_says_so_and_waits() {
    let mut story = Story::begin().await;
    let (control, _) = story.server.agent().await;
    story.server.revoke_key();

    control.close(4003).await;

    story
        .agent
        .logs("the server does not accept this machine's key")
        .await;
    assert!(story.agent.is_running());
    story.agent.terminate();
    assert!(
        story.agent.ended().await.success(),
        "a wait is interrupted at once"
    );
}

#[tokio::test]
async fn a_used_up_token_ends_the_agent_with_the_servers_words() {
    let (server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let mut agent = Agent::start(
        place.path(),
        None,
        &["--server", &server.address, "--token", "enr_old"],
    );

    assert_eq!(agent.ended().await.code(), Some(1));
    assert!(server.enrolments().is_empty());
}

#[tokio::test]
async fn an_agent_is_small_again_after_a_session() {
    const SMALL_KIB: u64 = 4 * 1024;
    let mut story = Story::begin().await;
    let (mut control, _) = story.server.agent().await;

    for shade in [0x11, 0x44, 0x77] {
        story.paint(&format!("#{shade:02x}{shade:02x}{shade:02x}"));
        let mut watch = story.server.view(&mut control).await;
        watch
            .until("the picture comes", |watch| shows(watch, [shade; 3]))
            .await;
    }

    let deadline = tokio::time::Instant::now() + PATIENCE;
    while story.agent.own_memory_kib() > SMALL_KIB {
        let kib = story.agent.own_memory_kib();
        assert!(tokio::time::Instant::now() < deadline, "still {kib} KiB");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_tried_again() {
    let (server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let address = server.address.clone();
    let port = server.kill();
    let agent = Agent::start(
        place.path(),
        None,
        &["--server", &address, "--token", TOKEN],
    );
    agent.logs(&format!("cannot reach {address}")).await;

    let mut server = Server::start_on(port).await;

    server.agent().await;
}
