//! Permission to enrol machines.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod list;

use chrono::{DateTime, Utc};
use gc_store::EnrolmentToken;
use serde::Serialize;
use utoipa::ToSchema;

/// An enrolment token, without the token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenBody {
    id: String,
    name: String,
    /// How many machines it may enrol; null for any number.
    max_uses: Option<u32>,
    /// How many it has.
    uses: u32,
    /// Null for ever.
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// Id of the person who made it.
    created_by: String,
}

impl From<EnrolmentToken> for TokenBody {
    fn from(token: EnrolmentToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            max_uses: token.max_uses,
            uses: token.uses,
            expires_at: token.expires_at,
            created_at: token.created_at,
            created_by: token.created_by.as_str().to_owned(),
        }
    }
}
