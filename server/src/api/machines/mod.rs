//! Managed computers.

pub(super) mod list;
pub(super) mod power;
pub(super) mod remove;
pub(super) mod rename;
pub(super) mod revoke_key;
pub(super) mod show;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use gc_model::id::MachineId;
use gc_model::machine::MachineKind;
use gc_store::{Action, Machine, NewAuditEntry};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::user::CurrentUser;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::hub::Presence;

/// A machine as the dashboard shows it. Every text comes from its agent, cleaned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MachineBody {
    id: String,
    name: String,
    host_name: String,
    /// `windows`, `linux`, `macos` or `other`.
    #[schema(example = "windows")]
    os_family: &'static str,
    os_name: String,
    os_version: String,
    architecture: String,
    agent_version: String,
    current_user: String,
    /// Where its agent last came from.
    address: String,
    /// True while its agent is connected.
    online: bool,
    last_seen_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    /// X25519, base64: what viewers pin.
    agent_public_key: String,
    /// Who looks at it right now.
    sessions: Vec<LiveSessionBody>,
    /// What `POST /api/machines/{id}/power` can do; empty while it is offline.
    power_actions: Vec<&'static str>,
}

/// A session in which somebody looks at the machine right now.
#[derive(Debug, Serialize, ToSchema)]
struct LiveSessionBody {
    session_id: String,
    technician: String,
    started_at: DateTime<Utc>,
}

impl MachineBody {
    pub(crate) fn new(machine: Machine, presence: &Presence, now: DateTime<Utc>) -> Self {
        let sessions = presence
            .sessions
            .iter()
            .map(|session| LiveSessionBody {
                session_id: session.id.as_str().to_owned(),
                technician: session.technician.clone(),
                started_at: session.created_at,
            })
            .collect();
        Self {
            id: machine.id.as_str().to_owned(),
            name: machine.name,
            host_name: machine.facts.host_name,
            os_family: machine.facts.os_family.as_str(),
            os_name: machine.facts.os_name,
            os_version: machine.facts.os_version,
            architecture: machine.facts.architecture,
            agent_version: machine.agent_version,
            current_user: machine.facts.current_user,
            address: machine.address,
            online: presence.online,
            last_seen_at: if presence.online {
                now
            } else {
                machine.last_seen_at
            },
            created_at: machine.created_at,
            agent_public_key: BASE64.encode(machine.agent_public_key),
            sessions,
            power_actions: presence
                .power_actions
                .iter()
                .map(|action| action.as_str())
                .collect(),
        }
    }
}

/// The machine of this id, or 404.
pub(crate) async fn find(app: &App, id: &str) -> Result<Machine, ApiError> {
    let id = MachineId::parse(id).map_err(|_| ApiError::machine_not_found())?;
    app.store
        .machine(&id)
        .await?
        .ok_or_else(ApiError::machine_not_found)
}

/// The same for what only managed machines have: no guests.
async fn find_managed(app: &App, id: &str) -> Result<Machine, ApiError> {
    let machine = find(app, id).await?;
    match machine.kind {
        MachineKind::Unattended => Ok(machine),
        MachineKind::Guest => Err(ApiError::machine_not_found()),
    }
}

/// An audit entry about a machine.
fn entry(
    app: &App,
    current: &CurrentUser,
    client: Client,
    action: Action,
    machine: &Machine,
    detail: serde_json::Value,
) -> NewAuditEntry {
    NewAuditEntry {
        at: app.clock.now(),
        action,
        actor: current.actor(),
        machine: Some((machine.id.clone(), machine.name.clone())),
        session_id: None,
        address: Some(client.address.to_string()),
        detail,
    }
}
