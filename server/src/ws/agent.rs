//! `GET /ws/agent`: the control connection that an agent keeps.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket};
use axum::response::Response;
use futures_util::StreamExt as _;
use gc_model::id::SessionId;
use gc_proto::Message as _;
use gc_proto::limits::MAX_TEXT_BYTES;
use gc_proto::v1::agent_control::Body;
use gc_proto::v1::server_control::Body as ServerBody;
use gc_proto::v1::{AgentControl, OfferFailed, ServerControl};
use gc_relay::ControlClose;
use gc_store::{Machine, SecretHash};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

use super::control::{self, CONTROL_VERSION, Reported};
use super::guest::{self, Guest};
use super::pulse::Pulse;
use super::{CloseCode, close, control_upgrade};
use crate::app::{App, Shared};
use crate::auth::agent::CurrentMachine;
use crate::http::bodies::Upgrade;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::limits::Limited;
use crate::hub::ControlCommand;

/// How long an agent may take to introduce itself.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages that an agent may send at once, and how often one more: it has
/// little to say.
const MESSAGE_BURST: u32 = 60;
const MESSAGE_EVERY: Duration = Duration::from_secs(1);

/// Answers about consent that one connection may bring to the audit log: people
/// are asked a few times a session.
const MAX_REPORTS: u32 = 200;

pub(crate) async fn connect(
    State(app): State<Shared>,
    client: Client,
    agent: CurrentMachine,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, ApiError> {
    let tasks = app.tasks.clone();
    Ok(control_upgrade(upgrade).on_upgrade(move |socket| {
        tasks.track_future(async move {
            let _guard = app.metrics.socket("agent");
            serve(&app, socket, agent, client.address).await;
        })
    }))
}

async fn serve(app: &App, mut socket: WebSocket, agent: CurrentMachine, address: IpAddr) {
    let machine = &agent.machine;
    let Some(hello) = introduction(&mut socket).await else {
        tracing::warn!(machine = %machine.id, "An agent did not introduce itself");
        return close(socket, CloseCode::ProtocolViolation).await;
    };
    let power_actions = hello.power_actions().to_vec();
    let reported = Reported::new(machine.id.clone(), address, hello);
    match reported.write(app).await {
        Ok(true) => {}
        // Removed between its request and now.
        Ok(false) => {
            bid_farewell(app, &mut socket, machine, address).await;
            return close(socket, CloseCode::KeyRevoked).await;
        }
        Err(error) => {
            tracing::error!(machine = %machine.id, "An agent's facts could not be kept: {error:#}");
            return close(socket, CloseCode::GoingAway).await;
        }
    }
    if app.stopping.is_cancelled() {
        return close(socket, CloseCode::GoingAway).await;
    }

    let (id, mut commands) = app.hub.connect_control(machine, power_actions);
    let code = if still_allowed(app, &agent.key).await {
        match Guest::of(app, machine, address).await {
            Ok(guest) => {
                let mut talk = Talk {
                    app,
                    address,
                    reported,
                    machine,
                    guest,
                    reports_left: MAX_REPORTS,
                };
                talk.converse(&mut socket, &mut commands).await
            }
            Err(error) => {
                tracing::error!(machine = %machine.id, "A guest could not be found: {error:#}");
                Some(CloseCode::GoingAway)
            }
        }
    } else {
        bid_farewell(app, &mut socket, machine, address).await;
        Some(CloseCode::KeyRevoked)
    };
    app.hub.disconnect_control(&machine.id, id);
    if let Err(error) = app
        .store
        .record_seen(std::slice::from_ref(&machine.id), app.clock.now())
        .await
    {
        tracing::error!(machine = %machine.id, "A machine could not be noted as seen: {error:#}");
    }
    if let Some(code) = code {
        close(socket, code).await;
    }
}

/// A key that was revoked while its agent connected was not seen by the hub.
async fn still_allowed(app: &App, key: &SecretHash) -> bool {
    matches!(app.store.machine_of_key(key).await, Ok(Some(_)))
}

/// Tells a guest whose code was over before it was greeted how that ended: the hub did it when
/// nobody listened yet.
async fn bid_farewell(app: &App, socket: &mut WebSocket, machine: &Machine, address: IpAddr) {
    let told = match Guest::of(app, machine, address).await {
        Ok(Some(guest)) => guest.farewell(app).await,
        Ok(None) => return,
        Err(error) => Err(error),
    };
    match told {
        Ok(Some(state)) => {
            // A guest that is gone already needs no words.
            let _gone = say(socket, state).await;
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!(machine = %machine.id, "A guest could not be told of its end: {error:#}");
        }
    }
}

/// The agent's first message.
async fn introduction(socket: &mut WebSocket) -> Option<control::Hello> {
    let deadline = Instant::now() + HELLO_TIMEOUT;
    loop {
        match tokio::time::timeout_at(deadline, socket.next())
            .await
            .ok()??
        {
            Ok(Message::Binary(bytes)) => return control::parse_hello(&bytes),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            _ => return None,
        }
    }
}

/// A control connection in conversation.
struct Talk<'a> {
    app: &'a App,
    address: IpAddr,
    reported: Reported,
    machine: &'a Machine,
    /// `None` for a managed machine whose user asks for nothing.
    guest: Option<Guest>,
    /// Answers that may still be written to the audit log.
    reports_left: u32,
}

impl Talk<'_> {
    /// Talks until the connection ends. The code to close with; `None` when there
    /// is nobody left to tell.
    async fn converse(
        &mut self,
        socket: &mut WebSocket,
        commands: &mut tokio::sync::mpsc::Receiver<ControlCommand>,
    ) -> Option<CloseCode> {
        let machine = self.reported.machine();
        tracing::debug!(%machine, version = CONTROL_VERSION, "Agent connected");
        say(socket, control::hello()).await?;
        match Guest::greetings(&mut self.guest, self.app, self.machine).await {
            Ok(greetings) => {
                let greet = async {
                    for greeting in greetings {
                        say(socket, greeting).await?;
                    }
                    Some(())
                };
                // All together: a guest that reads slowly does not keep them here.
                tokio::time::timeout(HELLO_TIMEOUT, greet).await.ok()??;
            }
            Err(error) => {
                tracing::error!("A guest could not be greeted: {error:#}");
                return Some(CloseCode::GoingAway);
            }
        }
        let mut pulse = Pulse::new();
        let mut allowance = Allowance::new();
        loop {
            let silent_at = pulse.silent_at();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(ControlCommand::Close(why)) => return Some(match why {
                        ControlClose::Replaced => CloseCode::ConnectionReplaced,
                        ControlClose::KeyRevoked => CloseCode::KeyRevoked,
                        ControlClose::GoingAway => CloseCode::GoingAway,
                    }),
                    Some(command) => {
                        if let Some(message) = self.message(command) {
                            say(socket, message).await?;
                        }
                    }
                    // The hub dropped an agent that did not take its commands.
                    None => return None,
                },
                message = socket.next() => {
                    pulse.heard();
                    match message {
                        Some(Ok(Message::Binary(bytes))) if allowance.take() => {
                            if let Err(code) = self.listen(&bytes).await {
                                return Some(code);
                            }
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Binary(_) | Message::Text(_))) => {
                            return Some(CloseCode::ProtocolViolation);
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    }
                }
                () = pulse.ping_due() => {
                    let ping = socket.send(Message::Ping(Bytes::new()));
                    tokio::time::timeout_at(silent_at, ping).await.ok()?.ok()?;
                }
                () = tokio::time::sleep_until(silent_at) => return None,
            }
        }
    }

    /// A command in the agent's words.
    fn message(&mut self, command: ControlCommand) -> Option<ServerControl> {
        match command {
            ControlCommand::Offer {
                session,
                participant,
                ticket,
            } => Some(control::offer(&session, &participant, &ticket)),
            ControlCommand::TellEnded { session } => Some(control::closed(&session)),
            ControlCommand::TellGuest(state) => Some(control::control(ServerBody::Guest(*state))),
            ControlCommand::Say(line) => self.guest.as_mut()?.line(&line),
            ControlCommand::RefuseRequest(refused) => {
                Some(control::control(ServerBody::RequestRefused(refused)))
            }
            ControlCommand::Power { number, wish } => Some(control::power(number, &wish)),
            ControlCommand::Close(_) => None,
        }
    }

    /// True when one more answer may go to the audit log: a few for each connection, and not
    /// many from one address.
    fn may_report(&mut self) -> bool {
        let now = self.app.clock.moment();
        let may = self.reports_left > 0
            && self
                .app
                .limits
                .take(now, Limited::Consent, self.address)
                .is_ok();
        self.reports_left -= u32::from(may);
        may
    }

    /// What the agent says after its introduction.
    async fn listen(&mut self, bytes: &[u8]) -> Result<(), CloseCode> {
        let message = AgentControl::decode(bytes).map_err(|_| CloseCode::ProtocolViolation)?;
        let kept = match message.body {
            Some(Body::CheckIn(check_in)) => {
                let facts = check_in.facts.ok_or(CloseCode::ProtocolViolation)?;
                match self.reported.update(self.app, facts).await {
                    Ok(true) => Ok(()),
                    Ok(false) => return Err(CloseCode::KeyRevoked),
                    Err(error) => Err(error.into()),
                }
            }
            Some(Body::OfferFailed(failed)) => return self.offer_failed(&failed),
            Some(Body::Power(result)) => {
                let problem = gc_model::text::clean(&result.problem, MAX_TEXT_BYTES);
                let result_of = if problem.is_empty() {
                    Ok(gc_model::text::clean(&result.login, MAX_TEXT_BYTES))
                } else {
                    Err(problem)
                };
                let machine = self.reported.machine();
                self.app
                    .hub
                    .power_answered(machine, result.request_id, result_of);
                return Ok(());
            }
            Some(Body::Hello(_)) => return Err(CloseCode::ProtocolViolation),
            Some(Body::Chat(chat)) => match &self.guest {
                Some(guest) => guest
                    .hear(self.app, &chat)
                    .await
                    .map_err(anyhow::Error::from),
                None => Ok(()),
            },
            Some(Body::SupportRequest(request)) => {
                let guest = &mut self.guest;
                let asked = Guest::ask(guest, self.app, self.machine, self.address, &request);
                asked.await.map_err(anyhow::Error::from)
            }
            Some(Body::Consent(_)) if !self.may_report() => Ok(()),
            Some(Body::Consent(report)) => {
                let machine = self.reported.machine();
                guest::note_consent(self.app, machine, self.address, &report)
                    .await
                    .map_err(anyhow::Error::from)
            }
            Some(Body::GuestLeaves(_)) => match &self.guest {
                Some(guest) => guest.leave(self.app).await.map_err(anyhow::Error::from),
                None => Ok(()),
            },
            // Of a newer agent: tolerated.
            None => Ok(()),
        };
        if let Err(error) = kept {
            let machine = self.reported.machine();
            tracing::error!(%machine, "What an agent said could not be kept: {error:#}");
        }
        Ok(())
    }

    fn offer_failed(&self, failed: &OfferFailed) -> Result<(), CloseCode> {
        let session =
            SessionId::parse(&failed.session_id).map_err(|_| CloseCode::ProtocolViolation)?;
        let detail = gc_model::text::clean(&failed.detail, gc_proto::limits::MAX_TEXT_BYTES);
        let machine = self.reported.machine();
        tracing::warn!(%machine, %session, detail, "An agent could not join");
        self.app.hub.offer_failed(machine, &session);
        Ok(())
    }
}

/// Sends one message, unless the agent does not take it for too long.
async fn say(socket: &mut WebSocket, message: ServerControl) -> Option<()> {
    let bytes = Bytes::from(message.encode_to_vec());
    tokio::time::timeout(HELLO_TIMEOUT, socket.send(Message::Binary(bytes)))
        .await
        .ok()?
        .ok()
}

/// How much an agent may still say.
struct Allowance {
    left: u32,
    since: Instant,
}

impl Allowance {
    fn new() -> Self {
        Self {
            left: MESSAGE_BURST,
            since: Instant::now(),
        }
    }

    fn take(&mut self) -> bool {
        let earned = self.since.elapsed().as_secs() / MESSAGE_EVERY.as_secs();
        if earned > 0 {
            self.left = MESSAGE_BURST.min(self.left.saturating_add(earned as u32));
            self.since = Instant::now();
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }
}
