//! Carries messages between a viewer and an agent. Each direction is one task
//! that holds one message: it reads, checks four bytes, and waits until the
//! other side has taken it. Who does not read makes the other one wait.

use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use gc_model::id::ParticipantId;
use gc_relay::{CloseWhy, Direction, Side, Traffic, check_message};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::pulse::Pulse;
use super::{CloseCode, close};
use crate::app::App;
use crate::hub::EndCommand;
use crate::metrics::Relayed;

/// Both ends, and what may still be said about them.
pub(super) struct Joined<'a> {
    pub(super) viewer: WebSocket,
    pub(super) agent: WebSocket,
    pub(super) traffic: Arc<Traffic>,
    pub(super) commands: &'a mut mpsc::UnboundedReceiver<EndCommand>,
}

/// Why both directions stop. The first reason counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// One end went away.
    Left(Side),
    /// One end sent what it must not.
    Violation(Side),
    /// The hub says so.
    Told(CloseWhy),
}

impl Stop {
    /// What this end is told.
    fn code(self, side: Side) -> CloseCode {
        match self {
            Self::Violation(offender) if offender == side => CloseCode::ProtocolViolation,
            Self::Left(Side::Agent) | Self::Violation(Side::Agent) => {
                CloseCode::of(CloseWhy::AgentLeft, side)
            }
            Self::Left(Side::Viewer) | Self::Violation(Side::Viewer) => {
                CloseCode::of(CloseWhy::ViewerLeft, side)
            }
            Self::Told(why) => CloseCode::of(why, side),
        }
    }
}

/// Carries until an end leaves or the hub says to stop, and closes both.
pub(super) async fn run(
    app: &App,
    participant: &ParticipantId,
    joined: Joined<'_>,
    first: Option<Bytes>,
) {
    let _guard = app.metrics.socket("agent_session");
    let Joined {
        viewer,
        agent,
        traffic,
        commands,
    } = joined;
    let (viewer_out, viewer_in) = viewer.split();
    let (agent_out, agent_in) = agent.split();
    let (stop, stopped) = watch::channel(None);
    let stop = Arc::new(stop);
    let carrier = |direction, from, to| Carrier {
        direction,
        from,
        to,
        traffic: Arc::clone(&traffic),
        relayed: app.metrics.relayed(match direction {
            Direction::ToViewer => "to_viewer",
            Direction::ToAgent => "to_agent",
        }),
        stop: Arc::clone(&stop),
        stopped: stopped.clone(),
    };
    let picture = tokio::spawn(carrier(Direction::ToViewer, agent_in, viewer_out).run(None));
    let input = tokio::spawn(carrier(Direction::ToAgent, viewer_in, agent_out).run(first));
    let told = async {
        while let Some(command) = commands.recv().await {
            if let EndCommand::Close(why) = command {
                set(&stop, Stop::Told(why));
            }
        }
        std::future::pending::<()>().await;
    };
    let carried = tokio::select! {
        carried = async { tokio::join!(picture, input) } => carried,
        () = told => unreachable!("it waits for ever"),
    };

    let reason = (*stopped.borrow()).unwrap_or(Stop::Told(CloseWhy::GoingAway));
    if let Stop::Left(side) | Stop::Violation(side) = reason {
        app.hub.left(participant, side);
    }
    let (Ok(picture), Ok(input)) = carried else {
        return tracing::error!(%participant, "A relay task failed");
    };
    let viewer = picture
        .to
        .reunite(input.from)
        .expect("the two halves of the viewer's socket");
    let agent = input
        .to
        .reunite(picture.from)
        .expect("the two halves of the agent's socket");
    let goodbye = async |socket, side| {
        if reason != Stop::Left(side) {
            close(socket, reason.code(side)).await;
        }
    };
    tokio::join!(goodbye(viewer, Side::Viewer), goodbye(agent, Side::Agent));
}

fn set(stop: &watch::Sender<Option<Stop>>, reason: Stop) {
    stop.send_if_modified(|current| {
        let first = current.is_none();
        if first {
            *current = Some(reason);
        }
        first
    });
}

/// What a carrier does next.
enum Step {
    Heard(Option<Result<Message, axum::Error>>),
    Ping,
}

/// One direction.
struct Carrier {
    direction: Direction,
    from: SplitStream<WebSocket>,
    to: SplitSink<WebSocket, Message>,
    traffic: Arc<Traffic>,
    relayed: Relayed,
    stop: Arc<watch::Sender<Option<Stop>>>,
    stopped: watch::Receiver<Option<Stop>>,
}

impl Carrier {
    /// Carries until it is to stop; says why if it was the first to know.
    async fn run(mut self, first: Option<Bytes>) -> Self {
        let (source, target) = match self.direction {
            Direction::ToAgent => (Side::Viewer, Side::Agent),
            Direction::ToViewer => (Side::Agent, Side::Viewer),
        };
        if let Err(reason) = self.carry(first, source, target).await {
            set(&self.stop, reason);
        }
        self
    }

    async fn carry(
        &mut self,
        first: Option<Bytes>,
        source: Side,
        target: Side,
    ) -> Result<(), Stop> {
        // Pings go to the target, whose answers the other direction hears.
        let mut pulse = Pulse::new();
        if let Some(message) = first {
            self.pass_on(message, target).await?;
        }
        loop {
            let silent_at = pulse.silent_at();
            let step = tokio::select! {
                _ = self.stopped.wait_for(Option::is_some) => return Ok(()),
                message = self.from.next() => Step::Heard(message),
                () = tokio::time::sleep_until(silent_at) => return Err(Stop::Left(source)),
                () = pulse.ping_due() => Step::Ping,
            };
            match step {
                Step::Ping => {
                    let asked = Instant::now();
                    self.send(Message::Ping(Bytes::new()), target).await?;
                    pulse.not_listened(asked.elapsed());
                    continue;
                }
                Step::Heard(Some(Ok(Message::Binary(message)))) => {
                    if let Err(violation) = check_message(&message) {
                        tracing::warn!(?source, %violation, "A message was refused");
                        return Err(Stop::Violation(source));
                    }
                    self.pass_on(message, target).await?;
                }
                Step::Heard(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Step::Heard(Some(Ok(Message::Text(_)))) => return Err(Stop::Violation(source)),
                Step::Heard(Some(Ok(Message::Close(_))) | None) => return Err(Stop::Left(source)),
                Step::Heard(Some(Err(error))) => {
                    // Lost, too large, or no WebSocket message at all: if it can
                    // still hear, it is told that it broke the rules.
                    tracing::debug!(?source, %error, "A session's connection broke");
                    return Err(Stop::Violation(source));
                }
            }
            // From here on: a target that was slow is no silence of the source.
            pulse.heard();
        }
    }

    async fn pass_on(&mut self, message: Bytes, target: Side) -> Result<(), Stop> {
        let bytes = message.len();
        self.send(Message::Binary(message), target).await?;
        self.traffic.record(self.direction, bytes);
        self.relayed.record(bytes);
        Ok(())
    }

    /// Writes and flushes one message. Takes as long as the target takes.
    async fn send(&mut self, message: Message, target: Side) -> Result<(), Stop> {
        let sent = self.to.send(message);
        unless_stopped(&mut self.stopped, sent)
            .await?
            .map_err(|_| Stop::Left(target))
    }
}

/// The work's result, or the reason why it is not waited for any longer.
async fn unless_stopped<T>(
    stopped: &mut watch::Receiver<Option<Stop>>,
    work: impl Future<Output = T>,
) -> Result<T, Stop> {
    tokio::select! {
        done = work => Ok(done),
        reason = stopped.wait_for(Option::is_some) => {
            let reason = reason.ok().and_then(|reason| *reason);
            Err(reason.unwrap_or(Stop::Told(CloseWhy::GoingAway)))
        }
    }
}
