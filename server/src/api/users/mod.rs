//! People who sign in, for administrators.

pub(super) mod change;
pub(super) mod create;
pub(super) mod list;
pub(super) mod password;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use gc_model::id::UserId;
use gc_model::role::Role;
use gc_store::{Account, Action, NewAuditEntry};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::user::CurrentUser;
use crate::http::client::Client;
use crate::http::error::ApiError;

/// A person who signs in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountBody {
    id: String,
    username: String,
    display_name: String,
    /// `technician`, `senior_technician` or `admin`.
    #[schema(example = "technician")]
    role: &'static str,
    created_at: DateTime<Utc>,
    /// Since when they cannot sign in; null while they can.
    disabled_at: Option<DateTime<Utc>>,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        Self {
            id: account.user.id.as_str().to_owned(),
            username: account.user.username,
            display_name: account.user.display_name,
            role: account.user.role.as_str(),
            created_at: account.user.created_at,
            disabled_at: account.disabled_at,
        }
    }
}

fn role(text: &str) -> Result<Role, ApiError> {
    Role::parse(text)
        .ok_or_else(|| ApiError::invalid("A role is technician, senior_technician or admin."))
}

fn not_found() -> ApiError {
    ApiError::not_found("user_not_found", "There is no such person.")
}

/// The person of this id, who is not the one who asks: their own access cannot
/// be lost by a slip, nor their password set by whoever finds their browser.
async fn find_other(app: &App, current: &CurrentUser, id: &str) -> Result<Account, ApiError> {
    let id = UserId::parse(id).map_err(|_| not_found())?;
    if id == current.user.id {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "not_yourself",
            "Another administrator can change this for you. Your own password is in the settings.",
        ));
    }
    app.store.account(&id).await?.ok_or_else(not_found)
}

fn entry(
    app: &App,
    current: &CurrentUser,
    client: Client,
    action: Action,
    mut detail: serde_json::Value,
    account: &Account,
) -> NewAuditEntry {
    detail["user_id"] = account.user.id.as_str().into();
    detail["username"] = account.user.username.as_str().into();
    NewAuditEntry {
        at: app.clock.now(),
        action,
        actor: current.actor(),
        machine: None,
        session_id: None,
        address: Some(client.address.to_string()),
        detail,
    }
}
