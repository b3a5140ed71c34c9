//! Locking, restarting and switching off machines.

use gc_proto::v1::PowerResult;
use gc_proto::v1::agent_control::Body;
use gc_proto::v1::server_control::Body as ServerBody;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Person, TestAgent, TestServer, answer, on_both_engines};

on_both_engines! {
    an_order_reaches_the_machine_and_the_audit_log,
    what_the_machine_says_against_it_is_told_and_recorded,
    what_became_of_an_order_is_recorded_when_nobody_waits_for_it,
    an_emergency_restart_takes_the_machines_name,
    a_sign_out_is_recorded_with_whose_login_it_was,
}

async fn order(person: &Person, machine: &str, body: Value) -> Answer {
    let path = format!("/api/machines/{machine}/power");
    answer(person.request(Method::POST, &path).json(&body)).await
}

/// Answers the next order, and says what was ordered. The machine says that it was about a login.
async fn obey(agent: &mut TestAgent, problem: &str) -> (String, u32, String) {
    let ServerBody::Power(ordered) = agent.hear().await else {
        panic!("an order")
    };
    // An answer to what nobody ordered counts for nothing.
    for request_id in [ordered.request_id + 7, ordered.request_id] {
        let problem = problem.to_owned();
        let result = PowerResult {
            request_id,
            problem,
            login: "CORP\\ada\n".into(),
        };
        agent.say(Body::Power(result)).await;
    }
    (
        ordered.action,
        ordered.return_after_seconds,
        ordered.technician,
    )
}

async fn an_order_reaches_the_machine_and_the_audit_log(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let machine = ada.get(&format!("/api/machines/{}", agent.machine)).await;
    assert_eq!(
        machine.body["power_actions"],
        json!(["log_off", "restart", "emergency_restart"]),
        "only what is known here"
    );

    let id = agent.machine.clone();
    let (answer, heard) = tokio::join!(
        order(&ada, &id, json!({ "action": "restart" })),
        obey(&mut agent, ""),
    );

    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    assert_eq!((heard.0.as_str(), heard.1), ("restart", 0));
    assert!(!heard.2.is_empty(), "the machine's log says who");
    assert_eq!(
        ada.actions().await.last().map(String::as_str),
        Some("machine.power")
    );
}

async fn what_the_machine_says_against_it_is_told_and_recorded(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let id = agent.machine.clone();

    let (refused, _) = tokio::join!(
        order(&ada, &id, json!({ "action": "restart" })),
        obey(&mut agent, "an update is being installed\n"),
    );
    let unsupported = order(&ada, &id, json!({ "action": "lock" })).await;
    let unknown = order(&ada, &id, json!({ "action": "dance" })).await;
    drop(agent);
    let path = format!("/api/machines/{id}");
    ada.wait_for(&path, |machine| machine["online"] == false)
        .await;
    let offline = order(&ada, &id, json!({ "action": "restart" })).await;

    assert_eq!(refused.status, StatusCode::BAD_GATEWAY);
    assert_eq!(refused.code(), "power_failed");
    let message = refused.body["error"]["message"].to_string();
    assert!(
        message.contains("an update is being installed"),
        "{message}"
    );
    assert_eq!(unsupported.code(), "power_unsupported");
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(offline.code(), "machine_offline");
    let actions = ada.actions().await;
    assert!(actions.ends_with(&["machine.power".into(), "machine.power_failed".into()]));
}

async fn what_became_of_an_order_is_recorded_when_nobody_waits_for_it(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let id = agent.machine.clone();

    // The page is closed when the order has come to the machine.
    let person = ada.clone();
    let page = tokio::spawn(async move {
        order(&person, &id, json!({ "action": "restart" })).await;
    });
    let ServerBody::Power(ordered) = agent.hear().await else {
        panic!("an order")
    };
    page.abort();
    assert!(page.await.expect_err("nobody waits").is_cancelled());
    ada.get("/api/auth/me").await;
    let result = PowerResult {
        request_id: ordered.request_id,
        problem: "an update is being installed".into(),
        login: String::new(),
    };
    agent.say(Body::Power(result)).await;

    ada.wait_for("/api/audit", |log| {
        let newest = &log["items"][0];
        newest["action"] == "machine.power_failed"
            && newest["detail"]["problem"] == "an update is being installed"
    })
    .await;
}

async fn an_emergency_restart_takes_the_machines_name(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let id = agent.machine.clone();
    let wish = |confirmation: Value| json!({ "action": "emergency_restart", "confirmation": confirmation });

    for wrong in [json!(null), json!(""), json!("desk-07")] {
        let answer = order(&ada, &id, wish(wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (answer, heard) = tokio::join!(
        order(&ada, &id, wish(json!("DESK-07 "))),
        obey(&mut agent, ""),
    );

    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    assert_eq!(heard.0, "emergency_restart");
}

async fn a_sign_out_is_recorded_with_whose_login_it_was(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let id = agent.machine.clone();

    let (answer, _) = tokio::join!(
        order(&ada, &id, json!({ "action": "log_off" })),
        obey(&mut agent, ""),
    );

    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.body);
    let log = ada.get("/api/audit").await;
    let newest = &log.body["items"][0];
    assert_eq!(newest["action"], "machine.power_login");
    assert_eq!(
        newest["detail"],
        json!({ "action": "log_off", "login": "CORP\\ada" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_done_is_not_told_as_failed_when_the_log_takes_no_more_of_it() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let id = agent.machine.clone();
    let outcome = "INSERT ON audit_entries WHEN NEW.action LIKE 'machine.power_%'";
    server.break_database(outcome).await;

    for (problem, status) in [
        ("", StatusCode::NO_CONTENT),
        ("somebody works there", StatusCode::BAD_GATEWAY),
    ] {
        let (answer, _) = tokio::join!(
            order(&ada, &id, json!({ "action": "log_off" })),
            obey(&mut agent, problem),
        );
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}
