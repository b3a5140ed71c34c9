//! People who sign in, and the one claim that makes the first of them.

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, UserId};
use gc_model::role::Role;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel as _,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::audit::{self, NewAuditEntry};
use crate::entity::{claim, user};
use crate::errors::{StoreError, is_duplicate};
use crate::logins::{self, NewLogin};
use crate::open::Store;
use crate::rows::{Account, User, read_all};

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

/// What an administrator changes of a person; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// For people.
    pub display_name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// True: they cannot sign in any more.
    pub disabled: Option<bool>,
}

/// A person who was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedUser {
    /// As they stand.
    pub account: Account,
    /// The sign-ins that ended with it.
    pub ended: Vec<LoginId>,
}

/// The person was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUserError {
    /// There is nobody of this id.
    #[error("there is no such person")]
    NotFound,
    /// Nobody would be left to administer the server.
    #[error("the last administrator must stay one")]
    LastAdmin,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for ChangeUserError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
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

    /// Everybody, those who cannot sign in too, by name.
    ///
    /// # Errors
    /// The database failed.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = user::Entity::find()
            .order_by_asc(user::Column::DisplayName)
            .order_by_asc(user::Column::Id)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// One person; `None` when there is nobody of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>, StoreError> {
        let row = user::Entity::find_by_id(id.as_str())
            .one(&self.reader)
            .await?;
        row.map(Account::try_from).transpose()
    }

    /// Changes a person. One administrator who can sign in always stays, also
    /// when two take each other's role at the same moment. The sign-ins of
    /// somebody who is disabled end.
    ///
    /// # Errors
    /// See [`ChangeUserError`].
    pub async fn change_user(
        &self,
        id: &UserId,
        change: UserChange,
        now: DateTime<Utc>,
        entries: Vec<NewAuditEntry>,
    ) -> Result<ChangedUser, ChangeUserError> {
        let transaction = self.write().await?;
        // Locked until this is over: who comes at the same moment counts afterwards.
        let admins = user::Entity::find()
            .filter(user::Column::Role.eq(Role::Admin.as_str()))
            .filter(user::Column::DisabledAt.is_null())
            .order_by_asc(user::Column::Id)
            .lock_exclusive()
            .all(&transaction)
            .await?;
        let row = user::Entity::find_by_id(id.as_str())
            .one(&transaction)
            .await?
            .ok_or(ChangeUserError::NotFound)?;
        let demoted = change.role.is_some_and(|role| role != Role::Admin);
        let disabled = change.disabled == Some(true);
        let is_last = admins.len() == 1 && admins[0].id == row.id;
        if (demoted || disabled) && is_last {
            return Err(ChangeUserError::LastAdmin);
        }
        let mut new = row.clone().into_active_model();
        if let Some(name) = change.display_name {
            new.display_name = Set(name);
        }
        if let Some(role) = change.role {
            new.role = Set(role.as_str().to_owned());
        }
        match change.disabled {
            Some(true) if row.disabled_at.is_none() => new.disabled_at = Set(Some(now)),
            Some(false) => new.disabled_at = Set(None),
            _ => {}
        }
        let row = if new.is_changed() {
            new.update(&transaction).await?
        } else {
            row
        };
        let ended = if disabled {
            logins::end_all(&transaction, id, now).await?
        } else {
            Vec::new()
        };
        for entry in entries {
            audit::append(&transaction, entry).await?;
        }
        transaction.commit().await?;
        let account = Account::try_from(row)?;
        Ok(ChangedUser { account, ended })
    }

    /// Sets the password of somebody else and ends all of their sign-ins.
    /// Returns which ones ended; `None` when there is nobody of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn reset_password(
        &self,
        user: &UserId,
        password_hash: String,
        now: DateTime<Utc>,
        entry: NewAuditEntry,
    ) -> Result<Option<Vec<LoginId>>, StoreError> {
        let transaction = self.write().await?;
        let changed = user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, password_hash.into())
            .filter(user::Column::Id.eq(user.as_str()))
            .exec(&transaction)
            .await?
            .rows_affected;
        if changed == 0 {
            return Ok(None);
        }
        let ended = logins::end_all(&transaction, user, now).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(Some(ended))
    }

    /// Sets a password and ends every other sign-in of this person. Returns
    /// which ones ended; `None` when the password that was checked against
    /// `checked_hash` is not valid any more.
    ///
    /// # Errors
    /// The database failed.
    pub async fn change_password(
        &self,
        user: &UserId,
        checked_hash: &str,
        password_hash: String,
        keep: &LoginId,
        now: DateTime<Utc>,
        entry: NewAuditEntry,
    ) -> Result<Option<Vec<LoginId>>, StoreError> {
        let transaction = self.write().await?;
        if !lock_with_password(&transaction, user, checked_hash).await? {
            return Ok(None);
        }
        user::Entity::update_many()
            .col_expr(user::Column::PasswordHash, password_hash.into())
            .filter(user::Column::Id.eq(user.as_str()))
            .exec(&transaction)
            .await?;
        let ended = logins::end_others(&transaction, user, keep, now).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(Some(ended))
    }
}

/// Locks somebody who may sign in with the password of this hash. Checking a
/// password takes long: who did so looks here whether it is still theirs. Until
/// the transaction is over nobody sets another one or takes their access away,
/// and whoever does so next finds what was written here.
pub(crate) async fn lock_with_password(
    db: &impl ConnectionTrait,
    id: &UserId,
    checked_hash: &str,
) -> Result<bool, DbErr> {
    let row = user::Entity::find_by_id(id.as_str())
        .filter(user::Column::PasswordHash.eq(checked_hash))
        .filter(user::Column::DisabledAt.is_null())
        .lock_exclusive()
        .one(db)
        .await?;
    Ok(row.is_some())
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
