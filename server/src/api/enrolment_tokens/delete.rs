//! `DELETE /api/enrolment-tokens/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_store::{Action, NewAuditEntry};

use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Path;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Delete an enrolment token. Machines that it enrolled stay.
#[utoipa::path(delete, path = "/api/enrolment-tokens/{id}", tag = "enrolment",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`token_not_found`", body = ErrorBody)))]
pub(crate) async fn delete_token(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::ManageEnrolment)?;
    let not_found = || ApiError::not_found("token_not_found", "There is no such enrolment token.");
    let token = app
        .store
        .enrolment_token(&id)
        .await?
        .ok_or_else(not_found)?;
    let entry = NewAuditEntry {
        at: app.clock.now(),
        action: Action::EnrolmentTokenDeleted,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "id": token.id, "name": token.name, "uses": token.uses }),
    };
    if app.store.delete_enrolment_token(&token.id, entry).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_found())
    }
}
