//! `POST /api/support-codes`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use chrono::TimeDelta;
use gc_model::id::SupportId;
use gc_model::role::Permission;
use gc_model::text::{MAX_NAME_CHARS, clean};
use gc_store::{Action, NewAuditEntry, NewSupportCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::SupportCodeBody;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::chance::new_id;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;
use crate::http::origin;

/// Live codes of the whole server: each one makes guessing easier.
const MAX_LIVE: usize = 500;

/// Shortest and longest life of a code that has an end, in seconds.
const LIFE_SECONDS: std::ops::RangeInclusive<u64> = 1..=7 * 24 * 60 * 60;

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct CreateSupportCodeRequest {
    /// Life in seconds, 1 to 604800; null for no end.
    expires_in_seconds: Option<u64>,
    /// True: only I may let the guest in. False: whoever is first.
    assigned_to_me: bool,
    /// For whom, at most 100 characters.
    #[schema(example = "Contoso, reception")]
    customer: Option<String>,
}

/// Make a support code.
#[utoipa::path(post, path = "/api/support-codes", operation_id = "create_support_code", tag = "support",
    security(("access_token" = [])), request_body = CreateSupportCodeRequest,
    responses(
        (status = 201, body = SupportCodeBody),
        (status = 401, body = ErrorBody),
        (status = 409, description = "`too_many_live_codes`", body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn create_code(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    uri: Uri,
    headers: HeaderMap,
    Json(request): Json<CreateSupportCodeRequest>,
) -> Result<(StatusCode, Json<SupportCodeBody>), ApiError> {
    current.require(Permission::Support)?;
    app.limit(Limited::SupportCode, client)?;
    if request
        .expires_in_seconds
        .is_some_and(|life| !LIFE_SECONDS.contains(&life))
    {
        return Err(ApiError::invalid(
            "expires_in_seconds must be between 1 and 604800, or null.",
        ));
    }
    if app.store.live_support_codes().await?.len() >= MAX_LIVE {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "too_many_live_codes",
            "Too many support codes are live. Cancel those that nobody needs.",
        ));
    }

    let now = app.clock.now();
    let new_code = NewSupportCode {
        id: SupportId::parse(&new_id()).expect("ids that are made here can be read"),
        code: app.draw_code(),
        customer: clean(&request.customer.unwrap_or_default(), MAX_NAME_CHARS),
        created_by: current.user.id.clone(),
        creator: current.user.display_name.clone(),
        assigned_to: request.assigned_to_me.then(|| current.user.id.clone()),
        created_at: now,
        expires_at: request
            .expires_in_seconds
            .map(|life| now + TimeDelta::seconds(life as i64)),
        address: String::new(),
    };
    // The code itself stays out of the log: it opens a door.
    let entry = NewAuditEntry {
        at: now,
        action: Action::SupportCodeCreated,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({
            "id": new_code.id.as_str(),
            "customer": new_code.customer,
        }),
    };
    let code = app.write_code(new_code, entry).await?;
    let base = origin::http_base(&app.settings, client, &headers, &uri);
    let body = SupportCodeBody::new(&app, code, base.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(body)))
}
