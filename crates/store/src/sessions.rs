//! Sessions: when they were, how long, how many bytes.

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, MachineId, SessionId, UserId};
use gc_model::session::EndReason;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

use crate::audit::{self, NewAuditEntry};
use crate::entity::session::{ActiveModel, Column, Entity};
use crate::errors::StoreError;
use crate::open::Store;
use crate::rows::{Session, read_all, signed};

/// A session to be written.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Id.
    pub id: SessionId,
    /// Of which machine.
    pub machine_id: MachineId,
    /// Its name now.
    pub machine_name: String,
    /// Who starts it.
    pub user_id: UserId,
    /// Their name now.
    pub technician: String,
    /// Their sign-in.
    pub login_id: LoginId,
    /// Now.
    pub created_at: DateTime<Utc>,
}

/// What a session used since it was last written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Which session.
    pub session_id: SessionId,
    /// Whole seconds in which a viewer and the agent were connected.
    pub seconds: u64,
    /// Bytes both ways.
    pub bytes: u64,
}

/// The end of a session.
#[derive(Debug, Clone)]
pub struct EndedSession {
    /// What it used since it was last written.
    pub usage: Usage,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: EndReason,
}

/// Which sessions to list; empty for all.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only of this machine.
    pub machine_id: Option<MachineId>,
}

/// The last session of a page; the next page begins below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCursor {
    /// Its start.
    pub created_at: DateTime<Utc>,
    /// Its id, for those that started together.
    pub id: SessionId,
}

impl Store {
    /// Writes a session.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_session(
        &self,
        session: NewSession,
        entry: NewAuditEntry,
    ) -> Result<Session, StoreError> {
        let transaction = self.write().await?;
        let row = ActiveModel {
            id: Set(session.id.as_str().to_owned()),
            machine_id: Set(session.machine_id.as_str().to_owned()),
            machine_name: Set(session.machine_name),
            user_id: Set(session.user_id.as_str().to_owned()),
            technician: Set(session.technician),
            login_id: Set(session.login_id.as_str().to_owned()),
            created_at: Set(session.created_at),
            ended_at: Set(None),
            end_reason: Set(None),
            duration_seconds: Set(0),
            bytes_transferred: Set(0),
        };
        let row = row.insert(&transaction).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        row.try_into()
    }

    /// One session; `None` when there is none of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn session(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let row = Entity::find_by_id(id.as_str()).one(&self.reader).await?;
        row.map(Session::try_from).transpose()
    }

    /// Sessions that did not end.
    ///
    /// # Errors
    /// The database failed.
    pub async fn open_sessions(&self) -> Result<Vec<Session>, StoreError> {
        read_all(
            Entity::find()
                .filter(Column::EndedAt.is_null())
                .all(&self.reader)
                .await?,
        )
    }

    /// Sessions, newest first, below `before`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn session_page(
        &self,
        filter: &SessionFilter,
        before: Option<&SessionCursor>,
        limit: u64,
    ) -> Result<Vec<Session>, StoreError> {
        let mut query = Entity::find()
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(limit);
        if let Some(machine) = &filter.machine_id {
            query = query.filter(Column::MachineId.eq(machine.as_str()));
        }
        if let Some(before) = before {
            let same_time = Column::CreatedAt
                .eq(before.created_at)
                .and(Column::Id.lt(before.id.as_str()));
            query = query.filter(Column::CreatedAt.lt(before.created_at).or(same_time));
        }
        read_all(query.all(&self.reader).await?)
    }

    /// Adds what sessions used, many at once.
    ///
    /// # Errors
    /// The database failed; nothing was added.
    pub async fn add_usage(&self, usage: &[Usage]) -> Result<(), StoreError> {
        if usage.is_empty() {
            return Ok(());
        }
        let transaction = self.write().await?;
        for used in usage {
            add(&transaction, used).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a session once. `None` when it had ended before or is unknown.
    /// `entry` makes the audit entry from the session as it ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_session(
        &self,
        end: EndedSession,
        entry: impl FnOnce(&Session) -> NewAuditEntry + Send,
    ) -> Result<Option<Session>, StoreError> {
        let id = end.usage.session_id.as_str();
        let transaction = self.write().await?;
        let ended = Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(end.at))
            .col_expr(Column::EndReason, Expr::value(end.reason.as_str()))
            .filter(Column::Id.eq(id))
            .filter(Column::EndedAt.is_null())
            .exec(&transaction)
            .await?
            .rows_affected;
        if ended == 0 {
            return Ok(None);
        }
        add(&transaction, &end.usage).await?;
        let row = Entity::find_by_id(id).one(&transaction).await?;
        let Some(row) = row else { return Ok(None) };
        let session = Session::try_from(row)?;
        audit::append(&transaction, entry(&session)).await?;
        transaction.commit().await?;
        Ok(Some(session))
    }
}

async fn add(db: &impl ConnectionTrait, usage: &Usage) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(
            Column::DurationSeconds,
            Expr::col(Column::DurationSeconds).add(signed(usage.seconds)),
        )
        .col_expr(
            Column::BytesTransferred,
            Expr::col(Column::BytesTransferred).add(signed(usage.bytes)),
        )
        .filter(Column::Id.eq(usage.session_id.as_str()))
        .exec(db)
        .await?;
    Ok(())
}
