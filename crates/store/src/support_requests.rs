//! Requests for help of managed machines. Each is a support code without digits,
//! so that queue, chat, answers and audit are the same as for everybody else.

use chrono::{DateTime, Utc};
use gc_model::id::{MachineId, SupportId};
use gc_model::support::CodeState;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QuerySelect, QueryTrait, Set,
};

use crate::audit::{self, NewAuditEntry};
use crate::chat::{self, ChatLine, NewChatLine};
use crate::entity::chat_line;
use crate::entity::support_code::{ActiveModel, Column as C, Entity};
use crate::errors::{StoreError, is_duplicate};
use crate::open::Store;
use crate::rows::Machine;
use crate::support::{SupportCodeRow, new_row};

/// Who made the entries of machines whose user asks for help: no user's id,
/// those are UUIDs.
pub const ASKED_BY_MACHINE: &str = "machine";

/// A managed machine's user who asks for help.
#[derive(Debug, Clone)]
pub struct NewSupportRequest {
    /// Id.
    pub id: SupportId,
    /// The machine.
    pub machine: Machine,
    /// Who asks; may be empty.
    pub user: String,
    /// Where from.
    pub address: String,
    /// What they ask.
    pub line: NewChatLine,
    /// Now.
    pub now: DateTime<Utc>,
    /// Until when somebody must take it.
    pub expires_at: DateTime<Utc>,
    /// Requests of this user since `counted_from` that are enough.
    pub most_of_user: u64,
    /// And of all users of this machine.
    pub most_of_machine: u64,
    /// See `most_of_user`.
    pub counted_from: DateTime<Utc>,
}

/// The request was not written.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The machine has a request that is not over.
    #[error("this machine has asked for help already")]
    Asked,
    /// This user of the machine asked often enough.
    #[error("this user asked for help too often")]
    TooManyOfUser,
    /// All users of the machine together asked often enough.
    #[error("this machine asked for help too often")]
    TooManyOfMachine,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for AskError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// A request for help, and what was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The request.
    pub code: SupportCodeRow,
    /// Its first line, or the one that was written before.
    pub line: ChatLine,
    /// It was written now.
    pub is_new: bool,
}

impl Store {
    /// Writes that a managed machine's user asks for help, and in which words. Of several at
    /// once one is written; a line that was written before makes no further request, however
    /// that one ended.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn create_support_request(
        &self,
        request: NewSupportRequest,
        entry: NewAuditEntry,
    ) -> Result<Asked, AskError> {
        let transaction = self.write().await?;
        let machine = request.machine;
        if let Some((code, line)) = asked_before(&transaction, &machine.id, &request.line).await? {
            return Ok(Asked {
                code,
                line,
                is_new: false,
            });
        }
        let of_machine = Entity::find()
            .filter(C::MachineId.eq(machine.id.as_str()))
            .filter(C::CreatedAt.gt(request.counted_from));
        let of_user = of_machine
            .clone()
            .filter(C::GuestUser.eq(request.user.as_str()));
        if of_user.count(&transaction).await? >= request.most_of_user {
            return Err(AskError::TooManyOfUser);
        }
        if of_machine.count(&transaction).await? >= request.most_of_machine {
            return Err(AskError::TooManyOfMachine);
        }
        let row = ActiveModel {
            // No digits: nobody comes in with it, and each machine has one.
            live_code: Set(Some(live_name(&machine.id))),
            state: Set(CodeState::Waiting.as_str().to_owned()),
            created_by: Set(ASKED_BY_MACHINE.to_owned()),
            expires_at: Set(Some(request.expires_at)),
            claimed_at: Set(Some(request.now)),
            machine_id: Set(Some(machine.id.as_str().to_owned())),
            host_name: Set(machine.name),
            guest_user: Set(request.user),
            os_name: Set(machine.facts.os_name),
            address: Set(request.address),
            ..new_row(&request.id, request.now)
        };
        let row = match row.insert(&transaction).await {
            Ok(row) => row,
            Err(error) if is_duplicate(&error) => return Err(AskError::Asked),
            Err(error) => return Err(error.into()),
        };
        let line = chat::insert(&transaction, request.line).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(Asked {
            code: row.try_into()?,
            line,
            is_new: true,
        })
    }

    /// What a managed machine's user asked and is not over.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_request_of(
        &self,
        machine: &MachineId,
    ) -> Result<Option<SupportCodeRow>, StoreError> {
        let row = Entity::find()
            .filter(C::LiveCode.eq(live_name(machine)))
            .one(&self.reader)
            .await?;
        row.map(SupportCodeRow::try_from).transpose()
    }
}

/// The request of this machine in which a line stands.
async fn asked_before(
    connection: &impl ConnectionTrait,
    machine: &MachineId,
    line: &NewChatLine,
) -> Result<Option<(SupportCodeRow, ChatLine)>, StoreError> {
    let of_machine = Entity::find()
        .select_only()
        .column(C::Id)
        .filter(C::MachineId.eq(machine.as_str()))
        .into_query();
    let written = chat_line::Entity::find()
        .filter(chat_line::Column::SupportId.in_subquery(of_machine))
        .filter(chat_line::Column::FromGuest.eq(line.from_guest))
        .filter(chat_line::Column::ClientId.eq(line.client_id.as_str()))
        .one(connection)
        .await?;
    let Some(written) = written else {
        return Ok(None);
    };
    let code = Entity::find_by_id(written.support_id.as_str())
        .one(connection)
        .await?;
    let code = code.map(SupportCodeRow::try_from).transpose()?;
    Ok(code.map(|code| (code, written.into())))
}

/// Stands where digits would, so that a machine has one live request.
fn live_name(machine: &MachineId) -> String {
    format!("machine:{machine}")
}
