//! The audit log.

pub(super) mod export;
pub(super) mod list;

use chrono::{DateTime, Utc};
use gc_store::AuditRecord;
use serde::Serialize;
use utoipa::ToSchema;

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditBody {
    /// Grows with each entry.
    id: i64,
    at: DateTime<Utc>,
    #[schema(example = "session.started")]
    action: String,
    actor: ActorBody,
    machine: Option<MachineBody>,
    session_id: Option<String>,
    /// Where the actor came from.
    address: Option<String>,
    /// What else there is to say; depends on the action.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditActorBody)]
struct ActorBody {
    /// `user`, `agent` or `system`.
    #[schema(example = "user")]
    kind: String,
    id: Option<String>,
    /// Their name at the time.
    name: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditMachineBody)]
struct MachineBody {
    id: String,
    /// Its name at the time.
    name: Option<String>,
}

impl From<AuditRecord> for AuditBody {
    fn from(record: AuditRecord) -> Self {
        let name = record.machine_name;
        Self {
            id: record.id,
            at: record.at,
            action: record.action,
            actor: ActorBody {
                kind: record.actor_kind,
                id: record.actor_id,
                name: record.actor_name,
            },
            machine: record.machine_id.map(|id| MachineBody { id, name }),
            session_id: record.session_id,
            address: record.address,
            detail: record.detail,
        }
    }
}
