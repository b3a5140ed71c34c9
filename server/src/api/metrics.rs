//! `GET /metrics`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::app::Shared;
use crate::auth::bearer;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Numbers for Prometheus: from this machine itself, or with the metrics token.
#[utoipa::path(get, path = "/metrics", tag = "server",
    responses(
        (status = 200, body = String, content_type = "application/openmetrics-text"),
        (status = 401, body = ErrorBody)))]
pub(super) async fn metrics(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let allowed = match &app.settings.metrics_token {
        Some(token) => bearer(&headers).is_some_and(|given| same(given, token)),
        None => client.direct && client.address.is_loopback(),
    };
    if !allowed {
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "metrics_token",
            "Metrics need the metrics token.",
        ));
    }
    let (online, live) = app.hub.counts();
    let text = app.metrics.render(online, live);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// Compares in constant time, whatever the lengths.
fn same(given: &str, expected: &str) -> bool {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    digest(given).ct_eq(&digest(expected)).into()
}
