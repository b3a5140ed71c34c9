//! The machine behind a request, by its `cak_` key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gc_store::{Machine, SecretHash};

use super::bearer;
use crate::app::Shared;
use crate::chance::secret_hash;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::origin::{self, Origin};

/// What machine keys begin with.
pub(crate) const KEY_PREFIX: &str = "cak_";

/// A machine whose key is known and not revoked.
#[derive(Debug, Clone)]
pub(crate) struct CurrentMachine {
    pub(crate) machine: Machine,
    /// Of the key that it presented: to ask again later.
    pub(crate) key: SecretHash,
}

impl FromRequestParts<Shared> for CurrentMachine {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let client = Client::from_request_parts(parts, app).await?;
        // Agents are no browsers: they may leave the origin out, not claim a foreign one.
        if origin::judge(&app.settings, client, &parts.headers, &parts.uri) == Origin::Foreign {
            return Err(ApiError::foreign_origin());
        }
        let key = bearer(&parts.headers)
            .filter(|key| key.starts_with(KEY_PREFIX))
            .ok_or_else(ApiError::unknown_key)?;
        let key = secret_hash(key);
        let machine = app
            .store
            .machine_of_key(&key)
            .await?
            .ok_or_else(ApiError::unknown_key)?;
        Ok(Self { machine, key })
    }
}
