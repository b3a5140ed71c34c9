//! The few plain requests that the agent makes of its server.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::SOFTWARE;
use crate::config::ApiKey;
use crate::connection::{ConnectError, Connector};

/// Largest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Time for the whole exchange after connecting.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Longest text of the server that is shown to a person, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// Why a request has no useful answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("cannot reach {server}")]
    Connect {
        server: String,
        source: ConnectError,
    },
    #[error("the connection to the server broke")]
    Broken(#[source] hyper::Error),
    #[error("the server did not answer in time")]
    Timeout,
    #[error("the server answered {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("the server's answer makes no sense: is this a GuruConnect server?")]
    Nonsense,
}

impl RequestError {
    /// True when the server knows no machine with that key (any more).
    pub(crate) fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED)
    }

    /// True when the server understood and said no; asking again changes nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
        matches!(self, Self::Refused { status, .. } if status.is_client_error() && !later.contains(status))
    }
}

/// Sends JSON and reads JSON.
pub(crate) async fn post<T: DeserializeOwned>(
    connector: &Connector,
    path: &str,
    body: &serde_json::Value,
) -> Result<T, RequestError> {
    let body = Bytes::from(body.to_string());
    exchange(connector, Method::POST, path, None, body).await
}

/// What a server answered, whatever it was.
pub(crate) struct RawAnswer {
    pub(crate) status: StatusCode,
    /// When to come again, where the server says so.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// Sends JSON; every answer is one.
pub(crate) async fn post_raw(
    connector: &Connector,
    path: &str,
    body: &serde_json::Value,
) -> Result<RawAnswer, RequestError> {
    let body = Bytes::from(body.to_string());
    send(connector, Method::POST, path, None, body).await
}

/// Reads JSON as this machine.
pub(crate) async fn get<T: DeserializeOwned>(
    connector: &Connector,
    path: &str,
    api_key: &ApiKey,
) -> Result<T, RequestError> {
    exchange(connector, Method::GET, path, Some(api_key), Bytes::new()).await
}

async fn exchange<T: DeserializeOwned>(
    connector: &Connector,
    method: Method,
    path: &str,
    api_key: Option<&ApiKey>,
    body: Bytes,
) -> Result<T, RequestError> {
    let answer = send(connector, method, path, api_key, body).await?;
    if !answer.status.is_success() {
        return Err(RequestError::Refused {
            status: answer.status,
            message: refusal(&answer.body),
        });
    }
    serde_json::from_slice(&answer.body).map_err(|_| RequestError::Nonsense)
}

async fn send(
    connector: &Connector,
    method: Method,
    path: &str,
    api_key: Option<&ApiKey>,
    body: Bytes,
) -> Result<RawAnswer, RequestError> {
    let stream = connector
        .connect()
        .await
        .map_err(|source| RequestError::Connect {
            server: connector.server().to_string(),
            source,
        })?;
    let answer = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, connector.server().authority())
            .header(USER_AGENT, SOFTWARE)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = api_key {
            request = request.header(AUTHORIZATION, format!("Bearer {}", key.reveal()));
        }
        let request = request
            .body(Full::new(body))
            .expect("paths and keys are printable: checked where they come from");
        let response = sender.send_request(request).await?;
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|seconds| seconds.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        driver.abort();
        let body = body.map(http_body_util::Collected::to_bytes);
        Ok((status, retry_after, body))
    };
    let (status, retry_after, body) = timeout(TIMEOUT, answer)
        .await
        .map_err(|_| RequestError::Timeout)?
        .map_err(RequestError::Broken)?;
    Ok(RawAnswer {
        status,
        retry_after,
        body: body.map_err(|_| RequestError::Nonsense)?,
    })
}

/// The sentence in an error's body, if there is one.
pub(crate) fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Answer {
        error: Detail,
    }
    #[derive(Deserialize)]
    struct Detail {
        message: String,
    }
    let message = serde_json::from_slice(body).map_or_else(
        |_| "no reason given".to_owned(),
        |answer: Answer| answer.error.message,
    );
    message
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_MESSAGE_CHARS)
        .collect()
}
