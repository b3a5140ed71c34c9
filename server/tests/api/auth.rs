//! Signing in, staying signed in, and being signed out.

use gc_model::role::Role;
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::common::{PASSWORD, Person, TestServer, answer, on_both_engines, text};

on_both_engines! {
    tokens_are_renewed_and_signing_out_ends_them,
    a_refresh_token_that_comes_again_and_again_ends_the_sign_in_at_once,
    a_new_password_ends_the_other_sign_ins_at_once,
    a_sign_in_can_be_ended_from_another,
    wrong_names_and_wrong_passwords_are_the_same_and_slow_down,
}

async fn tokens_are_renewed_and_signing_out_ends_them(server: TestServer) {
    let ada = server.claim().await;
    let me = ada.get("/api/auth/me").await;
    assert_eq!(me.body["user"]["username"], "ada");
    assert_eq!(me.body["user"]["role"], "admin");

    let renewed = ada.refresh(&ada.cookie).await;
    let renewed = server.person(&renewed);
    assert_ne!(renewed.cookie, ada.cookie);
    assert_eq!(renewed.get("/api/auth/me").await.status, StatusCode::OK);

    let logout = renewed.request(Method::POST, "/api/auth/logout");
    let logout = answer(logout.header(header::COOKIE, &renewed.cookie)).await;
    assert_eq!(logout.status, StatusCode::NO_CONTENT);
    assert_eq!(logout.cookie.as_deref(), Some("gc_refresh="));
    assert_eq!(renewed.get("/api/auth/me").await.code(), "signed_out");
    assert_eq!(renewed.refresh(&renewed.cookie).await.code(), "signed_out");
}

async fn a_refresh_token_that_comes_again_and_again_ends_the_sign_in_at_once(server: TestServer) {
    let ada = server.claim().await;
    let other = server.another_login().await;
    let renewed = server.person(&ada.refresh(&ada.cookie).await);

    // Once more is a page that was reloaded before it heard the answer.
    let reloaded = ada.refresh(&ada.cookie).await;
    assert_eq!(reloaded.status, StatusCode::OK);

    let replayed = ada.refresh(&ada.cookie).await;

    assert_eq!(
        (replayed.status, replayed.code()),
        (StatusCode::UNAUTHORIZED, "signed_out")
    );
    assert_eq!(
        renewed.get("/api/auth/me").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        renewed.refresh(&renewed.cookie).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        other.get("/api/auth/me").await.status,
        StatusCode::OK,
        "another sign-in"
    );
    assert!(
        other
            .actions()
            .await
            .contains(&"login.reuse_detected".to_owned())
    );
}

async fn a_new_password_ends_the_other_sign_ins_at_once(server: TestServer) {
    let ada = server.claim().await;
    let other = server.another_login().await;
    assert_eq!(other.get("/api/auth/me").await.status, StatusCode::OK);
    let change = async |current: &str, new: &str| {
        ada.post(
            "/api/auth/password",
            json!({ "current": current, "new": new }),
        )
        .await
    };

    assert_eq!(
        change("wrong password here", "a much better one")
            .await
            .code(),
        "wrong_credentials"
    );
    assert_eq!(
        change(PASSWORD, "password1234").await.code(),
        "weak_password"
    );
    assert_eq!(
        change(PASSWORD, "a much better one").await.status,
        StatusCode::NO_CONTENT
    );

    assert_eq!(
        other.get("/api/auth/me").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        other.refresh(&other.cookie).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(ada.get("/api/auth/me").await.status, StatusCode::OK);
    assert_eq!(
        server.login("ada", PASSWORD).await.code(),
        "wrong_credentials"
    );
    assert_eq!(
        server.login(" ADA ", "a much better one").await.status,
        StatusCode::OK
    );
}

async fn a_sign_in_can_be_ended_from_another(server: TestServer) {
    let ada = server.claim().await;
    let other = server.another_login().await;
    let logins = ada.get("/api/auth/logins").await.body["items"].clone();
    let of_other = logins
        .as_array()
        .expect("a list")
        .iter()
        .find(|item| item["current"] == false);
    let path = format!(
        "/api/auth/logins/{}",
        text(&of_other.expect("two sign-ins")["id"])
    );
    let stranger = server.add_person("stranger", Role::Technician).await;

    assert_eq!(
        stranger.send(Method::DELETE, &path).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(other.get("/api/auth/me").await.status, StatusCode::OK);
    assert_eq!(
        ada.send(Method::DELETE, &path).await.status,
        StatusCode::NO_CONTENT
    );

    assert_eq!(
        other.get("/api/auth/me").await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ada.send(Method::DELETE, &path).await.code(),
        "login_not_found"
    );
}

async fn wrong_names_and_wrong_passwords_are_the_same_and_slow_down(server: TestServer) {
    server.claim().await;

    let nobody = server.login("nobody", PASSWORD).await;
    let wrong = server.login("ada", "wrong password").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert_eq!(nobody.body, wrong.body);

    for _ in 0..4 {
        server.login("ada", "wrong password").await;
        server.login("nobody", "wrong password").await;
    }
    for name in ["ada", "nobody"] {
        // Even the right password has to wait.
        let locked = server.login(name, PASSWORD).await;
        assert_eq!(locked.code(), "too_many_attempts", "{name}");
        let seconds: u64 = locked.header("retry-after").parse().expect("seconds");
        assert!((1..=2).contains(&seconds), "{seconds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_cookie_is_for_this_site_and_for_no_script() {
    let plain = TestServer::on_sqlite(&[]).await;
    let signed_in = plain
        .post("/api/setup/claim", crate::common::claim_request())
        .await;
    let cookie = signed_in.header("set-cookie");
    assert!(cookie.contains("Path=/api/auth"), "{cookie}");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(
        cookie.contains("Max-Age=86400") && !cookie.contains("Secure"),
        "{cookie}"
    );

    let proxied = TestServer::on_sqlite(&["--trusted-proxies", "127.0.0.1"]).await;
    let request = proxied.request(Method::POST, "/api/setup/claim");
    let request = request.header("x-forwarded-proto", "https");
    let signed_in = answer(request.json(&crate::common::claim_request())).await;
    assert!(signed_in.header("set-cookie").contains("; Secure"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_this_server_renew_tokens() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let renew = async |origin: Option<&str>| {
        let mut request = server.request(Method::POST, "/api/auth/refresh");
        request = request.header(header::COOKIE, &ada.cookie);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        answer(request).await
    };

    for origin in [None, Some("https://evil.example"), Some("null"), Some("")] {
        let refused = renew(origin).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (403, "foreign_origin"),
            "{origin:?}"
        );
    }
    assert_eq!(renew(Some(&server.origin())).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_decide_who_may_administer() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let technician = server.add_person("tess", Role::Technician).await;
    let calls = [
        (Method::GET, "/api/audit"),
        (Method::GET, "/api/audit/export?format=csv"),
        (Method::GET, "/api/enrolment-tokens"),
        (Method::DELETE, "/api/enrolment-tokens/x"),
        (Method::DELETE, "/api/machines/x"),
        (Method::POST, "/api/machines/x/revoke-key"),
    ];

    for (method, path) in calls {
        let refused = technician.send(method.clone(), path).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (403, "forbidden"),
            "{path}"
        );
        let passed: Person = ada.clone();
        assert_ne!(
            passed.send(method, path).await.status,
            StatusCode::FORBIDDEN,
            "{path}"
        );
    }
    assert_eq!(technician.get("/api/machines").await.status, StatusCode::OK);
    assert_eq!(technician.get("/api/sessions").await.status, StatusCode::OK);
}
