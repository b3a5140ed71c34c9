//! Support codes and their guests. What may happen when is decided by
//! `gc_model::support`; each change here is one conditional statement, so that of
//! two that happen at once one wins.

use chrono::{DateTime, TimeDelta, Utc};
use gc_model::id::{MachineId, SessionId, SupportId, UserId};
use gc_model::machine::{MachineFacts, MachineKind};
use gc_model::support::{CodeEvent, CodeState, SupportCode};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use crate::SecretHash;
use crate::audit::{self, Action, Actor, NewAuditEntry};
use crate::entity::machine;
use crate::entity::support_code::{ActiveModel, Column as C, Entity, Model};
use crate::errors::{StoreError, is_duplicate};
use crate::machines;
use crate::open::Store;
use crate::rows::{self, Machine, read_all};
use crate::support_requests::ASKED_BY_MACHINE;

/// A support code as the database knows it. A managed machine whose user asks for
/// help is one too: it has no digits, and begins where a guest waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportCodeRow {
    /// Id; what links, chat and audit entries name.
    pub id: SupportId,
    /// The digits; `None` where a managed machine's user asks.
    pub code: Option<SupportCode>,
    /// Where it stands.
    pub state: CodeState,
    /// For whom, as the technician noted it; may be empty.
    pub customer: String,
    /// Who made it.
    pub created_by: UserId,
    /// Their name at the time.
    pub creator: String,
    /// The only one who may let the guest in; `None` for whoever is first.
    pub assigned_to: Option<UserId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when somebody must be let in; `None` for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// Where the customer asked or came from; empty before.
    pub address: String,
    /// When the program was downloaded on the portal.
    pub downloaded_at: Option<DateTime<Utc>>,
    /// The customer's computer, once it came, or the managed machine whose user
    /// asks; stays noted when it is gone.
    pub guest: Option<Guest>,
    /// Who let the guest in or sent it away.
    pub technician_id: Option<UserId>,
    /// Their name at the time; empty before.
    pub technician: String,
    /// When.
    pub answered_at: Option<DateTime<Utc>>,
    /// The latest session.
    pub session_id: Option<SessionId>,
    /// End; `None` while it is live.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it ended.
    pub end_reason: Option<String>,
}

/// A customer's computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Its machine, gone when the code is over.
    pub machine_id: MachineId,
    /// Its own name.
    pub host_name: String,
    /// Who is at it.
    pub user: String,
    /// Its system.
    pub os_name: String,
    /// Where it came from.
    pub address: String,
    /// When.
    pub claimed_at: DateTime<Utc>,
    /// True for a managed machine, which stays when the code is over.
    pub is_managed: bool,
}

/// A code to be written.
#[derive(Debug, Clone)]
pub struct NewSupportCode {
    /// Id.
    pub id: SupportId,
    /// The digits.
    pub code: SupportCode,
    /// For whom; may be empty.
    pub customer: String,
    /// Who makes it.
    pub created_by: UserId,
    /// Their name.
    pub creator: String,
    /// The only one who may let the guest in.
    pub assigned_to: Option<UserId>,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
    /// Where the customer asked from; empty for a technician's code.
    pub address: String,
}

/// The code was not written.
#[derive(Debug, thiserror::Error)]
pub enum CreateCodeError {
    /// A live code has the same digits: draw others.
    #[error("a live code has these digits")]
    Taken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A guest that comes with a code.
#[derive(Debug, Clone)]
pub struct GuestClaim {
    /// Which code.
    pub id: SupportId,
    /// The guest's machine.
    pub machine_id: MachineId,
    /// What it says about itself.
    pub facts: MachineFacts,
    /// X25519 key that viewers will pin.
    pub agent_public_key: [u8; 32],
    /// Hash of the key that it is given.
    pub key_hash: SecretHash,
    /// Where from.
    pub address: String,
    /// Now.
    pub now: DateTime<Utc>,
}

/// A guest in the waiting room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The code as it stands.
    pub code: SupportCodeRow,
    /// The guest's machine.
    pub machine: Machine,
}

/// The guest was not let into the waiting room.
#[derive(Debug, thiserror::Error)]
pub enum ClaimCodeError {
    /// Somebody used the code, or it ended.
    #[error("the support code is not active")]
    NotActive,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for ClaimCodeError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// Something that happens to a code, other than a guest's coming.
#[derive(Debug, Clone)]
pub struct CodeChange {
    /// Which code.
    pub id: SupportId,
    /// What happens.
    pub event: CodeEvent,
    /// The technician who accepts or refuses.
    pub technician: Option<(UserId, String)>,
    /// The session that starts.
    pub session_id: Option<SessionId>,
    /// Why it ends, where it does.
    pub reason: Option<&'static str>,
    /// Who did it, for the audit log.
    pub actor: Actor,
    /// Where from.
    pub address: Option<String>,
    /// Now.
    pub now: DateTime<Utc>,
}

impl SupportCodeRow {
    /// The digits as text; empty where there are none.
    pub fn digits(&self) -> &str {
        self.code.as_ref().map_or("", SupportCode::as_str)
    }
}

impl Store {
    /// Writes a code.
    ///
    /// # Errors
    /// See [`CreateCodeError`].
    pub async fn create_support_code(
        &self,
        code: NewSupportCode,
        entry: NewAuditEntry,
    ) -> Result<SupportCodeRow, CreateCodeError> {
        let transaction = self.write().await.map_err(StoreError::from)?;
        let digits = code.code.as_str().to_owned();
        let row = ActiveModel {
            code: Set(digits.clone()),
            live_code: Set(Some(digits)),
            customer: Set(code.customer),
            created_by: Set(code.created_by.as_str().to_owned()),
            creator: Set(code.creator),
            assigned_to: Set(code.assigned_to.map(|id| id.as_str().to_owned())),
            expires_at: Set(code.expires_at),
            address: Set(code.address),
            ..new_row(&code.id, code.created_at)
        };
        let row = match row.insert(&transaction).await {
            Ok(row) => row,
            Err(error) if is_duplicate(&error) => return Err(CreateCodeError::Taken),
            Err(error) => return Err(StoreError::from(error).into()),
        };
        audit::append(&transaction, entry).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(row.try_into()?)
    }

    /// One code; `None` when there is none of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn support_code(&self, id: &SupportId) -> Result<Option<SupportCodeRow>, StoreError> {
        let row = Entity::find_by_id(id.as_str()).one(&self.reader).await?;
        row.map(SupportCodeRow::try_from).transpose()
    }

    /// The live code with these digits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_support_code(
        &self,
        code: &SupportCode,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let row = Entity::find()
            .filter(C::LiveCode.eq(code.as_str()))
            .one(&self.reader)
            .await?;
        row.map(SupportCodeRow::try_from).transpose()
    }

    /// The code of a guest, whether or not it is over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn support_code_of(
        &self,
        guest: &MachineId,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let row = Entity::find()
            .filter(C::MachineId.eq(guest.as_str()))
            .one(&self.reader)
            .await?;
        row.map(SupportCodeRow::try_from).transpose()
    }

    /// Every live code, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_support_codes(&self) -> Result<Vec<SupportCodeRow>, StoreError> {
        let rows = Entity::find()
            .filter(C::LiveCode.is_not_null())
            .order_by_desc(C::CreatedAt)
            .order_by_desc(C::Id)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// The newest codes that are over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ended_support_codes(&self, limit: u64) -> Result<Vec<SupportCodeRow>, StoreError> {
        let rows = Entity::find()
            .filter(C::LiveCode.is_null())
            .order_by_desc(C::CreatedAt)
            .order_by_desc(C::Id)
            .limit(limit)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// Notes the first download of the program for a code.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_support_download(
        &self,
        id: &SupportId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let transaction = self.write().await?;
        Entity::update_many()
            .col_expr(C::DownloadedAt, Expr::value(now))
            .filter(C::Id.eq(id.as_str()))
            .filter(C::DownloadedAt.is_null())
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes a guest into the waiting room and gives its machine a key. All of
    /// it or nothing; of two guests with one code, one.
    ///
    /// # Errors
    /// See [`ClaimCodeError`].
    pub async fn claim_support_code(&self, claim: GuestClaim) -> Result<Claimed, ClaimCodeError> {
        let transaction = self.write().await?;
        let taken = Entity::update_many()
            .col_expr(C::State, Expr::value(CodeState::Waiting.as_str()))
            .col_expr(C::MachineId, Expr::value(claim.machine_id.as_str()))
            .col_expr(C::ClaimedAt, Expr::value(claim.now))
            .col_expr(C::HostName, Expr::value(claim.facts.host_name.as_str()))
            .col_expr(C::GuestUser, Expr::value(claim.facts.current_user.as_str()))
            .col_expr(C::OsName, Expr::value(claim.facts.os_name.as_str()))
            .col_expr(C::Address, Expr::value(claim.address.as_str()))
            .filter(C::Id.eq(claim.id.as_str()))
            .filter(C::State.is_in(CodeState::before(CodeEvent::Claim).map(CodeState::as_str)))
            .filter(C::ExpiresAt.is_null().or(C::ExpiresAt.gt(claim.now)))
            .exec(&transaction)
            .await?
            .rows_affected;
        if taken == 0 {
            return Err(ClaimCodeError::NotActive);
        }
        let row = machines::new_row(
            &claim.machine_id,
            &claim.facts,
            &claim.agent_public_key,
            &claim.address,
            claim.now,
            MachineKind::Guest,
        );
        let machine = Machine::try_from(row.insert(&transaction).await?)?;
        machines::insert_key(&transaction, &machine.id, &claim.key_hash, claim.now).await?;
        let code = find(&transaction, &claim.id)
            .await?
            .ok_or(ClaimCodeError::NotActive)?;
        let entry = NewAuditEntry {
            at: claim.now,
            action: Action::SupportCodeClaimed,
            actor: Actor::Agent {
                id: machine.id.clone(),
                name: machine.name.clone(),
            },
            machine: Some((machine.id.clone(), machine.name.clone())),
            session_id: None,
            address: Some(claim.address),
            detail: serde_json::json!({
                "id": code.id.as_str(),
                "host_name": machine.facts.host_name,
                "user": machine.facts.current_user,
            }),
        };
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(Claimed { code, machine })
    }

    /// Moves a code on, if that can happen now. Where the code is over, its
    /// digits are free and its guest's machine and key are gone, in the same
    /// step. `None` when it cannot happen now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn change_support_code(
        &self,
        change: CodeChange,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let transaction = self.write().await?;
        let mut after = None;
        for state in CodeState::before(change.event) {
            let Some(next) = state.after(change.event) else {
                continue;
            };
            if update(&transaction, &change, state, next).await? {
                after = Some(next);
                break;
            }
        }
        let Some(next) = after else { return Ok(None) };
        let Some(code) = find(&transaction, &change.id).await? else {
            return Ok(None);
        };
        if !next.is_live()
            && let Some(guest) = code.guest.as_ref().filter(|guest| !guest.is_managed)
        {
            machine::Entity::delete_by_id(guest.machine_id.as_str())
                .exec(&transaction)
                .await?;
        }
        let is_request = code.guest.as_ref().is_some_and(|guest| guest.is_managed);
        if let Some(action) = action(next, is_request) {
            audit::append(&transaction, entry(action, &code, change)).await?;
        }
        transaction.commit().await?;
        Ok(Some(code))
    }

    /// Makes a technician the one who takes care of a live code that nobody has.
    /// `None` when somebody has it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn take_support_code(
        &self,
        id: &SupportId,
        technician: (UserId, String),
        entry: NewAuditEntry,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let transaction = self.write().await?;
        let (user, name) = technician;
        let taken = Entity::update_many()
            .col_expr(C::TechnicianId, Expr::value(user.as_str()))
            .col_expr(C::Technician, Expr::value(name))
            .filter(C::Id.eq(id.as_str()))
            .filter(C::LiveCode.is_not_null())
            .filter(C::TechnicianId.is_null())
            .filter(C::AssignedTo.is_null())
            .exec(&transaction)
            .await?
            .rows_affected;
        if taken == 0 {
            return Ok(None);
        }
        audit::append(&transaction, entry).await?;
        let code = find(&transaction, id).await?;
        transaction.commit().await?;
        Ok(code)
    }

    /// Forgets what ended before `cut`, with its chat. Returns how many codes went.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_support_before(&self, cut: DateTime<Utc>) -> Result<u64, StoreError> {
        let transaction = self.write().await?;
        let deleted = Entity::delete_many()
            .filter(C::LiveCode.is_null())
            .filter(C::EndedAt.lt(cut))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected)
    }
}

/// A code as it begins, with everything empty that may be.
pub(crate) fn new_row(id: &SupportId, created_at: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(id.as_str().to_owned()),
        code: Set(String::new()),
        live_code: Set(None),
        state: Set(CodeState::Open.as_str().to_owned()),
        customer: Set(String::new()),
        created_by: Set(String::new()),
        creator: Set(String::new()),
        assigned_to: Set(None),
        created_at: Set(created_at),
        expires_at: Set(None),
        downloaded_at: Set(None),
        claimed_at: Set(None),
        machine_id: Set(None),
        host_name: Set(String::new()),
        guest_user: Set(String::new()),
        os_name: Set(String::new()),
        address: Set(String::new()),
        technician_id: Set(None),
        technician: Set(String::new()),
        answered_at: Set(None),
        session_id: Set(None),
        ended_at: Set(None),
        end_reason: Set(None),
    }
}

async fn update(
    db: &impl ConnectionTrait,
    change: &CodeChange,
    before: CodeState,
    after: CodeState,
) -> Result<bool, DbErr> {
    let mut update = Entity::update_many()
        .col_expr(C::State, Expr::value(after.as_str()))
        .filter(C::Id.eq(change.id.as_str()))
        .filter(C::State.eq(before.as_str()));
    if let Some((id, name)) = &change.technician {
        update = update
            .col_expr(C::TechnicianId, Expr::value(id.as_str()))
            .col_expr(C::Technician, Expr::value(name.as_str()))
            .col_expr(C::AnsweredAt, Expr::value(change.now));
    }
    if let Some(session) = &change.session_id {
        update = update.col_expr(C::SessionId, Expr::value(session.as_str()));
    }
    if !after.is_live() {
        update = update
            .col_expr(C::LiveCode, Expr::value(Option::<String>::None))
            .col_expr(C::EndedAt, Expr::value(change.now))
            .col_expr(C::EndReason, Expr::value(change.reason));
    }
    Ok(update.exec(db).await?.rows_affected > 0)
}

async fn find(
    db: &impl ConnectionTrait,
    id: &SupportId,
) -> Result<Option<SupportCodeRow>, StoreError> {
    let row = Entity::find_by_id(id.as_str()).one(db).await?;
    row.map(SupportCodeRow::try_from).transpose()
}

/// A session has audit entries of its own.
const fn action(after: CodeState, is_request: bool) -> Option<Action> {
    match after {
        CodeState::Accepted if is_request => Some(Action::SupportCodeTaken),
        CodeState::Accepted => Some(Action::SupportCodeAccepted),
        CodeState::Refused => Some(Action::SupportCodeRefused),
        CodeState::Cancelled => Some(Action::SupportCodeCancelled),
        CodeState::Expired => Some(Action::SupportCodeExpired),
        CodeState::Completed => Some(Action::SupportCodeCompleted),
        CodeState::Open | CodeState::Waiting | CodeState::Active => None,
    }
}

fn entry(action: Action, code: &SupportCodeRow, change: CodeChange) -> NewAuditEntry {
    let mut detail = serde_json::json!({ "id": code.id.as_str() });
    if !code.customer.is_empty() {
        detail["customer"] = code.customer.as_str().into();
    }
    if let Some(reason) = change.reason {
        detail["reason"] = reason.into();
    }
    if code.ended_at.is_some()
        && let Some(guest) = &code.guest
    {
        let lasted: TimeDelta = change.now - guest.claimed_at;
        detail["duration_seconds"] = lasted.num_seconds().into();
    }
    NewAuditEntry {
        at: change.now,
        action,
        actor: change.actor,
        machine: code
            .guest
            .as_ref()
            .map(|guest| (guest.machine_id.clone(), guest.host_name.clone())),
        session_id: code.session_id.clone(),
        address: change.address,
        detail,
    }
}

impl TryFrom<Model> for SupportCodeRow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        const TABLE: &str = "support_codes";
        let bad = |column, value: &str| rows::corrupt(TABLE, column, value);
        let user = |id: Option<String>| id.map(|id| rows::user_id(TABLE, &id)).transpose();
        let guest = match (row.machine_id, row.claimed_at) {
            (Some(id), Some(claimed_at)) => Some(Guest {
                machine_id: rows::machine_id(TABLE, &id)?,
                host_name: row.host_name,
                user: row.guest_user,
                os_name: row.os_name,
                address: row.address.clone(),
                claimed_at,
                is_managed: row.created_by == ASKED_BY_MACHINE,
            }),
            _ => None,
        };
        let session = row.session_id.as_deref();
        Ok(Self {
            id: SupportId::parse(&row.id).map_err(|_| bad("id", &row.id))?,
            // A corrupt code is not repeated: it may be live.
            code: (row.created_by != ASKED_BY_MACHINE)
                .then(|| SupportCode::parse(&row.code))
                .transpose()
                .map_err(|_| bad("code", "…"))?,
            state: CodeState::parse(&row.state).ok_or_else(|| bad("state", &row.state))?,
            customer: row.customer,
            created_by: rows::user_id(TABLE, &row.created_by)?,
            creator: row.creator,
            assigned_to: user(row.assigned_to)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            address: row.address,
            downloaded_at: row.downloaded_at,
            guest,
            technician_id: user(row.technician_id)?,
            technician: row.technician,
            answered_at: row.answered_at,
            session_id: session.map(|id| rows::session_id(TABLE, id)).transpose()?,
            ended_at: row.ended_at,
            end_reason: row.end_reason,
        })
    }
}
