//! What agents call.

pub(super) mod enrol;
pub(super) mod show_self;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_model::machine::{MachineFacts, OsFamily};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::error::ApiError;

/// Facts from the wire, cleaned.
pub(crate) fn facts_of(facts: gc_proto::v1::MachineFacts) -> MachineFacts {
    MachineFacts {
        os_family: OsFamily::from_name(&facts.os_family),
        host_name: facts.host_name,
        os_name: facts.os_name,
        os_version: facts.os_version,
        architecture: facts.architecture,
        current_user: facts.current_user,
        boot_time_unix: facts.boot_time_unix,
    }
    .cleaned()
}

/// What a machine says about itself. Unknown texts may be empty.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct FactsBody {
    host_name: String,
    /// `windows`, `linux` or `macos`.
    os_family: String,
    os_name: String,
    os_version: String,
    architecture: String,
    current_user: String,
    /// Seconds since 1970-01-01 UTC; 0 when unknown.
    boot_time_unix: u64,
}

/// Facts from a body, cleaned.
pub(crate) fn facts(body: FactsBody) -> MachineFacts {
    MachineFacts {
        os_family: OsFamily::from_name(&body.os_family),
        host_name: body.host_name,
        os_name: body.os_name,
        os_version: body.os_version,
        architecture: body.architecture,
        current_user: body.current_user,
        boot_time_unix: body.boot_time_unix,
    }
    .cleaned()
}

/// An agent's public key from a body.
pub(crate) fn public_key(text: &str) -> Result<[u8; 32], ApiError> {
    let bytes = BASE64
        .decode(text)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    match bytes {
        // All zeros is the one point that gives every peer the same secret.
        Some(key) if key != [0; 32] => Ok(key),
        _ => Err(ApiError::invalid(
            "agent_public_key must be 32 bytes in base64.",
        )),
    }
}
