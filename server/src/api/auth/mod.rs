//! Signing in and out.

pub(super) mod login;
pub(super) mod logins;
pub(super) mod logout;
pub(super) mod me;
pub(super) mod password;
pub(super) mod refresh;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use gc_model::id::LoginId;
use gc_model::text::{MAX_NAME_CHARS, clean};
use gc_store::{NewLogin, User};
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::app::App;
use crate::auth::cookie::{self, REFRESH_TOKEN_SECONDS};
use crate::auth::tokens::ACCESS_TOKEN_SECONDS;
use crate::chance::{new_id, new_secret, secret_hash};
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::ApiError;

/// Longest user name, in characters: an e-mail address fits.
const MAX_USERNAME_CHARS: usize = 64;

/// Longest name of a browser that is kept, in characters.
const MAX_USER_AGENT_CHARS: usize = 200;

/// A signed-in person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserBody {
    id: String,
    username: String,
    display_name: String,
    /// `technician`, `senior_technician` or `admin`.
    #[schema(example = "admin")]
    role: &'static str,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.as_str().to_owned(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            role: user.role.as_str(),
        }
    }
}

/// The answer to whoever signed in. The refresh token is in a cookie.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignedInBody {
    access_token: String,
    /// Seconds.
    #[schema(example = 900)]
    expires_in: u64,
    user: UserBody,
}

/// A new sign-in and its first refresh token.
pub(super) fn start_login(
    app: &App,
    user: &User,
    client: Client,
    headers: &HeaderMap,
) -> (NewLogin, Zeroizing<String>) {
    let now = app.clock.now();
    let refresh_token = Zeroizing::new(new_secret("rt_"));
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let login = NewLogin {
        id: LoginId::parse(&new_id()).expect("ids that are made here can be read"),
        user_id: user.id.clone(),
        refresh_hash: secret_hash(&refresh_token),
        created_at: now,
        expires_at: refresh_expiry(now),
        address: client.address.to_string(),
        user_agent: clean(user_agent.unwrap_or_default(), MAX_USER_AGENT_CHARS),
    };
    (login, refresh_token)
}

/// When a refresh token that is given out now ends.
pub(super) fn refresh_expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::seconds(REFRESH_TOKEN_SECONDS as i64)
}

/// Access token in the body, refresh token in the cookie.
pub(super) fn signed_in(
    app: &App,
    user: &User,
    login: &LoginId,
    refresh_token: &str,
    client: Client,
) -> Response {
    let body = SignedInBody {
        access_token: app
            .access_tokens
            .issue(&user.id, login, app.clock.unix_seconds()),
        expires_in: ACCESS_TOKEN_SECONDS,
        user: UserBody::from(user),
    };
    let cookie = cookie::set(refresh_token, client.secure);
    ([(header::SET_COOKIE, cookie)], Json(body)).into_response()
}

/// Reads a user name: lower case, letters, digits and what e-mail addresses have.
pub(super) fn username(text: &str) -> Result<String, ApiError> {
    let name = text.trim().to_lowercase();
    let allowed = |c: char| c.is_alphanumeric() || "._-+@".contains(c);
    let length = name.chars().count();
    if length == 0 || length > MAX_USERNAME_CHARS || !name.chars().all(allowed) {
        return Err(ApiError::invalid(
            "A user name has 1 to 64 letters, digits, dots, dashes, underscores, + or @.",
        ));
    }
    Ok(name)
}

/// Reads a name for people.
pub(super) fn display_name(text: &str) -> Result<String, ApiError> {
    let name = clean(text, MAX_NAME_CHARS + 1);
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(ApiError::invalid("A name has 1 to 100 characters."));
    }
    Ok(name)
}
