//! `POST /api/auth/password`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_store::{Action, NewAuditEntry};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::app::Shared;
use crate::auth::password_rule;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordRequest {
    #[schema(value_type = String)]
    current: Zeroizing<String>,
    /// At least 12 characters.
    #[schema(value_type = String)]
    new: Zeroizing<String>,
}

/// Change one's own password. Every other sign-in of this person ends.
#[utoipa::path(post, path = "/api/auth/password", tag = "auth",
    security(("access_token" = [])), request_body = PasswordRequest,
    responses(
        (status = 204),
        (status = 401, body = ErrorBody),
        (status = 403, description = "`wrong_credentials`", body = ErrorBody),
        (status = 422, description = "`weak_password`", body = ErrorBody),
        (status = 429, description = "`too_many_attempts`", body = ErrorBody)))]
pub(crate) async fn change_password(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Json(request): Json<PasswordRequest>,
) -> Result<StatusCode, ApiError> {
    let user = &current.user;
    // Whoever finds an open browser must not guess here instead of at the door.
    app.lockout
        .begin(app.clock.moment(), &user.username, client.address)
        .map_err(|wait| ApiError::too_many("too_many_attempts", wait))?;
    let known = app
        .store
        .credentials(&user.username)
        .await?
        .map(|known| known.password_hash);
    let right = app
        .passwords
        .verify(request.current, known.clone())
        .await
        .map_err(|_| ApiError::busy())?;
    let Some(checked_hash) = known.filter(|_| right) else {
        return Err(wrong_password());
    };
    app.lockout.succeeded(&user.username, client.address);
    password_rule::check(&request.new, &user.username)
        .map_err(|why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", why))?;

    let hash = app
        .passwords
        .hash(request.new)
        .await
        .map_err(|_| ApiError::busy())?;
    let now = app.clock.now();
    let entry = NewAuditEntry {
        at: now,
        action: Action::PasswordChanged,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({}),
    };
    let ended = app
        .store
        .change_password(&user.id, &checked_hash, hash, &current.login, now, entry)
        .await?
        .ok_or_else(wrong_password)?;
    for login in ended {
        app.login_ended(&login).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Not 401: the sign-in itself is fine.
fn wrong_password() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "wrong_credentials",
        "The current password is wrong.",
    )
}
