//! `POST /api/sessions/{id}/stats`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_store::{Action, NewAuditEntry};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{QualityBody, find};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct StatsRequest {
    /// The quality that the technician chose in the session.
    quality: QualityBody,
}

/// Note that the picture's quality was changed in one's own session.
#[utoipa::path(post, path = "/api/sessions/{id}/stats", tag = "sessions",
    security(("access_token" = [])), params(("id" = String, Path)), request_body = StatsRequest,
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 404, description = "`session_not_found`", body = ErrorBody),
        (status = 410, description = "`session_ended`", body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn note_quality(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
    Json(request): Json<StatsRequest>,
) -> Result<StatusCode, ApiError> {
    app.limit(Limited::Start, client)?;
    let session = find(&app, &id).await?;
    if session.user_id != current.user.id {
        return Err(ApiError::session_not_found());
    }
    if session.ended_at.is_some() {
        return Err(ApiError::session_ended());
    }
    let entry = NewAuditEntry {
        at: app.clock.now(),
        action: Action::SessionQualityChanged,
        actor: current.actor(),
        machine: Some((session.machine_id, session.machine_name)),
        session_id: Some(session.id),
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "quality": request.quality }),
    };
    app.store.append_audit(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}
