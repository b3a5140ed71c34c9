//! What dashboards hear without asking.

use reqwest::{Method, Response, header};
use serde_json::{Value, json};

use crate::common::{Person, TestAgent, TestServer, Viewer, answer, on_both_engines, soon, text};

on_both_engines! {
    dashboards_hear_of_machines_and_sessions,
}

/// A stream of events, read event by event.
struct Events {
    response: Response,
    unread: String,
}

impl Events {
    async fn listen(person: &Person) -> Self {
        let request = person.request(Method::GET, "/api/events");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            unread: String::new(),
        }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                let found = field("event: ").zip(field("data: "));
                self.unread = String::from(rest);
                if let Some((name, data)) = found {
                    return Some((name, serde_json::from_str(&data).expect("JSON")));
                }
                continue;
            }
            let chunk = soon(self.response.chunk()).await.ok()??;
            self.unread.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    async fn until(&mut self, good: impl Fn(&str, &Value) -> bool) -> Value {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if good(&name, &data) {
                return data;
            }
        }
    }
}

async fn dashboards_hear_of_machines_and_sessions(server: TestServer) {
    let ada = server.claim().await;
    let mut events = Events::listen(&ada).await;
    assert_eq!(events.next().await, Some(("resync".to_owned(), json!({}))));

    let mut agent = TestAgent::online(&server, &ada).await;
    let online = events
        .until(|name, data| name == "machine" && data["online"] == true)
        .await;
    assert_eq!(online["id"], agent.machine);

    let admission = ada.start(&agent.machine).await;
    let _viewer = Viewer::connect(&admission).await;
    let _end = agent.join().await;
    let looked_at = |name: &str, data: &Value| name == "machine" && data["sessions"][0].is_object();
    events.until(looked_at).await;

    let session = text(&admission["session_id"]);
    ada.send(Method::POST, &format!("/api/sessions/{session}/end"))
        .await;
    let ended = |name: &str, data: &Value| name == "session" && !data["ended_at"].is_null();
    assert_eq!(events.until(ended).await["id"], session);

    ada.send(Method::DELETE, &format!("/api/machines/{}", agent.machine))
        .await;
    let removed = events.until(|name, _| name == "machine_removed").await;
    assert_eq!(removed, json!({ "id": agent.machine }));

    let logout = ada.request(Method::POST, "/api/auth/logout");
    answer(logout.header(header::COOKIE, &ada.cookie)).await;
    while events.next().await.is_some() {}
}
