//! The queue of notices, which is also the log of what was delivered. It is in
//! the database so that a server that is restarted tries on.

use chrono::{DateTime, Utc};
use gc_model::notice::{Channel, DeliveryState};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use crate::audit::{self, NewAuditEntry};
use crate::entity::notice::{ActiveModel, Column as C, Entity, Model};
use crate::errors::StoreError;
use crate::open::Store;
use crate::rows::{corrupt, read_all};

/// A notice to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// Id; the receiver sees it, the same at every try.
    pub id: String,
    /// What it is about, such as `support.requested`.
    pub kind: String,
    /// How it travels.
    pub channel: Channel,
    /// Where to, as people are shown it: never with a secret.
    pub target: String,
    /// Where to, as the server finds it in its settings.
    pub target_key: String,
    /// The content, a JSON object.
    pub payload: String,
    /// Now.
    pub created_at: DateTime<Utc>,
}

/// A notice and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Id.
    pub id: String,
    /// What it is about.
    pub kind: String,
    /// How it travels.
    pub channel: Channel,
    /// Where to, for people.
    pub target: String,
    /// Where to, for the server.
    pub target_key: String,
    /// The content.
    pub payload: String,
    /// Whether it arrived.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it is tried next; `None` when it is not.
    pub next_at: Option<DateTime<Utc>>,
    /// When it arrived or was given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The other side took it.
    Delivered,
    /// Again, then.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        error: String,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
}

impl Store {
    /// Puts notices in the queue: all of them, or none where more than
    /// `max_pending` would wait. False when they were not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_notices(
        &self,
        notices: Vec<NewNotice>,
        max_pending: u64,
        entry: Option<NewAuditEntry>,
    ) -> Result<bool, StoreError> {
        let transaction = self.write().await?;
        let pending = Entity::find()
            .filter(C::NextAt.is_not_null())
            .count(&transaction)
            .await?;
        if pending + notices.len() as u64 > max_pending {
            return Ok(false);
        }
        for notice in notices {
            let row = ActiveModel {
                id: Set(notice.id),
                kind: Set(notice.kind),
                channel: Set(notice.channel.as_str().to_owned()),
                target: Set(notice.target),
                target_key: Set(notice.target_key),
                payload: Set(notice.payload),
                state: Set(DeliveryState::Pending.as_str().to_owned()),
                attempts: Set(0),
                created_at: Set(notice.created_at),
                next_at: Set(Some(notice.created_at)),
                ended_at: Set(None),
                last_error: Set(None),
            };
            row.insert(&transaction).await?;
        }
        if let Some(entry) = entry {
            audit::append(&transaction, entry).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// What is to be tried by now, what waits longest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn due_notices(
        &self,
        now: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<Notice>, StoreError> {
        let rows = Entity::find()
            .filter(C::NextAt.lte(now))
            .order_by_asc(C::NextAt)
            .limit(limit)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// When something is to be tried next; `None` while nothing waits.
    ///
    /// # Errors
    /// The database failed.
    pub async fn next_notice_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row = Entity::find()
            .filter(C::NextAt.is_not_null())
            .order_by_asc(C::NextAt)
            .one(&self.reader)
            .await?;
        Ok(row.and_then(|row| row.next_at))
    }

    /// Notes what came of a try.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_try(
        &self,
        id: &str,
        tried: Tried,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (state, next_at, error) = match tried {
            Tried::Delivered => (DeliveryState::Delivered, None, None),
            Tried::Again { at, error } => (DeliveryState::Pending, Some(at), Some(error)),
            Tried::Failed { error } => (DeliveryState::Failed, None, Some(error)),
        };
        let ended_at = next_at.is_none().then_some(now);
        let transaction = self.write().await?;
        Entity::update_many()
            .col_expr(C::State, Expr::value(state.as_str()))
            .col_expr(C::Attempts, Expr::col(C::Attempts).add(1))
            .col_expr(C::NextAt, Expr::value(next_at))
            .col_expr(C::EndedAt, Expr::value(ended_at))
            .col_expr(C::LastError, Expr::value(error))
            .filter(C::Id.eq(id))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest notices.
    ///
    /// # Errors
    /// The database failed.
    pub async fn notices(&self, limit: u64) -> Result<Vec<Notice>, StoreError> {
        let rows = Entity::find()
            .order_by_desc(C::CreatedAt)
            .order_by_desc(C::Id)
            .limit(limit)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// Forgets what arrived or was given up before `cut`. Returns how many went.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_notices_before(&self, cut: DateTime<Utc>) -> Result<u64, StoreError> {
        let transaction = self.write().await?;
        let deleted = Entity::delete_many()
            .filter(C::EndedAt.lt(cut))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected)
    }
}

impl TryFrom<Model> for Notice {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let bad = |column, value: &str| corrupt("notices", column, value);
        Ok(Self {
            channel: Channel::parse(&row.channel).ok_or_else(|| bad("channel", &row.channel))?,
            state: DeliveryState::parse(&row.state).ok_or_else(|| bad("state", &row.state))?,
            attempts: u32::try_from(row.attempts)
                .map_err(|_| bad("attempts", &row.attempts.to_string()))?,
            id: row.id,
            kind: row.kind,
            target: row.target,
            target_key: row.target_key,
            payload: row.payload,
            created_at: row.created_at,
            next_at: row.next_at,
            ended_at: row.ended_at,
            last_error: row.last_error,
        })
    }
}
