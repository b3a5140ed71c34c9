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
    work: Option<WorkBody>,
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorDetail,
    /// Only with `work_required`.
    #[serde(flatten)]
    work: Option<WorkBody>,
}

/// A piece of work: find a number (decimal, below 2^64) so that SHA-256 of the
/// challenge followed by it begins with so many zero bits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkBody {
    challenge: String,
    /// Zero bits.
    #[schema(example = 16)]
    difficulty: u32,
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
            work: None,
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

    /// 404, the same for every code that is not active, whatever the reason.
    pub(crate) fn code_not_active() -> Self {
        Self::not_found(
            "code_not_active",
            "This code is not active. Check the digits, or ask for a new one.",
        )
    }

    pub(crate) fn support_code_not_found() -> Self {
        Self::not_found("support_code_not_found", "There is no such support code.")
    }

    /// 428: do some work first.
    pub(crate) fn work_required(challenge: String, difficulty: u32) -> Self {
        let error = Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "work_required",
            "Many wrong codes are being tried right now. Solve the challenge and try again.",
        );
        Self {
            work: Some(WorkBody {
                challenge,
                difficulty,
            }),
            ..error
        }
    }

    /// The stable code, for programs.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// How long to wait before the next try, as the client is told.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(whole_seconds)
    }

    /// Challenge and difficulty, where work is asked for.
    pub(crate) fn work(&self) -> Option<(&str, u32)> {
        let work = self.work.as_ref()?;
        Some((&work.challenge, work.difficulty))
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
        let work = self.work;
        let mut response = (self.status, Json(ErrorBody { error, work })).into_response();
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
