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
