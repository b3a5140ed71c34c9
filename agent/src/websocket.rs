//! WebSocket connections to the server: opened with this machine's key, limited,
//! and known to be gone when nothing is heard.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream as _};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, InvalidHeaderValue, USER_AGENT};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::SOFTWARE;
use crate::config::ApiKey;
use crate::connection::{ConnectError, Connector, Stream};

/// Time for the upgrade after connecting.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// The server pings every 10 s; one from which nothing came for this long is gone.
const SILENCE: Duration = Duration::from_secs(25);

/// Time for the last messages to leave before a connection is dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Most that waits to be sent, in bytes: twice what the pacer ever has under way. More means a bug or a dead peer.
const MAX_OUTBOX_BYTES: usize = 32 * 1024 * 1024;

/// Room for one read, in bytes. What a viewer or server sends is small.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// A connection whose sending never stands in the way of receiving.
pub(crate) struct WebSocket {
    stream: WebSocketStream<Box<dyn Stream>>,
    outbox: VecDeque<Message>,
    outbox_bytes: usize,
    unflushed: bool,
    last_heard: Instant,
}

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("cannot reach the server")]
    Connect(#[from] ConnectError),
    /// The key is not (or no longer) valid.
    #[error("the server does not accept this machine's key")]
    Refused,
    #[error("the server answered {0} instead of opening a WebSocket")]
    Answer(StatusCode),
    #[error("the server did not answer in time")]
    Timeout,
    #[error("the WebSocket cannot be opened")]
    Protocol(#[source] Box<Error>),
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closed {
    /// The server said so, with this code.
    #[error("the server closed the connection with code {0}")]
    ByServer(u16),
    #[error("nothing was heard from the server for {} s", SILENCE.as_secs())]
    Silent,
    #[error("the connection broke")]
    Broken(#[source] Box<Error>),
    #[error("more waits to be sent than the limit allows")]
    Overfull,
}

impl WebSocket {
    /// Opens `path` (with a leading slash) as this machine.
    pub(crate) async fn open(
        connector: &Connector,
        path: &str,
        api_key: &ApiKey,
        max_message_bytes: usize,
    ) -> Result<Self, OpenError> {
        let stream = connector.connect().await?;
        let protocol = |error| OpenError::Protocol(Box::new(error));
        let mut request = connector
            .server()
            .websocket(path)
            .into_client_request()
            .map_err(protocol)?;
        let bearer = format!("Bearer {}", api_key.reveal());
        let mut bearer: tokio_tungstenite::tungstenite::http::HeaderValue = bearer
            .try_into()
            .map_err(|error: InvalidHeaderValue| protocol(Error::HttpFormat(error.into())))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request
            .headers_mut()
            .insert(USER_AGENT, SOFTWARE.parse().expect("a header value"));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        let opening = timeout(
            UPGRADE_TIMEOUT,
            client_async_with_config(request, stream, Some(config)),
        );
        match opening.await {
            Err(_) => Err(OpenError::Timeout),
            Ok(Err(Error::Http(answer))) if answer.status() == StatusCode::UNAUTHORIZED => {
                Err(OpenError::Refused)
            }
            Ok(Err(Error::Http(answer))) => Err(OpenError::Answer(answer.status())),
            Ok(Err(error)) => Err(protocol(error)),
            Ok(Ok((stream, _))) => Ok(Self {
                stream,
                outbox: VecDeque::new(),
                outbox_bytes: 0,
                unflushed: false,
                last_heard: Instant::now(),
            }),
        }
    }

    /// Takes a message to send; it leaves while [`WebSocket::receive`] is awaited.
    pub(crate) fn send(&mut self, message: Vec<u8>) {
        self.outbox_bytes += message.len();
        self.outbox.push_back(Message::Binary(message.into()));
    }

    /// Sends what waits and gives the next message. Safe to drop and call again.
    pub(crate) async fn receive(&mut self) -> Result<Bytes, Closed> {
        loop {
            if self.outbox_bytes > MAX_OUTBOX_BYTES {
                return Err(Closed::Overfull);
            }
            let deadline = self.last_heard + SILENCE;
            let received = timeout_at(deadline, poll_fn(|context| self.poll(context))).await;
            let message = received
                .map_err(|_| Closed::Silent)?
                .map_err(|error| Closed::Broken(Box::new(error)))?;
            self.last_heard = Instant::now();
            match message {
                Message::Binary(bytes) => return Ok(bytes),
                Message::Close(frame) => {
                    let code = frame.map_or(CloseCode::Status, |frame: CloseFrame| frame.code);
                    return Err(Closed::ByServer(code.into()));
                }
                // Pings are answered by the library; the server sends no text.
                _ => {}
            }
        }
    }

    /// Sends what waits and says good-bye, for a short time.
    pub(crate) async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        self.outbox.push_back(Message::Close(Some(frame)));
        // Whoever is gone does not hear it.
        let _gone = timeout(CLOSE_TIMEOUT, poll_fn(|context| self.poll_send(context))).await;
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        if let Poll::Ready(Err(error)) = self.poll_send(context) {
            return Poll::Ready(Err(error));
        }
        match ready!(Pin::new(&mut self.stream).poll_next(context)) {
            Some(message) => Poll::Ready(message),
            None => Poll::Ready(Err(Error::ConnectionClosed)),
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.outbox.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_ready(context))?;
            let Some(message) = self.outbox.pop_front() else {
                break;
            };
            if let Message::Binary(bytes) = &message {
                self.outbox_bytes -= bytes.len();
            }
            self.unflushed = true;
            Pin::new(&mut self.stream).start_send(message)?;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}
