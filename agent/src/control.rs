//! The control connection: says what this machine is, and hears of viewers.

use std::time::Duration;

use gc_model::id::{ParticipantId, SessionId};
use gc_proto::limits::{MAX_CONTROL_MESSAGE_BYTES, MAX_TEXT_BYTES};
use gc_proto::v1::{agent_control, server_control};
use gc_proto::{Message as _, v1};
use gc_session::CloseReason;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use crate::attended::Signal;
use crate::desktop_thread::sentence;
use crate::facts;
use crate::help::HelpDesk;
use crate::session::{Context, Offer};
use crate::sessions::Failed;
use crate::viewers::Viewers;
use crate::websocket::{Closed, OpenError, WebSocket};

/// Version of the control messages that this agent speaks.
const CONTROL_VERSION: u32 = 1;

/// Where the control connection is.
const PATH: &str = "/ws/agent";

/// Where a session's connection is; offers name nothing else.
const SESSION_PATH: &str = "/ws/agent/session?";

/// Between check-ins when the server names no interval, in seconds.
const DEFAULT_CHECK_IN: u32 = 300;

/// What a server may ask for, in seconds: between 10 s and a day.
const CHECK_IN: (u32, u32) = (10, 24 * 60 * 60);

/// Close code: this machine's key was revoked.
const KEY_REVOKED: u16 = 4003;

/// Close code: another agent connected with this machine's key.
const REPLACED: u16 = 4009;

/// Close code: going away.
const GOING_AWAY: u16 = 1001;

/// Why there is no control connection (any more).
#[derive(Debug)]
pub(crate) enum Ending {
    /// This program was told to stop.
    Stopped,
    /// The connection could not be made or broke.
    Lost(String),
    /// The server does not want this machine; a sentence for the operator.
    Refused(&'static str),
}

/// Connects and serves until the connection ends. `connected` is called once it stands.
pub(crate) async fn serve(
    context: &Context,
    sessions: &mut Viewers,
    stop: &mut watch::Receiver<bool>,
    desk: Option<&HelpDesk>,
    connected: impl FnOnce(),
) -> Ending {
    let opening = WebSocket::open(
        &context.connector,
        PATH,
        &context.identity.api_key,
        MAX_CONTROL_MESSAGE_BYTES,
    );
    let opened = tokio::select! {
        opened = opening => opened,
        _ = stop.wait_for(|stop| *stop) => return Ending::Stopped,
    };
    let socket = match opened {
        Ok(socket) => socket,
        Err(OpenError::Refused) => return Ending::Refused(REFUSED),
        Err(error) => return Ending::Lost(sentence(&error)),
    };
    connected();
    info!(server = %context.connector.server(), "Connected");
    let ending = Control {
        context,
        sessions,
        desk,
        socket,
        check_in: seconds(DEFAULT_CHECK_IN),
        power_results: mpsc::unbounded_channel(),
        next_check_in: None,
    }
    .serve(stop)
    .await;
    if let Some(desk) = desk {
        desk.handle_lost();
    }
    ending
}

const REFUSED: &str = "the server does not accept this machine's key: the key was revoked or the machine removed; \
    enrol it again with --token, or give the machine's new key with --api-key";

const TAKEN: &str = "another agent connected with this machine's key: \
    run only one, and enrol copies of this machine on their own";

struct Control<'a> {
    context: &'a Context,
    sessions: &'a mut Viewers,
    /// Where the user of a managed machine asks for help.
    desk: Option<&'a HelpDesk>,
    socket: WebSocket,
    check_in: Duration,
    power_results: (
        mpsc::UnboundedSender<v1::PowerResult>,
        mpsc::UnboundedReceiver<v1::PowerResult>,
    ),
    /// Set once the server has answered the hello.
    next_check_in: Option<Instant>,
}

impl Control<'_> {
    async fn serve(mut self, stop: &mut watch::Receiver<bool>) -> Ending {
        let facts = Some(facts::to_wire(self.context.machine.facts()));
        let software_version = env!("CARGO_PKG_VERSION").to_owned();
        let hello = v1::AgentHello {
            control_version: CONTROL_VERSION,
            software_version,
            facts,
            power_actions: self.power_actions(),
        };
        self.send(agent_control::Body::Hello(hello));
        loop {
            let check_in = self.next_check_in;
            tokio::select! {
                message = self.socket.receive() => match message {
                    Ok(message) => {
                        if let Err(problem) = self.handle(&message) {
                            return Ending::Lost(problem.to_owned());
                        }
                    }
                    Err(Closed::ByServer(KEY_REVOKED)) => return Ending::Refused(REFUSED),
                    Err(Closed::ByServer(REPLACED)) => return Ending::Refused(TAKEN),
                    Err(closed) => return Ending::Lost(sentence(&closed)),
                },
                failed = self.sessions.failed() => self.report(failed),
                Some(result) = self.power_results.1.recv() => {
                    self.send(agent_control::Body::Power(result));
                }
                body = next_post(self.context, self.desk) => self.send(body),
                () = sleep_until(check_in.unwrap_or_else(Instant::now)), if check_in.is_some() => {
                    let facts = Some(facts::to_wire(self.context.machine.facts()));
                    self.send(agent_control::Body::CheckIn(v1::CheckIn { facts }));
                    self.next_check_in = Some(Instant::now() + self.check_in);
                }
                _ = stop.wait_for(|stop| *stop) => {
                    self.sessions.close_all(CloseReason::AgentStopping).await;
                    self.socket.close(GOING_AWAY, "the agent is stopping").await;
                    return Ending::Stopped;
                }
            }
        }
    }

    fn handle(&mut self, message: &[u8]) -> Result<(), &'static str> {
        let message = v1::ServerControl::decode(message)
            .map_err(|_| "the server sent what is no control message")?;
        match message.body {
            Some(server_control::Body::Hello(hello)) => {
                let wanted = if hello.check_in_seconds == 0 {
                    DEFAULT_CHECK_IN
                } else {
                    hello.check_in_seconds
                };
                self.check_in = seconds(wanted.clamp(CHECK_IN.0, CHECK_IN.1));
                self.next_check_in = Some(Instant::now() + self.check_in);
                if let Some(desk) = self.desk {
                    desk.handle_connected();
                }
            }
            Some(server_control::Body::Offer(offer)) => {
                let offer =
                    parse_offer(&offer).ok_or("the server sent an offer that makes no sense")?;
                if let Err(failed) = self.sessions.start(offer) {
                    warn!(session_id = %failed.session_id, detail = failed.detail, "A viewer was sent away");
                    self.report(failed);
                }
            }
            Some(server_control::Body::Closed(closed)) => {
                let id = SessionId::parse(&closed.session_id)
                    .map_err(|_| "the server closed a session that has no id")?;
                debug!(session_id = %id, "The server ended a session");
                self.sessions.close(&id, CloseReason::EndedByServer);
            }
            Some(server_control::Body::Guest(guest)) => match self.desk {
                Some(desk) => desk.handle_state(guest),
                None => self.signal(Signal::Guest(guest)),
            },
            Some(server_control::Body::Chat(line)) => match self.desk {
                Some(desk) => desk.handle_line(&line),
                None => self.signal(Signal::Chat(line)),
            },
            Some(server_control::Body::RequestRefused(refused)) => match self.desk {
                Some(desk) => desk.handle_refused(&refused),
                None => self.signal(Signal::Refused(refused)),
            },
            Some(server_control::Body::Power(order)) => self.obey(order),
            // Something that a newer server says and this agent does not know.
            None => {}
        }
        Ok(())
    }

    fn report(&mut self, failed: Failed) {
        let mut detail = failed.detail;
        detail.truncate(detail.floor_char_boundary(MAX_TEXT_BYTES));
        let failed = v1::OfferFailed {
            session_id: failed.session_id.to_string(),
            detail,
        };
        self.send(agent_control::Body::OfferFailed(failed));
    }

    /// What the server may order of this machine.
    fn power_actions(&self) -> Vec<String> {
        let actions = self.context.power.iter().flat_map(|power| power.actions());
        actions.map(|action| action.as_str().to_owned()).collect()
    }

    /// The system may take its time, and the connection must not wait for it.
    fn obey(&self, order: v1::PowerOrder) {
        let results = self.power_results.0.clone();
        let power = self.context.power.clone();
        let chosen = self.sessions.chosen_session().map(|session| session.0);
        tokio::task::spawn_blocking(move || {
            let result = match &power {
                Some(power) => power.obey(&order, chosen),
                None => Err("this machine cannot do that".to_owned()),
            };
            let (mut login, mut problem) = match result {
                Ok(login) => (login, String::new()),
                Err(problem) => (String::new(), problem),
            };
            for text in [&mut login, &mut problem] {
                text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
            }
            let _connection_over = results.send(v1::PowerResult {
                request_id: order.request_id,
                problem,
                login,
            });
        });
    }

    /// Tells the person of an attended session.
    fn signal(&self, signal: Signal) {
        if let Some(attendant) = &self.context.attendant {
            attendant.signal(signal);
        }
    }

    fn send(&mut self, body: agent_control::Body) {
        self.socket
            .send(v1::AgentControl { body: Some(body) }.encode_to_vec());
    }
}

/// What the person at this machine has for the server.
async fn next_post(context: &Context, desk: Option<&HelpDesk>) -> agent_control::Body {
    match (&context.attendant, desk) {
        (Some(attendant), _) => attendant.next_post().await,
        (None, Some(desk)) => desk.next_post().await,
        (None, None) => std::future::pending().await,
    }
}

/// An offer of the server, or of the service, checked.
pub(crate) fn parse_offer(offer: &v1::SessionOffer) -> Option<Offer> {
    let ticket = offer.path.strip_prefix(SESSION_PATH)?;
    let printable = ticket.bytes().all(|byte| byte.is_ascii_graphic());
    (printable && offer.path.len() <= MAX_TEXT_BYTES).then_some(())?;
    Some(Offer {
        session_id: SessionId::parse(&offer.session_id).ok()?,
        participant_id: ParticipantId::parse(&offer.participant_id).ok()?,
        path: offer.path.clone(),
    })
}

const fn seconds(number: u32) -> Duration {
    Duration::from_secs(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(path: &str) -> Option<Offer> {
        let (session_id, participant_id) = ("s1".to_owned(), "p1".to_owned());
        parse_offer(&v1::SessionOffer {
            session_id,
            participant_id,
            path: path.to_owned(),
        })
    }

    #[test]
    fn takes_offers_for_session_connections_of_its_own_server_only() {
        assert!(offer("/ws/agent/session?ticket=abc").is_some());
        for path in [
            "",
            "/ws/agent",
            "//evil.example/ws/agent/session?ticket=a",
            "/ws/agent/session?a b",
            "/ws/agent/session?\r\n",
        ] {
            assert!(offer(path).is_none(), "{path:?}");
        }
        assert!(offer(&format!("/ws/agent/session?{}", "a".repeat(MAX_TEXT_BYTES))).is_none());
    }
}
