//! Who is asking: passwords, sign-ins, access tokens, machine keys, the claim.

pub(crate) mod agent;
pub(crate) mod claim;
pub(crate) mod cookie;
pub(crate) mod live_logins;
pub(crate) mod lockout;
pub(crate) mod password_rule;
pub(crate) mod passwords;
pub(crate) mod tokens;
pub(crate) mod user;

use axum::http::{HeaderMap, header};

/// The text after `Bearer` in the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}
