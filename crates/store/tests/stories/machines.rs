//! Enrolment, keys, facts.

use chrono::{DateTime, Utc};
use gc_model::machine::{MachineFacts, OsFamily};
use gc_store::{Action, CheckIn, EnrolError, Enrolment, NewEnrolmentToken, Store};

use crate::{
    Database, actions, at, entry, hash, machine_id, new_session, session_id, stories, user_id,
};

stories! {
    an_enrolment_token_enrols_as_often_as_it_may,
    an_expired_or_deleted_token_enrols_nothing,
    the_same_device_id_is_the_same_machine_with_a_new_key,
    check_ins_replace_facts_and_leave_the_name,
    a_removed_machine_leaves_its_history,
}

fn facts(host_name: &str) -> MachineFacts {
    MachineFacts {
        host_name: host_name.into(),
        os_family: OsFamily::Windows,
        os_name: "Windows 11 Pro".into(),
        os_version: "10.0.22631".into(),
        architecture: "x86_64".into(),
        current_user: "Größe".into(),
        boot_time_unix: 1_799_999_000,
    }
}

fn enrolment(token: &str, machine: &str, key: &str, now: i64) -> Enrolment {
    Enrolment {
        token_hash: hash(token),
        machine_id: machine_id(machine),
        facts: facts("DESK-07"),
        agent_public_key: [7; 32],
        key_hash: hash(key),
        address: "192.0.2.3".into(),
        now: at(now),
    }
}

async fn add_token(store: &Store, max_uses: Option<u32>, expires_at: Option<DateTime<Utc>>) {
    let token = NewEnrolmentToken {
        id: "t1".into(),
        name: "Office".into(),
        token_hash: hash("enr"),
        max_uses,
        expires_at,
        created_by: user_id("u1"),
        created_at: at(0),
    };
    let made = store
        .create_enrolment_token(token, entry(Action::EnrolmentTokenCreated))
        .await;
    made.expect("a token");
}

async fn an_enrolment_token_enrols_as_often_as_it_may(database: Database) {
    let store = database.open().await;
    add_token(&store, Some(3), None).await;

    let mut tries = tokio::task::JoinSet::new();
    for n in 0..10 {
        let store = store.clone();
        tries.spawn(async move {
            store
                .enrol_machine(enrolment("enr", &format!("m{n}"), &format!("k{n}"), 0))
                .await
        });
    }
    let results = tries.join_all().await;

    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (3, 7));
    for error in lost {
        assert!(matches!(error, Err(EnrolError::TokenNotValid)), "{error:?}");
    }
    assert_eq!(store.machines().await.expect("machines").len(), 3);
    let token = store
        .enrolment_token("t1")
        .await
        .expect("an answer")
        .expect("the token");
    assert_eq!((token.uses, token.max_uses), (3, Some(3)));
}

async fn an_expired_or_deleted_token_enrols_nothing(database: Database) {
    let store = database.open().await;
    add_token(&store, None, Some(at(60))).await;

    let late = store.enrol_machine(enrolment("enr", "m1", "k1", 60)).await;
    assert!(matches!(late, Err(EnrolError::TokenNotValid)));
    assert!(
        store
            .enrol_machine(enrolment("enr", "m1", "k1", 59))
            .await
            .is_ok()
    );

    let deleted = entry(Action::EnrolmentTokenDeleted);
    assert!(
        store
            .delete_enrolment_token("t1", deleted.clone())
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .delete_enrolment_token("t1", deleted)
            .await
            .expect("an answer")
    );
    let after = store.enrol_machine(enrolment("enr", "m2", "k2", 0)).await;
    assert!(matches!(after, Err(EnrolError::TokenNotValid)));
    assert!(store.enrolment_tokens().await.expect("tokens").is_empty());
}

async fn the_same_device_id_is_the_same_machine_with_a_new_key(database: Database) {
    let store = database.open().await;
    add_token(&store, None, None).await;
    let first = store
        .enrol_machine(enrolment("enr", "m1", "k1", 0))
        .await
        .expect("enrolled");
    let renamed = entry(Action::MachineRenamed);
    store
        .rename_machine(&machine_id("m1"), "Reception".into(), renamed)
        .await
        .expect("renamed");

    let again = Enrolment {
        agent_public_key: [8; 32],
        ..enrolment("enr", "m1", "k2", 50)
    };
    let second = store.enrol_machine(again).await.expect("enrolled again");

    assert!(first.is_new && !second.is_new);
    assert_eq!(second.machine.name, "Reception");
    assert_eq!(second.machine.agent_public_key, [8; 32]);
    assert_eq!(second.machine.created_at, at(0));
    assert!(
        store
            .machine_of_key(&hash("k1"))
            .await
            .expect("an answer")
            .is_none()
    );
    let holder = store
        .machine_of_key(&hash("k2"))
        .await
        .expect("an answer")
        .expect("the machine");
    assert_eq!(holder, second.machine);
    assert!(
        actions(&store)
            .await
            .contains(&"machine.reenrolled".to_owned())
    );

    let revoked = entry(Action::MachineKeyRevoked);
    store
        .revoke_machine_key(&machine_id("m1"), at(60), revoked)
        .await
        .expect("revoked");
    assert!(
        store
            .machine_of_key(&hash("k2"))
            .await
            .expect("an answer")
            .is_none()
    );
}

async fn check_ins_replace_facts_and_leave_the_name(database: Database) {
    let store = database.open().await;
    add_token(&store, None, None).await;
    store
        .enrol_machine(enrolment("enr", "m1", "k1", 0))
        .await
        .expect("enrolled");

    let check_in = CheckIn {
        machine_id: machine_id("m1"),
        facts: facts("DESK-08"),
        agent_version: "0.1.0".into(),
        address: "198.51.100.1".into(),
        now: at(30),
    };
    let machine = store
        .record_check_in(check_in.clone())
        .await
        .expect("kept")
        .expect("known");
    assert_eq!(
        (machine.name.as_str(), &machine.facts),
        ("DESK-07", &facts("DESK-08"))
    );

    store
        .record_seen(&[machine_id("m1"), machine_id("gone")], at(90))
        .await
        .expect("noted");
    let machine = store
        .machine(&machine_id("m1"))
        .await
        .expect("an answer")
        .expect("known");
    assert_eq!(
        (machine.last_seen_at, machine.agent_version.as_str()),
        (at(90), "0.1.0")
    );

    let unknown = CheckIn {
        machine_id: machine_id("m2"),
        ..check_in
    };
    assert!(
        store
            .record_check_in(unknown)
            .await
            .expect("an answer")
            .is_none()
    );
}

async fn a_removed_machine_leaves_its_history(database: Database) {
    let store = database.open().await;
    add_token(&store, None, None).await;
    store
        .enrol_machine(enrolment("enr", "m1", "k1", 0))
        .await
        .expect("enrolled");
    let started = entry(Action::SessionStarted);
    store
        .create_session(new_session("s1", "m1", 10), started)
        .await
        .expect("a session");

    let removed = entry(Action::MachineRemoved);
    assert!(
        store
            .delete_machine(&machine_id("m1"), removed.clone())
            .await
            .expect("an answer")
    );
    assert!(
        !store
            .delete_machine(&machine_id("m1"), removed)
            .await
            .expect("an answer")
    );

    assert!(
        store
            .machine_of_key(&hash("k1"))
            .await
            .expect("an answer")
            .is_none()
    );
    let session = store
        .session(&session_id("s1"))
        .await
        .expect("an answer")
        .expect("kept");
    assert_eq!(session.machine_name, "DESK-07");
}
