//! Machines that enrol, and that enrol again.

#![cfg(target_os = "linux")]

mod support;

use std::path::Path;

use support::{Agent, Server, TOKEN};
use tempfile::TempDir;

/// An agent without a screen.
fn start(place: &Path, server: &str, token: &str) -> Agent {
    Agent::start(place, None, &["--server", server, "--token", token])
}

/// A server, and a machine that enrolled there and was stopped.
async fn enrolled() -> (Server, TempDir) {
    let (mut server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let mut agent = start(place.path(), &server.address, TOKEN);
    server.agent().await;
    agent.terminate();
    assert!(agent.ended().await.success());
    (server, place)
}

#[tokio::test]
async fn a_token_enrols_a_machine_anew_whose_key_was_revoked_and_viewers_know_it_still() {
    let (mut server, place) = enrolled().await;
    server.revoke_key();

    let _agent = start(place.path(), &server.address, TOKEN);
    server.agent().await;

    let enrolments = server.enrolments();
    assert_eq!(enrolments.len(), 2);
    assert_eq!(enrolments[0]["device_id"], serde_json::Value::Null);
    assert_eq!(enrolments[1]["device_id"], support::MACHINE_ID);
    assert_eq!(
        enrolments[0]["agent_public_key"],
        enrolments[1]["agent_public_key"]
    );
}

#[tokio::test]
async fn a_machine_whose_key_is_good_uses_no_token() {
    let (mut server, place) = enrolled().await;

    let _agent = start(place.path(), &server.address, TOKEN);
    server.agent().await;

    assert_eq!(server.enrolments().len(), 1);
}

#[tokio::test]
async fn a_machine_with_a_token_that_moves_to_another_server_enrols_there_as_another_one() {
    let (former, place) = enrolled().await;
    let mut server = Server::start().await;
    server.revoke_key();

    let _agent = start(place.path(), &server.address, TOKEN);
    server.agent().await;

    let (before, after) = (former.enrolments(), server.enrolments());
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before[0]["agent_public_key"], after[0]["agent_public_key"]);
}

#[tokio::test]
async fn a_used_up_token_leaves_a_revoked_machine_waiting_as_it_was() {
    let (server, place) = enrolled().await;
    server.revoke_key();

    let mut agent = start(place.path(), &server.address, "enr_old");

    agent.logs("This token is used up").await;
    agent
        .logs("the server does not accept this machine's key")
        .await;
    assert!(agent.is_running());
}

#[tokio::test]
async fn an_enrolled_machine_with_a_token_begins_while_its_server_is_away() {
    let (server, place) = enrolled().await;
    let address = server.address.clone();
    let port = server.kill();

    let agent = start(place.path(), &address, TOKEN);
    agent.logs("No connection to the server").await;
    let mut server = Server::start_on(port).await;
    server.agent().await;

    assert!(server.enrolments().is_empty());
}
