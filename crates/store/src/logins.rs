//! Sign-ins and their rotating refresh tokens.

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::SecretHash;
use crate::audit::{self, Action, Actor, NewAuditEntry};
use crate::entity::{login, refresh_token, user};
use crate::errors::StoreError;
use crate::open::Store;
use crate::rows::{Login, User, read_all};
use crate::users;

/// A sign-in to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// Id.
    pub id: LoginId,
    /// Whose.
    pub user_id: UserId,
    /// Hash of the first refresh token.
    pub refresh_hash: SecretHash,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// When that token ends.
    pub expires_at: DateTime<Utc>,
    /// Where from.
    pub address: String,
    /// The browser, as it names itself.
    pub user_agent: String,
}

/// An exchange of one refresh token for the next.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// Hash of the token that came.
    pub presented: SecretHash,
    /// Hash of the token that goes out.
    pub next: SecretHash,
    /// Now.
    pub now: DateTime<Utc>,
    /// When the new token ends.
    pub expires_at: DateTime<Utc>,
    /// A token that was exchanged since then, from the same address, may be
    /// exchanged once more: the answer to the first time may not have arrived.
    pub once_more_since: DateTime<Utc>,
    /// Sign-ins older than this must give the password again.
    pub not_created_before: DateTime<Utc>,
    /// Where from.
    pub address: String,
}

/// The refresh token was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Unknown, expired, or of an ended sign-in.
    #[error("the refresh token is not valid")]
    NotValid,
    /// It had been exchanged before: somebody has a copy. The sign-in is ended.
    #[error("the refresh token was used twice")]
    Reused(LoginId),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for RotateError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

/// The sign-in was not written.
#[derive(Debug, thiserror::Error)]
pub enum CreateLoginError {
    /// While the password was checked, the person got another one or lost access.
    #[error("the password that was checked is not valid any more")]
    NotValid,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for CreateLoginError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Writes a sign-in of somebody whose password was checked against
    /// `checked_hash`.
    ///
    /// # Errors
    /// See [`CreateLoginError`].
    pub async fn create_login(
        &self,
        login: NewLogin,
        checked_hash: &str,
        entry: NewAuditEntry,
    ) -> Result<(), CreateLoginError> {
        let transaction = self.write().await?;
        if !users::lock_with_password(&transaction, &login.user_id, checked_hash).await? {
            return Err(CreateLoginError::NotValid);
        }
        insert(&transaction, login).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Exchanges a refresh token for the next. A token works once; see
    /// [`Rotation::once_more_since`] for the answer that got lost. Whichever of
    /// the two new tokens comes first supersedes the other, which ends the
    /// sign-in when it comes after all.
    ///
    /// # Errors
    /// See [`RotateError`].
    pub async fn rotate_refresh_token(
        &self,
        rotation: Rotation,
    ) -> Result<(Login, User), RotateError> {
        let transaction = self.write().await?;
        let spent = refresh_token::Entity::update_many()
            .col_expr(refresh_token::Column::UsedAt, Expr::value(rotation.now))
            .filter(refresh_token::Column::TokenHash.eq(rotation.presented.as_str()))
            .filter(is_fresh())
            .exec(&transaction)
            .await?
            .rows_affected;
        // Locked until this is over: of two that come once more, one is the second.
        let Some(token) = refresh_token::Entity::find_by_id(rotation.presented.as_str())
            .lock_exclusive()
            .one(&transaction)
            .await?
        else {
            return Err(RotateError::NotValid);
        };
        let found = live_login(&transaction, &token.login_id, rotation.now).await?;
        let Some((login, user)) = found else {
            return Err(RotateError::NotValid);
        };
        if spent == 0 && !may_come_once_more(&transaction, &token, &login, &rotation).await? {
            return end_reused(transaction, login, user, &rotation).await;
        }
        if token.expires_at <= rotation.now || login.created_at < rotation.not_created_before {
            return Err(RotateError::NotValid);
        }
        if spent > 0 {
            supersede_others(&transaction, &login.id, rotation.now).await?;
        }

        insert_token(
            &transaction,
            &login.id,
            &rotation.next,
            rotation.now,
            rotation.expires_at,
        )
        .await?;
        login::Entity::update_many()
            .col_expr(login::Column::LastUsedAt, Expr::value(rotation.now))
            .col_expr(login::Column::ExpiresAt, Expr::value(rotation.expires_at))
            .col_expr(
                login::Column::Address,
                Expr::value(rotation.address.clone()),
            )
            .filter(login::Column::Id.eq(login.id.as_str()))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        let renewed = Login {
            last_used_at: rotation.now,
            expires_at: rotation.expires_at,
            address: rotation.address,
            ..login
        };
        Ok((renewed, user))
    }

    /// The sign-in that holds this refresh token, spent or not; `None` when it
    /// is not live.
    ///
    /// # Errors
    /// The database failed.
    pub async fn login_of_refresh_token(
        &self,
        hash: &SecretHash,
        now: DateTime<Utc>,
    ) -> Result<Option<(Login, User)>, StoreError> {
        let token = refresh_token::Entity::find_by_id(hash.as_str())
            .one(&self.reader)
            .await?;
        match token {
            Some(token) => live_login(&self.reader, &token.login_id, now).await,
            None => Ok(None),
        }
    }

    /// A sign-in that is neither ended nor run out, with its person.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_login(
        &self,
        id: &LoginId,
        now: DateTime<Utc>,
    ) -> Result<Option<(Login, User)>, StoreError> {
        live_login(&self.reader, id.as_str(), now).await
    }

    /// The live sign-ins of a person, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_logins(
        &self,
        user: &UserId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Login>, StoreError> {
        let rows = login::Entity::find()
            .filter(login::Column::UserId.eq(user.as_str()))
            .filter(login::Column::EndedAt.is_null())
            .filter(login::Column::ExpiresAt.gt(now))
            .order_by_desc(login::Column::CreatedAt)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// Ends a sign-in of this person. False when it was not live.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_login(
        &self,
        id: &LoginId,
        user: &UserId,
        now: DateTime<Utc>,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let transaction = self.write().await?;
        let ended = login::Entity::update_many()
            .col_expr(login::Column::EndedAt, Expr::value(now))
            .filter(login::Column::Id.eq(id.as_str()))
            .filter(login::Column::UserId.eq(user.as_str()))
            .filter(login::Column::EndedAt.is_null())
            .exec(&transaction)
            .await?
            .rows_affected;
        if ended == 0 {
            return Ok(false);
        }
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Forgets sign-ins that ended or ran out before `cut`, and their tokens.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_logins_before(&self, cut: DateTime<Utc>) -> Result<u64, StoreError> {
        let transaction = self.write().await?;
        let gone = login::Column::ExpiresAt
            .lt(cut)
            .or(login::Column::EndedAt.lt(cut));
        let logins = login::Entity::delete_many()
            .filter(gone)
            .exec(&transaction)
            .await?;
        // A long sign-in leaves a spent token every few minutes. One that ran
        // out proves nothing any more.
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::ExpiresAt.lt(cut))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(logins.rows_affected)
    }
}

pub(crate) async fn insert(db: &impl ConnectionTrait, login: NewLogin) -> Result<(), StoreError> {
    let row = login::ActiveModel {
        id: Set(login.id.as_str().to_owned()),
        user_id: Set(login.user_id.as_str().to_owned()),
        created_at: Set(login.created_at),
        last_used_at: Set(login.created_at),
        expires_at: Set(login.expires_at),
        ended_at: Set(None),
        address: Set(login.address),
        user_agent: Set(login.user_agent),
    };
    row.insert(db).await?;
    insert_token(
        db,
        &login.id,
        &login.refresh_hash,
        login.created_at,
        login.expires_at,
    )
    .await?;
    Ok(())
}

/// Ends every live sign-in of a person but one.
pub(crate) async fn end_others(
    db: &impl ConnectionTrait,
    user: &UserId,
    keep: &LoginId,
    now: DateTime<Utc>,
) -> Result<Vec<LoginId>, StoreError> {
    let others = login::Column::UserId
        .eq(user.as_str())
        .and(login::Column::Id.ne(keep.as_str()));
    end_where(db, others, now).await
}

/// Ends every live sign-in of a person.
pub(crate) async fn end_all(
    db: &impl ConnectionTrait,
    user: &UserId,
    now: DateTime<Utc>,
) -> Result<Vec<LoginId>, StoreError> {
    end_where(db, login::Column::UserId.eq(user.as_str()), now).await
}

async fn end_where(
    db: &impl ConnectionTrait,
    which: Expr,
    now: DateTime<Utc>,
) -> Result<Vec<LoginId>, StoreError> {
    let others = which.and(login::Column::EndedAt.is_null());
    let rows = login::Entity::find().filter(others.clone()).all(db).await?;
    login::Entity::update_many()
        .col_expr(login::Column::EndedAt, Expr::value(now))
        .filter(others)
        .exec(db)
        .await?;
    let ended: Vec<Login> = read_all(rows)?;
    Ok(ended.into_iter().map(|login| login.id).collect())
}

async fn insert_token(
    db: &impl ConnectionTrait,
    login: &LoginId,
    hash: &SecretHash,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = refresh_token::ActiveModel {
        token_hash: Set(hash.as_str().to_owned()),
        login_id: Set(login.as_str().to_owned()),
        issued_at: Set(now),
        expires_at: Set(expires_at),
        used_at: Set(None),
        superseded_at: Set(None),
    };
    row.insert(db).await?;
    Ok(())
}

async fn live_login(
    db: &impl ConnectionTrait,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Option<(Login, User)>, StoreError> {
    let login = login::Entity::find_by_id(id)
        .filter(login::Column::EndedAt.is_null())
        .filter(login::Column::ExpiresAt.gt(now))
        .one(db)
        .await?;
    let Some(login) = login else { return Ok(None) };
    let user = user::Entity::find_by_id(login.user_id.as_str())
        .filter(user::Column::DisabledAt.is_null())
        .one(db)
        .await?;
    let Some(user) = user else { return Ok(None) };
    Ok(Some((Login::try_from(login)?, User::try_from(user)?)))
}

/// True for a used token whose successor may never have arrived: it is the only
/// one since then, nobody used it, and the same address asks again soon.
async fn may_come_once_more(
    db: &impl ConnectionTrait,
    token: &refresh_token::Model,
    login: &Login,
    rotation: &Rotation,
) -> Result<bool, DbErr> {
    let Some(used_at) = token.used_at else {
        return Ok(false);
    };
    if used_at < rotation.once_more_since || login.address != rotation.address {
        return Ok(false);
    }
    let successors = refresh_token::Entity::find()
        .filter(refresh_token::Column::LoginId.eq(login.id.as_str()))
        .filter(refresh_token::Column::IssuedAt.gte(used_at))
        .filter(refresh_token::Column::TokenHash.ne(token.token_hash.as_str()))
        .all(db)
        .await?;
    let is_fresh =
        |token: &refresh_token::Model| token.used_at.is_none() && token.superseded_at.is_none();
    Ok(matches!(successors.as_slice(), [only] if is_fresh(only)))
}

/// Takes what else could still be exchanged for this sign-in out of use. Not as
/// used: nobody presented it, so there is no answer that could have got lost, and
/// it may not come once more.
async fn supersede_others(
    db: &impl ConnectionTrait,
    login: &LoginId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::SupersededAt, Expr::value(now))
        .filter(refresh_token::Column::LoginId.eq(login.as_str()))
        .filter(is_fresh())
        .exec(db)
        .await?;
    Ok(())
}

/// Of a token that can be exchanged.
fn is_fresh() -> Expr {
    refresh_token::Column::UsedAt
        .is_null()
        .and(refresh_token::Column::SupersededAt.is_null())
}

async fn end_reused(
    transaction: DatabaseTransaction,
    login: Login,
    user: User,
    rotation: &Rotation,
) -> Result<(Login, User), RotateError> {
    login::Entity::update_many()
        .col_expr(login::Column::EndedAt, Expr::value(rotation.now))
        .filter(login::Column::Id.eq(login.id.as_str()))
        .exec(&transaction)
        .await?;
    let entry = NewAuditEntry {
        at: rotation.now,
        action: Action::LoginReuseDetected,
        actor: Actor::User {
            id: user.id,
            name: user.display_name,
        },
        machine: None,
        session_id: None,
        address: Some(rotation.address.clone()),
        detail: serde_json::json!({ "login_id": login.id.as_str() }),
    };
    audit::append(&transaction, entry).await?;
    transaction.commit().await?;
    Err(RotateError::Reused(login.id))
}
