//! The user of a managed machine asks for help.

use std::sync::atomic::{AtomicU32, Ordering};

use gc_model::role::Role;
use gc_proto::v1::agent_control::Body;
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{ChatText, GuestLeaves, GuestPhase, GuestState, RequestRefusal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Person, TestAgent, TestServer, on_both_engines, text};

on_both_engines! {
    a_machines_user_asks_is_taken_by_one_and_answered,
    a_request_is_taken_back_and_its_machine_stays,
    a_machine_asks_for_one_thing_at_a_time_and_not_too_often,
    the_users_of_a_machine_ask_beside_each_other_and_not_without_end,
    a_machine_that_was_away_hears_that_nothing_is_open_any_more,
    every_line_of_a_machines_user_is_answered,
    what_was_answered_while_the_machine_was_away_is_no_new_request,
}

async fn ask(agent: &mut TestAgent, name: &str, line: &str) {
    agent.ask_for_help("grace", name, line).await;
}

/// The next word about where the request stands.
async fn state(agent: &mut TestAgent) -> GuestState {
    match agent.hear().await {
        ServerBody::Guest(state) => state,
        other => panic!("a state, not {other:?}"),
    }
}

async fn queue(person: &Person, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let items = |body: &Value| body["items"].as_array().cloned().unwrap_or_default();
    let body = person
        .wait_for("/api/support-codes", |body| enough(&items(body)))
        .await;
    items(&body)
}

async fn act(person: &Person, entry: &Value, what: &str) -> Answer {
    let path = format!("/api/support-codes/{}/{what}", text(&entry["id"]));
    person.send(Method::POST, &path).await
}

async fn a_machines_user_asks_is_taken_by_one_and_answered(server: TestServer) {
    let ada = server.claim().await;
    let bo = server.add_person("bo", Role::Technician).await;
    let mut agent = TestAgent::online(&server, &ada).await;

    ask(&mut agent, "1", "It does not print").await;
    let asked = state(&mut agent).await;
    assert_eq!(asked.phase(), GuestPhase::Waiting);
    assert_eq!((asked.user.as_str(), asked.after_hours), ("grace", false));
    let line = agent.line().await;
    assert_eq!((line.client_id.as_str(), line.from_guest), ("1", true));

    let entry = queue(&ada, |items| !items.is_empty()).await.remove(0);
    assert_eq!(entry["requested"], true);
    assert_eq!(entry["state"], "waiting");
    assert_eq!(
        (&entry["code"], &entry["link"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(entry["guest"]["machine_id"], agent.machine);
    assert_eq!(entry["guest"]["user"], "grace");
    assert_eq!(entry["guest"]["is_managed"], true);
    assert_eq!(entry["guest"]["online"], true);

    assert_eq!(act(&bo, &entry, "take").await.status, StatusCode::OK);
    assert_eq!(
        act(&ada, &entry, "take").await.code(),
        "support_code_moved_on"
    );
    let taken = state(&mut agent).await;
    assert_eq!(taken.phase(), GuestPhase::Accepted);
    assert_eq!(taken.technician, "bo");
    let path = format!("/api/support-codes/{}/chat", text(&entry["id"]));
    let answer = json!({ "client_id": "a", "text": "I will look" });
    assert_eq!(bo.post(&path, answer).await.status, StatusCode::NO_CONTENT);
    let line = agent.line().await;
    assert_eq!(
        (line.author.as_str(), line.text.as_str()),
        ("bo", "I will look")
    );

    // The agent was away: it hears all of it again.
    agent.reconnect().await;
    assert_eq!(state(&mut agent).await.technician, "bo");
    assert_eq!(agent.line().await.text, "It does not print");
    assert_eq!(agent.line().await.text, "I will look");
    ask(&mut agent, "2", "It prints now").await;
    assert_eq!(agent.line().await.text, "It prints now");

    // Who took it may use the machine as ever, and nothing of that ends the machine.
    let request = json!({ "machine_id": agent.machine });
    let started = bo.post("/api/sessions/start", request).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);
    assert_eq!(act(&bo, &entry, "cancel").await.status, StatusCode::OK);
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Completed);
    let machines = ada.get("/api/machines").await.body["items"].clone();
    assert_eq!(machines[0]["id"], agent.machine);
    assert_eq!(machines[0]["online"], true);

    let log = ada.get("/api/audit").await.body["items"].clone();
    let log = log.as_array().expect("entries");
    let of = |action: &str| log.iter().find(|entry| entry["action"] == action).cloned();
    let requested = of("support_code.requested").expect("an entry");
    assert_eq!(requested["detail"]["user"], "grace");
    assert_eq!(requested["machine"]["id"], agent.machine);
    assert!(of("support_code.taken").is_some() && of("support_code.completed").is_some());
}

async fn a_request_is_taken_back_and_its_machine_stays(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    ask(&mut agent, "1", "Help").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    agent.line().await;

    agent.say(Body::GuestLeaves(GuestLeaves {})).await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Completed);
    let entry = queue(&ada, |items| {
        items.iter().any(|item| item["state"] == "completed")
    })
    .await;
    assert_eq!(entry[0]["end_reason"], "guest_left");
    assert_eq!(
        act(&ada, &entry[0], "take").await.code(),
        "support_code_moved_on"
    );

    // And then again.
    ask(&mut agent, "2", "Help after all").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    assert_eq!(agent.line().await.text, "Help after all");

    // A machine that is removed waits for nobody.
    let path = format!("/api/machines/{}", agent.machine);
    let removed = ada.send(Method::DELETE, &path).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let over = |items: &[Value]| items[0]["end_reason"] == "machine_removed";
    queue(&ada, over).await;
}

async fn a_machine_asks_for_one_thing_at_a_time_and_not_too_often(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    for round in 0..5 {
        ask(&mut agent, &format!("1-{round}"), "Help").await;
        assert_eq!(
            state(&mut agent).await.phase(),
            GuestPhase::Waiting,
            "{round}"
        );
        agent.line().await;
        ask(&mut agent, "2", "Please").await;
        assert_eq!(agent.line().await.text, "Please");
        agent.say(Body::GuestLeaves(GuestLeaves {})).await;
        assert_eq!(state(&mut agent).await.phase(), GuestPhase::Completed);
    }

    ask(&mut agent, "3", "Help").await;
    assert_eq!(
        refusal(&mut agent).await,
        ("3".into(), RequestRefusal::TooOften)
    );
    assert_eq!(queue(&ada, |_| true).await.len(), 5);
}

/// Asks and takes it back at once, unless that was refused.
async fn ask_and_leave(agent: &mut TestAgent, user: &str) -> Result<(), RequestRefusal> {
    // Every line has a name of its own.
    static LINES: AtomicU32 = AtomicU32::new(0);
    let name = LINES.fetch_add(1, Ordering::Relaxed).to_string();
    agent.ask_for_help(user, &name, "Help").await;
    match agent.hear().await {
        ServerBody::Guest(state) => assert_eq!(state.phase(), GuestPhase::Waiting),
        ServerBody::RequestRefused(refused) => return Err(refused.reason()),
        other => panic!("an answer, not {other:?}"),
    }
    agent.line().await;
    agent.say(Body::GuestLeaves(GuestLeaves {})).await;
    assert_eq!(state(agent).await.phase(), GuestPhase::Completed);
    Ok(())
}

async fn the_users_of_a_machine_ask_beside_each_other_and_not_without_end(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    for _ in 0..5 {
        assert_eq!(ask_and_leave(&mut agent, "mallory").await, Ok(()));
    }
    let too_often = Err(RequestRefusal::TooOften);
    assert_eq!(ask_and_leave(&mut agent, "mallory").await, too_often);

    // Whoever else works there has lost nothing by it.
    assert_eq!(ask_and_leave(&mut agent, "grace").await, Ok(()));

    // Names are the machine's word: new ones do not wake people without end.
    for name in 0..14 {
        let user = format!("user {name}");
        assert_eq!(ask_and_leave(&mut agent, &user).await, Ok(()), "{name}");
    }
    let here = Err(RequestRefusal::TooOftenHere);
    assert_eq!(ask_and_leave(&mut agent, "one more").await, here);
    let metrics = server.metrics().await;
    let counted = metrics
        .lines()
        .find(|line| line.contains("machine_request"))
        .expect("is counted");
    assert!(counted.ends_with(" 2"), "{counted}");
}

/// Whoever writes to a full chat hears so; nothing stands in it that is not read by anybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_for_a_full_chat_is_refused_to_a_machine_and_to_a_guest() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut machine = TestAgent::online(&server, &ada).await;
    ask(&mut machine, "1", "Help").await;
    assert_eq!(state(&mut machine).await.phase(), GuestPhase::Waiting);
    machine.line().await;
    let request = queue(&ada, |items| !items.is_empty()).await.remove(0);
    let made = ada.post("/api/support-codes", json!({})).await.body;
    let mut guest = TestAgent::guest(&server, &text(&made["code"])).await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);
    for entry in [&request["id"], &made["id"]] {
        server.fill_chat(&text(entry)).await;
    }

    ask(&mut machine, "2", "One more thing").await;
    let line = ChatText {
        client_id: "3".into(),
        text: "One more thing".into(),
    };
    guest.say(Body::Chat(line)).await;

    let full = |name: &str| (name.to_owned(), RequestRefusal::ChatFull);
    assert_eq!(refusal(&mut machine).await, full("2"));
    assert_eq!(refusal(&mut guest).await, full("3"));
}

/// What was not taken, and why.
async fn refusal(agent: &mut TestAgent) -> (String, RequestRefusal) {
    match agent.hear().await {
        ServerBody::RequestRefused(refused) => (refused.client_id.clone(), refused.reason()),
        other => panic!("a refusal, not {other:?}"),
    }
}

async fn a_machine_that_was_away_hears_that_nothing_is_open_any_more(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let is_nothing = |said: ServerBody| match said {
        ServerBody::Guest(state) => state.phase() == GuestPhase::Unspecified,
        other => panic!("a state, not {other:?}"),
    };
    assert!(is_nothing(agent.hear_all().await));
    ask(&mut agent, "1", "Help").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    agent.line().await;
    agent.reconnect().await;
    assert!(!is_nothing(agent.hear_all().await));

    let entry = queue(&ada, |items| !items.is_empty()).await.remove(0);
    assert_eq!(act(&ada, &entry, "cancel").await.status, StatusCode::OK);
    agent.reconnect().await;

    assert!(is_nothing(agent.hear_all().await));
}

async fn every_line_of_a_machines_user_is_answered(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    let failed = |name: &str| (name.to_owned(), RequestRefusal::Failed);

    // Nothing that could be shown, before and after there is a request.
    ask(&mut agent, "1", "\u{200b}").await;
    assert_eq!(refusal(&mut agent).await, failed("1"));
    ask(&mut agent, "2", "Help").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    assert_eq!(agent.line().await.client_id, "2");
    ask(&mut agent, "3", "\u{200b}\u{feff}").await;
    assert_eq!(refusal(&mut agent).await, failed("3"));
    ask(&mut agent, "a name", "Please").await;
    assert_eq!(refusal(&mut agent).await, failed("a name"));

    // A guest is answered too.
    let made = ada.post("/api/support-codes", json!({})).await.body;
    let mut guest = TestAgent::guest(&server, &text(&made["code"])).await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);
    ask(&mut guest, "4", "\u{200b}").await;
    assert_eq!(refusal(&mut guest).await, failed("4"));
}

async fn what_was_answered_while_the_machine_was_away_is_no_new_request(server: TestServer) {
    let ada = server.claim().await;
    let mut agent = TestAgent::online(&server, &ada).await;
    ask(&mut agent, "1", "Help").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    agent.line().await;
    let entry = queue(&ada, |items| !items.is_empty()).await.remove(0);
    for (what, phase) in [
        ("take", GuestPhase::Accepted),
        ("cancel", GuestPhase::Completed),
    ] {
        assert_eq!(act(&ada, &entry, what).await.status, StatusCode::OK);
        assert_eq!(state(&mut agent).await.phase(), phase);
    }

    // Its connection broke before it heard that its line had arrived: it says it again.
    agent.reconnect().await;
    ask(&mut agent, "1", "Help").await;

    let stands = state(&mut agent).await;
    assert_eq!(
        (stands.phase(), stands.user.as_str()),
        (GuestPhase::Completed, "grace")
    );
    assert_eq!(agent.line().await.client_id, "1");
    assert_eq!(queue(&ada, |_| true).await.len(), 1);

    ask(&mut agent, "2", "Help again").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    assert_eq!(agent.line().await.client_id, "2");
    assert_eq!(queue(&ada, |_| true).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_written_with_its_words_or_not_at_all() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    server.break_database("INSERT ON chat_lines").await;
    ask(&mut agent, "1", "Help").await;
    let failed = ("1".into(), RequestRefusal::Failed);
    assert_eq!(refusal(&mut agent).await, failed);
    assert!(queue(&ada, |_| true).await.is_empty());

    server.mend_database().await;
    ask(&mut agent, "1", "Help").await;

    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);
    assert_eq!(agent.line().await.text, "Help");
    assert_eq!(queue(&ada, |_| true).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_has_its_code_and_makes_no_request_of_its_own() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let made = ada.post("/api/support-codes", json!({})).await.body;
    let mut guest = TestAgent::guest(&server, &text(&made["code"])).await;
    assert_eq!(guest.phase().await, GuestPhase::Waiting);

    ask(&mut guest, "1", "And another thing").await;

    assert_eq!(guest.line().await.text, "And another thing");
    let items = queue(&ada, |_| true).await;
    assert_eq!((items.len(), &items[0]["requested"]), (1, &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_with_the_empty_code_of_a_request() {
    let (server, ada) = TestServer::claimed(&[]).await;
    let mut agent = TestAgent::online(&server, &ada).await;
    ask(&mut agent, "1", "Help").await;
    assert_eq!(state(&mut agent).await.phase(), GuestPhase::Waiting);

    for digits in ["", "machine:", &format!("machine:{}", agent.machine)] {
        let claim = TestAgent::claim_request(digits);
        let answer = server.post("/api/support/claim", claim).await;
        assert_eq!(answer.code(), "code_not_active", "{digits:?}");
    }
}
