//! People who sign in, and the one claim that makes the first of them.

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, UserId};
use gc_model::role::Role;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, Set,
};

use crate::audit::{self, NewAuditEntry};
use crate::entity::{claim, user};
use crate::errors::{StoreError, is_duplicate};
use crate::logins::{self, NewLogin};
use crate::open::Store;
use crate::rows::User;

/// A person to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Id.
    pub id: UserId,
    /// Lower case.
    pub username: String,
    /// For people.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A person with what their password is checked against.
#[derive(Clone)]
pub struct Credentials {
    /// Who.
    pub user: User,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

/// The server was not claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Somebody was first. The API answers 409.
    #[error("the server is already claimed")]
    AlreadyClaimed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The person was not added.
#[derive(Debug, thiserror::Error)]
pub enum CreateUserError {
    /// Somebody has this name.
    #[error("the name {0} is taken")]
    NameTaken(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// True once the server has its first administrator.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_claimed(&self) -> Result<bool, StoreError> {
        Ok(claim::Entity::find().count(&self.reader).await? > 0)
    }

    /// Makes the first administrator and signs them in. Of many that try at
    /// once, one wins.
    ///
    /// # Errors
    /// See [`ClaimError`].
    pub async fn claim_server(
        &self,
        user: NewUser,
        login: NewLogin,
        entry: NewAuditEntry,
    ) -> Result<User, ClaimError> {
        let transaction = self.write().await.map_err(StoreError::from)?;
        let row = claim::ActiveModel {
            // INVARIANT: always 1, so that the primary key allows one claim.
            id: Set(1),
            user_id: Set(user.id.as_str().to_owned()),
            claimed_at: Set(user.created_at),
        };
        match row.insert(&transaction).await {
            Ok(_) => {}
            Err(error) if is_duplicate(&error) => return Err(ClaimError::AlreadyClaimed),
            Err(error) => return Err(StoreError::from(error).into()),
        }
        let user = insert(&transaction, user).await.map_err(StoreError::from)?;
        logins::insert(&transaction, login).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(User::try_from(user)?)
    }

    /// Adds a person.
    ///
    /// # Errors
    /// See [`CreateUserError`].
    pub async fn create_user(
        &self,
        user: NewUser,
        entry: NewAuditEntry,
    ) -> Result<User, CreateUserError> {
        let name = user.username.clone();
        let transaction = self.write().await.map_err(StoreError::from)?;
        let row = match insert(&transaction, user).await {
            Ok(row) => row,
            Err(error) if is_duplicate(&error) => return Err(CreateUserError::NameTaken(name)),
            Err(error) => return Err(StoreError::from(error).into()),
        };
        audit::append(&transaction, entry).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(User::try_from(row)?)
    }

    /// The person of this name (lower case) with their password's hash; `None`
    /// when there is nobody or they are disabled.
    ///
    /// # Errors
    /// The database failed.
    pub async fn credentials(&self, username: &str) -> Result<Option<Credentials>, StoreError> {
        let row = user::Entity::find()
            .filter(user::Column::Username.eq(username))
            .filter(user::Column::DisabledAt.is_null())
            .one(&self.reader)
            .await?;
        row.map(|row| {
            let password_hash = row.password_hash.clone();
            Ok(Credentials {
                user: User::try_from(row)?,
                password_hash,
            })
        })
        .transpose()
    }

    /// Sets a password and ends every other sign-in of this person. Returns
    /// which ones ended.
    ///
    /// # Errors
    /// The database failed.
    pub async fn change_password(
        &self,
        user: &UserId,
        password_hash: String,
        keep: &LoginId,
        now: DateTime<Utc>,
        entry: NewAuditEntry,
    ) -> Result<Vec<LoginId>, StoreError> {
        let transaction = self.write().await?;
        user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, password_hash.into())
            .filter(user::Column::Id.eq(user.as_str()))
            .exec(&transaction)
            .await?;
        let ended = logins::end_others(&transaction, user, keep, now).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(ended)
    }
}

async fn insert(db: &impl ConnectionTrait, user: NewUser) -> Result<user::Model, DbErr> {
    let row = user::ActiveModel {
        id: Set(user.id.as_str().to_owned()),
        username: Set(user.username),
        display_name: Set(user.display_name),
        role: Set(user.role.as_str().to_owned()),
        password_hash: Set(user.password_hash),
        created_at: Set(user.created_at),
        disabled_at: Set(None),
    };
    row.insert(db).await
}
