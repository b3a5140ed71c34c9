//! `POST /api/auth/refresh`.

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use gc_store::{RotateError, Rotation};
use zeroize::Zeroizing;

use super::{SignedInBody, refresh_expiry, signed_in};
use crate::app::Shared;
use crate::auth::cookie;
use crate::chance::{new_secret, secret_hash};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::http::origin::{self, Origin};

/// How long a sign-in can be renewed before the password is asked for again, in days.
const MAX_LOGIN_DAYS: i64 = 30;

/// For so long a token may be exchanged once more from the same address, in
/// seconds: a page that is reloaded while it renews never hears the answer.
const ONCE_MORE_SECONDS: i64 = 10;

/// Renew an access token with the refresh cookie, which is exchanged too. A
/// refresh token that comes again ends the sign-in, but for once within ten
/// seconds from the same address.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth",
    security(("refresh_token" = [])),
    responses(
        (status = 200, body = SignedInBody),
        (status = 401, description = "`signed_out`", body = ErrorBody),
        (status = 403, description = "`foreign_origin`", body = ErrorBody)))]
pub(crate) async fn refresh(
    State(app): State<Shared>,
    client: Client,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if origin::judge(&app.settings, client, &headers, &uri) != Origin::Allowed {
        return Err(ApiError::foreign_origin());
    }
    app.limit(Limited::Refresh, client)?;
    let presented = cookie::read(&headers).ok_or_else(ApiError::signed_out)?;
    let next = Zeroizing::new(new_secret("rt_"));
    let now = app.clock.now();
    let rotation = Rotation {
        presented: secret_hash(&presented),
        next: secret_hash(&next),
        now,
        expires_at: refresh_expiry(now),
        once_more_since: now - TimeDelta::seconds(ONCE_MORE_SECONDS),
        not_created_before: now - TimeDelta::days(MAX_LOGIN_DAYS),
        address: client.address.to_string(),
    };
    match app.store.rotate_refresh_token(rotation).await {
        Ok((login, user)) => Ok(signed_in(&app, &user, &login.id, &next, client)),
        Err(RotateError::Store(error)) => Err(error.into()),
        Err(error) => {
            if let RotateError::Reused(login) = &error {
                tracing::warn!(%login, "A refresh token was used twice: sign-in ended");
                app.login_ended(login).await?;
            }
            let clear = [(header::SET_COOKIE, cookie::clear(client.secure))];
            Ok((clear, ApiError::signed_out()).into_response())
        }
    }
}
