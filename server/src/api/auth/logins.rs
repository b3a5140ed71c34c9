//! `GET /api/auth/logins` and `DELETE /api/auth/logins/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use gc_model::id::LoginId;
use gc_store::{Action, NewAuditEntry};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginsBody {
    items: Vec<LoginBody>,
}

/// One live sign-in.
#[derive(Debug, Serialize, ToSchema)]
struct LoginBody {
    id: String,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    address: String,
    user_agent: String,
    /// True for the sign-in that asks.
    current: bool,
}

/// One's own live sign-ins, newest first.
#[utoipa::path(get, path = "/api/auth/logins", tag = "auth", security(("access_token" = [])),
    responses((status = 200, body = LoginsBody), (status = 401, body = ErrorBody)))]
pub(crate) async fn list_logins(
    State(app): State<Shared>,
    current: CurrentUser,
) -> Result<Json<LoginsBody>, ApiError> {
    let logins = app
        .store
        .live_logins(&current.user.id, app.clock.now())
        .await?;
    let items = logins
        .into_iter()
        .map(|login| LoginBody {
            current: login.id == current.login,
            id: login.id.as_str().to_owned(),
            created_at: login.created_at,
            last_used_at: login.last_used_at,
            address: login.address,
            user_agent: login.user_agent,
        })
        .collect();
    Ok(Json(LoginsBody { items }))
}

/// End one of one's own sign-ins. Its tokens stop working at once.
#[utoipa::path(delete, path = "/api/auth/logins/{id}", tag = "auth",
    security(("access_token" = [])), params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn end_login(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found("login_not_found", "There is no such sign-in.");
    let id = LoginId::parse(&id).map_err(|_| not_found())?;
    let now = app.clock.now();
    let entry = NewAuditEntry {
        at: now,
        action: Action::LoginEnded,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "login_id": id.as_str() }),
    };
    if !app
        .store
        .end_login(&id, &current.user.id, now, entry)
        .await?
    {
        return Err(not_found());
    }
    app.login_ended(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
