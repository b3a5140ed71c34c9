//! `POST /api/auth/logout`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use gc_store::{Action, NewAuditEntry};

use crate::app::Shared;
use crate::auth::cookie;
use crate::auth::user::actor;
use crate::chance::secret_hash;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::origin::{self, Origin};

/// Sign out: the sign-in of the refresh cookie ends, with its sessions. Fine to
/// call without one.
#[utoipa::path(post, path = "/api/auth/logout", tag = "auth",
    security(("refresh_token" = [])),
    responses((status = 204), (status = 403, body = ErrorBody)))]
pub(crate) async fn logout(
    State(app): State<Shared>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if origin::judge(&app.settings, client, &headers, &uri) == Origin::Foreign {
        return Err(ApiError::foreign_origin());
    }
    if let Some(token) = cookie::read(&headers) {
        let now = app.clock.now();
        let found = app
            .store
            .login_of_refresh_token(&secret_hash(&token), now)
            .await?;
        if let Some((login, user)) = found {
            let entry = NewAuditEntry {
                at: now,
                action: Action::LoginEnded,
                actor: actor(&user),
                machine: None,
                session_id: None,
                address: Some(client.address.to_string()),
                detail: serde_json::json!({ "login_id": login.id.as_str() }),
            };
            if app.store.end_login(&login.id, &user.id, now, entry).await? {
                app.login_ended(&login.id).await?;
            }
        }
    }
    let clear = [(header::SET_COOKIE, cookie::clear(client.secure))];
    Ok((StatusCode::NO_CONTENT, clear).into_response())
}
