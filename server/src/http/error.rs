//! Answers that say "no": one shape, `{"error":{"code","message"}}`.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gc_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal or failure. The code is for programs, the message for people.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<Duration>,
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorDetail {
    /// Stable, for programs.
    #[schema(example = "machine_offline")]
    code: String,
    /// One sentence for a person.
    #[schema(example = "The machine is not connected right now.")]
    message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 401: no login, or one that is not live any more.
    pub(crate) fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "signed_out", "Sign in first.")
    }

    /// 403: signed in, but not for this.
    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Your role does not allow this.",
        )
    }

    /// 403: a page of another site, or of none.
    pub(crate) fn foreign_origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            "This request did not come from a page of this server.",
        )
    }

    /// 401: an agent whose key is unknown or revoked.
    pub(crate) fn unknown_key() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unknown_key",
            "The machine key is unknown or was revoked. Enrol this machine again.",
        )
    }

    pub(crate) fn not_found(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub(crate) fn machine_not_found() -> Self {
        Self::not_found("machine_not_found", "There is no such machine.")
    }

    pub(crate) fn session_not_found() -> Self {
        Self::not_found("session_not_found", "There is no such session.")
    }

    pub(crate) fn machine_offline() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "machine_offline",
            "The machine is not connected right now.",
        )
    }

    pub(crate) fn session_ended() -> Self {
        Self::new(StatusCode::GONE, "session_ended", "This session has ended.")
    }

    /// 422: understood, but not acceptable.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    }

    /// 429: too much, for now.
    pub(crate) fn too_many(code: &'static str, wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        let error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            code,
            format!("Too many attempts. Try again in {seconds} seconds."),
        );
        Self {
            retry_after: Some(wait),
            ..error
        }
    }

    /// 503: cannot be done at the moment.
    pub(crate) fn busy() -> Self {
        let wait = Duration::from_secs(2);
        let error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "The server is busy. Try again in a moment.",
        );
        Self {
            retry_after: Some(wait),
            ..error
        }
    }

    /// 500: our fault. The cause goes to the log, not to the client.
    pub(crate) fn internal(error: &anyhow::Error) -> Self {
        tracing::error!("A request failed: {error:#}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server could not do this. Its log says why.",
        )
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = ErrorDetail {
            code: self.code.to_owned(),
            message: self.message,
        };
        let mut response = (self.status, Json(ErrorBody { error })).into_response();
        if let Some(wait) = self.retry_after {
            let seconds = HeaderValue::from(whole_seconds(wait));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// Rounded up: whoever waits as long as we said is not refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
