//! What technician and customer write to each other around one support code.

use chrono::{DateTime, Utc};
use gc_model::id::SupportId;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::entity::chat_line::{ActiveModel, Column, Entity, Model};
use crate::errors::{StoreError, is_duplicate};
use crate::open::Store;
use crate::rows::unsigned;

/// Lines that are read at once, the newest: what somebody scrolls through, and a limit to what
/// one request makes the server hold.
pub const MAX_LINES_READ: u64 = 200;

/// Most lines of one support code: hours of typing.
const MAX_LINES: u64 = 2_000;

/// A line to be written.
#[derive(Debug, Clone)]
pub struct NewChatLine {
    /// Around which code.
    pub support_id: SupportId,
    /// Who writes: the customer, or a technician.
    pub from_guest: bool,
    /// The sender's own name for the line: the same again is the same line.
    pub client_id: String,
    /// Name of who wrote it.
    pub author: String,
    /// What was written.
    pub text: String,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    /// Grows; the order of the chat.
    pub id: u64,
    /// Who wrote: the customer, or a technician.
    pub from_guest: bool,
    /// The sender's own name for it.
    pub client_id: String,
    /// Name of who wrote it, at the time.
    pub author: String,
    /// What was written.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The line was not written.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// The chat is full.
    #[error("the chat has {MAX_LINES} lines")]
    Full,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is written.
    New(ChatLine),
    /// It was written before, as this.
    Before(ChatLine),
}

impl Store {
    /// Writes a line, unless it was written before.
    ///
    /// # Errors
    /// See [`SayError`].
    pub async fn say(&self, line: NewChatLine) -> Result<Said, SayError> {
        let written = Entity::find()
            .filter(Column::SupportId.eq(line.support_id.as_str()))
            .count(&self.reader)
            .await
            .map_err(StoreError::from)?;
        if written < MAX_LINES {
            let transaction = self.write().await.map_err(StoreError::from)?;
            match insert(&transaction, line.clone()).await {
                Ok(line) => {
                    transaction.commit().await.map_err(StoreError::from)?;
                    return Ok(Said::New(line));
                }
                Err(error) if is_duplicate(&error) => {}
                Err(error) => return Err(StoreError::from(error).into()),
            }
        }
        let row = Entity::find()
            .filter(Column::SupportId.eq(line.support_id.as_str()))
            .filter(Column::FromGuest.eq(line.from_guest))
            .filter(Column::ClientId.eq(line.client_id))
            .one(&self.reader)
            .await
            .map_err(StoreError::from)?;
        row.map(|row| Said::Before(row.into()))
            .ok_or(SayError::Full)
    }

    /// Id of the newest line that the customer wrote; `None` without any.
    ///
    /// # Errors
    /// The database failed.
    pub async fn last_guest_line(&self, support: &SupportId) -> Result<Option<u64>, StoreError> {
        let row = Entity::find()
            .filter(Column::SupportId.eq(support.as_str()))
            .filter(Column::FromGuest.eq(true))
            .order_by_desc(Column::Id)
            .one(&self.reader)
            .await?;
        Ok(row.map(|row| unsigned(row.id)))
    }

    /// The newest [`MAX_LINES_READ`] lines around a code, oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn chat(&self, support: &SupportId) -> Result<Vec<ChatLine>, StoreError> {
        let rows = Entity::find()
            .filter(Column::SupportId.eq(support.as_str()))
            .order_by_desc(Column::Id)
            .limit(MAX_LINES_READ)
            .all(&self.reader)
            .await?;
        Ok(rows.into_iter().rev().map(ChatLine::from).collect())
    }
}

/// Writes a line; an error where it was written before.
pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    line: NewChatLine,
) -> Result<ChatLine, DbErr> {
    let row = ActiveModel {
        id: NotSet,
        support_id: Set(line.support_id.as_str().to_owned()),
        from_guest: Set(line.from_guest),
        client_id: Set(line.client_id),
        author: Set(line.author),
        text: Set(line.text),
        at: Set(line.at),
    };
    row.insert(connection).await.map(ChatLine::from)
}

impl From<Model> for ChatLine {
    fn from(row: Model) -> Self {
        Self {
            id: unsigned(row.id),
            from_guest: row.from_guest,
            client_id: row.client_id,
            author: row.author,
            text: row.text,
            at: row.at,
        }
    }
}
