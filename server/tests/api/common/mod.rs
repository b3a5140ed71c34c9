//! A server, somebody who is signed in, an agent and a viewer, in a few words.

mod agent;
mod viewer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use gc_model::id::SupportId;
use gc_store::{Action, Actor, NewAuditEntry, NewChatLine, NewUser, SayError, Store};
use gc_testkit::postgres::Postgres;
use guruconnect_server::{Arguments, Server, Settings};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

pub(crate) use agent::{AGENT_KEY, AgentEnd, TestAgent, enrol, enrol_as};
pub(crate) use viewer::{Viewer, close_code, connect};

pub(crate) const CLAIM_SECRET: &str = "claim-secret-of-the-tests";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Plays a story on both engines.
macro_rules! on_both_engines {
    ($($story:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    super::$story(super::TestServer::on_sqlite(&[]).await).await;
                }
            )*
        }

        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() {
                    super::$story(super::TestServer::on_postgres(&[]).await).await;
                }
            )*
        }
    };
}
pub(crate) use on_both_engines;

/// A running server and its database.
pub(crate) struct TestServer {
    server: Option<Server>,
    pub(crate) address: SocketAddr,
    pub(crate) database_url: String,
    pub(crate) http: reqwest::Client,
    folder: tempfile::TempDir,
    postgres: Option<Arc<Postgres>>,
}

impl TestServer {
    pub(crate) async fn on_sqlite(arguments: &[&str]) -> Self {
        Self::start(arguments, None).await
    }

    pub(crate) async fn on_postgres(arguments: &[&str]) -> Self {
        let postgres = tokio::task::spawn_blocking(Postgres::shared)
            .await
            .expect("PostgreSQL");
        Self::start(arguments, Some(postgres)).await
    }

    async fn start(arguments: &[&str], postgres: Option<Arc<Postgres>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database_url = match &postgres {
            Some(postgres) => postgres.database(),
            None => format!("sqlite://{}/guruconnect.db", folder.path().display()),
        };
        Self::start_in(folder, database_url, arguments, postgres).await
    }

    /// Stops it and starts another one on the same data.
    pub(crate) async fn restart(mut self, arguments: &[&str]) -> Self {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        Self::start_in(self.folder, self.database_url, arguments, self.postgres).await
    }

    async fn start_in(
        folder: tempfile::TempDir,
        database_url: String,
        arguments: &[&str],
        postgres: Option<Arc<Postgres>>,
    ) -> Self {
        let data_dir = folder.path().display().to_string();
        let own = [
            "guruconnect-server",
            "--bind",
            "127.0.0.1:0",
            "--data-dir",
            &data_dir,
        ];
        let more = [
            "--database-url",
            &database_url,
            "--claim-secret",
            CLAIM_SECRET,
        ];
        let all = own.iter().chain(&more).chain(arguments);
        let settings = Settings::try_from(Arguments::parse_from(all)).expect("good settings");
        let server = Server::start(settings).await.expect("the server starts");
        Self {
            address: server.address(),
            server: Some(server),
            database_url,
            http: client(),
            folder,
            postgres,
        }
    }

    /// A server that was claimed, and its administrator.
    pub(crate) async fn claimed(arguments: &[&str]) -> (Self, Person) {
        let server = Self::on_sqlite(arguments).await;
        let admin = server.claim().await;
        (server, admin)
    }

    pub(crate) fn claim_line(&self) -> Option<String> {
        self.server.as_ref().and_then(Server::claim_line)
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.origin()))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    /// Claims the server for `ada`.
    pub(crate) async fn claim(&self) -> Person {
        let claimed = self.post("/api/setup/claim", claim_request()).await;
        self.person(&claimed)
    }

    pub(crate) async fn login(&self, username: &str, password: &str) -> Answer {
        self.post(
            "/api/auth/login",
            json!({ "username": username, "password": password }),
        )
        .await
    }

    /// Signs `ada` in once more.
    pub(crate) async fn another_login(&self) -> Person {
        let signed_in = self.login("ada", PASSWORD).await;
        self.person(&signed_in)
    }

    /// Adds somebody of another role, past the API, and signs them in.
    pub(crate) async fn add_person(&self, username: &str, role: gc_model::role::Role) -> Person {
        let store = self.store().await;
        let ada = store
            .credentials("ada")
            .await
            .expect("an answer")
            .expect("ada");
        let user = NewUser {
            id: gc_model::id::UserId::parse(username).expect("an id"),
            username: username.into(),
            display_name: username.into(),
            role,
            password_hash: ada.password_hash,
            created_at: chrono::Utc::now(),
        };
        let entry = NewAuditEntry {
            at: chrono::Utc::now(),
            action: Action::UserCreated,
            actor: Actor::System,
            machine: None,
            session_id: None,
            address: None,
            detail: json!({}),
        };
        store.create_user(user, entry).await.expect("a new person");
        let signed_in = self.login(username, PASSWORD).await;
        self.person(&signed_in)
    }

    /// The server's database, opened beside it.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.database_url, chrono::Utc::now())
            .await
            .expect("the database opens")
    }

    /// From now on the database refuses this: `UPDATE ON sessions`, say.
    pub(crate) async fn break_database(&self, what: &str) {
        let refuse = "BEGIN SELECT RAISE(ABORT, 'broken by a test'); END";
        self.change_database(format!("CREATE TRIGGER broken BEFORE {what} {refuse}"))
            .await;
    }

    /// It is as before.
    pub(crate) async fn mend_database(&self) {
        self.change_database("DROP TRIGGER broken".to_owned()).await;
    }

    async fn change_database(&self, statement: String) {
        let database = sqlx::SqlitePool::connect(&self.database_url)
            .await
            .expect("the database opens");
        let changed = sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&database);
        changed.await.expect("a good statement");
        database.close().await;
    }

    /// Writes into a chat, past the API, until it takes no more.
    pub(crate) async fn fill_chat(&self, support: &str) {
        let store = self.store().await;
        for number in 0_u64.. {
            let line = NewChatLine {
                support_id: SupportId::parse(support).expect("an id"),
                from_guest: false,
                client_id: format!("full {number}"),
                author: "ada".into(),
                text: "And".into(),
                at: chrono::Utc::now(),
            };
            match store.say(line).await {
                Ok(_) => {}
                Err(SayError::Full) => return,
                Err(SayError::Store(error)) => panic!("the line is written: {error}"),
            }
        }
    }

    /// What operators count.
    pub(crate) async fn metrics(&self) -> String {
        text(&self.get("/metrics").await.body)
    }

    pub(crate) fn person(&self, signed_in: &Answer) -> Person {
        assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.body);
        Person {
            http: self.http.clone(),
            origin: self.origin(),
            token: text(&signed_in.body["access_token"]),
            cookie: signed_in.cookie.clone().expect("a refresh cookie"),
        }
    }

    pub(crate) async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }
}

pub(crate) fn claim_request() -> Value {
    json!({
        "secret": CLAIM_SECRET,
        "username": "Ada",
        "display_name": "Ada Lovelace",
        "password": PASSWORD,
    })
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    http: reqwest::Client,
    origin: String,
    pub(crate) token: String,
    /// The refresh cookie, `name=value`.
    pub(crate) cookie: String,
}

impl Person {
    /// Somebody who signed in to a server that runs elsewhere.
    pub(crate) fn at(origin: &str, signed_in: &Answer) -> Self {
        Self {
            http: client(),
            origin: origin.to_owned(),
            token: text(&signed_in.body["access_token"]),
            cookie: signed_in.cookie.clone().expect("a refresh cookie"),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.origin))
            .bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> Answer {
        answer(self.request(method, path)).await
    }

    /// Renews the tokens with a refresh cookie, as the dashboard does.
    pub(crate) async fn refresh(&self, cookie: &str) -> Answer {
        let request = self.http.post(format!("{}/api/auth/refresh", self.origin));
        answer(
            request
                .header(header::COOKIE, cookie)
                .header(header::ORIGIN, &self.origin),
        )
        .await
    }

    pub(crate) async fn enrolment_token(&self) -> String {
        let made = self
            .post("/api/enrolment-tokens", json!({ "name": "Office" }))
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        text(&made.body["token"])
    }

    /// Starts a session; what the viewer needs.
    pub(crate) async fn start(&self, machine: &str) -> Value {
        let started = self
            .post("/api/sessions/start", json!({ "machine_id": machine }))
            .await;
        assert_eq!(started.status, StatusCode::OK, "{}", started.body);
        started.body
    }

    pub(crate) async fn rejoin(&self, session: &str) -> Answer {
        self.send(Method::POST, &format!("/api/sessions/{session}/rejoin"))
            .await
    }

    pub(crate) async fn actions(&self) -> Vec<String> {
        let log = self.get("/api/audit?limit=200").await;
        let items = log.body["items"].as_array().expect("a list").clone();
        items
            .iter()
            .rev()
            .map(|item| text(&item["action"]))
            .collect()
    }

    /// Asks until the answer is what it must become.
    pub(crate) async fn wait_for(&self, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                last = self.get(path).await.body;
                if good(&last) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(waited.await.is_ok(), "{path} stayed {last}");
        last
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    /// `name=value` of the cookie that was set.
    pub(crate) cookie: Option<String>,
    /// The text, when it is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
            .unwrap_or_default()
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    read(request.send().await.expect("an answer")).await
}

async fn read(response: Response) -> Answer {
    let status = response.status();
    let headers = response.headers().clone();
    let cookie = headers.get(header::SET_COOKIE).map(|value| {
        let value = value.to_str().expect("text");
        value.split(';').next().unwrap_or_default().to_owned()
    });
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer {
        status,
        headers,
        cookie,
        body,
    }
}

/// A text of a body.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("a text, not {value}"))
        .to_owned()
}

/// What must happen soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it happens in time")
}
