//! `POST /api/agent/enrol`.

use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_model::id::MachineId;
use gc_model::session::EndReason;
use gc_store::{Actor, EnrolError, Enrolment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{FactsBody, facts, public_key};
use crate::app::Shared;
use crate::auth::agent::KEY_PREFIX;
use crate::chance::{new_id, new_secret, secret_hash};
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::limits::Limited;

#[derive(Deserialize, ToSchema)]
pub(crate) struct EnrolRequest {
    /// Enrolment token.
    #[schema(value_type = String, example = "enr_…")]
    token: Zeroizing<String>,
    /// X25519 public key, 32 bytes in base64: viewers pin it.
    agent_public_key: String,
    /// An id that the machine keeps: 1 to 64 letters, digits, `-` or `_`. With
    /// the same id again, it is the same machine with a new key.
    #[serde(default)]
    device_id: Option<String>,
    facts: FactsBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnrolledBody {
    machine_id: String,
    /// The machine's key. Only in this answer.
    #[schema(example = "cak_…")]
    api_key: String,
    /// Ed25519, 32 bytes in base64: what grants are checked with.
    server_public_key: String,
}

/// Exchange an enrolment token for a machine's own key.
#[utoipa::path(post, path = "/api/agent/enrol", operation_id = "enrol_machine", tag = "enrolment", request_body = EnrolRequest,
    responses(
        (status = 200, body = EnrolledBody),
        (status = 401, description = "`token_not_valid`: unknown, used up or expired", body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn enrol(
    State(app): State<Shared>,
    client: Client,
    Json(request): Json<EnrolRequest>,
) -> Result<Json<EnrolledBody>, ApiError> {
    app.limit(Limited::Enrol, client)?;
    let machine_id = match request.device_id.as_deref() {
        Some(id) => MachineId::parse(id)
            .map_err(|error| ApiError::invalid(format!("device_id: {error}.")))?,
        None => MachineId::parse(&new_id()).expect("ids that are made here can be read"),
    };
    let api_key = Zeroizing::new(new_secret(KEY_PREFIX));
    let enrolment = Enrolment {
        token_hash: secret_hash(&request.token),
        machine_id,
        facts: facts(request.facts),
        agent_public_key: public_key(&request.agent_public_key)?,
        key_hash: secret_hash(&api_key),
        address: client.address.to_string(),
        now: app.clock.now(),
    };
    let enrolled = match app.store.enrol_machine(enrolment).await {
        Ok(enrolled) => enrolled,
        Err(EnrolError::TokenNotValid) => {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "token_not_valid",
                "The enrolment token is unknown, used up or expired.",
            ));
        }
        Err(EnrolError::Store(error)) => return Err(error.into()),
    };
    let machine = enrolled.machine;
    tracing::info!(machine = %machine.id, is_new = enrolled.is_new, "Machine enrolled");
    if !enrolled.is_new {
        // Whoever held the machine's former key is not this machine any more.
        let reason = EndReason::MachineRevoked;
        if let Err(error) = app.cut_off(&machine.id, reason, Actor::System).await {
            // The machine has its new key all the same, and no other way to hear of it.
            tracing::error!(machine = %machine.id, "Ended sessions could not be written down: {error:#}");
        }
    }
    app.hub.events.machine_changed(machine.id.clone());
    Ok(Json(EnrolledBody {
        machine_id: machine.id.as_str().to_owned(),
        api_key: api_key.as_str().to_owned(),
        server_public_key: BASE64.encode(app.keys.public_key()),
    }))
}
