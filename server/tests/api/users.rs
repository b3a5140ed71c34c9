//! Administrators and the people whom they add.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Person, TestAgent, TestServer, on_both_engines, text};

const FIRST_PASSWORD: &str = "horse staple battery 7";

on_both_engines! {
    a_second_technician_is_added_changed_and_disabled,
    signing_in_while_the_password_is_reset_leaves_nobody_signed_in,
}

fn grace() -> Value {
    json!({
        "username": "Grace",
        "display_name": "Grace Hopper",
        "role": "technician",
        "password": FIRST_PASSWORD,
    })
}

async fn add(ada: &Person, person: Value) -> String {
    let added = ada.post("/api/users", person).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    text(&added.body["id"])
}

async fn a_second_technician_is_added_changed_and_disabled(server: TestServer) {
    let ada = server.claim().await;
    let id = add(&ada, grace()).await;
    let path = format!("/api/users/{id}");
    let patch = |body: Value| {
        let request = ada.request(Method::PATCH, &path).json(&body);
        crate::common::answer(request)
    };
    let signed_in = server.login("grace", FIRST_PASSWORD).await;
    let grace = server.person(&signed_in);
    assert_eq!(signed_in.body["user"]["role"], "technician");
    assert_eq!(grace.get("/api/machines").await.status, StatusCode::OK);
    assert_eq!(grace.get("/api/audit").await.status, StatusCode::FORBIDDEN);

    // Another role counts at once, without signing in again.
    let promoted = patch(json!({ "role": "admin", "display_name": "Grace H." })).await;
    assert_eq!(promoted.status, StatusCode::OK, "{}", promoted.body);
    assert_eq!(promoted.body["display_name"], "Grace H.");
    assert_eq!(grace.get("/api/audit").await.status, StatusCode::OK);
    patch(json!({ "role": "technician" })).await;
    assert_eq!(grace.get("/api/audit").await.status, StatusCode::FORBIDDEN);

    let disabled = patch(json!({ "disabled": true })).await;
    assert!(disabled.body["disabled_at"].is_string());
    assert_eq!(grace.get("/api/machines").await.code(), "signed_out");
    assert_eq!(grace.refresh(&grace.cookie).await.code(), "signed_out");
    let refused = server.login("grace", FIRST_PASSWORD).await;
    assert_eq!(refused.code(), "wrong_credentials");
    patch(json!({ "disabled": false })).await;
    let back = server.login("grace", FIRST_PASSWORD).await;
    assert_eq!(back.status, StatusCode::OK);

    let reset = json!({ "password": "another battery staple 8" });
    let reset = ada.post(&format!("{path}/password"), reset).await;
    assert_eq!(reset.status, StatusCode::NO_CONTENT);
    let back = server.person(&back);
    assert_eq!(back.get("/api/machines").await.code(), "signed_out");
    let old = server.login("grace", FIRST_PASSWORD).await;
    assert_eq!(old.code(), "wrong_credentials");
    let new = server.login("grace", "another battery staple 8").await;
    assert_eq!(new.status, StatusCode::OK);

    let actions = ada.actions().await;
    let about: Vec<_> = actions
        .iter()
        .filter(|action| action.starts_with("user."))
        .collect();
    assert_eq!(
        about,
        [
            "user.created",
            "user.changed",
            "user.changed",
            "user.disabled",
            "user.enabled",
            "user.password_reset",
        ]
    );
    let listed = ada.get("/api/users").await.body;
    assert_eq!(listed["items"].as_array().expect("a list").len(), 2);
    assert!(!listed.to_string().contains("argon2"));
}

async fn signing_in_while_the_password_is_reset_leaves_nobody_signed_in(server: TestServer) {
    let ada = server.claim().await;
    let id = add(&ada, grace()).await;
    let path = format!("/api/users/{id}/password");
    let sign_in = async || server.login("grace", FIRST_PASSWORD).await;

    // Two passwords are worked on at a time, the others wait: some of these read
    // the account before the reset and are done after it.
    let (reset, one, two, three, four) = tokio::join!(
        ada.post(&path, json!({ "password": "another battery staple 8" })),
        sign_in(),
        sign_in(),
        sign_in(),
        sign_in(),
    );

    assert_eq!(reset.status, StatusCode::NO_CONTENT, "{}", reset.body);
    for answer in [one, two, three, four] {
        if answer.status != StatusCode::OK {
            assert_eq!(answer.code(), "wrong_credentials");
            continue;
        }
        let grace = server.person(&answer);
        assert_eq!(grace.get("/api/auth/me").await.code(), "signed_out");
        assert_eq!(grace.refresh(&grace.cookie).await.code(), "signed_out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_is_checked() {
    let (_server, ada) = TestServer::claimed(&[]).await;
    let with = |name: &str, value: &str| {
        let mut person = grace();
        person[name] = value.into();
        person
    };
    let table = [
        (with("username", "ada"), 409, "name_taken"),
        (with("username", "no spaces"), 422, "invalid"),
        (with("display_name", " "), 422, "invalid"),
        (with("role", "owner"), 422, "invalid"),
        (with("password", "short"), 422, "weak_password"),
    ];
    for (person, status, code) in table {
        let refused = ada.post("/api/users", person.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (status, code),
            "{person}"
        );
    }
    let id = add(&ada, grace()).await;
    let typo = ada.request(Method::PATCH, &format!("/api/users/{id}"));
    let typo = crate::common::answer(typo.json(&json!({ "disable": true }))).await;
    assert_eq!(typo.status, StatusCode::UNPROCESSABLE_ENTITY);
    let weak = json!({ "password": "grace" });
    let weak = ada.post(&format!("/api/users/{id}/password"), weak).await;
    assert_eq!(weak.code(), "weak_password");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_manage_people_and_nobody_themselves() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let id = add(&ada, grace()).await;
    let bo = server
        .add_person("bo", gc_model::role::Role::SeniorTechnician)
        .await;
    let own = text(&ada.get("/api/auth/me").await.body["user"]["id"]);
    let tries = |id: &str| {
        [
            (
                Method::PATCH,
                format!("/api/users/{id}"),
                json!({ "role": "admin" }),
            ),
            (
                Method::PATCH,
                format!("/api/users/{id}"),
                json!({ "disabled": true }),
            ),
            (
                Method::POST,
                format!("/api/users/{id}/password"),
                json!({ "password": "another battery staple 8" }),
            ),
        ]
    };
    for (method, path, body) in tries(&id) {
        let refused = crate::common::answer(bo.request(method, &path).json(&body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(bo.get("/api/users").await.status, StatusCode::FORBIDDEN);
    let added = bo.post("/api/users", grace()).await;
    assert_eq!(added.status, StatusCode::FORBIDDEN);

    for (method, path, body) in tries(&own) {
        let refused = crate::common::answer(ada.request(method, &path).json(&body)).await;
        assert_eq!(refused.code(), "not_yourself", "{path} {body}");
    }
    for (method, path, body) in tries("nobody") {
        let refused = crate::common::answer(ada.request(method, &path).json(&body)).await;
        assert_eq!(refused.code(), "user_not_found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_open_ends_when_they_are_disabled() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let agent = TestAgent::online(&server, &ada).await;
    let id = add(&ada, grace()).await;
    let grace = server.person(&server.login("grace", FIRST_PASSWORD).await);
    let session = grace.start(&agent.machine).await;

    let disable = ada.request(Method::PATCH, &format!("/api/users/{id}"));
    crate::common::answer(disable.json(&json!({ "disabled": true }))).await;

    let sessions = ada
        .wait_for("/api/sessions", |sessions| {
            sessions["items"][0]["ended_at"].is_string()
        })
        .await;
    assert_eq!(sessions["items"][0]["id"], session["session_id"]);
    assert_eq!(sessions["items"][0]["end_reason"], "login_ended");
}
