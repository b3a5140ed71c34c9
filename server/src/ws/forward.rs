//! Carries messages between a viewer and an agent. Each direction is one task
//! that holds one message: it reads, checks four bytes, and waits until the
//! other side has taken it. Who does not read makes the other one wait.

use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use gc_relay::{CloseWhy, Direction, Side, Traffic, check_message};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::pulse::Pulse;
use super::{CloseCode, close};
use crate::app::App;
use crate::hub::EndCommand;
use crate::metrics::Relayed;

/// Both ends, and what may still be said about them.
pub(super) struct Joined {
    pub(super) viewer: WebSocket,
    pub(super) agent: WebSocket,
    pub(super) traffic: Arc<Traffic>,
    pub(super) commands: mpsc::UnboundedReceiver<EndCommand>,
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

/// Carries until an end leaves or the hub says to stop. The side that left;
/// `None` when the hub knows already.
pub(super) async fn run(app: &App, joined: Joined, first: Option<Bytes>) -> Option<Side> {
    let _guard = app.metrics.socket("agent_session");
    let Joined {
        viewer,
        agent,
        traffic,
        mut commands,
    } = joined;
    let (viewer_out, viewer_in) = viewer.split();
    let (agent_out, agent_in) = agent.split();
    let (stop, stopped) = watch::channel(None);
    let stop = Arc::new(stop);

    let to_viewer = Carrier {
        direction: Direction::ToViewer,
        from: agent_in,
        to: viewer_out,
        traffic: Arc::clone(&traffic),
        relayed: app.metrics.relayed("to_viewer"),
        stop: Arc::clone(&stop),
        stopped: stopped.clone(),
    };
    let to_agent = Carrier {
        direction: Direction::ToAgent,
        from: viewer_in,
        to: agent_out,
        traffic,
        relayed: app.metrics.relayed("to_agent"),
        stop: Arc::clone(&stop),
        stopped: stopped.clone(),
    };
    let picture = tokio::spawn(to_viewer.run(None));
    let input = tokio::spawn(to_agent.run(first));
    let told = async {
        while let Some(command) = commands.recv().await {
            if let EndCommand::Close(why) = command {
                set(&stop, Stop::Told(why));
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = async { tokio::join!(picture, input) } => {}
        () = told => {}
    }
    let reason = *stopped.borrow();
    match reason {
        Some(Stop::Left(side) | Stop::Violation(side)) => Some(side),
        Some(Stop::Told(_)) | None => None,
    }
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
    async fn run(mut self, first: Option<Bytes>) {
        let (source, target) = match self.direction {
            Direction::ToAgent => (Side::Viewer, Side::Agent),
            Direction::ToViewer => (Side::Agent, Side::Viewer),
        };
        let ended = self.carry(first, source, target).await;
        if let Err(reason) = ended {
            set(&self.stop, reason);
        }
        let reason = *self.stopped.borrow();
        let reason = reason.unwrap_or(Stop::Told(CloseWhy::GoingAway));
        if reason != Stop::Left(target) {
            close(&mut self.to, reason.code(target)).await;
        }
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
                Step::Heard(Some(Err(error))) => return Err(refused_or_left(&error, source)),
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

/// A message that is too large arrives as an error of the WebSocket.
fn refused_or_left(error: &axum::Error, source: Side) -> Stop {
    use std::error::Error as _;
    let text = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    tracing::debug!(?source, error = text, "A session's connection broke");
    let lost = text.contains("IO error") || text.contains("without closing");
    if lost {
        Stop::Left(source)
    } else {
        Stop::Violation(source)
    }
}
