//! `POST /api/support/claim`.

use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_model::id::MachineId;
use gc_store::{ClaimCodeError, GuestClaim};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::api::agent::{FactsBody, facts, public_key};
use crate::app::{App, Shared};
use crate::auth::agent::KEY_PREFIX;
use crate::chance::{new_id, new_secret, secret_hash};
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};
use crate::support::Shown;

#[derive(Deserialize, ToSchema)]
pub(crate) struct ClaimCodeRequest {
    /// Five or six digits.
    #[schema(example = "847291")]
    code: String,
    /// Of the link, where the customer came by one.
    #[serde(default)]
    link_token: Option<String>,
    /// Once the server has asked for it.
    #[serde(default)]
    work: Option<WorkDone>,
    /// X25519 public key, 32 bytes in base64: viewers pin it.
    agent_public_key: String,
    facts: FactsBody,
}

/// A solved challenge.
#[derive(Deserialize, ToSchema)]
struct WorkDone {
    challenge: String,
    /// A number in decimal, below 2^64.
    answer: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedCodeBody {
    machine_id: String,
    /// The guest's key, for as long as it is helped. Only in this answer.
    #[schema(example = "cak_…")]
    api_key: String,
    /// Ed25519, 32 bytes in base64: what grants are checked with.
    server_public_key: String,
    support_session_id: String,
    /// Who will help; empty while nobody is named.
    technician: String,
    /// For which company.
    company: String,
}

/// Come with a support code: one use, into the technician's waiting room.
#[utoipa::path(post, path = "/api/support/claim", operation_id = "claim_support_code", tag = "support", request_body = ClaimCodeRequest,
    responses(
        (status = 201, body = ClaimedCodeBody),
        (status = 404, description = "`code_not_active`: unknown, used, expired or cancelled", body = ErrorBody),
        (status = 422, body = ErrorBody),
        (status = 428, description = "`work_required`: solve the challenge and try again", body = ErrorBody),
        (status = 429, description = "`too_many_codes`", body = ErrorBody)))]
pub(crate) async fn claim_code(
    State(app): State<Shared>,
    client: Client,
    Json(request): Json<ClaimCodeRequest>,
) -> Result<(StatusCode, Json<ClaimedCodeBody>), ApiError> {
    let agent_public_key = public_key(&request.agent_public_key)?;
    let shown = Shown {
        code: &request.code,
        link_token: request.link_token.as_deref(),
        work: request
            .work
            .as_ref()
            .map(|work| (work.challenge.as_str(), work.answer.as_str())),
    };
    let code = app.open_code(client, &shown).await?;
    let api_key = Zeroizing::new(new_secret(KEY_PREFIX));
    let claim = GuestClaim {
        id: code.id,
        machine_id: MachineId::parse(&new_id()).expect("ids that are made here can be read"),
        facts: facts(request.facts),
        agent_public_key,
        key_hash: secret_hash(&api_key),
        address: client.address.to_string(),
        now: app.clock.now(),
    };
    let claimed = match app.store.claim_support_code(claim).await {
        Ok(claimed) => claimed,
        // Somebody else was first, between the door and here.
        Err(ClaimCodeError::NotActive) => return Err(ApiError::code_not_active()),
        Err(ClaimCodeError::Store(error)) => return Err(error.into()),
    };
    let code = claimed.code;
    tracing::info!(support = %code.id, machine = %claimed.machine.id, "A guest came with a support code");
    app.hub.events.support_changed(code.id.clone());
    Ok((
        StatusCode::CREATED,
        Json(ClaimedCodeBody {
            machine_id: claimed.machine.id.as_str().to_owned(),
            api_key: api_key.as_str().to_owned(),
            server_public_key: BASE64.encode(app.keys.public_key()),
            technician: App::helper(&code).to_owned(),
            support_session_id: code.id.as_str().to_owned(),
            company: app.settings.support.company.clone(),
        }),
    ))
}
