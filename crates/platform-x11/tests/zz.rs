use gc_model::input::*;
use gc_model::key::Usage;
use gc_platform::{Desktop, Input};
use std::process::Command;
use std::time::Duration;
fn key(code: &str, down: bool, text: Option<&str>) -> InputEvent {
    InputEvent::Key(KeyInput {
        usage: if code.is_empty() {
            Usage::UNKNOWN
        } else {
            Usage::from_code(code).unwrap()
        },
        down,
        text: text.map(|t| KeyText::new(t).unwrap()),
    })
}
fn tap(i: &mut dyn Input, code: &str, t: Option<&str>) {
    i.inject(&key(code, true, t)).unwrap();
    i.inject(&key(code, false, None)).unwrap();
}
#[test]
fn zz() {
    let x = gc_testkit::xvfb::Xvfb::start(1000, 700).unwrap();
    let d = x.display().to_owned();
    for prog in ["mousepad", "xterm"] {
        let f = format!("/tmp/smoke/typed-{prog}.txt");
        std::fs::write(&f, "").unwrap();
        let mut wm = Command::new("openbox").env("DISPLAY", &d).spawn().unwrap();
        let mut app = if prog == "mousepad" {
            Command::new("dbus-run-session")
                .args(["mousepad", &f])
                .env("DISPLAY", &d)
                .env("LC_ALL", "C.UTF-8")
                .env("NO_AT_BRIDGE", "1")
                .spawn()
                .unwrap()
        } else {
            Command::new("xterm")
                .args(["-u8", "-e", "sh", "-c", &format!("cat > {f}")])
                .env("LC_ALL", "C.UTF-8")
                .env("DISPLAY", &d)
                .spawn()
                .unwrap()
        };
        std::thread::sleep(Duration::from_secs(8));
        let mut desk = gc_platform_x11::X11Desktop::connect(Some(&d)).unwrap();
        let mut i = desk.open_input().unwrap();
        i.inject(&key("ShiftLeft", true, None)).unwrap();
        tap(&mut *i, "KeyG", Some("G"));
        i.inject(&key("ShiftLeft", false, None)).unwrap();
        for (c, t) in [
            ("KeyR", "r"),
            ("BracketLeft", "ü"),
            ("Minus", "ß"),
            ("KeyE", "e"),
            ("Space", " "),
            ("KeyE", "€"),
            ("Semicolon", "ñ"),
            ("", "漢"),
            ("Space", " "),
        ] {
            tap(&mut *i, c, Some(t));
        }
        i.inject(&key("ShiftLeft", true, None)).unwrap();
        tap(&mut *i, "KeyY", Some("Z"));
        tap(&mut *i, "Digit7", Some("/"));
        tap(&mut *i, "Minus", Some("?"));
        tap(&mut *i, "BracketLeft", Some("Ü"));
        i.inject(&key("ShiftLeft", false, None)).unwrap();
        for c in "абвгдежзийклмнопрстуф0123".chars() {
            tap(&mut *i, "KeyA", Some(&c.to_string()));
        }
        tap(&mut *i, "Enter", None);
        std::thread::sleep(Duration::from_secs(2));
        if prog == "mousepad" {
            i.inject(&key("ControlLeft", true, None)).unwrap();
            tap(&mut *i, "KeyS", None);
            i.inject(&key("ControlLeft", false, None)).unwrap();
        } else {
            i.inject(&key("ControlLeft", true, None)).unwrap();
            tap(&mut *i, "KeyD", None);
            i.inject(&key("ControlLeft", false, None)).unwrap();
        }
        std::thread::sleep(Duration::from_secs(2));
        eprintln!("{prog}: {:?}", std::fs::read_to_string(&f));
        let _ = app.kill();
        let _ = app.wait();
        let _ = wm.kill();
        let _ = wm.wait();
    }
}
