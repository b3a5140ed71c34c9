//! Reading and exporting the audit log.

use gc_store::{Action, Actor, NewAuditEntry};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::common::{TestAgent, TestServer, on_both_engines, text};

on_both_engines! {
    the_log_is_read_by_page_and_by_what_was_done,
    the_log_is_exported_whole,
}

async fn the_log_is_read_by_page_and_by_what_was_done(server: TestServer) {
    let ada = server.claim().await;
    let agent = TestAgent::online(&server, &ada).await;
    ada.start(&agent.machine).await;

    let started = ada.get("/api/audit?action=session.started").await.body["items"][0].clone();
    assert_eq!(started["actor"]["kind"], "user");
    assert_eq!(started["actor"]["name"], "Ada Lovelace");
    assert_eq!(
        started["machine"],
        json!({ "id": agent.machine, "name": "DESK-07" })
    );
    assert_eq!(started["address"], "127.0.0.1");
    let enrolled = ada
        .get(&format!("/api/audit?machine_id={}", agent.machine))
        .await;
    assert_eq!(enrolled.body["items"].as_array().map(Vec::len), Some(2));
    let by_ada = format!("/api/audit?user_id={}", text(&started["actor"]["id"]));
    assert_eq!(
        ada.get(&by_ada).await.body["items"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );

    let mut seen = Vec::new();
    let mut path = "/api/audit?limit=2".to_owned();
    loop {
        let page = ada.get(&path).await.body;
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|e| text(&e["action"])),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/audit?limit=2&cursor={cursor}");
    }
    let expected = [
        "session.started",
        "machine.enrolled",
        "enrolment_token.created",
        "server.claimed",
    ];
    assert_eq!(seen, expected);
    assert_eq!(ada.get("/api/audit?cursor=x").await.code(), "invalid");
}

async fn the_log_is_exported_whole(server: TestServer) {
    let ada = server.claim().await;
    let store = server.store().await;
    for n in 0..1_500 {
        let entry = NewAuditEntry {
            at: chrono::Utc::now(),
            action: Action::UserCreated,
            actor: Actor::System,
            machine: None,
            session_id: None,
            address: None,
            detail: json!({ "n": n, "text": "a \"quoted\", text" }),
        };
        store.append_audit(entry).await.expect("written");
    }

    let csv = ada.get("/api/audit/export?format=csv").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let csv = text(&csv.body);
    // Column names, the claim, the entries above and the export itself.
    assert_eq!(csv.lines().count(), 1 + 1 + 1_500 + 1);
    assert!(
        csv.starts_with("id,at,action,actor_kind,"),
        "{}",
        &csv[..60]
    );

    let json = ada.get("/api/audit/export?format=json").await;
    let entries = json.body.as_array().expect("a list");
    assert_eq!(entries.len(), 1 + 1_500 + 2);
    assert_eq!(entries[0]["action"], "audit.exported");
    assert_ne!(entries[0]["detail"], Value::Null);
    let other = ada.get("/api/audit/export?format=xml").await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}
