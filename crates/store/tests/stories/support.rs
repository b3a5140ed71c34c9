//! Codes, guests, chat.

use std::collections::BTreeSet;

use gc_model::id::SupportId;
use gc_model::machine::{MachineFacts, OsFamily};
use gc_model::support::{CodeEvent, CodeState, SupportCode};
use gc_store::{
    Action, Actor, ClaimCodeError, CodeChange, CreateCodeError, GuestClaim, MAX_LINES_READ,
    NewChatLine, NewSupportCode, Said, Store,
};

use crate::{Database, actions, at, entry, hash, machine_id, stories, user_id};

stories! {
    live_codes_are_unique_and_ended_ones_are_free,
    one_of_many_that_draw_the_same_code_at_once_gets_it,
    a_guest_comes_is_let_in_and_is_gone_afterwards,
    of_many_guests_with_one_code_one_comes_in,
    an_expired_code_lets_nobody_in,
    of_two_answers_one_counts,
    a_line_that_is_sent_twice_is_said_once,
    only_the_newest_lines_of_a_long_chat_are_read,
    old_codes_are_forgotten_with_their_chat,
}

fn id(text: &str) -> SupportId {
    SupportId::parse(text).expect("an id")
}

fn code(text: &str) -> SupportCode {
    SupportCode::parse(text).expect("a code")
}

fn new_code(name: &str, digits: &str) -> NewSupportCode {
    NewSupportCode {
        id: id(name),
        code: code(digits),
        customer: "Contoso".into(),
        created_by: user_id("u1"),
        creator: "Ada Lovelace".into(),
        assigned_to: None,
        created_at: at(0),
        expires_at: None,
        address: String::new(),
    }
}

async fn create(store: &Store, name: &str, digits: &str) -> Result<(), CreateCodeError> {
    let made = entry(Action::SupportCodeCreated);
    store
        .create_support_code(new_code(name, digits), made)
        .await
        .map(|_| ())
}

fn claim(name: &str, machine: &str) -> GuestClaim {
    GuestClaim {
        id: id(name),
        machine_id: machine_id(machine),
        facts: MachineFacts {
            host_name: "HOME-PC".into(),
            os_family: OsFamily::Windows,
            os_name: "Windows 11 Home".into(),
            os_version: "10.0".into(),
            architecture: "x86_64".into(),
            current_user: "grace".into(),
            boot_time_unix: 0,
        },
        agent_public_key: [7; 32],
        key_hash: hash(machine),
        address: "198.51.100.7".into(),
        now: at(10),
    }
}

fn change(name: &str, event: CodeEvent) -> CodeChange {
    CodeChange {
        id: id(name),
        event,
        technician: None,
        session_id: None,
        reason: None,
        actor: Actor::System,
        address: None,
        now: at(20),
    }
}

async fn live_codes_are_unique_and_ended_ones_are_free(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("the first");

    let taken = create(&store, "b", "847291").await;
    store
        .change_support_code(change("a", CodeEvent::Cancel))
        .await
        .expect("an answer")
        .expect("it was open");
    let free = create(&store, "c", "847291").await;

    assert!(matches!(taken, Err(CreateCodeError::Taken)));
    assert!(free.is_ok());
    let live = store
        .live_support_code(&code("847291"))
        .await
        .expect("an answer")
        .expect("it is live");
    assert_eq!(live.id, id("c"));
    let ended = store.ended_support_codes(10).await.expect("codes");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].state, CodeState::Cancelled);
}

async fn one_of_many_that_draw_the_same_code_at_once_gets_it(database: Database) {
    let store = database.open().await;
    let tries = (0..12).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { create(&store, &format!("c{n}"), "000042").await })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            Ok(()) => won += 1,
            Err(CreateCodeError::Taken) => {}
            Err(error) => panic!("{error}"),
        }
    }

    assert_eq!(won, 1);
    assert_eq!(store.live_support_codes().await.expect("codes").len(), 1);
}

async fn a_guest_comes_is_let_in_and_is_gone_afterwards(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("a code");

    let claimed = store
        .claim_support_code(claim("a", "g1"))
        .await
        .expect("in the waiting room");
    let accepted = CodeChange {
        technician: Some((user_id("u1"), "Ada Lovelace".into())),
        ..change("a", CodeEvent::Accept)
    };
    let accepted = store
        .change_support_code(accepted)
        .await
        .expect("an answer")
        .expect("it waited");

    assert_eq!(claimed.code.state, CodeState::Waiting);
    let guest = claimed.code.guest.expect("a guest");
    assert_eq!(
        (guest.host_name.as_str(), guest.user.as_str()),
        ("HOME-PC", "grace")
    );
    assert_eq!(accepted.state, CodeState::Accepted);
    assert_eq!(accepted.technician, "Ada Lovelace");
    // A guest is a machine with a key, but in no list.
    assert!(store.machines().await.expect("machines").is_empty());
    let of_key = store.machine_of_key(&hash("g1")).await.expect("an answer");
    assert_eq!(of_key.map(|machine| machine.id), Some(machine_id("g1")));
    let of_guest = store.support_code_of(&machine_id("g1")).await;
    assert_eq!(
        of_guest.expect("an answer").map(|code| code.id),
        Some(id("a"))
    );

    let left = CodeChange {
        reason: Some("guest_left"),
        ..change("a", CodeEvent::Leave)
    };
    let completed = store.change_support_code(left).await.expect("an answer");

    assert_eq!(
        completed.map(|code| (code.state, code.end_reason)),
        Some((CodeState::Completed, Some("guest_left".to_owned())))
    );
    assert!(
        store
            .machine(&machine_id("g1"))
            .await
            .expect("an answer")
            .is_none()
    );
    assert!(
        store
            .machine_of_key(&hash("g1"))
            .await
            .expect("an answer")
            .is_none()
    );
    assert!(
        store
            .live_support_code(&code("847291"))
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(
        actions(&store).await,
        [
            "support_code.created",
            "support_code.claimed",
            "support_code.accepted",
            "support_code.completed"
        ]
    );
}

async fn of_many_guests_with_one_code_one_comes_in(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("a code");
    let guests = (0..8).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.claim_support_code(claim("a", &format!("g{n}"))).await })
    });
    let mut machines = BTreeSet::new();
    for guest in guests.collect::<Vec<_>>() {
        match guest.await.expect("no panic") {
            Ok(claimed) => {
                machines.insert(claimed.machine.id.to_string());
            }
            Err(ClaimCodeError::NotActive) => {}
            Err(error) => panic!("{error}"),
        }
    }

    assert_eq!(machines.len(), 1);
    let code = store.support_code(&id("a")).await.expect("an answer");
    let guest = code.and_then(|code| code.guest).expect("a guest");
    assert!(machines.contains(guest.machine_id.as_str()));
}

async fn an_expired_code_lets_nobody_in(database: Database) {
    let store = database.open().await;
    let short = NewSupportCode {
        expires_at: Some(at(10)),
        ..new_code("a", "847291")
    };
    store
        .create_support_code(short, entry(Action::SupportCodeCreated))
        .await
        .expect("a code");

    let late = store.claim_support_code(claim("a", "g1")).await;

    assert!(matches!(late, Err(ClaimCodeError::NotActive)));
    assert!(
        store
            .machine(&machine_id("g1"))
            .await
            .expect("an answer")
            .is_none()
    );
}

async fn of_two_answers_one_counts(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("a code");
    store
        .claim_support_code(claim("a", "g1"))
        .await
        .expect("in the waiting room");

    let first = store
        .change_support_code(change("a", CodeEvent::Refuse))
        .await;
    let second = store
        .change_support_code(change("a", CodeEvent::Accept))
        .await;
    let unknown = store
        .change_support_code(change("x", CodeEvent::Accept))
        .await;

    assert_eq!(
        first.expect("an answer").map(|code| code.state),
        Some(CodeState::Refused)
    );
    assert!(second.expect("an answer").is_none());
    assert!(unknown.expect("an answer").is_none());
}

fn line(client_id: &str, from_guest: bool, text: &str) -> NewChatLine {
    NewChatLine {
        support_id: id("a"),
        from_guest,
        client_id: client_id.into(),
        author: "grace".into(),
        text: text.into(),
        at: at(5),
    }
}

async fn a_line_that_is_sent_twice_is_said_once(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("a code");

    let first = store.say(line("1", true, "Hello")).await.expect("said");
    let again = store
        .say(line("1", true, "Hello"))
        .await
        .expect("an answer");
    let other = store.say(line("1", false, "Hi!")).await.expect("said");

    let (Said::New(first), Said::New(_)) = (first, other) else {
        panic!("two new lines")
    };
    assert_eq!(again, Said::Before(first));
    let chat = store.chat(&id("a")).await.expect("a chat");
    let texts: Vec<_> = chat.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["Hello", "Hi!"]);
    assert!(chat[0].id < chat[1].id);
}

async fn only_the_newest_lines_of_a_long_chat_are_read(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("a code");
    for index in 0..MAX_LINES_READ + 3 {
        let number = index.to_string();
        store.say(line(&number, true, &number)).await.expect("said");
    }

    let chat = store.chat(&id("a")).await.expect("a chat");

    let texts = chat
        .iter()
        .map(|line| line.text.parse::<u64>().expect("a number"));
    assert!(texts.eq(3..MAX_LINES_READ + 3));
}

async fn old_codes_are_forgotten_with_their_chat(database: Database) {
    let store = database.open().await;
    create(&store, "a", "847291").await.expect("a code");
    create(&store, "b", "847292").await.expect("a code");
    store.say(line("1", true, "Hello")).await.expect("said");
    store
        .change_support_code(change("a", CodeEvent::Cancel))
        .await
        .expect("an answer");

    assert_eq!(store.delete_support_before(at(20)).await.expect("done"), 0);
    assert_eq!(store.delete_support_before(at(21)).await.expect("done"), 1);

    assert!(store.chat(&id("a")).await.expect("a chat").is_empty());
    assert!(
        store
            .support_code(&id("b"))
            .await
            .expect("an answer")
            .is_some()
    );
}
