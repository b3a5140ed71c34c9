//! Security headers, on every answer there is.

use reqwest::Method;

use crate::common::{TestServer, answer};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let server = TestServer::on_sqlite(&[]).await;
    let paths = [
        "/",
        "/health",
        "/api/machines",
        "/api/nothing",
        "/assets/none.js",
        "/ws/agent",
        "/%ff",
    ];

    for path in paths {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "worker-src 'self' blob:",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        let permissions = answer.header("permissions-policy");
        assert!(permissions.contains("fullscreen=(self)"), "{path}");
        assert!(permissions.contains("clipboard-read=(self)"), "{path}");
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "{path}: not over HTTP"
        );
    }
    assert_eq!(
        server.get("/api/setup").await.header("cache-control"),
        "no-store"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_is_demanded_where_the_proxy_provides_it() {
    let server = TestServer::on_sqlite(&["--trusted-proxies", "127.0.0.1"]).await;
    let request = server
        .request(Method::GET, "/health")
        .header("x-forwarded-proto", "https");

    let answer = answer(request).await;

    assert!(
        answer
            .header("strict-transport-security")
            .starts_with("max-age=")
    );
}
