//! WebSockets of the tests, and the viewer's end of a session.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{soon, text};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket with these headers. The HTTP status when it is refused.
pub(crate) async fn connect(url: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let mut request = ClientRequestBuilder::new(url.parse().expect("a URL"));
    for (name, value) in headers {
        request = request.with_header(*name, *value);
    }
    match soon(tokio_tungstenite::connect_async(request)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{url}: {error}"),
    }
}

/// Reads until the peer closes. Its code; 1006 when it closed without one.
pub(crate) async fn close_code(socket: &mut Socket) -> u16 {
    soon(async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => {
                    return frame.map_or(1005, |frame| frame.code.into());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 1006,
            }
        }
    })
    .await
}

/// The technician's end of a session.
pub(crate) struct Viewer {
    pub(crate) socket: Socket,
}

impl Viewer {
    /// Connects with the answer of start or rejoin.
    pub(crate) async fn connect(admission: &Value) -> Self {
        let url = text(&admission["websocket_url"]);
        let origin = url.replacen("ws", "http", 1);
        let origin = origin.split("/ws/").next().expect("a base");
        let socket = connect(&url, &[("Origin", origin)])
            .await
            .expect("the upgrade is allowed");
        Self { socket }
    }

    pub(crate) async fn send(&mut self, message: &[u8]) {
        let message = Message::binary(message.to_vec());
        soon(self.socket.send(message)).await.expect("it is sent");
    }

    pub(crate) async fn receive(&mut self) -> Vec<u8> {
        receive(&mut self.socket).await
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        close_code(&mut self.socket).await
    }
}

/// The next binary message.
pub(crate) async fn receive(socket: &mut Socket) -> Vec<u8> {
    soon(async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(message))) => return message.to_vec(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a message, not {other:?}"),
            }
        }
    })
    .await
}
