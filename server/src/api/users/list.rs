//! `GET /api/users`.

use axum::extract::State;
use gc_model::role::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::AccountBody;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::Json;
use crate::http::error::{ApiError, ErrorBody};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountsBody {
    items: Vec<AccountBody>,
}

/// Everybody who signs in, those who cannot any more too, by name.
#[utoipa::path(get, path = "/api/users", tag = "users",
    security(("access_token" = [])),
    responses(
        (status = 200, body = AccountsBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
pub(crate) async fn list_users(
    State(app): State<Shared>,
    current: CurrentUser,
) -> Result<Json<AccountsBody>, ApiError> {
    current.require(Permission::ManageUsers)?;
    let accounts = app.store.accounts().await?;
    Ok(Json(AccountsBody {
        items: accounts.into_iter().map(AccountBody::from).collect(),
    }))
}
