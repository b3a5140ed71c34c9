//! `GET /ready`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;

/// How long the database may take for a sign of life.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadyBody {
    /// `ready`, `stopping` or `database_unavailable`.
    #[schema(example = "ready")]
    status: &'static str,
}

/// The server can do its work: the database answers, and it is not stopping.
#[utoipa::path(get, path = "/ready", tag = "server",
    responses((status = 200, body = ReadyBody), (status = 503, body = ReadyBody)))]
pub(super) async fn ready(State(app): State<Shared>) -> (StatusCode, Json<ReadyBody>) {
    let status = if app.stopping.is_cancelled() {
        "stopping"
    } else {
        match tokio::time::timeout(PATIENCE, app.store.ping()).await {
            Ok(Ok(())) => "ready",
            _ => "database_unavailable",
        }
    };
    let code = if status == "ready" {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(ReadyBody { status }))
}
