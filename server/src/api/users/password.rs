//! `POST /api/users/{id}/password`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_store::Action;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{entry, find_other, not_found};
use crate::app::Shared;
use crate::auth::password_rule;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Deserialize, ToSchema)]
pub(crate) struct ResetPasswordRequest {
    /// At least 12 characters.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// Set somebody else's password. All of their sign-ins end.
#[utoipa::path(post, path = "/api/users/{id}/password", tag = "users",
    security(("access_token" = [])), params(("id" = String, Path)), request_body = ResetPasswordRequest,
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`user_not_found`", body = ErrorBody),
        (status = 409, description = "`not_yourself`", body = ErrorBody),
        (status = 422, description = "`weak_password`", body = ErrorBody)))]
pub(crate) async fn reset_password(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
    Json(request): Json<ResetPasswordRequest>,
) -> Result<StatusCode, ApiError> {
    current.require(Permission::ManageUsers)?;
    let account = find_other(&app, &current, &id).await?;
    let user = &account.user;
    password_rule::check(&request.password, &user.username)
        .map_err(|why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", why))?;
    let hash = app
        .passwords
        .hash(request.password)
        .await
        .map_err(|_| ApiError::busy())?;
    let detail = serde_json::json!({});
    let entry = entry(
        &app,
        &current,
        client,
        Action::PasswordReset,
        detail,
        &account,
    );
    let ended = app
        .store
        .reset_password(&user.id, hash, app.clock.now(), entry)
        .await?
        .ok_or_else(not_found)?;
    for login in &ended {
        app.login_ended(login).await?;
    }
    tracing::info!(user = %user.id, by = %current.user.id, "Password reset");
    Ok(StatusCode::NO_CONTENT)
}
