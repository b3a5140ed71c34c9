//! A session from the click to the audit log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use gc_model::role::Role;
use gc_proto::Message as _;
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{Grant, Right, SignedGrant};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::common::{TestAgent, TestServer, Viewer, answer, on_both_engines, text};

on_both_engines! {
    a_session_from_start_to_end,
    a_lost_agent_closes_the_viewer_who_comes_back,
    signing_out_ends_the_sessions,
}

/// A message of the picture lane.
pub(crate) const PICTURE: &[u8] = &[1, 4, 0, 0, 0xde, 0xad];
/// A message of the input lane.
pub(crate) const INPUT: &[u8] = &[1, 2, 0, 0, 0xbe, 0xef];

async fn a_session_from_start_to_end(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let admission = ada.start(&agent.machine).await;
    let session = text(&admission["session_id"]);

    let mut viewer = Viewer::connect(&admission).await;
    // Sent before the agent is there: held, not lost.
    viewer.send(&[1, 0, 0, 0, 7]).await;
    let offer = agent.offer().await;
    assert_eq!(offer.session_id, session);
    assert_eq!(offer.participant_id, text(&admission["participant_id"]));
    let mut end = agent.open(&offer).await.expect("the ticket is good");
    assert_eq!(end.receive().await, [1, 0, 0, 0, 7]);
    end.send(PICTURE).await;
    assert_eq!(viewer.receive().await, PICTURE);
    viewer.send(INPUT).await;
    assert_eq!(end.receive().await, INPUT);

    let path = format!("/api/machines/{}", agent.machine);
    let machine = ada.get(&path).await.body;
    assert_eq!(machine["sessions"][0]["technician"], "Ada Lovelace");
    assert_eq!(machine["sessions"][0]["session_id"], session);

    let ended = ada
        .send(Method::POST, &format!("/api/sessions/{session}/end"))
        .await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(viewer.close_code().await, 4002);
    assert_eq!(end.close_code().await, 4002);
    assert!(
        matches!(agent.hear().await, ServerBody::Closed(closed) if closed.session_id == session)
    );

    let listed = ada.get("/api/sessions").await.body["items"][0].clone();
    assert_eq!(listed["bytes_transferred"], 5 + PICTURE.len() + INPUT.len());
    assert_eq!(listed["end_reason"], "ended_by_technician");
    assert_ne!(listed["ended_at"], Value::Null);
    assert_eq!(ada.rejoin(&session).await.code(), "session_ended");
    let actions = ada.actions().await;
    assert!(
        actions.ends_with(&["session.started".into(), "session.ended".into()]),
        "{actions:?}"
    );
}

async fn a_lost_agent_closes_the_viewer_who_comes_back(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let admission = ada.start(&agent.machine).await;
    let session = text(&admission["session_id"]);
    let mut viewer = Viewer::connect(&admission).await;
    let end = agent.join().await;

    drop(end);
    assert_eq!(viewer.close_code().await, 4001);

    let again = ada.rejoin(&session).await;
    assert_eq!(again.body["session_id"], session);
    assert_ne!(again.body["participant_id"], admission["participant_id"]);
    let mut viewer = Viewer::connect(&again.body).await;
    let mut end = agent.join().await;
    end.send(PICTURE).await;
    assert_eq!(viewer.receive().await, PICTURE);

    // The viewer's machine is gone: the agent hears it.
    drop(viewer);
    assert_eq!(end.close_code().await, 4001);
}

async fn signing_out_ends_the_sessions(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let mut viewer = Viewer::connect(&ada.start(&agent.machine).await).await;
    let _end = agent.join().await;

    let logout = ada.request(Method::POST, "/api/auth/logout");
    answer(logout.header(header::COOKIE, &ada.cookie)).await;

    assert_eq!(viewer.close_code().await, 4002);
    let ada = server.another_login().await;
    let listed = ada.get("/api/sessions").await.body["items"][0].clone();
    assert_eq!(listed["end_reason"], "login_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_start_only_with_machines_that_are_there() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;
    let machine = agent.machine.clone();
    let path = format!("/api/machines/{machine}");
    drop(agent);
    ada.wait_for(&path, |machine| machine["online"] == false)
        .await;

    let start = async |machine: &str| {
        ada.post("/api/sessions/start", json!({ "machine_id": machine }))
            .await
    };
    let offline = start(&machine).await;
    assert_eq!(
        (offline.status.as_u16(), offline.code()),
        (409, "machine_offline")
    );
    for unknown in ["nothing", "../x", ""] {
        let refused = start(unknown).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (404, "machine_not_found")
        );
    }
    assert!(
        ada.get("/api/sessions").await.body["items"]
            .as_array()
            .is_some_and(Vec::is_empty)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grant_is_signed_for_this_session_and_this_machine() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;

    let admission = ada.start(&agent.machine).await;

    let signed = BASE64
        .decode(text(&admission["signed_grant"]))
        .expect("base64");
    let signed = SignedGrant::decode(signed.as_slice()).expect("a SignedGrant");
    let key = BASE64.decode(&agent.server_public_key).expect("base64");
    let key = VerifyingKey::from_bytes(&key.try_into().expect("32 bytes")).expect("a key");
    let message = [b"guruconnect grant v1\0".as_slice(), &signed.grant].concat();
    let signature = Signature::from_slice(&signed.signature).expect("64 bytes");
    key.verify_strict(&message, &signature)
        .expect("signed by the server");
    let grant = Grant::decode(signed.grant).expect("a Grant");
    assert_eq!(grant.session_id, text(&admission["session_id"]));
    assert_eq!(grant.participant_id, text(&admission["participant_id"]));
    assert_eq!(grant.machine_id, agent.machine);
    assert_eq!(grant.technician, "Ada Lovelace");
    assert_eq!(
        grant.rights,
        [i32::from(Right::View), i32::from(Right::Control)]
    );
    assert_eq!(grant.expires_at - grant.issued_at, 60);
    assert_eq!(admission["rights"], json!(["view", "control"]));
    assert_eq!(admission["machine"]["name"], "DESK-07");
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_open_one_connection_each() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let mut other = TestAgent::online(&server, &ada).await;
    let admission = ada.start(&agent.machine).await;
    let mut viewer = Viewer::connect(&admission).await;

    let mut twice = Viewer::connect(&admission).await;
    assert_eq!(twice.close_code().await, 4003);

    let offer = agent.offer().await;
    assert_eq!(other.open(&offer).await.err(), Some(403), "another machine");
    let mut end = agent.open(&offer).await.expect("the ticket is good");
    assert_eq!(agent.open(&offer).await.err(), Some(403), "a second time");
    end.send(PICTURE).await;
    assert_eq!(
        viewer.receive().await,
        PICTURE,
        "the first one is not disturbed"
    );
    other.check_in("DESK-09").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_cannot_come_is_said_so_at_once() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let mut viewer = Viewer::connect(&ada.start(&agent.machine).await).await;

    let offer = agent.offer().await;
    agent.refuse(&offer).await;

    assert_eq!(viewer.close_code().await, 4004);
    assert_eq!(agent.open(&offer).await.err(), Some(403));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_comes_back_replaces_the_one_before() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let admission = ada.start(&agent.machine).await;
    let mut old = Viewer::connect(&admission).await;
    let mut old_end = agent.join().await;

    let again = ada.rejoin(&text(&admission["session_id"])).await;
    let mut viewer = Viewer::connect(&again.body).await;
    let mut end = agent.join().await;

    assert_eq!(old.close_code().await, 4002);
    assert_eq!(old_end.close_code().await, 4001);
    end.send(PICTURE).await;
    assert_eq!(viewer.receive().await, PICTURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_belong_to_those_who_started_them() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let tess = server.add_person("tess", Role::Technician).await;
    let sam = server.add_person("sam", Role::SeniorTechnician).await;
    let agent = TestAgent::online(&server, &ada).await;
    let session = text(&ada.start(&agent.machine).await["session_id"]);
    let end = format!("/api/sessions/{session}/end");
    let stats = format!("/api/sessions/{session}/stats");

    assert_eq!(tess.rejoin(&session).await.code(), "session_not_found");
    assert_eq!(
        tess.post(&stats, json!({ "quality": "low" })).await.code(),
        "session_not_found"
    );
    assert_eq!(tess.send(Method::POST, &end).await.code(), "forbidden");
    assert_eq!(
        ada.post(&stats, json!({ "quality": "low" })).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        ada.post(&stats, json!({ "quality": "best" })).await.code(),
        "invalid"
    );
    assert_eq!(
        sam.send(Method::POST, &end).await.status,
        StatusCode::NO_CONTENT
    );

    let listed = ada.get("/api/sessions").await.body["items"][0].clone();
    assert_eq!(listed["end_reason"], "ended_by_other");
    let log = ada
        .get("/api/audit?action=session.quality_changed")
        .await
        .body["items"][0]
        .clone();
    assert_eq!(log["detail"], json!({ "quality": "low" }));
    assert_eq!(log["session_id"], session);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_sessions_has_pages() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;
    let mut started = Vec::new();
    for _ in 0..5 {
        started.push(ada.start(&agent.machine).await["session_id"].clone());
    }
    started.reverse();

    let mut seen = Vec::new();
    let mut path = format!("/api/sessions?limit=2&machine_id={}", agent.machine);
    loop {
        let page = ada.get(&path).await.body;
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|s| s["id"].clone()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/sessions?limit=2&cursor={cursor}");
    }

    assert_eq!(seen, started);
    for bad in [
        "limit=0",
        "limit=201",
        "cursor=x",
        "cursor=1.%2e%2e",
        "machine_id=a/b",
    ] {
        assert_eq!(
            ada.get(&format!("/api/sessions?{bad}")).await.code(),
            "invalid",
            "{bad}"
        );
    }
}
