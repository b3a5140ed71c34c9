//! `GET /ws/viewer?ticket=…`: the technician's end of a session. Its task waits
//! for the agent's end and then carries both.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures_util::StreamExt as _;
use gc_model::id::ParticipantId;
use gc_relay::{CloseWhy, Side, Ticket, check_message};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::forward::{self, Joined};
use super::pulse::Pulse;
use super::{CloseCode, close, session_upgrade};
use crate::app::Shared;
use crate::http::bodies::{Query, Upgrade};
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::origin::{self, Origin};
use crate::hub::EndCommand;

/// What stands in the address of either end.
#[derive(Debug, Deserialize)]
pub(crate) struct TicketQuery {
    pub(crate) ticket: String,
}

pub(crate) async fn connect(
    State(app): State<Shared>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<TicketQuery>,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, ApiError> {
    if origin::judge(&app.settings, client, &headers, &uri) != Origin::Allowed {
        return Err(ApiError::foreign_origin());
    }
    let place = Ticket::parse(&query.ticket)
        .and_then(|ticket| app.hub.connect_viewer(&ticket).ok())
        .map(|(participant, commands)| Place {
            app: app.clone(),
            participant,
            commands,
        });
    let tasks = app.tasks.clone();
    Ok(session_upgrade(upgrade).on_upgrade(move |socket| {
        tasks.track_future(async move {
            match place {
                Some(place) => {
                    let _guard = app.metrics.socket("viewer");
                    place.serve(socket).await;
                }
                // A browser is not told the status of a failed upgrade, but it
                // is told a close code.
                None => close(socket, CloseCode::NotAllowed).await,
            }
        })
    }))
}

/// A viewer's place in its session. However it goes, also before the upgrade was
/// done, the hub hears of it.
struct Place {
    app: Shared,
    participant: ParticipantId,
    commands: mpsc::UnboundedReceiver<EndCommand>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Nothing new when the hub said so, or the agent was first to go.
        self.app.hub.left(&self.participant, Side::Viewer);
    }
}

impl Place {
    async fn serve(mut self, mut viewer: WebSocket) {
        tracing::debug!(participant = %self.participant, "Viewer connected");
        let waited = wait_for_agent(&mut viewer, &mut self.commands).await;
        let (first, socket, traffic) = match waited {
            Waited::Joined {
                first,
                socket,
                traffic,
            } => (first, socket, traffic),
            Waited::Close(why) => return close(viewer, CloseCode::of(why, Side::Viewer)).await,
            Waited::Violation => {
                self.app.hub.left(&self.participant, Side::Viewer);
                return close(viewer, CloseCode::ProtocolViolation).await;
            }
            Waited::Left => return,
        };
        let Ok(agent) = socket.await else {
            self.app.hub.left(&self.participant, Side::Agent);
            return close(viewer, CloseCode::MachineDisconnected).await;
        };
        let commands = &mut self.commands;
        let joined = Joined {
            viewer,
            agent,
            traffic,
            commands,
        };
        forward::run(&self.app, &self.participant, joined, first).await;
        tracing::debug!(participant = %self.participant, "Viewer disconnected");
    }
}

enum Waited {
    Joined {
        first: Option<axum::body::Bytes>,
        socket: tokio::sync::oneshot::Receiver<WebSocket>,
        traffic: std::sync::Arc<gc_relay::Traffic>,
    },
    Close(CloseWhy),
    Violation,
    Left,
}

/// Until the agent's end is here: holds the viewer's first message, reads no
/// second one, and answers for the relay's deadline.
async fn wait_for_agent(
    viewer: &mut WebSocket,
    commands: &mut mpsc::UnboundedReceiver<EndCommand>,
) -> Waited {
    let mut first = None;
    let mut pulse = Pulse::new();
    loop {
        tokio::select! {
            command = commands.recv() => return match command {
                Some(EndCommand::Join { socket, traffic }) => {
                    Waited::Joined { first, socket, traffic }
                }
                Some(EndCommand::Close(why)) => Waited::Close(why),
                // The hub keeps the sender until it says "close".
                None => Waited::Close(CloseWhy::GoingAway),
            },
            message = viewer.next(), if first.is_none() => match message {
                Some(Ok(Message::Binary(message))) => {
                    if check_message(&message).is_err() {
                        return Waited::Violation;
                    }
                    first = Some(message);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_))) => return Waited::Violation,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Waited::Left,
            },
            () = pulse.ping_due() => {
                if viewer.send(Message::Ping(axum::body::Bytes::new())).await.is_err() {
                    return Waited::Left;
                }
            }
        }
    }
}
