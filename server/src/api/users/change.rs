//! `PATCH /api/users/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::role::Permission;
use gc_store::{Action, ChangeUserError, UserChange};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{AccountBody, entry, find_other, not_found, role};
use crate::api::auth::display_name;
use crate::app::Shared;
use crate::auth::user::CurrentUser;
use crate::http::bodies::{Json, Path};
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// What is absent stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangeUserRequest {
    /// 1 to 100 characters.
    display_name: Option<String>,
    /// `technician`, `senior_technician` or `admin`.
    #[schema(example = "senior_technician")]
    role: Option<String>,
    /// True: they cannot sign in any more, and what they have open ends.
    disabled: Option<bool>,
}

/// Change somebody's name or role, or whether they can sign in.
#[utoipa::path(patch, path = "/api/users/{id}", tag = "users",
    security(("access_token" = [])), params(("id" = String, Path)), request_body = ChangeUserRequest,
    responses(
        (status = 200, body = AccountBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 404, description = "`user_not_found`", body = ErrorBody),
        (status = 409, description = "`not_yourself`, `last_admin`", body = ErrorBody),
        (status = 422, body = ErrorBody)))]
pub(crate) async fn change_user(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Path(id): Path<String>,
    Json(request): Json<ChangeUserRequest>,
) -> Result<Json<AccountBody>, ApiError> {
    current.require(Permission::ManageUsers)?;
    let account = find_other(&app, &current, &id).await?;
    let user = &account.user;
    // Only what differs is a change, and stands in the log.
    let name = request
        .display_name
        .as_deref()
        .map(display_name)
        .transpose()?;
    let role = request.role.as_deref().map(role).transpose()?;
    let change = UserChange {
        display_name: name.filter(|name| *name != user.display_name),
        role: role.filter(|role| *role != user.role),
        disabled: request
            .disabled
            .filter(|disabled| *disabled != account.disabled_at.is_some()),
    };
    let mut entries = Vec::new();
    if change.display_name.is_some() || change.role.is_some() {
        let mut detail = json!({});
        if let Some(role) = change.role {
            detail["role"] = json!({ "from": user.role.as_str(), "to": role.as_str() });
        }
        if let Some(name) = &change.display_name {
            detail["name"] = json!({ "from": user.display_name, "to": name });
        }
        let action = Action::UserChanged;
        entries.push(entry(&app, &current, client, action, detail, &account));
    }
    if let Some(disabled) = change.disabled {
        let action = if disabled {
            Action::UserDisabled
        } else {
            Action::UserEnabled
        };
        entries.push(entry(&app, &current, client, action, json!({}), &account));
    }
    let now = app.clock.now();
    let changed = app.store.change_user(&user.id, change, now, entries).await;
    let changed = match changed {
        Ok(changed) => changed,
        Err(ChangeUserError::NotFound) => return Err(not_found()),
        Err(ChangeUserError::LastAdmin) => {
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                "last_admin",
                "Somebody has to administer this server. Make another administrator first.",
            ));
        }
        Err(ChangeUserError::Store(error)) => return Err(error.into()),
    };
    app.live_logins.forget_user(&user.id);
    for login in &changed.ended {
        app.login_ended(login).await?;
    }
    tracing::info!(user = %user.id, by = %current.user.id, "Person changed");
    Ok(Json(AccountBody::from(changed.account)))
}
