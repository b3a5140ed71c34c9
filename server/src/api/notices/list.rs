//! `GET /api/notices`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use gc_model::role::Permission;
use gc_store::Notice;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::error::{ApiError, ErrorBody};

/// How many of the log are shown.
const SHOWN: u64 = 100;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticesBody {
    /// Who is told, by the operator's settings.
    targets: Vec<TargetBody>,
    /// `always` or `after-hours`.
    #[schema(example = "always")]
    email_when: &'static str,
    /// When somebody is there; null for always.
    #[schema(example = "mon-fri 08:00-18:00")]
    support_hours: Option<String>,
    /// Whose clock the hours mean: a zone of the IANA database, or the server's own as its
    /// distance to UTC; null without hours.
    #[schema(example = "Europe/Berlin")]
    support_time_zone: Option<String>,
    /// The newest deliveries, newest first.
    items: Vec<NoticeBody>,
}

#[derive(Debug, Serialize, ToSchema)]
struct TargetBody {
    /// `email` or `webhook`.
    #[schema(example = "email")]
    channel: &'static str,
    /// A mail address, or where a webhook leads without its path.
    #[schema(example = "on-call@example.com")]
    target: String,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeBody {
    /// What the receiver sees as `webhook-id`.
    id: String,
    /// `support.requested` or `test`.
    #[schema(example = "support.requested")]
    kind: String,
    /// `email` or `webhook`.
    channel: &'static str,
    target: String,
    /// `pending`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    state: &'static str,
    /// How often it was tried.
    attempts: u32,
    created_at: DateTime<Utc>,
    /// When it is tried next; null when it is not.
    next_at: Option<DateTime<Utc>>,
    /// When it arrived or was given up.
    ended_at: Option<DateTime<Utc>>,
    /// What went wrong the last time.
    last_error: Option<String>,
}

impl From<Notice> for NoticeBody {
    fn from(notice: Notice) -> Self {
        Self {
            id: notice.id,
            kind: notice.kind,
            channel: notice.channel.as_str(),
            target: notice.target,
            state: notice.state.as_str(),
            attempts: notice.attempts,
            created_at: notice.created_at,
            next_at: notice.next_at,
            ended_at: notice.ended_at,
            last_error: notice.last_error,
        }
    }
}

/// Who is told when a customer asks for help, and what was delivered.
#[utoipa::path(get, path = "/api/notices", tag = "support",
    security(("access_token" = [])),
    responses(
        (status = 200, body = NoticesBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(crate) async fn list_notices(
    State(app): State<Shared>,
    current: CurrentUser,
) -> Result<Json<NoticesBody>, ApiError> {
    current.require(Permission::SeeNotices)?;
    let settings = &app.settings.notices;
    let hours = settings.hours.as_ref();
    let targets = app.notices.targets().iter().map(|target| TargetBody {
        channel: target.channel.as_str(),
        target: target.label.clone(),
    });
    let notices = app.store.notices(SHOWN).await?;
    Ok(Json(NoticesBody {
        targets: targets.collect(),
        email_when: settings.email_when.as_str(),
        support_hours: hours.map(|hours| hours.hours.to_string()),
        support_time_zone: hours.map(|hours| hours.clock(app.clock.now())),
        items: notices.into_iter().map(NoticeBody::from).collect(),
    }))
}
