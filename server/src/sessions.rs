//! The life of a session: what its start, rejoin and end have in common.

use gc_model::id::{MachineId, ParticipantId, SessionId};
use gc_model::session::EndReason;
use gc_proto::v1::{Grant, Right};
use gc_store::{Action, Actor, EndedSession, NewAuditEntry, Session, StoreError, Usage};

use crate::app::App;
use crate::chance::new_id;

/// Life of a grant, in seconds: long enough to open the session. The session
/// may outlive it.
const GRANT_SECONDS: u64 = 60;

/// A viewer's way into a session.
pub(crate) struct Admission {
    pub(crate) participant: ParticipantId,
    pub(crate) ticket: gc_relay::Ticket,
    pub(crate) signed_grant: Vec<u8>,
}

impl App {
    /// A participant, a ticket and a grant for the person who started the
    /// session. `None` when the session is not open.
    pub(crate) fn admit(&self, session: &Session) -> Option<Admission> {
        let participant =
            ParticipantId::parse(&new_id()).expect("ids that are made here can be read");
        let ticket = self.hub.invite(&session.id, participant.clone()).ok()?;
        let now = self.clock.unix_seconds();
        let grant = Grant {
            session_id: session.id.as_str().to_owned(),
            participant_id: participant.as_str().to_owned(),
            machine_id: session.machine_id.as_str().to_owned(),
            user_id: session.user_id.as_str().to_owned(),
            technician: session.technician.clone(),
            rights: vec![Right::View.into(), Right::Control.into()],
            issued_at: now,
            expires_at: now + GRANT_SECONDS,
        };
        let signed_grant = self.keys.sign(&grant);
        Some(Admission {
            participant,
            ticket,
            signed_grant,
        })
    }

    /// Ends a session for good: viewer and agent first, then the row and its
    /// audit entry. `None` when it had ended before.
    pub(crate) async fn end_session(
        &self,
        id: &SessionId,
        reason: EndReason,
        actor: Actor,
        address: Option<String>,
    ) -> Result<Option<Session>, StoreError> {
        let usage = self.hub.end_session(id);
        let at = self.clock.now();
        let end = EndedSession {
            usage: Usage {
                session_id: id.clone(),
                seconds: usage.as_ref().map_or(0, |usage| usage.seconds),
                bytes: usage.as_ref().map_or(0, |usage| usage.bytes),
            },
            at,
            reason,
        };
        let ended = self
            .store
            .end_session(end, |session| NewAuditEntry {
                at,
                action: Action::SessionEnded,
                actor,
                machine: Some((session.machine_id.clone(), session.machine_name.clone())),
                session_id: Some(session.id.clone()),
                address,
                detail: serde_json::json!({
                    "reason": reason.as_str(),
                    "technician": session.technician,
                    "duration_seconds": session.duration_seconds,
                    "bytes_transferred": session.bytes_transferred,
                }),
            })
            .await?;
        if let Some(session) = &ended {
            tracing::info!(session = %id, reason = reason.as_str(), "Session ended");
            self.hub.events.session_changed(session.id.clone());
        }
        Ok(ended)
    }

    /// A machine lost its right to be here: its connection goes and its sessions end.
    /// All of them, whatever cannot be written down of it.
    pub(crate) async fn cut_off(
        &self,
        machine: &MachineId,
        reason: EndReason,
        actor: Actor,
    ) -> Result<(), StoreError> {
        self.hub.revoke_machine(machine);
        let mut written = Ok(());
        for session in self.hub.open_sessions(|open| open.machine == *machine) {
            let ended = self.end_session(&session, reason, actor.clone(), None);
            written = written.and(ended.await.map(drop));
        }
        written
    }
}
