//! `POST /api/support-codes/{id}/accept`.

use axum::extract::State;
use gc_model::support::CodeEvent;

use super::{SupportCodeBody, change, find_own};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Let a guest in. Of several technicians the first one wins.
#[utoipa::path(post, path = "/api/support-codes/{id}/accept", tag = "support",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 200, body = SupportCodeBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`support_of_other`", body = ErrorBody),
        (status = 404, description = "`support_code_not_found`", body = ErrorBody),
        (status = 409, description = "`support_code_moved_on`", body = ErrorBody)))]
pub(crate) async fn accept_guest(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<Json<SupportCodeBody>, ApiError> {
    let code = find_own(&app, &current, &id).await?;

    let body = change(&app, client, &current, code, CodeEvent::Accept, "accepted").await?;
    Ok(Json(body))
}
