//! `POST /api/auth/login`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use gc_store::{Action, Actor, CreateLoginError, Credentials, NewAuditEntry, User};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{SignedInBody, signed_in, start_login};
use crate::app::Shared;
use crate::auth::user::actor;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;

#[derive(Deserialize, ToSchema)]
pub(crate) struct LoginRequest {
    username: String,
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// Sign in. Wrong names and wrong passwords are the same to the caller, in words
/// and in time.
#[utoipa::path(post, path = "/api/auth/login", tag = "auth", request_body = LoginRequest,
    responses(
        (status = 200, body = SignedInBody),
        (status = 401, description = "`wrong_credentials`", body = ErrorBody),
        (status = 429, description = "`too_many_attempts`", body = ErrorBody)))]
pub(crate) async fn login(
    State(app): State<Shared>,
    client: Client,
    headers: HeaderMap,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    app.limit(Limited::Login, client)?;
    let username = request.username.trim().to_lowercase();
    app.lockout
        .begin(app.clock.moment(), &username, client.address)
        .map_err(|wait| {
            app.metrics.refused("lockout");
            ApiError::too_many("too_many_attempts", wait)
        })?;

    let known = app.store.credentials(&username).await?;
    let hash = known.as_ref().map(|known| known.password_hash.clone());
    let right = app
        .passwords
        .verify(request.password, hash)
        .await
        .map_err(|_| ApiError::busy())?;
    let now = app.clock.now();
    let entry = |user: &User, action, detail| NewAuditEntry {
        at: now,
        action,
        actor: actor(user),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail,
    };
    let refused = |known: Option<&User>| {
        app.metrics.login_failed();
        tracing::warn!(address = %client.address, "Sign-in failed");
        // Of known accounts only, whose lock-out bounds it: a name that nobody
        // has may be a password in the wrong field.
        if let Some(user) = known {
            let detail = json!({ "username": user.username });
            let failed = NewAuditEntry {
                actor: Actor::System,
                ..entry(user, Action::LoginFailed, detail)
            };
            write_later(&app, failed);
        }
        wrong_credentials()
    };
    let Credentials {
        user,
        password_hash,
    } = match known {
        Some(known) if right => known,
        somebody => return Err(refused(somebody.as_ref().map(|known| &known.user))),
    };
    app.lockout.succeeded(&username, client.address);

    let (login, refresh_token) = start_login(&app, &user, client, &headers);
    let login_id = login.id.clone();
    let detail = json!({ "login_id": login_id.as_str() });
    let started = entry(&user, Action::LoginStarted, detail);
    match app.store.create_login(login, &password_hash, started).await {
        Ok(()) => {}
        Err(CreateLoginError::NotValid) => return Err(refused(Some(&user))),
        Err(CreateLoginError::Store(error)) => return Err(error.into()),
    }
    tracing::info!(user = %user.id, "Signed in");
    Ok(signed_in(&app, &user, &login_id, &refresh_token, client))
}

fn wrong_credentials() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "wrong_credentials",
        "The user name or the password is wrong.",
    )
}

/// Writes an entry after the answer: the wait for the disk would tell known names
/// from unknown ones.
fn write_later(app: &Shared, entry: NewAuditEntry) {
    let store = app.store.clone();
    app.tasks.spawn(async move {
        if let Err(error) = store.append_audit(entry).await {
            tracing::error!("A failed sign-in could not be noted: {error:#}");
        }
    });
}
