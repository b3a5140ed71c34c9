//! `POST /api/sessions/{id}/end`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_model::session::EndReason;

use super::find;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Path;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// End a session: one's own, or with the right to do so another's. Fine to call
/// again.
#[utoipa::path(post, path = "/api/sessions/{id}/end", tag = "sessions",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`session_not_found`", body = ErrorBody)))]
pub(crate) async fn end_session(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let session = find(&app, &id).await?;
    let reason = if session.user_id == current.user.id {
        EndReason::EndedByTechnician
    } else {
        current.require(Permission::EndSessionOfOthers)?;
        EndReason::EndedByOther
    };
    let address = Some(client.address.to_string());
    app.end_session(&session.id, reason, current.actor(), address)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
