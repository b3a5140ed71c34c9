//! The ticket that the portal's page shows with everything it asks.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::http::error::ApiError;

/// A header and not part of the address, which proxies write into their logs
/// every two seconds.
const HEADER: &str = "support-ticket";

/// A ticket as it was shown, not yet checked.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct Ticket {
    /// From the portal's page.
    #[param(rename = "Support-Ticket")]
    pub(super) text: String,
}

impl<S: Sync> FromRequestParts<S> for Ticket {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let shown = parts.headers.get(HEADER);
        let text = shown.and_then(|value| value.to_str().ok()).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "malformed",
                "The header Support-Ticket is missing.",
            )
        })?;
        Ok(Self {
            text: text.to_owned(),
        })
    }
}
