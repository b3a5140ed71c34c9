//! What the program says to whoever starts it wrongly.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output};

use gc_testkit::xvfb::Xvfb;

fn agent(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guruconnect-agent"));
    command
        .env_remove("DISPLAY")
        .arg("--data-dir")
        .arg(data_dir)
        .args(arguments);
    command.output().expect("the agent starts")
}

fn refusal(data_dir: &Path, arguments: &[&str]) -> String {
    let output = agent(data_dir, arguments);
    assert!(!output.status.success(), "{arguments:?} is refused");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn wrong_settings_are_named() {
    let place = tempfile::tempdir().expect("a directory");
    let cases: [(&[&str], &str); 10] = [
        (
            &[],
            "this machine is not enrolled: give --server and --token",
        ),
        (
            &["--server", "https://a.example"],
            "give --token, an enrolment token from the dashboard",
        ),
        (
            &["--server", "https://a.example", "--api-key", "cak_x"],
            "--api-key only replaces the key",
        ),
        (
            &["--server", "http://a.example", "--token", "enr_x"],
            "would send everything in plain text",
        ),
        (
            &["--server", "gopher://a", "--token", "enr_x"],
            "is not a server address",
        ),
        (
            &["--server", "https://a.example/x", "--token", "enr_x"],
            "has a path",
        ),
        (
            &["--server", "https://a.example", "--token", "secret"],
            "--token is no enrolment token",
        ),
        (
            &["--server", "https://a.example", "--api-key", "secret"],
            "--api-key is no machine key",
        ),
        (
            &[
                "--server",
                "https://a.example",
                "--token",
                "enr_x",
                "--device-id",
                "a b",
            ],
            "--device-id has 1 to 64",
        ),
        (
            &[
                "--server",
                "https://a.example",
                "--token",
                "enr_x",
                "--ca-file",
                "/nowhere.pem",
            ],
            "read certificate authorities from /nowhere.pem",
        ),
    ];

    for (arguments, expected) in cases {
        let said = refusal(place.path(), arguments);
        assert!(said.contains(expected), "{arguments:?} said: {said}");
        assert!(
            !said.contains("secret"),
            "what was given as a secret is not shown: {said}"
        );
    }
}

#[test]
fn damaged_settings_are_named_and_left_alone() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("agent.json");
    std::fs::write(&file, "{\"server\":").expect("writes");

    let said = refusal(
        place.path(),
        &["--server", "https://a.example", "--token", "enr_x"],
    );

    assert!(said.contains("agent.json is damaged"), "{said}");
    assert_eq!(
        std::fs::read_to_string(&file).expect("reads"),
        "{\"server\":"
    );
}

#[test]
fn version_is_printed() {
    let output = agent(Path::new("/nonexistent"), &["--version"]);

    assert_eq!(
        output.stdout,
        format!("guruconnect-agent {}\n", env!("CARGO_PKG_VERSION")).into_bytes()
    );
}

#[test]
fn test_capture_writes_the_screen_and_prints_timings() {
    let place = tempfile::tempdir().expect("a directory");
    let xvfb = Xvfb::start(320, 200).expect("Xvfb");
    let status = Command::new("xsetroot")
        .args(["-display", xvfb.display(), "-solid", "#123456"])
        .status();
    assert!(
        status
            .expect("xsetroot (package x11-xserver-utils)")
            .success()
    );
    let file = place.path().join("screen.png");

    let mut command = Command::new(env!("CARGO_BIN_EXE_guruconnect-agent"));
    let output = command
        .env("DISPLAY", xvfb.display())
        .arg("--test-capture")
        .arg(&file)
        .output()
        .expect("starts");

    let said = String::from_utf8(output.stdout).expect("text");
    assert!(
        output.status.success() && said.contains("picture  320 x 200 pixels"),
        "{said}"
    );
    for line in [
        "display",
        "input    available",
        "capture",
        "encode",
        "changes",
        "written",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    let png = png::Decoder::new(std::io::BufReader::new(
        std::fs::File::open(file).expect("a file"),
    ));
    let mut reader = png.read_info().expect("a picture");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
    reader.next_frame(&mut pixels).expect("its pixels");
    assert!(
        pixels
            .chunks_exact(3)
            .all(|pixel| pixel == [0x12, 0x34, 0x56])
    );
}

#[test]
fn test_capture_says_what_is_missing() {
    let place = tempfile::tempdir().expect("a directory");

    let said = refusal(place.path(), &["--test-capture", "/dev/null"]);

    assert!(
        said.contains("open the desktop: a machine without an X display (DISPLAY is not set)"),
        "{said}"
    );
}
