//! Enrolment tokens, and the exchange of one for a machine's key.

use chrono::{DateTime, Utc};
use gc_model::id::{MachineId, UserId};
use gc_model::machine::{MachineFacts, MachineKind};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, Set,
};

use crate::SecretHash;
use crate::audit::{self, Action, Actor, NewAuditEntry};
use crate::entity::{enrolment_token, machine};
use crate::errors::StoreError;
use crate::machines;
use crate::machines::first_name;
use crate::open::Store;
use crate::rows::{EnrolmentToken, Machine, read_all};

/// A token to be written.
#[derive(Debug, Clone)]
pub struct NewEnrolmentToken {
    /// Id; not the token.
    pub id: String,
    /// For people.
    pub name: String,
    /// Hash of the token.
    pub token_hash: SecretHash,
    /// How many machines it may enrol; `None` for any number.
    pub max_uses: Option<u32>,
    /// Until when; `None` for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who makes it.
    pub created_by: UserId,
    /// Now.
    pub created_at: DateTime<Utc>,
}

/// What an agent brings when it enrols.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// Hash of the enrolment token that it presented.
    pub token_hash: SecretHash,
    /// The machine's id: its device id where it was given one, a fresh one otherwise.
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

/// A machine that was enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The machine as it stands.
    pub machine: Machine,
    /// False when it was known before.
    pub is_new: bool,
}

/// The machine was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Unknown, used up or expired.
    #[error("the enrolment token is not valid")]
    TokenNotValid,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for EnrolError {
    fn from(error: DbErr) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Writes a token.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_enrolment_token(
        &self,
        token: NewEnrolmentToken,
        entry: NewAuditEntry,
    ) -> Result<EnrolmentToken, StoreError> {
        let transaction = self.write().await?;
        let row = enrolment_token::ActiveModel {
            id: Set(token.id),
            name: Set(token.name),
            token_hash: Set(token.token_hash.as_str().to_owned()),
            max_uses: Set(token
                .max_uses
                .map(|uses| i32::try_from(uses).unwrap_or(i32::MAX))),
            uses: Set(0),
            expires_at: Set(token.expires_at),
            created_by: Set(token.created_by.as_str().to_owned()),
            created_at: Set(token.created_at),
        };
        let row = row.insert(&transaction).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        row.try_into()
    }

    /// Every token, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn enrolment_tokens(&self) -> Result<Vec<EnrolmentToken>, StoreError> {
        let rows = enrolment_token::Entity::find()
            .order_by_desc(enrolment_token::Column::CreatedAt)
            .order_by_asc(enrolment_token::Column::Id)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// One token; `None` when there is none of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn enrolment_token(&self, id: &str) -> Result<Option<EnrolmentToken>, StoreError> {
        let row = enrolment_token::Entity::find_by_id(id)
            .one(&self.reader)
            .await?;
        row.map(EnrolmentToken::try_from).transpose()
    }

    /// Deletes a token; machines that it enrolled stay. False when there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_enrolment_token(
        &self,
        id: &str,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let transaction = self.write().await?;
        let deleted = enrolment_token::Entity::delete_by_id(id)
            .exec(&transaction)
            .await?;
        if deleted.rows_affected == 0 {
            return Ok(false);
        }
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Uses an enrolment token once and gives the machine a new key; earlier
    /// keys of the same machine end. All of it or nothing.
    ///
    /// # Errors
    /// See [`EnrolError`].
    pub async fn enrol_machine(&self, enrolment: Enrolment) -> Result<Enrolled, EnrolError> {
        use enrolment_token::Column as C;
        let transaction = self.write().await?;
        let hash = enrolment.token_hash.as_str();
        let used = enrolment_token::Entity::update_many()
            .col_expr(C::Uses, Expr::col(C::Uses).add(1))
            .filter(C::TokenHash.eq(hash))
            .filter(
                C::MaxUses
                    .is_null()
                    .or(Expr::col(C::Uses).lt(Expr::col(C::MaxUses))),
            )
            .filter(C::ExpiresAt.is_null().or(C::ExpiresAt.gt(enrolment.now)))
            .exec(&transaction)
            .await?
            .rows_affected;
        if used == 0 {
            return Err(EnrolError::TokenNotValid);
        }
        let token = enrolment_token::Entity::find()
            .filter(C::TokenHash.eq(hash))
            .one(&transaction)
            .await?
            .ok_or(EnrolError::TokenNotValid)?;

        let known = machine::Entity::find_by_id(enrolment.machine_id.as_str())
            .one(&transaction)
            .await?;
        let is_new = known.is_none();
        let row = written(known, &enrolment);
        let row = if is_new {
            row.insert(&transaction).await?
        } else {
            row.update(&transaction).await?
        };
        let machine = Machine::try_from(row)?;
        machines::revoke_keys(&transaction, &machine.id, enrolment.now).await?;
        machines::insert_key(
            &transaction,
            &machine.id,
            &enrolment.key_hash,
            enrolment.now,
        )
        .await?;
        audit::append(&transaction, entry(&machine, &token, is_new, &enrolment)).await?;
        transaction.commit().await?;
        Ok(Enrolled { machine, is_new })
    }
}

fn written(known: Option<machine::Model>, enrolment: &Enrolment) -> machine::ActiveModel {
    let now = enrolment.now;
    let (name, created_at, agent_version) = match known {
        Some(row) => (row.name, row.created_at, row.agent_version),
        None => (
            first_name(&enrolment.facts, &enrolment.machine_id),
            now,
            String::new(),
        ),
    };
    machine::ActiveModel {
        name: Set(name),
        created_at: Set(created_at),
        agent_version: Set(agent_version),
        ..machines::new_row(
            &enrolment.machine_id,
            &enrolment.facts,
            &enrolment.agent_public_key,
            &enrolment.address,
            now,
            MachineKind::Unattended,
        )
    }
}

fn entry(
    machine: &Machine,
    token: &enrolment_token::Model,
    is_new: bool,
    enrolment: &Enrolment,
) -> NewAuditEntry {
    NewAuditEntry {
        at: enrolment.now,
        action: if is_new {
            Action::MachineEnrolled
        } else {
            Action::MachineReenrolled
        },
        actor: Actor::Agent {
            id: machine.id.clone(),
            name: machine.name.clone(),
        },
        machine: Some((machine.id.clone(), machine.name.clone())),
        session_id: None,
        address: Some(enrolment.address.clone()),
        detail: serde_json::json!({
            "enrolment_token": { "id": token.id, "name": token.name },
            "host_name": machine.facts.host_name,
        }),
    }
}
