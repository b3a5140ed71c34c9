//! Attended support, from the code to its end.

use gc_model::role::Role;
use gc_proto::v1::agent_control::Body;
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{ChatText, ConsentAnswer, ConsentReport, GuestLeaves, GuestPhase};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::{
    AGENT_KEY, Answer, Person, TestAgent, TestServer, answer, on_both_engines, text,
};

on_both_engines! {
    a_customer_is_let_in_helped_and_gone_afterwards,
    a_code_opens_once_and_never_says_why_it_does_not,
    the_chat_reaches_both_sides_and_is_there_after_a_reconnect,
}

async fn code(person: &Person, request: Value) -> Value {
    let made = person.post("/api/support-codes", request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body
}

async fn act(person: &Person, code: &Value, what: &str) -> Answer {
    let path = format!("/api/support-codes/{}/{what}", text(&code["id"]));
    person.send(Method::POST, &path).await
}

async fn wait_for_state(person: &Person, code: &Value, state: &str) -> Value {
    let id = code["id"].clone();
    let found = |body: &Value| {
        let items = body["items"].as_array()?;
        items.iter().find(|item| item["id"] == id).cloned()
    };
    let body = person
        .wait_for("/api/support-codes", |body| {
            found(body).is_some_and(|item| item["state"] == state)
        })
        .await;
    found(&body).expect("it was found")
}

async fn claim(server: &TestServer, digits: &str) -> Answer {
    let request = TestAgent::claim_request(digits);
    server.post("/api/support/claim", request).await
}

async fn start(person: &Person, machine: &str) -> Answer {
    let request = json!({ "machine_id": machine });
    person.post("/api/sessions/start", request).await
}

async fn a_customer_is_let_in_helped_and_gone_afterwards(server: TestServer) {
    let ada = server.claim().await;
    let made = code(
        &ada,
        json!({ "customer": "Contoso", "assigned_to_me": true }),
    )
    .await;
    let digits = text(&made["code"]);
    assert_eq!(digits.len(), 6);
    assert_eq!(made["state"], "open");

    let info = server
        .get(&format!("/api/support/info?code={digits}"))
        .await;
    assert_eq!(info.body["technician"], "Ada Lovelace");
    assert_eq!(info.body["company"], "GuruConnect");
    let mut guest = TestAgent::guest(&server, &digits).await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);

    let waiting = wait_for_state(&ada, &made, "waiting").await;
    assert_eq!(waiting["guest"]["host_name"], "HOME-PC");
    assert_eq!(waiting["guest"]["user"], "grace");
    assert_eq!(waiting["guest"]["address"], "127.0.0.1");
    assert_eq!(waiting["guest"]["machine_id"], guest.machine);
    assert_eq!(
        start(&ada, &guest.machine).await.code(),
        "guest_not_accepted"
    );
    assert_eq!(ada.get("/api/machines").await.body["items"], json!([]));
    let metrics = server.get("/metrics").await;
    assert!(text(&metrics.body).contains("guruconnect_machines_online 0\n"));

    assert_eq!(act(&ada, &made, "accept").await.status, StatusCode::OK);
    assert_eq!(guest.phase().await, GuestPhase::Accepted);
    assert_eq!(
        act(&ada, &made, "accept").await.code(),
        "support_code_moved_on"
    );
    let started = start(&ada, &guest.machine).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);
    // Told once more: the session is open.
    assert_eq!(guest.phase().await, GuestPhase::Accepted);
    let session_id = text(&started.body["session_id"]);
    guest
        .say(Body::Consent(ConsentReport {
            session_id: session_id.clone(),
            rights: vec!["view".into(), "control".into()],
            answer: ConsentAnswer::Allowed.into(),
            waited_ms: 4_200,
        }))
        .await;
    guest.say(Body::GuestLeaves(GuestLeaves {})).await;

    let over = wait_for_state(&ada, &made, "completed").await;
    assert_eq!(over["end_reason"], "guest_left");
    assert_eq!(over["link"], Value::Null);
    let mut last = guest.hear().await;
    while matches!(last, ServerBody::Closed(_)) {
        last = guest.hear().await;
    }
    assert!(matches!(last, ServerBody::Guest(state) if state.phase() == GuestPhase::Completed));
    assert_eq!(guest.close_code().await, 4003);
    let sessions = ada.get("/api/sessions").await.body["items"].clone();
    assert_eq!(sessions[0]["end_reason"], "ended_by_guest");
    assert_eq!(
        start(&ada, &guest.machine).await.code(),
        "machine_not_found"
    );
    let log = ada.actions().await;
    for action in [
        "support_code.created",
        "support_code.claimed",
        "support_code.accepted",
        "session.started",
        "consent.answered",
        "support_code.completed",
        "session.ended",
    ] {
        assert!(log.iter().any(|entry| entry == action), "{action}: {log:?}");
    }
    let entries = ada.get("/api/audit?action=consent.answered").await.body;
    let detail = &entries["items"][0]["detail"];
    assert_eq!(detail["answer"], "allowed");
    assert_eq!(detail["waited_ms"], 4_200);
    assert_eq!(entries["items"][0]["session_id"], session_id.as_str());
    // Codes open doors: none is in the log.
    let everything = ada.get("/api/audit").await.body.to_string();
    assert!(!everything.contains(&digits));
}

async fn a_code_opens_once_and_never_says_why_it_does_not(server: TestServer) {
    let ada = server.claim().await;
    let used = code(&ada, json!({})).await;
    let cancelled = code(&ada, json!({})).await;
    let expired = code(&ada, json!({ "expires_in_seconds": 1 })).await;
    let _guest = TestAgent::guest(&server, &text(&used["code"])).await;
    act(&ada, &cancelled, "cancel").await;
    wait_for_state(&ada, &expired, "expired").await;

    let mut answers = Vec::new();
    for digits in [&used["code"], &cancelled["code"], &expired["code"]] {
        answers.push(claim(&server, &text(digits)).await);
    }
    answers.push(claim(&server, "000000").await);
    answers.push(claim(&server, "letters").await);

    for answer in &answers {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body, answers[0].body);
    }
    // Five wrong ones: now this address waits, also with a right code, but not
    // with a link.
    let fresh = code(&ada, json!({})).await;
    let digits = text(&fresh["code"]);
    let slowed = claim(&server, &digits).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slowed.code(), "too_many_codes");
    assert!(!slowed.header("retry-after").is_empty());
    let link = text(&fresh["link"]);
    let (_, token) = link.split_once("?k=").expect("a token");
    assert!(link.contains(&format!("/support/{digits}?k=")));
    let mut by_link = TestAgent::claim_request(&digits);
    by_link["link_token"] = json!(format!("{token}x"));
    let wrong = server.post("/api/support/claim", by_link.clone()).await;
    assert_eq!(wrong.status, StatusCode::TOO_MANY_REQUESTS);
    by_link["link_token"] = json!(token);
    let claimed = server.post("/api/support/claim", by_link).await;
    assert_eq!(claimed.status, StatusCode::CREATED, "{}", claimed.body);
    let metrics = server.metrics().await;
    assert!(metrics.contains("guruconnect_support_codes_wrong_total 5\n"));
    assert!(metrics.contains("guruconnect_limiter_refusals_total{kind=\"support_guess\"} 2\n"));
}

async fn the_chat_reaches_both_sides_and_is_there_after_a_reconnect(server: TestServer) {
    let ada = server.claim().await;
    let made = code(&ada, json!({})).await;
    let chat = format!("/api/support-codes/{}/chat", text(&made["id"]));
    let mut guest = TestAgent::guest(&server, &text(&made["code"])).await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);

    let hello = ChatText {
        client_id: "1".into(),
        text: " It does not print.\r\nSee https://example.com\u{202e} ".into(),
    };
    guest.say(Body::Chat(hello.clone())).await;
    let heard = guest.line().await;
    assert!(heard.from_guest);
    assert_eq!(heard.client_id, "1");
    assert_eq!(heard.text, "It does not print.\nSee https://example.com");
    assert_eq!(heard.author, "grace");
    // Sent again, as after a lost connection.
    guest.say(Body::Chat(hello)).await;
    let answer = json!({ "client_id": "1", "text": "I will look." });
    assert_eq!(ada.post(&chat, answer).await.status, StatusCode::NO_CONTENT);
    let line = guest.line().await;
    assert_eq!(
        (line.text.as_str(), line.from_guest),
        ("I will look.", false)
    );
    assert_eq!(line.author, "Ada Lovelace");
    assert_eq!(line.client_id, "");

    guest.reconnect().await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);
    assert_eq!(guest.line().await.id, heard.id);
    assert_eq!(guest.line().await.id, line.id);
    let lines = ada.get(&chat).await.body["items"].clone();
    assert_eq!(lines.as_array().map(Vec::len), Some(2));
    let listed = wait_for_state(&ada, &made, "waiting").await;
    assert_eq!(listed["last_guest_line"], heard.id);
    for (bad, status) in [
        (json!({ "client_id": "1" }), 422),
        (json!({ "client_id": "2", "text": "\u{7}" }), 204),
    ] {
        assert_eq!(ada.post(&chat, bad).await.status.as_u16(), status);
    }

    act(&ada, &made, "refuse").await;
    assert_eq!(guest.phase().await, GuestPhase::Refused);
    let late = json!({ "client_id": "3", "text": "Hello?" });
    assert_eq!(ada.post(&chat, late).await.code(), "support_code_moved_on");
    let after = ada.get(&chat).await.body["items"].clone();
    assert_eq!(after.as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_technicians_one_helps() {
    let (server, ada) = TestServer::claimed(&["--support-code-digits", "5"]).await;
    let bo = server.add_person("bo", Role::Technician).await;
    let mine = code(&bo, json!({ "assigned_to_me": true })).await;
    let anyones = code(&bo, json!({})).await;
    assert_eq!(text(&mine["code"]).len(), 5);
    let cleo = server.add_person("cleo", Role::Technician).await;
    let mut first = TestAgent::guest(&server, &text(&mine["code"])).await;
    let second = TestAgent::guest(&server, &text(&anyones["code"])).await;
    assert_eq!(first.phase().await, GuestPhase::Waiting);

    assert_eq!(act(&cleo, &mine, "accept").await.code(), "support_of_other");
    assert_eq!(act(&cleo, &anyones, "accept").await.status, StatusCode::OK);
    assert_eq!(
        act(&bo, &anyones, "accept").await.code(),
        "support_of_other"
    );
    assert_eq!(start(&bo, &second.machine).await.code(), "guest_of_other");
    assert_eq!(start(&cleo, &second.machine).await.status, StatusCode::OK);
    // A senior colleague or an administrator may end it.
    assert_eq!(act(&ada, &anyones, "cancel").await.status, StatusCode::OK);
    let over = wait_for_state(&cleo, &anyones, "completed").await;
    assert_eq!(over["end_reason"], "ended_by_technician");
    act(&bo, &mine, "cancel").await;
    assert_eq!(first.phase().await, GuestPhase::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_is_refused_while_connecting_is_told_so() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = code(&ada, json!({})).await;
    let mut guest = TestAgent::silent_guest(&server, &text(&made["code"])).await;

    assert_eq!(act(&ada, &made, "refuse").await.status, StatusCode::OK);
    guest.say_hello().await;

    assert_eq!(guest.phase().await, GuestPhase::Refused);
    assert_eq!(guest.close_code().await, 4003);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_no_managed_machine() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = code(&ada, json!({})).await;
    let guest = TestAgent::guest(&server, &text(&made["code"])).await;
    let path = format!("/api/machines/{}", guest.machine);

    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/revoke-key")),
    ] {
        let refused = ada.send(method, &path).await;
        assert_eq!(refused.code(), "machine_not_found", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn help_ends_some_seconds_after_its_last_session() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = code(&ada, json!({})).await;
    let mut guest = TestAgent::guest(&server, &text(&made["code"])).await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);
    act(&ada, &made, "accept").await;
    let first = start(&ada, &guest.machine).await;
    let end = format!("/api/sessions/{}/end", text(&first.body["session_id"]));
    ada.send(Method::POST, &end).await;
    // A viewer that is only reloaded comes back.
    let second = start(&ada, &guest.machine).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.body);
    let end = format!("/api/sessions/{}/end", text(&second.body["session_id"]));
    ada.send(Method::POST, &end).await;

    let over = wait_for_state(&ada, &made, "completed").await;

    assert_eq!(over["end_reason"], "session_ended");
    assert_eq!(over["session_id"], second.body["session_id"]);
}

/// Finds the answer to a challenge, as a browser would.
fn work(refused: &Answer) -> Value {
    let challenge = text(&refused.body["challenge"]);
    let bits = refused.body["difficulty"].as_u64().expect("a number") as u32;
    let answer = (0_u64..u64::MAX)
        .map(|n| n.to_string())
        .find(|n| {
            let digest = Sha256::digest(format!("{challenge}{n}"));
            let head = u32::from_be_bytes(digest[..4].try_into().expect("four bytes"));
            head.leading_zeros() >= bits
        })
        .expect("there is one");
    json!({ "challenge": challenge, "answer": answer })
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_flood_of_guesses_everybody_works_a_little_and_gets_in() {
    let (server, ada) = TestServer::claimed(&["--trusted-proxies", "127.0.0.1"]).await;
    let made = code(&ada, json!({})).await;
    let digits = text(&made["code"]);
    let from = |address: String, request: Value| {
        let post = server.request(Method::POST, "/api/support/claim");
        answer(post.header("x-forwarded-for", address).json(&request))
    };
    let wrong = if digits == "000000" {
        "000001"
    } else {
        "000000"
    };

    let mut asked = None;
    for n in 0..100 {
        let guess = from(format!("203.{n}.1.1"), TestAgent::claim_request(wrong)).await;
        match guess.status {
            StatusCode::NOT_FOUND => {}
            StatusCode::PRECONDITION_REQUIRED => {
                asked = Some(guess);
                break;
            }
            other => panic!("{other}: {}", guess.body),
        }
    }
    let asked = asked.expect("sixty wrong codes are too many");
    assert_eq!(asked.code(), "work_required");
    // The attack pays and goes on, so that no allowance comes back while this test waits.
    for n in 0..30 {
        let address = format!("204.{n}.1.1");
        let mut guess = TestAgent::claim_request(wrong);
        let asked = from(address.clone(), guess.clone()).await;
        if asked.status == StatusCode::PRECONDITION_REQUIRED {
            guess["work"] = work(&asked);
            from(address, guess).await;
        }
    }

    let mut request = TestAgent::claim_request(&digits);
    let refused = from("198.51.100.1".into(), request.clone()).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_REQUIRED);
    request["work"] = json!({ "challenge": refused.body["challenge"], "answer": "x" });
    let idle = from("198.51.100.1".into(), request.clone()).await;
    assert_eq!(idle.status, StatusCode::PRECONDITION_REQUIRED);
    request["work"] = work(&refused);
    let claimed = from("198.51.100.1".into(), request.clone()).await;
    assert_eq!(claimed.status, StatusCode::CREATED, "{}", claimed.body);
    // Work counts once.
    let again = from("198.51.100.2".into(), request).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_REQUIRED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_and_claimed_is_checked() {
    let (server, ada) = TestServer::claimed(&[]).await;
    for bad in [
        json!({ "expires_in_seconds": 0 }),
        json!({ "expires_in_seconds": 604_801 }),
        json!({ "customer": 7 }),
    ] {
        let refused = ada.post("/api/support-codes", bad).await;
        assert_eq!(refused.code(), "invalid");
    }
    let made = code(&ada, json!({})).await;
    for key in ["BwcH", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let mut request = TestAgent::claim_request(&text(&made["code"]));
        assert_eq!(request["agent_public_key"], AGENT_KEY);
        request["agent_public_key"] = json!(key);
        let refused = server.post("/api/support/claim", request).await;
        assert_eq!(refused.code(), "invalid");
    }
    let status = server.request(Method::GET, "/api/support/status");
    let forged = answer(status.header("support-ticket", "x.y")).await;
    assert_eq!(forged.code(), "ticket_not_found");
}
