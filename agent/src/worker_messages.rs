//! What the service and a worker say to each other, in frames. Each side takes the
//! other for hostile: lengths are limited and ids are parsed again.

use std::io;
use std::path::PathBuf;

use gc_model::id::SessionId;
use gc_proto::v1;
use gc_session::{CloseReason, DesktopSession, DesktopSessionKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::broker::Order;
use crate::cli::{FilmCodecName, QualityCap};
use crate::config::Stored;
use crate::control::parse_offer;
use crate::framed;
use crate::looking::Looking;
use crate::session::Offer;

/// 16 KiB: the longest message is an offer, of less than 2 KiB, or a sentence.
const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// The service to its worker.
#[derive(Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// First: who this machine is.
    Begin(Box<Begin>),
    Offer {
        session_id: String,
        participant_id: String,
        path: String,
    },
    Close {
        session_id: String,
        reason: Reason,
    },
    Ping,
    End {
        reason: Reason,
    },
    /// The desktop sessions that a technician can choose from.
    Logins(Vec<LoginMessage>),
}

/// One desktop session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoginMessage {
    pub(crate) session: u32,
    /// It has the machine's own screen.
    pub(crate) is_console: bool,
    pub(crate) user: String,
    pub(crate) shown: bool,
}

impl From<&LoginMessage> for DesktopSession {
    fn from(login: &LoginMessage) -> Self {
        Self {
            id: login.session,
            kind: if login.is_console {
                DesktopSessionKind::Console
            } else {
                DesktopSessionKind::Remote
            },
            user: login.user.clone(),
            shown: login.shown,
        }
    }
}

/// All that a worker needs.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) identity: Stored,
    pub(crate) quality: Option<QualityCap>,
    #[serde(default)]
    pub(crate) film_codecs: Option<Vec<FilmCodecName>>,
    #[serde(default)]
    pub(crate) hardware_films: bool,
    pub(crate) ca_file: Option<PathBuf>,
    /// The worker before this one could not release what its viewers held.
    pub(crate) has_leftovers: bool,
}

/// A worker to its service.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// It takes offers from now on.
    Ready,
    /// The answer to a ping.
    Alive { viewers: usize },
    /// An offer came to nothing.
    Failed { session_id: String, detail: String },
    /// A technician wants to see another desktop session.
    Show { session: u32 },
    /// Everybody who looks now, whenever that changes.
    Looking(Vec<Looking>),
}

/// [`CloseReason`] on the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
    AgentStopping,
    DesktopLost,
    EndedByServer,
    EndedByPerson,
    DesktopChanged,
}

impl From<CloseReason> for Reason {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::AgentStopping => Self::AgentStopping,
            CloseReason::DesktopLost => Self::DesktopLost,
            CloseReason::EndedByServer => Self::EndedByServer,
            CloseReason::EndedByPerson => Self::EndedByPerson,
            CloseReason::DesktopChanged => Self::DesktopChanged,
        }
    }
}

impl From<Reason> for CloseReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::AgentStopping => Self::AgentStopping,
            Reason::DesktopLost => Self::DesktopLost,
            Reason::EndedByServer => Self::EndedByServer,
            Reason::EndedByPerson => Self::EndedByPerson,
            Reason::DesktopChanged => Self::DesktopChanged,
        }
    }
}

impl From<Order> for ToWorker {
    fn from(order: Order) -> Self {
        match order {
            Order::Offer(offer) => Self::Offer {
                session_id: offer.session_id.to_string(),
                participant_id: offer.participant_id.to_string(),
                path: offer.path,
            },
            Order::Close(session_id, reason) => Self::Close {
                session_id: session_id.to_string(),
                reason: reason.into(),
            },
            Order::Ping => Self::Ping,
            Order::End(reason) => Self::End {
                reason: reason.into(),
            },
        }
    }
}

impl ToWorker {
    /// What the worker is to do; an error for what only begins, or makes no sense.
    pub(crate) fn order(self) -> io::Result<Order> {
        let nonsense = || framed::invalid("an order that makes no sense");
        match self {
            Self::Begin(_) | Self::Logins(_) => Err(nonsense()),
            Self::Offer {
                session_id,
                participant_id,
                path,
            } => {
                let offer = v1::SessionOffer {
                    session_id,
                    participant_id,
                    path,
                };
                let offer: Option<Offer> = parse_offer(&offer);
                offer.map(Order::Offer).ok_or_else(nonsense)
            }
            Self::Close { session_id, reason } => SessionId::parse(&session_id)
                .map(|id| Order::Close(id, reason.into()))
                .map_err(|_| nonsense()),
            Self::Ping => Ok(Order::Ping),
            Self::End { reason } => Ok(Order::End(reason.into())),
        }
    }
}

/// Writes one message whole.
pub(crate) async fn write<M: Serialize>(
    pipe: &mut (impl AsyncWrite + Unpin),
    message: &M,
) -> io::Result<()> {
    framed::write(pipe, message, MAX_MESSAGE_BYTES).await
}

/// Reads the next message. Not to be dropped half-way.
pub(crate) async fn read<M: DeserializeOwned>(
    pipe: &mut (impl AsyncRead + Unpin),
) -> io::Result<M> {
    framed::read(pipe, MAX_MESSAGE_BYTES).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn what_is_written_is_read_one_byte_at_a_time_too() {
        let message = FromWorker::Failed {
            session_id: "s1".to_owned(),
            detail: "ä".repeat(500),
        };
        let mut written = Vec::new();
        now(write(&mut written, &message)).expect("writes");

        let (mut far, mut near) = tokio::io::duplex(1);
        let heard: FromWorker = now(async {
            let (heard, sent) = tokio::join!(read(&mut near), far.write_all(&written));
            sent.expect("writes");
            heard.expect("reads")
        });

        assert_eq!(heard, message);
    }

    #[test]
    fn a_message_that_is_too_long_is_neither_written_nor_read() {
        let long = "x".repeat(MAX_MESSAGE_BYTES);
        assert!(now(write(&mut Vec::new(), &long)).is_err());

        let announced = u32::MAX.to_le_bytes();
        assert!(now(read::<FromWorker>(&mut announced.as_slice())).is_err());
    }

    #[test]
    fn a_worker_does_only_what_makes_sense() {
        let offer = |path: &str| ToWorker::Offer {
            session_id: "s1".to_owned(),
            participant_id: "p1".to_owned(),
            path: path.to_owned(),
        };

        assert!(offer("/ws/agent/session?ticket=a").order().is_ok());
        assert!(offer("//evil.example/").order().is_err());
        let close = ToWorker::Close {
            session_id: "no id\n".to_owned(),
            reason: Reason::EndedByServer,
        };
        assert!(close.order().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _either = now(read::<ToWorker>(&mut bytes.as_slice()));
            let _either = now(read::<FromWorker>(&mut bytes.as_slice()));
        }
    }
}
