//! `POST /api/enrolment-tokens`.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::TimeDelta;
use gc_model::role::Permission;
use gc_store::{Action, NewAuditEntry, NewEnrolmentToken};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TokenBody;
use crate::api::auth::display_name;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::chance::{new_id, new_secret, secret_hash};
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// Longest life of a token that has an end, in seconds: ten years.
const MAX_LIFE_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// Most machines of a token that counts them.
const MAX_USES: u32 = 1_000_000;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateTokenRequest {
    /// 1 to 100 characters.
    #[schema(example = "Office Berlin")]
    name: String,
    /// How many machines it may enrol, 1 to 1,000,000; null for any number.
    #[serde(default)]
    max_uses: Option<u32>,
    /// Life in seconds, 1 to ten years; null for ever.
    #[serde(default)]
    expires_in_seconds: Option<u64>,
}

/// A new enrolment token. The token itself is only in this answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedTokenBody {
    #[serde(flatten)]
    about: TokenBody,
    #[schema(example = "enr_…")]
    token: String,
}

/// Make an enrolment token.
#[utoipa::path(post, path = "/api/enrolment-tokens", tag = "enrolment",
    security(("access_token" = [])), request_body = CreateTokenRequest,
    responses(
        (status = 201, body = CreatedTokenBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(crate) async fn create_token(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Json(request): Json<CreateTokenRequest>,
) -> Result<(StatusCode, Json<CreatedTokenBody>), ApiError> {
    current.require(Permission::ManageEnrolment)?;
    let name = display_name(&request.name)?;
    if request
        .max_uses
        .is_some_and(|uses| !(1..=MAX_USES).contains(&uses))
    {
        return Err(ApiError::invalid(
            "max_uses must be between 1 and 1000000, or null.",
        ));
    }
    if request
        .expires_in_seconds
        .is_some_and(|life| !(1..=MAX_LIFE_SECONDS).contains(&life))
    {
        return Err(ApiError::invalid(
            "expires_in_seconds must be between 1 and 315360000, or null.",
        ));
    }

    let now = app.clock.now();
    let token = new_secret("enr_");
    let new_token = NewEnrolmentToken {
        id: new_id(),
        name,
        token_hash: secret_hash(&token),
        max_uses: request.max_uses,
        expires_at: request
            .expires_in_seconds
            .map(|life| now + TimeDelta::seconds(life as i64)),
        created_by: current.user.id.clone(),
        created_at: now,
    };
    let entry = NewAuditEntry {
        at: now,
        action: Action::EnrolmentTokenCreated,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail: serde_json::json!({ "id": new_token.id, "name": new_token.name }),
    };
    let about = app.store.create_enrolment_token(new_token, entry).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreatedTokenBody {
            about: about.into(),
            token,
        }),
    ))
}
