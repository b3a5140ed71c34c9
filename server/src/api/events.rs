//! `GET /api/events`: server-sent events for the dashboard.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use gc_model::role::Permission;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::error::{ApiError, ErrorBody};
use crate::hub::events::Event;

/// Proxies close connections on which nothing happens for long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What changes, as it changes: `machine` (a machine), `machine_removed`
/// (`{"id"}`), `session` (a session), `support_code` (a support code), `chat` (a line
/// of a chat), `resync` (reload everything: first of all,
/// and after events were missed). Ends with the access token; come back with a
/// new one.
#[utoipa::path(get, path = "/api/events", operation_id = "stream_events", tag = "server", security(("access_token" = [])),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 401, body = ErrorBody)))]
pub(super) async fn listen(
    State(app): State<Shared>,
    current: CurrentUser,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, ApiError> {
    current.require(Permission::SeeMachines)?;
    let left = current.expires_at.saturating_sub(app.clock.unix_seconds());
    let listener = Listener {
        events: app.hub.events.listen(),
        until: Instant::now() + Duration::from_secs(left),
        greeted: false,
        current,
        app,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive")))
}

struct Listener {
    app: Shared,
    current: CurrentUser,
    events: Receiver<Event>,
    until: Instant,
    greeted: bool,
}

impl Listener {
    /// The next event; `None` when the stream ends.
    async fn next(&mut self) -> Option<SseEvent> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(resync());
        }
        loop {
            let event = tokio::select! {
                event = self.events.recv() => event,
                () = tokio::time::sleep_until(self.until) => return None,
                () = self.app.stopping.cancelled() => return None,
            };
            match event {
                Ok(Event::Data { name, json }) => {
                    return Some(SseEvent::default().event(name).data(&*json));
                }
                Ok(Event::LoginEnded(login)) if login == self.current.login => return None,
                Ok(Event::LoginEnded(_)) => {}
                Err(RecvError::Lagged(_)) => return Some(resync()),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn resync() -> SseEvent {
    SseEvent::default().event("resync").data("{}")
}
