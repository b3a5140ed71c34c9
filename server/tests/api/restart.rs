//! The real program, killed and asked to stop.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::common::{
    PATIENCE, Person, TestAgent, Viewer, answer, claim_request, client, soon, text,
};
use crate::sessions::PICTURE;

fn program(data_dir: &Path, address: SocketAddr) -> Child {
    Command::new(env!("CARGO_BIN_EXE_guruconnect-server"))
        .env("DATA_DIR", data_dir)
        .env("BIND_ADDRESS", address.to_string())
        .env("CLAIM_SECRET", crate::common::CLAIM_SECRET)
        .env_remove("DATABASE_URL")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts")
}

async fn until_healthy(address: SocketAddr) {
    let http = client();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let health = http.get(format!("http://{address}/health")).send().await;
        if health.is_ok_and(|health| health.status() == StatusCode::OK) {
            return;
        }
        assert!(Instant::now() < deadline, "the program does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_forgets_nothing_and_sessions_are_rejoined() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = free_address();
    let origin = format!("http://{address}");
    let mut first = program(folder.path(), address);
    until_healthy(address).await;
    let claim = client()
        .post(format!("{origin}/api/setup/claim"))
        .json(&claim_request());
    let ada = Person::at(&origin, &answer(claim).await);
    let mut agent = TestAgent::online_at(address, &ada).await;
    let admission = ada.start(&agent.machine).await;
    let session = text(&admission["session_id"]);
    let mut viewer = Viewer::connect(&admission).await;
    let mut end = agent.join().await;
    end.send(PICTURE).await;
    viewer.receive().await;
    // Written while the session lives, not only at its end.
    let written = |body: &serde_json::Value| body["items"][0]["bytes_transferred"] == 6;
    ada.wait_for("/api/sessions", written).await;
    let log_before = ada.actions().await;

    first.kill().await.expect("killed");
    assert!(matches!(viewer.close_code().await, 1005 | 1006));
    let mut second = program(folder.path(), address);
    until_healthy(address).await;

    assert_eq!(
        ada.actions().await,
        log_before,
        "the same token, the same log"
    );
    agent.reconnect().await;
    let again = ada.rejoin(&session).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    let mut viewer = Viewer::connect(&again.body).await;
    let mut end = agent.join().await;
    end.send(PICTURE).await;
    assert_eq!(viewer.receive().await, PICTURE);

    let stopping = Instant::now();
    terminate(&second);
    assert_eq!(viewer.close_code().await, 1001);
    let status = soon(second.wait()).await.expect("it ended");
    assert!(status.success(), "{status}");
    assert!(
        stopping.elapsed() < Duration::from_secs(5),
        "{:?}",
        stopping.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_server_prints_one_line_and_a_claimed_one_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = free_address();
    let mut fresh = program(folder.path(), address);
    let mut lines = BufReader::new(fresh.stdout.take().expect("piped")).lines();
    let line = soon(lines.next_line())
        .await
        .expect("readable")
        .expect("a line");
    assert!(line.starts_with(&format!(
        "Claim this server: http://{address}/claim  secret: "
    )));
    let claim = client()
        .post(format!("http://{address}/api/setup/claim"))
        .json(&claim_request());
    assert_eq!(answer(claim).await.status, StatusCode::OK);
    terminate(&fresh);
    assert_eq!(soon(lines.next_line()).await.expect("readable"), None);
    soon(fresh.wait()).await.expect("it ended");

    let mut claimed = program(folder.path(), address);
    until_healthy(address).await;
    terminate(&claimed);
    let mut lines = BufReader::new(claimed.stdout.take().expect("piped")).lines();
    assert_eq!(soon(lines.next_line()).await.expect("readable"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_settings_end_with_a_sentence() {
    let table = [
        (["--bind", "0.0.0.0:18099"], "refusing to serve plain HTTP"),
        (
            ["--database-url", "mysql://x/y"],
            "DATABASE_URL must begin with",
        ),
        (
            ["--tls-cert", "/nowhere.pem"],
            "TLS_CERT and TLS_KEY belong together",
        ),
    ];
    for (arguments, expected) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new(env!("CARGO_BIN_EXE_guruconnect-server"))
            .env("DATA_DIR", folder.path())
            .env("BIND_ADDRESS", "127.0.0.1:0")
            .args(arguments)
            .output();
        let output = soon(output).await.expect("it ran");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains(expected),
            "{arguments:?}: {error}"
        );
    }
}

/// Asks a program to stop, as a service manager does.
fn terminate(child: &Child) {
    let id = child.id().expect("it runs").to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status();
    assert!(sent.expect("kill runs").success());
}
