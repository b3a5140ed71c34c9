//! Claiming a fresh server.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::common::{CLAIM_SECRET, TestServer, claim_request, on_both_engines};

on_both_engines! {
    of_many_who_claim_at_once_one_wins,
}

async fn of_many_who_claim_at_once_one_wins(server: TestServer) {
    assert_eq!(
        server.get("/api/setup").await.body,
        json!({ "claimed": false })
    );

    let claims = (0..8).map(|_| server.post("/api/setup/claim", claim_request()));
    let answers = futures_util::future::join_all(claims).await;

    let won = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    let late = answers
        .iter()
        .filter(|answer| answer.code() == "already_claimed")
        .count();
    assert_eq!((won, late), (1, 7));
    assert_eq!(
        server.get("/api/setup").await.body,
        json!({ "claimed": true })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_secret_of_the_console_and_a_good_password_claim() {
    let server = TestServer::on_sqlite(&[]).await;
    let with = |key: &str, value: &str| {
        let mut request = claim_request();
        request[key] = Value::String(value.into());
        request
    };
    let table = [
        (with("secret", "wrong"), 403, "wrong_secret"),
        (with("secret", ""), 403, "wrong_secret"),
        (with("password", "short"), 422, "weak_password"),
        (with("password", "password12345"), 422, "weak_password"),
        (with("password", "AdaAdaAdaAda1"), 422, "weak_password"),
        (with("username", "not a name"), 422, "invalid"),
        (with("display_name", "\u{202e}"), 422, "invalid"),
        (json!({ "secret": CLAIM_SECRET }), 422, "invalid"),
    ];

    for (request, status, code) in table {
        let answer = server.post("/api/setup/claim", request.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{request}"
        );
    }
    let guesses = futures_util::future::join_all(
        (0..4).map(|_| server.post("/api/setup/claim", with("secret", "guess"))),
    );
    let answers = guesses.await;
    assert!(
        answers
            .iter()
            .any(|answer| answer.code() == "too_many_requests"),
        "guessing is slowed"
    );
    assert_eq!(
        server.get("/api/setup").await.body,
        json!({ "claimed": false })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_says_how_to_claim_in_one_line() {
    let server = TestServer::on_sqlite(&[]).await;
    let expected = format!(
        "Claim this server: http://{}/claim  secret: {CLAIM_SECRET}",
        server.address
    );
    assert_eq!(server.claim_line(), Some(expected));

    let server = TestServer::on_sqlite(&["--public-url", "https://gc.example/"]).await;
    let line = server.claim_line().expect("unclaimed");
    assert!(
        line.starts_with("Claim this server: https://gc.example/claim  secret: "),
        "{line}"
    );
}
