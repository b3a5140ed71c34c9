//! `POST /api/support-codes/{id}/cancel`.

use axum::extract::State;

use super::{SupportCodeBody, change, ending, find_own};
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Take a code back, or end the help: the guest and its session go.
#[utoipa::path(post, path = "/api/support-codes/{id}/cancel", tag = "support",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 200, body = SupportCodeBody),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`support_of_other`", body = ErrorBody),
        (status = 404, description = "`support_code_not_found`", body = ErrorBody),
        (status = 409, description = "`support_code_moved_on`", body = ErrorBody)))]
pub(crate) async fn cancel_support(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<Json<SupportCodeBody>, ApiError> {
    let code = find_own(&app, &current, &id).await?;
    let (event, reason) = ending(code.state);
    let body = change(&app, client, &current, code, event, reason).await?;
    Ok(Json(body))
}
