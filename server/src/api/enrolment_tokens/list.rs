//! `GET /api/enrolment-tokens`.

use axum::extract::State;
use gc_model::role::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::TokenBody;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokensBody {
    items: Vec<TokenBody>,
}

/// Every enrolment token, newest first.
#[utoipa::path(get, path = "/api/enrolment-tokens", tag = "enrolment",
    security(("access_token" = [])),
    responses(
        (status = 200, body = TokensBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(crate) async fn list_tokens(
    State(app): State<Shared>,
    current: CurrentUser,
) -> Result<Json<TokensBody>, ApiError> {
    current.require(Permission::ManageEnrolment)?;
    let tokens = app.store.enrolment_tokens().await?;
    Ok(Json(TokensBody {
        items: tokens.into_iter().map(TokenBody::from).collect(),
    }))
}
