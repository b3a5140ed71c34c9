//! The attended role on an Xvfb display: the real window, pressed by the X
//! server's own events, with a server of a few lines and a viewer.

#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_installer::slot::{self, SlotConfig};
use gc_proto::v1;
use gc_proto::v1::{agent_control, server_control};
use gc_session::Rights;
use gc_session::viewer::{EndCode, NoticeCode, ViewerEvent};
use gc_testkit::xvfb::Xvfb;
use support::{Control, PATIENCE, Server, Watch};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, ImageFormat};
use x11rb::rust_connection::RustConnection;

const WIDTH: usize = 900;
const HEIGHT: usize = 700;

/// The colour of a button that is set apart.
const STRONG: [u8; 3] = [0x60, 0x6b, 0x17];

struct Customer {
    server: Server,
    xvfb: Xvfb,
    place: tempfile::TempDir,
    program: Child,
}

impl Customer {
    /// Starts the program with flags.
    async fn with_code(code: &str) -> Self {
        let server = Server::start().await;
        let address = server.address.clone();
        let program = Path::new(env!("CARGO_BIN_EXE_guruconnect-agent"));
        let arguments = ["--attended", "--server", &address, "--code", code];
        Self::start(server, program, &arguments)
    }

    /// Starts what a portal gives out, as it was downloaded.
    async fn downloaded() -> (Self, PathBuf) {
        let server = Server::start().await;
        let downloads = tempfile::tempdir().expect("a directory").keep();
        let path = downloads.join("GuruConnect-847291 (1)");
        let mut bytes =
            std::fs::read(env!("CARGO_BIN_EXE_guruconnect-agent")).expect("the program");
        let key = server.signing_key();
        let config = SlotConfig {
            server: server.address.clone(),
            server_public_key: BASE64.encode(key.verifying_key().to_bytes()),
            brand: None,
        };
        slot::write(&mut bytes, &config, key).expect("a slot");
        std::fs::write(&path, bytes).expect("a file");
        let mut rights = std::fs::metadata(&path).expect("a file").permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
        std::fs::set_permissions(&path, rights).expect("rights");
        (Self::start(server, &path, &[]), path)
    }

    fn start(server: Server, program: &Path, arguments: &[&str]) -> Self {
        let xvfb = Xvfb::start(WIDTH as u32, HEIGHT as u32).expect("Xvfb");
        let place = tempfile::tempdir().expect("a directory");
        let log = std::fs::File::create(place.path().join("log")).expect("a file");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("DISPLAY", xvfb.display())
            .env("HOME", place.path())
            .current_dir(place.path())
            .stdout(Stdio::null())
            .stderr(log);
        Self {
            server,
            program: command.spawn().expect("the program starts"),
            xvfb,
            place,
        }
    }

    /// Lets the customer in, as a technician who accepts.
    async fn let_in(&mut self) -> Control {
        let (mut control, _) = self.server.agent().await;
        control.send(state(v1::GuestPhase::Accepted)).await;
        control
    }

    fn xdotool(&self, arguments: &[&str]) {
        let status = Command::new("xdotool")
            .args(arguments)
            .env("DISPLAY", self.xvfb.display())
            .status();
        assert!(status.expect("xdotool").success());
    }

    /// The middle of the button that is set apart; `None` while there is none.
    fn strong_button(&self) -> Option<(usize, usize)> {
        const SIDE: usize = 14;
        let (screen, number) = RustConnection::connect(Some(self.xvfb.display())).ok()?;
        let root = screen.setup().roots[number].root;
        let (width, height) = (WIDTH as u16, HEIGHT as u16);
        let image = screen
            .get_image(ImageFormat::Z_PIXMAP, root, 0, 0, width, height, !0)
            .ok()?
            .reply()
            .ok()?
            .data;
        let is_strong = |x: usize, y: usize| {
            let at = (y * WIDTH + x) * 4;
            image[at..at + 3] == STRONG
        };
        (0..HEIGHT - SIDE)
            .flat_map(|y| (0..WIDTH - SIDE).map(move |x| (x, y)))
            .find(|&(x, y)| (0..SIDE).all(|step| is_strong(x + step, y) && is_strong(x, y + step)))
            .map(|(x, y)| (x + SIDE / 2, y + SIDE / 2))
    }

    /// Clicks the button that is set apart, once it is there and no longer where it was.
    async fn click_strong(&self, what: &str, not_at: Option<(usize, usize)>) -> (usize, usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let button = self.strong_button().filter(|at| Some(*at) != not_at);
            if let Some((x, y)) = button {
                // A window that has just appeared takes no clicks.
                tokio::time::sleep(Duration::from_millis(500)).await;
                self.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
                return (x, y);
            }
            assert!(
                Instant::now() < deadline,
                "{what}: no button; {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Goes to a button with the Tab key, and presses it.
    fn press_by_keyboard(&self, button: usize) {
        let (x, y) = self.strong_button().expect("a window with a button");
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        for _ in 0..button {
            self.xdotool(&["key", "Tab"]);
        }
        self.xdotool(&["key", "Return"]);
    }

    async fn shows_a_button(&self) -> (usize, usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.strong_button() {
                tokio::time::sleep(Duration::from_millis(500)).await;
                return at;
            }
            assert!(Instant::now() < deadline, "no button; {}", self.log());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn asks_nothing(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.strong_button().is_some() {
            assert!(Instant::now() < deadline, "it asks; {}", self.log());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn ends(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.program.try_wait().expect("its status") {
                return status.success();
            }
            assert!(Instant::now() < deadline, "it goes on; {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the window says.
    fn page(&self) -> Option<String> {
        let (screen, number) = RustConnection::connect(Some(self.xvfb.display())).ok()?;
        let atom = |name: &[u8]| Some(screen.intern_atom(true, name).ok()?.reply().ok()?.atom);
        let page = atom(b"_GURUCONNECT_PAGE").filter(|atom| *atom != 0)?;
        let root = screen.setup().roots[number].root;
        let windows = screen.query_tree(root).ok()?.reply().ok()?.children;
        windows.into_iter().find_map(|window| {
            let text = screen
                .get_property(false, window, page, AtomEnum::ANY, 0, 4_096)
                .ok()?
                .reply()
                .ok()?
                .value;
            let text = String::from_utf8(text).ok()?;
            (!text.is_empty()).then_some(text)
        })
    }

    async fn says(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.page().unwrap_or_default();
            if page.contains(words) {
                return;
            }
            assert!(
                Instant::now() < deadline && !page.contains("Support has ended"),
                "{words:?} is not on {page:?}; {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Customer {
    fn drop(&mut self) {
        let _gone = self.program.kill();
        let _gone = self.program.wait();
    }
}

/// The question's buttons are Disconnect, Decline and Allow.
const DECLINE: usize = 2;

fn state(phase: v1::GuestPhase) -> server_control::Body {
    server_control::Body::Guest(v1::GuestState {
        after_hours: false,
        user: "grace".to_owned(),
        phase: phase.into(),
        technician: "Ada".to_owned(),
        company: "Example".to_owned(),
    })
}

/// The next report of an answer.
async fn report(control: &mut Control) -> v1::ConsentReport {
    loop {
        let said = control.receive().await.expect("the program talks");
        if let agent_control::Body::Consent(report) = said {
            return report;
        }
    }
}

async fn is_asked(watch: &mut Watch) {
    watch
        .until("the viewer is admitted", Watch::is_connected)
        .await;
    assert!(matches!(
        watch.events[0],
        ViewerEvent::Connected {
            consent_pending: true,
            rights: Rights::NONE,
            ..
        }
    ));
}

fn has_picture(watch: &Watch) -> bool {
    watch.picture.size.is_some() && watch.picture.pixel(WIDTH as u32 / 2, 10) != [0; 3]
}

#[tokio::test]
async fn a_customer_allows_pauses_and_disconnects_in_the_real_window() {
    let mut customer = Customer::with_code("847291").await;
    let mut control = customer.let_in().await;
    assert_eq!(customer.server.enrolments()[0]["code"], "847291");
    let mut watch = customer.server.view(&mut control).await;
    is_asked(&mut watch).await;
    assert!(!has_picture(&watch), "nothing is shown before the answer");

    let allow = customer.click_strong("Allow", None).await;
    watch.until("the screen is shown", has_picture).await;

    let report = report(&mut control).await;
    assert_eq!(report.rights, ["view", "control"]);
    assert_eq!(report.answer(), v1::ConsentAnswer::Allowed);
    assert!(report.waited_ms > 0);
    let bar = customer.shows_a_button().await;
    assert_ne!(bar, allow, "the bar replaces the question");
    customer.press_by_keyboard(1);
    watch
        .until("the pause is told", |watch| {
            watch.events.contains(&ViewerEvent::Paused(true))
        })
        .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    customer.click_strong("Disconnect", None).await;
    watch
        .until("the end is told", |watch| watch.ending().is_some())
        .await;
    assert_eq!(watch.ending().expect("an end").0, EndCode::EndedByPerson);
    while !matches!(
        control.receive().await.expect("the server hears of it"),
        agent_control::Body::GuestLeaves(_)
    ) {}
    control.send(state(v1::GuestPhase::Completed)).await;
    customer.click_strong("Close", Some(bar)).await;
    assert!(customer.ends().await);
}

#[tokio::test]
async fn a_customer_declines_with_the_keyboard() {
    let mut customer = Customer::with_code("847291").await;
    let mut control = customer.let_in().await;
    let mut watch = customer.server.view(&mut control).await;
    is_asked(&mut watch).await;

    customer.shows_a_button().await;
    customer.press_by_keyboard(DECLINE);
    watch
        .until("the answer is told", |watch| watch.ending().is_some())
        .await;

    assert_eq!(watch.ending().expect("an end").0, EndCode::Declined);
    let report = report(&mut control).await;
    assert_eq!(report.answer(), v1::ConsentAnswer::Declined);
}

#[tokio::test]
async fn whoever_said_no_three_times_is_asked_again_only_when_they_want() {
    let mut customer = Customer::with_code("847291").await;
    let mut control = customer.let_in().await;
    for _ in 0..3 {
        let mut watch = customer.server.view(&mut control).await;
        is_asked(&mut watch).await;
        customer.shows_a_button().await;
        customer.press_by_keyboard(DECLINE);
        watch
            .until("the answer is told", |watch| watch.ending().is_some())
            .await;
    }

    let mut watch = customer.server.view(&mut control).await;
    watch
        .until("nobody was asked", |watch| watch.ending().is_some())
        .await;

    assert_eq!(watch.ending().expect("an end").0, EndCode::Declined);
    let told = watch.events.iter().any(|event| {
        matches!(
            event,
            ViewerEvent::Notice {
                code: NoticeCode::QuestionsClosed,
                ..
            }
        )
    });
    assert!(told, "{:?}", watch.events);
    customer.asks_nothing().await;
    // "Allow questions" is the first button.
    let (x, y) = (WIDTH / 2, HEIGHT * 2 / 5);
    customer.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    customer.xdotool(&["key", "Tab", "key", "Return"]);
    let mut watch = customer.server.view(&mut control).await;
    is_asked(&mut watch).await;
    customer.click_strong("Allow", None).await;
    watch.until("the screen is shown", has_picture).await;
}

#[tokio::test]
async fn pressing_enter_without_looking_allows_nothing() {
    let mut customer = Customer::with_code("847291").await;
    let mut control = customer.let_in().await;
    let mut watch = customer.server.view(&mut control).await;
    is_asked(&mut watch).await;
    customer.shows_a_button().await;

    customer.press_by_keyboard(0);
    customer.press_by_keyboard(DECLINE);

    watch
        .until("the answer is told", |watch| watch.ending().is_some())
        .await;
    assert_eq!(watch.ending().expect("an end").0, EndCode::Declined);
}

#[tokio::test]
async fn a_code_that_is_not_active_is_said_and_the_program_ends() {
    let mut customer = Customer::with_code("000000").await;

    customer.click_strong("Close", None).await;

    assert!(customer.ends().await);
    assert!(customer.server.enrolments().is_empty());
}

const REFUSED: &str = "cannot help with this code right now";

#[tokio::test]
async fn a_refusal_is_read_although_the_connection_closes_with_it() {
    let mut customer = Customer::with_code("847291").await;
    let (control, _) = customer.server.agent().await;

    let mut words = vec![state(v1::GuestPhase::Waiting); 30];
    words.push(state(v1::GuestPhase::Refused));
    control.close_saying(words, 4_003).await;

    customer.says(REFUSED).await;
}

#[tokio::test]
async fn whoever_is_forgotten_in_the_waiting_room_was_refused() {
    let mut customer = Customer::with_code("847291").await;
    let (control, _) = customer.server.agent().await;

    customer.server.revoke_key();
    control.close(1_001).await;

    customer.says(REFUSED).await;
}

#[tokio::test]
async fn the_work_that_the_server_asks_for_is_done() {
    let mut customer = Customer::with_code("111111").await;

    customer.let_in().await;

    let claim = &customer.server.enrolments()[0];
    assert_eq!(claim["work"]["challenge"], "1.8.a.b");
}

#[tokio::test]
async fn what_was_downloaded_knows_server_and_code_and_removes_itself() {
    let (mut customer, path) = Customer::downloaded().await;
    let mut control = customer.let_in().await;
    assert_eq!(customer.server.enrolments()[0]["code"], "847291");

    control.send(state(v1::GuestPhase::Completed)).await;
    customer.click_strong("Close", None).await;

    assert!(customer.ends().await);
    assert!(!path.exists());
    let left: Vec<_> = std::fs::read_dir(customer.place.path())
        .expect("a directory")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, ["log"], "nothing stays in the person's directory");
    std::fs::remove_dir_all(path.parent().expect("a directory")).expect("removed");
}

#[tokio::test]
async fn lines_of_the_chat_go_both_ways() {
    let mut customer = Customer::with_code("847291").await;
    let mut control = customer.let_in().await;
    let line = v1::ChatLine {
        id: 1,
        author: "Ada".to_owned(),
        text: "Hello".to_owned(),
        ..v1::ChatLine::default()
    };
    control.send(server_control::Body::Chat(line)).await;
    // No button is set apart while the technician gets ready: the window is in the middle.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let (x, y) = (WIDTH / 2, HEIGHT / 3);
    customer.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    customer.xdotool(&["key", "Tab", "key", "Return"]);
    tokio::time::sleep(Duration::from_millis(200)).await;

    customer.xdotool(&["type", "Hi Ada!"]);
    customer.xdotool(&["key", "Return"]);

    let said = loop {
        let said = control.receive().await.expect("the program talks");
        if let agent_control::Body::Chat(said) = said {
            break said;
        }
    };
    assert_eq!(said.text, "Hi Ada!");
    assert!(!said.client_id.is_empty());
}

#[tokio::test]
async fn a_second_program_does_not_help_twice() {
    let mut customer = Customer::with_code("847291").await;
    let _control = customer.let_in().await;
    let address = customer.server.address.clone();
    // Until the first window has its last page: it would come to the front.
    tokio::time::sleep(Duration::from_millis(700)).await;

    let mut second = Command::new(env!("CARGO_BIN_EXE_guruconnect-agent"))
        .args(["--attended", "--server", &address, "--code", "555555"])
        .env("DISPLAY", customer.xvfb.display())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    customer.click_strong("Close", None).await;

    let deadline = Instant::now() + PATIENCE;
    while second.try_wait().expect("its status").is_none() {
        assert!(Instant::now() < deadline, "the second one ends");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(customer.server.enrolments().len(), 1);
}
