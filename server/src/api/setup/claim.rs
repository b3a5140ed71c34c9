//! `POST /api/setup/claim`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use gc_model::id::UserId;
use gc_model::role::Role;
use gc_store::{Action, ClaimError, NewAuditEntry, NewUser, User};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::api::auth::{SignedInBody, display_name, signed_in, start_login, username};
use crate::app::Shared;
use crate::auth::password_rule;
use crate::auth::user::actor;
use crate::chance::new_id;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;

#[derive(Deserialize, ToSchema)]
pub(crate) struct ClaimRequest {
    /// From the server's console.
    #[schema(value_type = String)]
    secret: Zeroizing<String>,
    #[schema(example = "ada")]
    username: String,
    #[schema(example = "Ada Lovelace")]
    display_name: String,
    /// At least 12 characters.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// Claim a fresh server: makes its first administrator and signs them in.
#[utoipa::path(post, path = "/api/setup/claim", operation_id = "claim_server", tag = "setup", request_body = ClaimRequest,
    responses(
        (status = 200, body = SignedInBody),
        (status = 403, description = "`wrong_secret`", body = ErrorBody),
        (status = 409, description = "`already_claimed`", body = ErrorBody),
        (status = 422, description = "`weak_password`, `invalid`", body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn claim(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    Json(request): Json<ClaimRequest>,
) -> Result<Response, ApiError> {
    app.limit(Limited::Claim, client)?;
    if app.store.is_claimed().await? {
        return Err(already_claimed());
    }
    if !app
        .claim_secret
        .as_ref()
        .is_some_and(|secret| secret.matches(&request.secret))
    {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "wrong_secret",
            "The secret is not the one on the server's console.",
        ));
    }
    let username = username(&request.username)?;
    let display_name = display_name(&request.display_name)?;
    password_rule::check(&request.password, &username)
        .map_err(|why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", why))?;
    let password_hash = app
        .passwords
        .hash(request.password)
        .await
        .map_err(|_| ApiError::busy())?;

    let now = app.clock.now();
    let user = User {
        id: UserId::parse(&new_id()).expect("ids that are made here can be read"),
        username,
        display_name,
        role: Role::Admin,
        created_at: now,
    };
    let new_user = NewUser {
        id: user.id.clone(),
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        role: user.role,
        password_hash,
        created_at: now,
    };
    let (login, refresh_token) = start_login(&app, &user, client, &headers);
    let login_id = login.id.clone();
    let entry = NewAuditEntry {
        at: now,
        action: Action::ServerClaimed,
        actor: actor(&user),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "username": user.username }),
    };
    match app.store.claim_server(new_user, login, entry).await {
        Ok(user) => {
            tracing::info!(user = %user.id, "Server claimed");
            Ok(signed_in(&app, &user, &login_id, &refresh_token, client))
        }
        Err(ClaimError::AlreadyClaimed) => Err(already_claimed()),
        Err(ClaimError::Store(error)) => Err(error.into()),
    }
}

fn already_claimed() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "already_claimed",
        "This server has been claimed before.",
    )
}
