//! The signed-in person behind a request, and the one gate for permissions.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gc_model::id::LoginId;
use gc_model::role::Permission;
use gc_store::{Actor, User};

use super::bearer;
use crate::app::Shared;
use crate::http::error::ApiError;

/// Somebody whose sign-in is live. Handlers that name it answer 401 to others.
#[derive(Debug, Clone)]
pub(crate) struct CurrentUser {
    pub(crate) user: User,
    pub(crate) login: LoginId,
    /// When the access token ends, in seconds since 1970-01-01 UTC.
    pub(crate) expires_at: u64,
}

impl CurrentUser {
    /// The gate: passes only those whose role has the permission.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), ApiError> {
        if self.user.role.may(permission) {
            Ok(())
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// As the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        actor(&self.user)
    }
}

/// A person as the audit log names them.
pub(crate) fn actor(user: &User) -> Actor {
    Actor::User {
        id: user.id.clone(),
        name: user.display_name.clone(),
    }
}

impl FromRequestParts<Shared> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or_else(ApiError::signed_out)?;
        let token = app
            .access_tokens
            .read(token)
            .ok_or_else(ApiError::signed_out)?;
        let user = app
            .live_logins
            .user(&app.store, app.clock, &token.login)
            .await?;
        match user.filter(|user| user.id == token.user) {
            Some(user) => Ok(Self {
                user,
                login: token.login,
                expires_at: token.expires_at,
            }),
            None => Err(ApiError::signed_out()),
        }
    }
}
