//! The audit log: who did what, when, to which machine.

use chrono::{DateTime, Utc};
use gc_model::id::{MachineId, SessionId, UserId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, NotSet, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::entity::audit_entry::{ActiveModel, Column, Entity, Model};
use crate::errors::StoreError;
use crate::open::Store;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the database and the API: subject, dot, what happened.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// A fresh server got its first administrator.
    ServerClaimed => "server.claimed",
    /// Somebody was added.
    UserCreated => "user.created",
    /// Somebody got another name or role; the detail has both.
    UserChanged => "user.changed",
    /// Somebody cannot sign in any more.
    UserDisabled => "user.disabled",
    /// Somebody can sign in again.
    UserEnabled => "user.enabled",
    /// An administrator set somebody's password.
    PasswordReset => "user.password_reset",
    /// Somebody signed in.
    LoginStarted => "login.started",
    /// A wrong name or password; the detail has the name.
    LoginFailed => "login.failed",
    /// Somebody signed out, or ended a sign-in of theirs.
    LoginEnded => "login.ended",
    /// A refresh token came a second time: the sign-in was ended.
    LoginReuseDetected => "login.reuse_detected",
    /// A password was changed.
    PasswordChanged => "user.password_changed",
    /// An enrolment token was made.
    EnrolmentTokenCreated => "enrolment_token.created",
    /// An enrolment token was deleted.
    EnrolmentTokenDeleted => "enrolment_token.deleted",
    /// A machine was enrolled for the first time.
    MachineEnrolled => "machine.enrolled",
    /// A known machine was enrolled again and got a new key.
    MachineReenrolled => "machine.reenrolled",
    /// A machine got another name.
    MachineRenamed => "machine.renamed",
    /// A machine was removed.
    MachineRemoved => "machine.removed",
    /// A machine's key was revoked.
    MachineKeyRevoked => "machine.key_revoked",
    /// A machine was ordered to lock, sign out, restart or switch off.
    MachinePower => "machine.power",
    /// Somebody's login on a machine was locked or signed out; the detail says whose.
    MachinePowerLogin => "machine.power_login",
    /// A machine did not do what it was ordered; the detail says why.
    MachinePowerFailed => "machine.power_failed",
    /// A session was started.
    SessionStarted => "session.started",
    /// A viewer came back to a session.
    SessionRejoined => "session.rejoined",
    /// A session ended; the detail has its length and bytes.
    SessionEnded => "session.ended",
    /// The picture's quality was changed in a session.
    SessionQualityChanged => "session.quality_changed",
    /// A support code was made.
    SupportCodeCreated => "support_code.created",
    /// A customer asked for help, on the portal or at a managed machine.
    SupportRequested => "support_code.requested",
    /// A technician takes care of a customer who asked for help.
    SupportCodeTaken => "support_code.taken",
    /// A guest came with a support code.
    SupportCodeClaimed => "support_code.claimed",
    /// A guest was let in.
    SupportCodeAccepted => "support_code.accepted",
    /// A guest was sent away.
    SupportCodeRefused => "support_code.refused",
    /// A support code was taken back.
    SupportCodeCancelled => "support_code.cancelled",
    /// Nobody used a support code in time.
    SupportCodeExpired => "support_code.expired",
    /// The help of a support code is over; the detail says why.
    SupportCodeCompleted => "support_code.completed",
    /// The person at a machine answered what may be done.
    ConsentAnswered => "consent.answered",
    /// A notice was sent to try out e-mail and webhooks.
    NoticeTested => "notice.tested",
    /// The audit log was exported.
    AuditExported => "audit.exported",
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User {
        /// Id.
        id: UserId,
        /// Display name at the time.
        name: String,
    },
    /// A machine's agent.
    Agent {
        /// Id.
        id: MachineId,
        /// Name at the time.
        name: String,
    },
    /// The server by itself.
    System,
}

impl Actor {
    fn columns(self) -> (&'static str, Option<String>, Option<String>) {
        match self {
            Self::User { id, name } => ("user", Some(id.as_str().to_owned()), Some(name)),
            Self::Agent { id, name } => ("agent", Some(id.as_str().to_owned()), Some(name)),
            Self::System => ("system", None, None),
        }
    }
}

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub action: Action,
    /// Who.
    pub actor: Actor,
    /// Which machine, with its name at the time.
    pub machine: Option<(MachineId, String)>,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// Where from.
    pub address: Option<String>,
    /// Anything else, as a JSON object. Never a secret.
    pub detail: serde_json::Value,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Grows; the order of the log.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What, by name: an older log may know actions that this server does not.
    pub action: String,
    /// `user`, `agent` or `system`.
    pub actor_kind: String,
    /// Who.
    pub actor_id: Option<String>,
    /// Their name at the time.
    pub actor_name: Option<String>,
    /// Which machine.
    pub machine_id: Option<String>,
    /// Its name at the time.
    pub machine_name: Option<String>,
    /// In which session.
    pub session_id: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// The rest.
    pub detail: serde_json::Value,
}

/// What part of the log to read; empty for all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this action.
    pub action: Option<String>,
    /// Only about this machine.
    pub machine_id: Option<String>,
    /// Only by this person.
    pub user_id: Option<String>,
}

impl Store {
    /// Writes one entry that belongs to no other change.
    ///
    /// # Errors
    /// The database failed.
    pub async fn append_audit(&self, entry: NewAuditEntry) -> Result<(), StoreError> {
        let transaction = self.write().await?;
        append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Entries, newest first, below `before` (an entry's id).
    ///
    /// # Errors
    /// The database failed.
    pub async fn audit_page(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(limit);
        if let Some(before) = before {
            query = query.filter(Column::Id.lt(before));
        }
        if let Some(action) = &filter.action {
            query = query.filter(Column::Action.eq(action));
        }
        if let Some(machine) = &filter.machine_id {
            query = query.filter(Column::MachineId.eq(machine));
        }
        if let Some(user) = &filter.user_id {
            query = query
                .filter(Column::ActorKind.eq("user"))
                .filter(Column::ActorId.eq(user));
        }
        query
            .all(&self.reader)
            .await?
            .into_iter()
            .map(AuditRecord::try_from)
            .collect()
    }

    /// Forgets what is older than `cut`. Returns how many entries went.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_audit_before(&self, cut: DateTime<Utc>) -> Result<u64, StoreError> {
        let transaction = self.write().await?;
        let deleted = Entity::delete_many()
            .filter(Column::At.lt(cut))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected)
    }
}

/// Writes an entry as part of a larger change.
pub(crate) async fn append(
    db: &impl ConnectionTrait,
    entry: NewAuditEntry,
) -> Result<(), StoreError> {
    let (actor_kind, actor_id, actor_name) = entry.actor.columns();
    let (machine_id, machine_name) = entry.machine.unzip();
    let row = ActiveModel {
        id: NotSet,
        at: Set(entry.at),
        action: Set(entry.action.as_str().to_owned()),
        actor_kind: Set(actor_kind.to_owned()),
        actor_id: Set(actor_id),
        actor_name: Set(actor_name),
        machine_id: Set(machine_id.map(|id| id.as_str().to_owned())),
        machine_name: Set(machine_name),
        session_id: Set(entry.session_id.map(|id| id.as_str().to_owned())),
        address: Set(entry.address),
        detail: Set(entry.detail.to_string()),
    };
    row.insert(db).await?;
    Ok(())
}

impl TryFrom<Model> for AuditRecord {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let detail = serde_json::from_str(&row.detail).map_err(|_| StoreError::Corrupt {
            table: "audit_entries",
            column: "detail",
            value: row.detail,
        })?;
        Ok(Self {
            id: row.id,
            at: row.at,
            action: row.action,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            machine_id: row.machine_id,
            machine_name: row.machine_name,
            session_id: row.session_id,
            address: row.address,
            detail,
        })
    }
}
