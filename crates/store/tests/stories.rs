//! What the store promises, told once and played on both engines.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, MachineId, SessionId, UserId};
use gc_model::machine::{MachineFacts, OsFamily};
use gc_model::role::Role;
use gc_model::session::EndReason;
use gc_store::{
    Action, Actor, AuditFilter, CheckIn, ClaimError, CreateUserError, EndedSession, EnrolError,
    Enrolment, NewAuditEntry, NewEnrolmentToken, NewLogin, NewSession, NewUser, OpenError,
    RotateError, Rotation, SecretHash, SessionCursor, SessionFilter, Store, Usage,
};
use gc_testkit::postgres::Postgres;
use std::sync::Arc;

/// A database of one engine, gone when dropped.
struct Database {
    url: String,
    _folder: Option<tempfile::TempDir>,
    _postgres: Option<Arc<Postgres>>,
}

impl Database {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self {
            url,
            _folder: Some(folder),
            _postgres: None,
        }
    }

    fn postgres() -> Self {
        let postgres = Postgres::shared();
        Self {
            url: postgres.database(),
            _folder: None,
            _postgres: Some(postgres),
        }
    }

    async fn open(&self) -> Store {
        Store::open(&self.url, at(0))
            .await
            .expect("the database opens")
    }
}

macro_rules! stories {
    ($($story:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(super::Database::sqlite()).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(super::Database::postgres()).await;
                }
            )*
        }
    };
}

stories! {
    of_many_claims_at_once_one_wins,
    names_are_taken_once,
    a_refresh_token_works_once_and_its_second_use_ends_the_login,
    of_many_uses_of_one_refresh_token_at_once_one_wins,
    ended_and_expired_logins_are_not_live,
    a_new_password_ends_every_other_login,
    an_enrolment_token_enrols_as_often_as_it_may,
    an_expired_or_deleted_token_enrols_nothing,
    the_same_device_id_is_the_same_machine_with_a_new_key,
    check_ins_replace_facts_and_leave_the_name,
    a_removed_machine_leaves_its_history,
    a_session_adds_up_and_ends_once,
    sessions_are_read_page_by_page,
    the_audit_log_is_filtered_paged_and_forgotten,
    everything_is_there_after_opening_again,
    a_database_of_a_newer_version_is_left_alone,
    the_report_by_sql_works,
}

/// Seconds on the stories' clock, with microseconds to be kept.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 123_456_000).expect("a date")
}

fn hash(text: &str) -> SecretHash {
    let mut digest = [0; 32];
    digest[..text.len()].copy_from_slice(text.as_bytes());
    SecretHash::from_digest(digest)
}

fn user_id(id: &str) -> UserId {
    UserId::parse(id).expect("an id")
}

fn login_id(id: &str) -> LoginId {
    LoginId::parse(id).expect("an id")
}

fn machine_id(id: &str) -> MachineId {
    MachineId::parse(id).expect("an id")
}

fn session_id(id: &str) -> SessionId {
    SessionId::parse(id).expect("an id")
}

fn entry(action: Action) -> NewAuditEntry {
    NewAuditEntry {
        at: at(0),
        action,
        actor: Actor::System,
        machine: None,
        session_id: None,
        address: Some("192.0.2.1".into()),
        detail: serde_json::json!({}),
    }
}

fn ada(id: &str) -> NewUser {
    NewUser {
        id: user_id(id),
        username: "ada".into(),
        display_name: "Ada Lovelace".into(),
        role: Role::Admin,
        password_hash: "$argon2id$first".into(),
        created_at: at(0),
    }
}

fn login(id: &str, user: &str, token: &str) -> NewLogin {
    NewLogin {
        id: login_id(id),
        user_id: user_id(user),
        refresh_hash: hash(token),
        created_at: at(0),
        expires_at: at(86_400),
        address: "192.0.2.1".into(),
        user_agent: "Browser".into(),
    }
}

fn rotation(presented: &str, next: &str, now: i64) -> Rotation {
    Rotation {
        presented: hash(presented),
        next: hash(next),
        now: at(now),
        expires_at: at(now + 86_400),
        not_created_before: at(now - 30 * 86_400),
        address: "192.0.2.2".into(),
    }
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

async fn add_ada(store: &Store) {
    store
        .claim_server(
            ada("u1"),
            login("l1", "u1", "r1"),
            entry(Action::ServerClaimed),
        )
        .await
        .expect("the first claim");
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

fn new_session(id: &str, machine: &str, created: i64) -> NewSession {
    NewSession {
        id: session_id(id),
        machine_id: machine_id(machine),
        machine_name: "DESK-07".into(),
        user_id: user_id("u1"),
        technician: "Ada Lovelace".into(),
        login_id: login_id("l1"),
        created_at: at(created),
    }
}

fn usage(session: &str, seconds: u64, bytes: u64) -> Usage {
    Usage {
        session_id: session_id(session),
        seconds,
        bytes,
    }
}

fn end(session: &str, seconds: u64, bytes: u64) -> EndedSession {
    EndedSession {
        usage: usage(session, seconds, bytes),
        at: at(100),
        reason: EndReason::EndedByTechnician,
    }
}

async fn actions(store: &Store) -> Vec<String> {
    let page = store
        .audit_page(&AuditFilter::default(), None, 100)
        .await
        .expect("a page");
    page.into_iter().rev().map(|record| record.action).collect()
}

async fn of_many_claims_at_once_one_wins(database: Database) {
    let store = database.open().await;
    assert!(!store.is_claimed().await.expect("an answer"));

    let mut claims = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (store, user) = (store.clone(), format!("u{n}"));
        claims.spawn(async move {
            let new_login = login(&format!("l{n}"), &user, &format!("r{n}"));
            store
                .claim_server(ada(&user), new_login, entry(Action::ServerClaimed))
                .await
        });
    }
    let results = claims.join_all().await;

    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 19));
    for error in lost {
        assert!(
            matches!(error, Err(ClaimError::AlreadyClaimed)),
            "{error:?}"
        );
    }
    assert!(store.is_claimed().await.expect("an answer"));
    assert_eq!(actions(&store).await, ["server.claimed"]);
}

async fn names_are_taken_once(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let second = store
        .create_user(ada("u2"), entry(Action::UserCreated))
        .await;

    assert!(matches!(second, Err(CreateUserError::NameTaken(name)) if name == "ada"));
    let known = store
        .credentials("ada")
        .await
        .expect("an answer")
        .expect("ada");
    assert_eq!(
        (known.user.id, known.user.role),
        (user_id("u1"), Role::Admin)
    );
    assert!(
        store
            .credentials("grace")
            .await
            .expect("an answer")
            .is_none()
    );
}

async fn a_refresh_token_works_once_and_its_second_use_ends_the_login(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let (renewed, user) = store
        .rotate_refresh_token(rotation("r1", "r2", 10))
        .await
        .expect("once");
    assert_eq!(
        (renewed.id, user.username.as_str()),
        (login_id("l1"), "ada")
    );
    assert_eq!(renewed.expires_at, at(10 + 86_400));

    let again = store.rotate_refresh_token(rotation("r1", "r3", 20)).await;
    assert!(matches!(again, Err(RotateError::Reused(login)) if login == login_id("l1")));
    let newest = store.rotate_refresh_token(rotation("r2", "r4", 30)).await;
    assert!(matches!(newest, Err(RotateError::NotValid)));
    assert!(
        store
            .live_login(&login_id("l1"), at(30))
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(
        actions(&store).await,
        ["server.claimed", "login.reuse_detected"]
    );
}

async fn of_many_uses_of_one_refresh_token_at_once_one_wins(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let mut uses = tokio::task::JoinSet::new();
    for n in 0..10 {
        let store = store.clone();
        uses.spawn(async move {
            store
                .rotate_refresh_token(rotation("r1", &format!("next{n}"), 10))
                .await
        });
    }
    let won = uses.join_all().await.into_iter().flatten().count();

    assert_eq!(won, 1);
}

async fn ended_and_expired_logins_are_not_live(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    store
        .create_login(login("l2", "u1", "r2"), entry(Action::LoginStarted))
        .await
        .expect("l2");
    let live = async |now| {
        let logins = store
            .live_logins(&user_id("u1"), at(now))
            .await
            .expect("logins");
        logins
            .into_iter()
            .map(|login| login.id.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(live(0).await, ["l1".to_owned(), "l2".to_owned()].into());

    let end = |user: &'static str| store.end_login_of("l2", user);
    assert!(!end("somebody-else").await);
    assert!(end("u1").await);
    assert!(!end("u1").await);

    assert_eq!(live(0).await, ["l1".to_owned()].into());
    assert_eq!(live(86_400).await, BTreeSet::new());
    let refreshed = store
        .rotate_refresh_token(rotation("r1", "x", 86_400))
        .await;
    assert!(matches!(refreshed, Err(RotateError::NotValid)));
    assert_eq!(
        store
            .delete_logins_before(at(86_401))
            .await
            .expect("tidied"),
        2
    );
}

trait EndLogin {
    async fn end_login_of(&self, login: &str, user: &str) -> bool;
}

impl EndLogin for Store {
    async fn end_login_of(&self, login: &str, user: &str) -> bool {
        self.end_login(
            &login_id(login),
            &user_id(user),
            at(1),
            entry(Action::LoginEnded),
        )
        .await
        .expect("an answer")
    }
}

async fn a_new_password_ends_every_other_login(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    for n in 2..4 {
        let other = login(&format!("l{n}"), "u1", &format!("r{n}"));
        store
            .create_login(other, entry(Action::LoginStarted))
            .await
            .expect("a login");
    }

    let changed = entry(Action::PasswordChanged);
    let ended = store
        .change_password(
            &user_id("u1"),
            "$argon2id$second".into(),
            &login_id("l2"),
            at(5),
            changed,
        )
        .await
        .expect("changed");

    let ended: BTreeSet<_> = ended.into_iter().collect();
    assert_eq!(ended, [login_id("l1"), login_id("l3")].into());
    let live = store
        .live_logins(&user_id("u1"), at(5))
        .await
        .expect("logins");
    assert_eq!(
        live.into_iter().map(|login| login.id).collect::<Vec<_>>(),
        [login_id("l2")]
    );
    let known = store
        .credentials("ada")
        .await
        .expect("an answer")
        .expect("ada");
    assert_eq!(known.password_hash, "$argon2id$second");
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

async fn a_session_adds_up_and_ends_once(database: Database) {
    let store = database.open().await;
    for id in ["s1", "s2"] {
        let started = entry(Action::SessionStarted);
        store
            .create_session(new_session(id, "m1", 10), started)
            .await
            .expect("a session");
    }

    store
        .add_usage(&[usage("s1", 5, 1_000), usage("s2", 1, 1)])
        .await
        .expect("added");
    store
        .add_usage(&[usage("s1", 5, 1_000), usage("gone", 1, 1)])
        .await
        .expect("added");
    let ended = store
        .end_session(end("s1", 2, 5_000_000_000), |session| NewAuditEntry {
            detail: serde_json::json!({ "seconds": session.duration_seconds }),
            ..entry(Action::SessionEnded)
        })
        .await
        .expect("an answer")
        .expect("it was open");
    let again = store
        .end_session(end("s1", 2, 2), |_| entry(Action::SessionEnded))
        .await;

    assert_eq!(
        (ended.duration_seconds, ended.bytes_transferred),
        (12, 5_000_002_000)
    );
    assert_eq!(
        (ended.ended_at, ended.end_reason),
        (Some(at(100)), Some(EndReason::EndedByTechnician))
    );
    assert!(again.expect("an answer").is_none());
    let open = store.open_sessions().await.expect("sessions");
    assert_eq!(
        open.into_iter()
            .map(|session| session.id)
            .collect::<Vec<_>>(),
        [session_id("s2")]
    );
    let log = store
        .audit_page(&AuditFilter::default(), None, 1)
        .await
        .expect("a page");
    assert_eq!(log[0].detail, serde_json::json!({ "seconds": 12 }));
}

async fn sessions_are_read_page_by_page(database: Database) {
    let store = database.open().await;
    // Pairs of sessions that started at the same moment.
    for n in 0..10 {
        let machine = if n == 3 { "other" } else { "m1" };
        let session = new_session(&format!("s{n}"), machine, n / 2);
        store
            .create_session(session, entry(Action::SessionStarted))
            .await
            .expect("a session");
    }

    let mut seen = Vec::new();
    let mut cursor: Option<SessionCursor> = None;
    loop {
        let filter = SessionFilter {
            machine_id: Some(machine_id("m1")),
        };
        let page = store
            .session_page(&filter, cursor.as_ref(), 4)
            .await
            .expect("a page");
        let Some(last) = page.last() else { break };
        cursor = Some(SessionCursor {
            created_at: last.created_at,
            id: last.id.clone(),
        });
        seen.extend(page.into_iter().map(|session| session.id.to_string()));
    }

    assert_eq!(seen, ["s9", "s8", "s7", "s6", "s5", "s4", "s2", "s1", "s0"]);
}

async fn the_audit_log_is_filtered_paged_and_forgotten(database: Database) {
    let store = database.open().await;
    for n in 0..6 {
        let by_ada = NewAuditEntry {
            at: at(n),
            actor: Actor::User {
                id: user_id("u1"),
                name: "Ada".into(),
            },
            machine: (n % 2 == 0).then(|| (machine_id("m1"), "DESK-07".into())),
            session_id: Some(session_id("s1")),
            ..entry(if n < 3 {
                Action::SessionStarted
            } else {
                Action::SessionEnded
            })
        };
        store.append_audit(by_ada).await.expect("written");
    }
    let count = async |filter: AuditFilter| {
        store
            .audit_page(&filter, None, 100)
            .await
            .expect("a page")
            .len()
    };

    let of_action = |action: &str| AuditFilter {
        action: Some(action.into()),
        ..Default::default()
    };
    let of_machine = |id: &str| AuditFilter {
        machine_id: Some(id.into()),
        ..Default::default()
    };
    let of_user = |id: &str| AuditFilter {
        user_id: Some(id.into()),
        ..Default::default()
    };
    assert_eq!(count(of_action("session.ended")).await, 3);
    assert_eq!(count(of_machine("m1")).await, 3);
    assert_eq!(count(of_user("u1")).await, 6);
    assert_eq!(count(of_user("u2")).await, 0);

    let first = store
        .audit_page(&AuditFilter::default(), None, 4)
        .await
        .expect("a page");
    let rest = store
        .audit_page(&AuditFilter::default(), Some(first[3].id), 4)
        .await
        .expect("a page");
    assert_eq!((first[0].at, first[3].at), (at(5), at(2)));
    assert_eq!(
        rest.iter().map(|record| record.at).collect::<Vec<_>>(),
        [at(1), at(0)]
    );
    assert_eq!(rest[1].machine_name.as_deref(), Some("DESK-07"));
    assert_eq!(rest[1].actor_name.as_deref(), Some("Ada"));

    assert_eq!(store.delete_audit_before(at(4)).await.expect("deleted"), 4);
    assert_eq!(count(AuditFilter::default()).await, 2);
}

async fn everything_is_there_after_opening_again(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    store.close().await;

    let store = database.open().await;

    assert!(store.is_claimed().await.expect("an answer"));
    let (kept, user) = store
        .live_login(&login_id("l1"), at(1))
        .await
        .expect("an answer")
        .expect("live");
    assert_eq!(
        (kept.created_at, kept.user_agent.as_str()),
        (at(0), "Browser")
    );
    assert_eq!(user.display_name, "Ada Lovelace");
    store.ping().await.expect("a sign of life");
}

async fn a_database_of_a_newer_version_is_left_alone(database: Database) {
    database.open().await.close().await;
    run_sql(&database.url, "INSERT INTO schema_migrations VALUES ('9999_from_the_future', '2030-01-01T00:00:00+00:00')").await;

    let opened = Store::open(&database.url, at(0)).await;

    let error = opened.expect_err("refused");
    assert!(matches!(error, OpenError::Migrate(_)), "{error:?}");
}

async fn the_report_by_sql_works(database: Database) {
    let store = database.open().await;
    store
        .create_session(new_session("s1", "m1", 0), entry(Action::SessionStarted))
        .await
        .expect("a session");
    store
        .add_usage(&[usage("s1", 90, 4_096)])
        .await
        .expect("added");

    let since = if database.url.starts_with("sqlite") {
        "datetime('now', '-7 days')"
    } else {
        "NOW() - INTERVAL '7 days'"
    };
    let report = format!(
        "SELECT machine_id, user_id, AVG(duration_seconds), SUM(bytes_transferred) \
         FROM sessions WHERE created_at > {since} GROUP BY machine_id, user_id"
    );
    let rows = run_sql(&database.url, &report).await;

    assert_eq!(rows, 1);
}

/// Runs a statement as an operator would. Returns the number of rows.
async fn run_sql(url: &str, statement: &str) -> usize {
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    if url.starts_with("sqlite") {
        let pool = sqlx::SqlitePool::connect(url).await.expect("connected");
        let rows = sqlx::raw_sql(statement)
            .fetch_all(&pool)
            .await
            .expect("it runs")
            .len();
        pool.close().await;
        rows
    } else {
        let pool = sqlx::PgPool::connect(url).await.expect("connected");
        let rows = sqlx::raw_sql(statement)
            .fetch_all(&pool)
            .await
            .expect("it runs")
            .len();
        pool.close().await;
        rows
    }
}
