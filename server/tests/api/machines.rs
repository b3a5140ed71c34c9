//! Enrolling machines, seeing them come and go, taking their keys away.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{
    TestAgent, TestServer, Viewer, answer, close_code, enrol, enrol_as, on_both_engines, text,
};

on_both_engines! {
    a_machine_is_enrolled_comes_online_and_reports,
    the_same_device_id_takes_the_place_of_its_former_self,
    a_revoked_key_is_worth_nothing_at_once,
    a_removed_machine_is_gone_and_its_history_stays,
}

async fn a_machine_is_enrolled_comes_online_and_reports(server: TestServer) {
    let ada = server.claim().await;
    let token = ada.enrolment_token().await;
    let enrolled = enrol(server.address, &token, None).await;
    assert_eq!(enrolled.status, StatusCode::OK, "{}", enrolled.body);
    let path = format!("/api/machines/{}", text(&enrolled.body["machine_id"]));
    assert_eq!(ada.get(&path).await.body["online"], false);

    let mut agent = TestAgent::online(&server, &ada).await;
    let path = format!("/api/machines/{}", agent.machine);
    let machine = ada.get(&path).await.body;
    assert_eq!(machine["online"], true);
    assert_eq!(machine["name"], "DESK-07");
    assert_eq!(machine["os_name"], "Debian GNU/Linux");
    assert_eq!(machine["agent_version"], "0.1.0");
    assert_eq!(machine["address"], "127.0.0.1");

    agent.check_in("DESK-08\u{202e}\n").await;
    let machine = ada
        .wait_for(&path, |machine| machine["host_name"] == "DESK-08")
        .await;
    assert_eq!(machine["name"], "DESK-07", "a name is a person's to change");
    let rename = ada
        .request(Method::PATCH, &path)
        .json(&json!({ "name": "Reception" }));
    assert_eq!(answer(rename).await.body["name"], "Reception");

    drop(agent);
    ada.wait_for(&path, |machine| machine["online"] == false)
        .await;
    let all = ada.get("/api/machines").await.body["items"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(2));
}

async fn the_same_device_id_takes_the_place_of_its_former_self(server: TestServer) {
    let ada = server.claim().await;
    let token = ada.enrolment_token().await;
    let first = enrol(server.address, &token, Some("rmm-17")).await;
    let second = enrol(server.address, &token, Some("rmm-17")).await;

    assert_eq!(first.body["machine_id"], "rmm-17");
    assert_eq!(second.body["machine_id"], "rmm-17");
    let self_of = async |key: &Value| {
        let request = server.request(Method::GET, "/api/agent/self");
        answer(request.bearer_auth(text(key))).await
    };
    assert_eq!(self_of(&first.body["api_key"]).await.code(), "unknown_key");
    let known = self_of(&second.body["api_key"]).await;
    assert_eq!(known.body["machine_id"], "rmm-17");
    assert_eq!(
        known.body["server_public_key"],
        second.body["server_public_key"]
    );
    let actions = ada.actions().await;
    assert!(actions.ends_with(&["machine.enrolled".into(), "machine.reenrolled".into()]));
}

async fn a_revoked_key_is_worth_nothing_at_once(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;

    let path = format!("/api/machines/{}/revoke-key", agent.machine);
    assert_eq!(
        ada.send(Method::POST, &path).await.status,
        StatusCode::NO_CONTENT
    );

    assert_eq!(agent.close_code().await, 4003);
    let request = server
        .request(Method::GET, "/api/agent/self")
        .bearer_auth(&agent.api_key);
    assert_eq!(answer(request).await.code(), "unknown_key");
    let bearer = format!("Bearer {}", agent.api_key);
    let url = format!("ws://{}/ws/agent", server.address);
    let refused = crate::common::connect(&url, &[("Authorization", &bearer)]).await;
    assert_eq!(refused.err(), Some(401));
}

async fn a_removed_machine_is_gone_and_its_history_stays(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let admission = ada.start(&agent.machine).await;

    let path = format!("/api/machines/{}", agent.machine);
    assert_eq!(
        ada.send(Method::DELETE, &path).await.status,
        StatusCode::NO_CONTENT
    );

    assert_eq!(agent.close_code().await, 4003);
    assert_eq!(ada.get(&path).await.code(), "machine_not_found");
    let sessions = ada.get("/api/sessions").await.body["items"].clone();
    assert_eq!(sessions[0]["id"], admission["session_id"]);
    assert_eq!(sessions[0]["machine_name"], "DESK-07");
    assert_eq!(sessions[0]["end_reason"], "machine_revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_machine_is_cut_off_whatever_cannot_be_written_down_of_it() {
    for broken in ["UPDATE ON support_codes", "UPDATE ON sessions"] {
        let (server, ada) = TestServer::claimed(&[]).await;
        let mut agent = TestAgent::online(&server, &ada).await;
        agent.ask_for_help("grace", "1", "Help").await;
        let mut viewers = Vec::new();
        for _ in 0..2 {
            viewers.push(Viewer::connect(&ada.start(&agent.machine).await).await);
        }
        server.break_database(broken).await;

        let path = format!("/api/machines/{}", agent.machine);
        let removed = ada.send(Method::DELETE, &path).await;

        assert_eq!(
            removed.status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{broken}"
        );
        assert_eq!(agent.close_code().await, 4003, "{broken}");
        for viewer in &mut viewers {
            assert_eq!(close_code(&mut viewer.socket).await, 4002, "{broken}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolment_needs_a_good_token_a_key_and_an_id() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let token = ada.enrolment_token().await;
    let good = json!({
        "token": token,
        "agent_public_key": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "device_id": null,
        "facts": {},
    });
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let table = [
        ("token", json!("enr_wrong"), 401),
        ("token", json!(""), 401),
        ("agent_public_key", json!("BwcH"), 422),
        ("agent_public_key", json!("not base64"), 422),
        ("agent_public_key", json!(zeros), 422),
        ("device_id", json!("../../etc"), 422),
        ("device_id", json!(""), 422),
        ("device_id", json!("x".repeat(65)), 422),
        ("facts", json!(7), 422),
    ];

    for (field, value, status) in table {
        let mut request = good.clone();
        request[field] = value.clone();
        let refused = enrol_as(server.address, request).await;
        assert_eq!(refused.status.as_u16(), status, "{field} {value}");
    }
    assert_eq!(enrol_as(server.address, good).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_shown_once_counted_and_deleted() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = ada
        .post(
            "/api/enrolment-tokens",
            json!({ "name": "Once", "max_uses": 1, "expires_in_seconds": 60 }),
        )
        .await;
    let token = text(&made.body["token"]);

    assert_eq!(
        enrol(server.address, &token, None).await.status,
        StatusCode::OK
    );
    assert_eq!(
        enrol(server.address, &token, None).await.code(),
        "token_not_valid"
    );

    let listed = ada.get("/api/enrolment-tokens").await.body["items"][0].clone();
    assert_eq!(
        (&listed["name"], &listed["uses"]),
        (&json!("Once"), &json!(1))
    );
    assert_eq!(listed["token"], Value::Null);
    let path = format!("/api/enrolment-tokens/{}", text(&listed["id"]));
    assert_eq!(
        ada.send(Method::DELETE, &path).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        ada.send(Method::DELETE, &path).await.code(),
        "token_not_found"
    );
    for bad in [json!({ "name": "" }), json!({ "name": "x", "max_uses": 0 })] {
        assert_eq!(
            ada.post("/api/enrolment-tokens", bad).await.code(),
            "invalid"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_connects_again_replaces_its_old_connection() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let bearer = format!("Bearer {}", agent.api_key);
    let url = format!("ws://{}/ws/agent", server.address);
    let second = crate::common::connect(&url, &[("Authorization", &bearer)]).await;
    let mut old = std::mem::replace(&mut agent.control, second.expect("the key is good"));
    agent.introduce().await;

    assert_eq!(crate::common::close_code(&mut old).await, 4009);
    let path = format!("/api/machines/{}", agent.machine);
    assert_eq!(ada.get(&path).await.body["online"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_talks_nonsense_is_disconnected() {
    use futures_util::SinkExt as _;
    use tokio_tungstenite::tungstenite::Message;

    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let nonsense = [
        Message::text("hello"),
        Message::binary(vec![0xff; 100]),
        Message::binary(vec![0; 65 * 1024]),
    ];

    for message in nonsense {
        agent.reconnect().await;
        agent.control.send(message).await.expect("it is sent");
        let code = agent.close_code().await;
        assert!(matches!(code, 4005 | 1006), "{code}");
    }
}
