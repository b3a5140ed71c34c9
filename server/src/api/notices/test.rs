//! `POST /api/notices/test`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_store::{Action, NewAuditEntry};

use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;

/// Tell everybody something that is nothing, to see that it arrives.
#[utoipa::path(post, path = "/api/notices/test", tag = "support",
    security(("access_token" = [])),
    responses(
        (status = 202, description = "On its way: the list says what came of it"),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 409, description = "`nobody_to_tell`, or `too_many_notices` wait", body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn test_notices(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::SeeNotices)?;
    app.limit(Limited::NoticeTest, client)?;
    if app.notices.targets().is_empty() {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "nobody_to_tell",
            "The operator named nobody: neither mail addresses nor webhooks are set.",
        ));
    }
    let entry = NewAuditEntry {
        at: app.clock.now(),
        action: Action::NoticeTested,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({}),
    };
    let name = &current.user.display_name;
    if app.announce_test(name, entry).await? {
        return Ok(StatusCode::ACCEPTED);
    }
    Err(ApiError::new(
        StatusCode::CONFLICT,
        "too_many_notices",
        "Too many notices wait to be delivered. See what is wrong with them first.",
    ))
}
