//! The WebSockets: agents' control connections, and the two ends of sessions.

pub(crate) mod agent;
pub(crate) mod agent_session;
mod control;
mod forward;
mod guest;
mod pulse;
pub(crate) mod viewer;

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use futures_util::StreamExt as _;
use gc_relay::{CloseWhy, MAX_SESSION_MESSAGE_BYTES, Side};

/// How long a peer may take to close before it is just dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes that one read from the network may bring. Small messages of many idle
/// agents must not cost a large buffer each.
const CONTROL_READ_BYTES: usize = 4 * 1024;

/// The same for sessions: a frame in a few reads.
const SESSION_READ_BYTES: usize = 64 * 1024;

/// Bytes of a message's own framing, at most.
const FRAMING_BYTES: usize = 64;

/// Why a connection is closed: the codes of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCode {
    GoingAway,
    MachineDisconnected,
    ViewerDisconnected,
    SessionEnded,
    Replaced,
    NotAllowed,
    MachineUnreachable,
    ProtocolViolation,
    ConnectionReplaced,
    KeyRevoked,
}

impl CloseCode {
    const fn frame(self) -> (u16, &'static str) {
        match self {
            Self::GoingAway => (1001, "server_going_away"),
            Self::MachineDisconnected => (4001, "machine_disconnected"),
            Self::ViewerDisconnected => (4001, "viewer_disconnected"),
            Self::SessionEnded => (4002, "session_ended"),
            // Like an ended session: whoever was replaced must not come back.
            Self::Replaced => (4002, "replaced"),
            Self::NotAllowed => (4003, "not_allowed"),
            Self::KeyRevoked => (4003, "key_revoked"),
            Self::MachineUnreachable => (4004, "machine_unreachable"),
            Self::ProtocolViolation => (4005, "protocol_violation"),
            Self::ConnectionReplaced => (4009, "replaced"),
        }
    }

    /// What one side is told when a participant is closed.
    const fn of(why: CloseWhy, side: Side) -> Self {
        match (why, side) {
            (CloseWhy::GoingAway, _) => Self::GoingAway,
            (CloseWhy::SessionEnded, _) => Self::SessionEnded,
            (CloseWhy::AgentUnreachable, _) => Self::MachineUnreachable,
            (CloseWhy::Replaced, Side::Viewer) => Self::Replaced,
            (CloseWhy::AgentLeft | CloseWhy::ViewerLeft, Side::Viewer) => Self::MachineDisconnected,
            (CloseWhy::AgentLeft | CloseWhy::ViewerLeft | CloseWhy::Replaced, Side::Agent) => {
                Self::ViewerDisconnected
            }
        }
    }
}

/// Says why, and waits until the peer has closed too: a socket that is dropped
/// with something unread in it takes the words back that are on their way. At
/// most [`CLOSE_TIMEOUT`]; whoever does not take it in time finds the connection
/// gone instead.
async fn close(mut socket: WebSocket, code: CloseCode) {
    let (code, reason) = code.frame();
    let frame = CloseFrame {
        code,
        reason: Utf8Bytes::from_static(reason),
    };
    let goodbye = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
}

/// Upgrades for a session's end: large messages, each written at once, at most
/// one on its way.
fn session_upgrade(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_SESSION_MESSAGE_BYTES)
        .max_frame_size(MAX_SESSION_MESSAGE_BYTES)
        .read_buffer_size(SESSION_READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_SESSION_MESSAGE_BYTES + FRAMING_BYTES)
}

/// Upgrades for a control connection: small messages.
fn control_upgrade(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    let most = gc_proto::limits::MAX_CONTROL_MESSAGE_BYTES;
    upgrade
        .max_message_size(most)
        .max_frame_size(most)
        .read_buffer_size(CONTROL_READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(most + FRAMING_BYTES)
}
