//! `GET /api/setup`.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::http::bodies::Json;
use crate::http::error::ApiError;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupBody {
    /// False until somebody claims this server.
    claimed: bool,
}

/// Whether this server has its first administrator.
#[utoipa::path(get, path = "/api/setup", operation_id = "show_setup", tag = "setup",
    responses((status = 200, body = SetupBody)))]
pub(crate) async fn show(State(app): State<Shared>) -> Result<Json<SetupBody>, ApiError> {
    Ok(Json(SetupBody {
        claimed: app.store.is_claimed().await?,
    }))
}
