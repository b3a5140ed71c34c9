//! Remote control: start, rejoin, end, list.

pub(super) mod end;
pub(super) mod list;
pub(super) mod rejoin;
pub(super) mod start;
pub(super) mod stats;

use axum::http::{HeaderMap, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use gc_model::id::SessionId;
use gc_store::{Machine, Session};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::origin;
use crate::sessions::Admission;

/// A session as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBody {
    id: String,
    machine_id: String,
    /// Its name at the time.
    machine_name: String,
    user_id: String,
    /// Who started it, by their name at the time.
    technician: String,
    created_at: DateTime<Utc>,
    /// Null while it is open.
    ended_at: Option<DateTime<Utc>>,
    /// Seconds in which viewer and agent were connected.
    duration_seconds: u64,
    /// Both directions.
    bytes_transferred: u64,
    /// `ended_by_technician`, `ended_by_other`, `ended_by_guest`, `abandoned`,
    /// `machine_revoked` or `login_ended`; null while it is open.
    end_reason: Option<&'static str>,
}

impl From<Session> for SessionBody {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.as_str().to_owned(),
            machine_id: session.machine_id.as_str().to_owned(),
            machine_name: session.machine_name,
            user_id: session.user_id.as_str().to_owned(),
            technician: session.technician,
            created_at: session.created_at,
            ended_at: session.ended_at,
            duration_seconds: session.duration_seconds,
            bytes_transferred: session.bytes_transferred,
            end_reason: session.end_reason.map(gc_model::session::EndReason::as_str),
        }
    }
}

/// Way into a session: everything that a viewer needs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AdmissionBody {
    session_id: String,
    participant_id: String,
    /// With a ticket in it: works once, within 30 seconds.
    #[schema(example = "wss://connect.example.com/ws/viewer?ticket=…")]
    websocket_url: String,
    /// X25519, base64. Refuse a machine that proves another one.
    agent_public_key: String,
    /// A serialized `SignedGrant`, base64, for the agent.
    signed_grant: String,
    machine: MachineNameBody,
    /// `view`, `control`.
    rights: [&'static str; 2],
}

#[derive(Debug, Serialize, ToSchema)]
struct MachineNameBody {
    id: String,
    name: String,
}

/// How good the picture should be.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum QualityBody {
    Auto,
    Low,
    Medium,
    High,
}

/// What a request says about the address of this server.
pub(super) struct Asked<'a> {
    pub(super) client: Client,
    pub(super) headers: &'a HeaderMap,
    pub(super) uri: &'a Uri,
}

fn admission(
    app: &App,
    asked: &Asked<'_>,
    session: &Session,
    machine: Machine,
    admission: &Admission,
) -> Result<AdmissionBody, ApiError> {
    let base = origin::websocket_base(&app.settings, asked.client, asked.headers, asked.uri)
        .ok_or_else(|| ApiError::invalid("The request names no host."))?;
    let ticket = admission.ticket.to_text();
    Ok(AdmissionBody {
        session_id: session.id.as_str().to_owned(),
        participant_id: admission.participant.as_str().to_owned(),
        websocket_url: format!("{base}/ws/viewer?ticket={ticket}"),
        agent_public_key: BASE64.encode(machine.agent_public_key),
        signed_grant: BASE64.encode(&admission.signed_grant),
        machine: MachineNameBody {
            id: machine.id.as_str().to_owned(),
            name: machine.name,
        },
        rights: ["view", "control"],
    })
}

/// The session of this id, or 404.
async fn find(app: &App, id: &str) -> Result<Session, ApiError> {
    let id = SessionId::parse(id).map_err(|_| ApiError::session_not_found())?;
    app.store
        .session(&id)
        .await?
        .ok_or_else(ApiError::session_not_found)
}
