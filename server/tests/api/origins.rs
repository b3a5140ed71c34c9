//! Pages of other sites open no WebSocket here.

use reqwest::Method;

use crate::common::{TestAgent, TestServer, answer, connect, text};

#[tokio::test(flavor = "multi_thread")]
async fn no_websocket_opens_for_a_foreign_page() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;
    let bearer = format!("Bearer {}", agent.api_key);
    let ticket = "0".repeat(64);
    let viewer = format!("ws://{}/ws/viewer?ticket={ticket}", server.address);
    let control = format!("ws://{}/ws/agent", server.address);
    let session = format!("ws://{}/ws/agent/session?ticket={ticket}", server.address);
    let foreign = [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1:1",
        "http://localhost",
    ];

    for origin in foreign {
        let page = [("Origin", origin), ("Authorization", bearer.as_str())];
        for url in [&viewer, &control, &session] {
            assert_eq!(
                connect(url, &page).await.err(),
                Some(403),
                "{url} {origin:?}"
            );
        }
    }
    assert_eq!(
        connect(&viewer, &[]).await.err(),
        Some(403),
        "a viewer without a page"
    );
    let agent_without_page = [("Authorization", bearer.as_str())];
    assert!(connect(&control, &agent_without_page).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_need_a_machine_key() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let access_token = format!("Bearer {}", ada.token);
    let wrong = format!("Bearer cak_{}", "0".repeat(64));
    let ticket = "0".repeat(64);

    for path in [
        "/ws/agent".to_owned(),
        format!("/ws/agent/session?ticket={ticket}"),
    ] {
        let url = format!("ws://{}{path}", server.address);
        for bearer in [access_token.as_str(), &wrong, "Bearer", "Basic cak_", ""] {
            let refused = connect(&url, &[("Authorization", bearer)]).await;
            assert_eq!(refused.err(), Some(401), "{path} {bearer:?}");
        }
        assert_eq!(connect(&url, &[]).await.err(), Some(401), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_are_sent_to_the_address_the_world_knows() {
    let direct = TestServer::claimed(&[]).await;
    let public = TestServer::claimed(&["--public-url", "https://gc.example"]).await;
    let proxied = TestServer::claimed(&["--trusted-proxies", "127.0.0.0/8"]).await;
    let start = async |(server, ada): &(TestServer, crate::common::Person)| {
        let agent = TestAgent::online(server, ada).await;
        let body = serde_json::json!({ "machine_id": agent.machine });
        let request = ada.request(Method::POST, "/api/sessions/start").json(&body);
        let request = request
            .header("host", "front.example")
            .header("x-forwarded-proto", "https");
        text(&answer(request).await.body["websocket_url"])
    };

    assert!(
        start(&direct)
            .await
            .starts_with("ws://front.example/ws/viewer?ticket=")
    );
    assert!(
        start(&public)
            .await
            .starts_with("wss://gc.example/ws/viewer?ticket=")
    );
    assert!(
        start(&proxied)
            .await
            .starts_with("wss://front.example/ws/viewer?ticket=")
    );
}

const RMM: &str = "https://rmm.example";

async fn preflight(server: &TestServer, path: &str, origin: &str) -> crate::common::Answer {
    let asked = server
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        );
    answer(asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_the_operator_named_may_hold_a_session_with_a_token() {
    let (server, ada) = TestServer::claimed(&["--allowed-origins", RMM]).await;
    let agent = TestAgent::online(&server, &ada).await;

    let asked = preflight(&server, "/api/sessions/start", RMM).await;
    assert_eq!(asked.status, 204);
    assert_eq!(asked.header("access-control-allow-origin"), RMM);
    assert_eq!(
        asked.header("access-control-allow-headers"),
        "authorization, content-type"
    );
    // Cookies stay with the dashboard.
    assert_eq!(asked.header("access-control-allow-credentials"), "");

    let start = ada
        .request(Method::POST, "/api/sessions/start")
        .header("origin", RMM)
        .json(&serde_json::json!({ "machine_id": agent.machine }));
    let started = answer(start).await;
    assert_eq!(started.status, 200, "{}", started.body);
    assert_eq!(started.header("access-control-allow-origin"), RMM);
    assert!(started.header("vary").contains("origin"));
    let refused = server
        .request(Method::GET, "/api/machines")
        .header("origin", RMM);
    let refused = answer(refused).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), RMM);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_page_reads_an_answer_and_none_reads_the_rest_of_the_api() {
    let (server, ada) = TestServer::claimed(&["--allowed-origins", RMM]).await;
    for origin in [
        "https://evil.example",
        "https://rmm.example.evil.example",
        "https://rmm.example/",
        "https://RMM.example",
        "null",
        "",
    ] {
        let asked = preflight(&server, "/api/sessions/start", origin).await;
        assert_eq!(asked.status, 405, "{origin:?}");
        let read = ada
            .request(Method::GET, "/api/machines")
            .header("origin", origin);
        let read = answer(read).await;
        assert_eq!(read.header("access-control-allow-origin"), "", "{origin:?}");
    }
    for path in [
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/users",
        "/api/audit",
        "/api/enrolment-tokens",
        "/api/support-codes",
        "/api/sessionsx",
    ] {
        let asked = preflight(&server, path, RMM).await;
        assert_ne!(asked.status, 204, "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), "", "{path}");
    }

    let (closed, _) = TestServer::claimed(&[]).await;
    let asked = preflight(&closed, "/api/sessions/start", RMM).await;
    assert_eq!(asked.header("access-control-allow-origin"), "");
}
