//! Every route, walked without a login.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::common::{Answer, TestAgent, TestServer, answer};

/// What anybody may read.
const PUBLIC: [&str; 5] = [
    "/health",
    "/ready",
    "/metrics",
    "/api/setup",
    "/api/openapi.json",
];

/// What anybody may try, with something secret in the body or a cookie.
const DOORS: [&str; 9] = [
    "/api/setup/claim",
    "/api/auth/login",
    "/api/auth/refresh",
    "/api/auth/logout",
    "/api/agent/enrol",
    "/api/support/claim",
    "/api/support/info",
    "/api/support/status",
    "/api/support/chat",
];

/// Path and methods of every route, from the API's own description, and the WebSockets.
fn routes() -> Vec<(String, Vec<Method>)> {
    let document: Value =
        serde_json::from_str(&guruconnect_server::openapi_json()).expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let mut routes: Vec<_> = paths
        .iter()
        .map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys();
            let methods = methods.map(|name| name.to_uppercase().parse().expect("a method"));
            (path.clone(), methods.collect())
        })
        .collect();
    for path in [
        "/ws/agent",
        "/ws/agent/session?ticket=x",
        "/ws/viewer?ticket=x",
    ] {
        routes.push((path.to_owned(), vec![Method::GET]));
    }
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_gives_anything_to_somebody_who_is_not_signed_in() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;

    for (path, methods) in routes() {
        let path = path.replace("{id}", &agent.machine);
        for method in [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PATCH,
            Method::PUT,
            Method::DELETE,
        ] {
            let answer = answer(server.request(method.clone(), &path)).await;
            let status = answer.status.as_u16();
            let plain = path.split('?').next().unwrap_or_default();
            let head = method == Method::HEAD && methods.contains(&Method::GET);
            let allowed: &[u16] = if !methods.contains(&method) && !head {
                &[405]
            } else if PUBLIC.contains(&plain) {
                &[200]
            } else if DOORS.contains(&plain) {
                // Nothing was given: no body, no cookie, no origin, no ticket.
                &[204, 400, 403, 415]
            } else if plain == "/ws/viewer" {
                // Not even an upgrade.
                &[400, 405]
            } else {
                &[401]
            };
            assert!(
                allowed.contains(&status),
                "{method} {path} answered {status}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_of_a_route_are_no_way_in() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;

    for (path, methods) in routes() {
        let path = path.replace("{id}", &agent.machine);
        let (plain, query) = path.split_once('?').unwrap_or((&path, ""));
        let letter = plain
            .rfind(|c: char| c.is_ascii_lowercase())
            .expect("a letter");
        let code = plain.as_bytes()[letter];
        let variants = [
            plain.to_uppercase(),
            format!("{plain}/"),
            format!("/{plain}"),
            format!("{plain}%00"),
            format!("{plain}.json"),
            format!("{plain};x=1"),
            format!("{}%{code:02x}{}", &plain[..letter], &plain[letter + 1..]),
            plain.replacen("/api", "/%61pi", 1),
            plain.replacen("/api", "/Api", 1),
            plain.replacen("/ws", "/%77s", 1),
        ];
        for variant in variants.into_iter().filter(|variant| variant != plain) {
            for method in methods.iter().chain([&Method::GET]) {
                let target = format!("{variant}?{query}");
                let answer = answer(server.request(method.clone(), &target)).await;
                assert!(
                    is_nothing(&answer),
                    "{method} {target}: {} {}",
                    answer.status,
                    answer.body
                );
            }
        }
    }
}

/// Refused, or the dashboard's page, which is the same for everybody.
fn is_nothing(answer: &Answer) -> bool {
    let page = answer.status == StatusCode::OK && answer.header("content-type").contains("html");
    let refused = matches!(answer.status.as_u16(), 400 | 401 | 404 | 405);
    page || refused
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_dashboard_are_found_by_any_path_and_assets_by_their_own() {
    let server = TestServer::on_sqlite(&[]).await;

    for path in ["/", "/claim", "/machines/some-id", "/index.html"] {
        let page = server.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
    }
    for path in [
        "/assets/missing.js",
        "/api",
        "/api/",
        "/ws",
        "/api/nothing",
        "/API/machines",
    ] {
        assert_eq!(
            server.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let page = server.get("/").await;
    let again = server
        .request(Method::GET, "/")
        .header("if-none-match", page.header("etag"));
    assert_eq!(answer(again).await.status, StatusCode::NOT_MODIFIED);
    let written = answer(server.request(Method::POST, "/claim")).await;
    assert_eq!(written.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_limited_and_errors_have_one_shape() {
    let (_server, ada) = TestServer::claimed(&[]).await;
    let post = |body: String, content_type: &'static str| {
        let request = ada.request(Method::POST, "/api/sessions/start");
        answer(request.header("content-type", content_type).body(body))
    };
    let table = [
        (
            format!("{{\"machine_id\":\"{}\"}}", "x".repeat(70_000)),
            "application/json",
            413,
            "too_large",
        ),
        ("{".to_owned(), "application/json", 400, "malformed"),
        ("{}".to_owned(), "application/json", 422, "invalid"),
        ("{}".to_owned(), "text/plain", 415, "malformed"),
    ];

    for (body, content_type, status, code) in table {
        let refused = post(body, content_type).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code));
        assert!(refused.body["error"]["message"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_so_and_readiness_asks_the_database() {
    let server = TestServer::on_sqlite(&[]).await;

    let health = server.get("/health").await;
    assert_eq!(
        health.body,
        serde_json::json!({ "status": "ok", "version": "0.1.0" })
    );
    assert_eq!(
        server.get("/ready").await.body,
        serde_json::json!({ "status": "ready" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine_or_for_the_token() {
    let token = "metrics-token-of-the-tests";
    let guarded = TestServer::on_sqlite(&["--metrics-token", token]).await;
    let with = |token: &str| answer(guarded.request(Method::GET, "/metrics").bearer_auth(token));
    assert_eq!(
        guarded.get("/metrics").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(with("wrong").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(with(token).await.status, StatusCode::OK);

    // Through a proxy on this machine comes the whole world.
    let proxied = TestServer::on_sqlite(&["--trusted-proxies", "127.0.0.1"]).await;
    assert_eq!(
        proxied.get("/metrics").await.status,
        StatusCode::UNAUTHORIZED
    );
    let open = TestServer::on_sqlite(&[]).await;
    assert_eq!(open.get("/metrics").await.status, StatusCode::OK);
}
