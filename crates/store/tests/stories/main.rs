//! What the store promises, told once and played on both engines.

mod audit;
mod machines;
mod notices;
mod opening;
mod people;
mod sessions;
mod sign_ins;
mod support;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, MachineId, SessionId, UserId};
use gc_model::role::Role;
use gc_store::{
    Action, Actor, AuditFilter, NewAuditEntry, NewLogin, NewSession, NewUser, SecretHash, Store,
    Usage,
};
use gc_testkit::postgres::Postgres;

/// A database of one engine, gone when dropped.
pub(crate) struct Database {
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
    _postgres: Option<Arc<Postgres>>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Self {
            url,
            _folder: Some(folder),
            _postgres: None,
        }
    }

    pub(crate) fn postgres() -> Self {
        let postgres = Postgres::shared();
        Self {
            url: postgres.database(),
            _folder: None,
            _postgres: Some(postgres),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url, at(0))
            .await
            .expect("the database opens")
    }
}

/// Plays each story on both engines.
macro_rules! stories {
    ($($story:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(crate::Database::sqlite()).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(crate::Database::postgres()).await;
                }
            )*
        }
    };
}
use stories;

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 123_456_000).expect("a date")
}

pub(crate) fn hash(text: &str) -> SecretHash {
    let mut digest = [0; 32];
    digest[..text.len()].copy_from_slice(text.as_bytes());
    SecretHash::from_digest(digest)
}

pub(crate) fn user_id(id: &str) -> UserId {
    UserId::parse(id).expect("an id")
}

pub(crate) fn login_id(id: &str) -> LoginId {
    LoginId::parse(id).expect("an id")
}

pub(crate) fn machine_id(id: &str) -> MachineId {
    MachineId::parse(id).expect("an id")
}

pub(crate) fn session_id(id: &str) -> SessionId {
    SessionId::parse(id).expect("an id")
}

pub(crate) fn entry(action: Action) -> NewAuditEntry {
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

/// Everybody's password at first.
pub(crate) const FIRST_HASH: &str = "$argon2id$first";

pub(crate) fn ada(id: &str) -> NewUser {
    NewUser {
        id: user_id(id),
        username: "ada".into(),
        display_name: "Ada Lovelace".into(),
        role: Role::Admin,
        password_hash: FIRST_HASH.into(),
        created_at: at(0),
    }
}

pub(crate) fn login(id: &str, user: &str, token: &str) -> NewLogin {
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

pub(crate) async fn add_ada(store: &Store) {
    store
        .claim_server(
            ada("u1"),
            login("l1", "u1", "r1"),
            entry(Action::ServerClaimed),
        )
        .await
        .expect("the first claim");
}

pub(crate) fn new_session(id: &str, machine: &str, created: i64) -> NewSession {
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

pub(crate) fn usage(session: &str, seconds: u64, bytes: u64) -> Usage {
    Usage {
        session_id: session_id(session),
        seconds,
        bytes,
    }
}

/// Runs a statement as an operator would. Returns the number of rows.
pub(crate) async fn run_sql(url: &str, statement: &str) -> usize {
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

/// What the audit log holds, oldest first.
pub(crate) async fn actions(store: &Store) -> Vec<String> {
    let page = store
        .audit_page(&AuditFilter::default(), None, 100)
        .await
        .expect("a page");
    page.into_iter().rev().map(|record| record.action).collect()
}
