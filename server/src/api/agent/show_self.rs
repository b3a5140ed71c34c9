//! `GET /api/agent/self`.

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::auth::agent::CurrentMachine;
use crate::http::bodies::Json;
use crate::http::error::ErrorBody;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SelfBody {
    machine_id: String,
    /// Ed25519, 32 bytes in base64.
    server_public_key: String,
}

/// Which machine the key belongs to: a check of key and connection.
#[utoipa::path(get, path = "/api/agent/self", tag = "enrolment", security(("machine_key" = [])),
    responses(
        (status = 200, body = SelfBody),
        (status = 401, description = "`unknown_key`", body = ErrorBody)))]
pub(crate) async fn show_self(State(app): State<Shared>, agent: CurrentMachine) -> Json<SelfBody> {
    Json(SelfBody {
        machine_id: agent.machine.id.as_str().to_owned(),
        server_public_key: BASE64.encode(app.keys.public_key()),
    })
}
