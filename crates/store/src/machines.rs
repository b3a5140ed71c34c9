//! Managed computers and the hashes of their keys.

use chrono::{DateTime, Utc};
use gc_model::id::MachineId;
use gc_model::machine::{MachineFacts, MachineKind};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    Set,
};

use crate::SecretHash;
use crate::audit::{self, NewAuditEntry};
use crate::entity::{machine, machine_key};
use crate::errors::StoreError;
use crate::open::Store;
use crate::rows::{Machine, read_all, signed};

/// Far below what either engine takes as parameters of one statement.
const IDS_IN_ONE_STATEMENT: usize = 500;

/// What an agent reports when it connects and at intervals.
#[derive(Debug, Clone)]
pub struct CheckIn {
    /// Which machine.
    pub machine_id: MachineId,
    /// What it says about itself.
    pub facts: MachineFacts,
    /// Version of its agent.
    pub agent_version: String,
    /// Where from.
    pub address: String,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Store {
    /// Every managed machine, by name; no guests.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machines(&self) -> Result<Vec<Machine>, StoreError> {
        let rows = machine::Entity::find()
            .filter(machine::Column::Kind.eq(MachineKind::Unattended.as_str()))
            .order_by_asc(machine::Column::Name)
            .order_by_asc(machine::Column::Id)
            .all(&self.reader)
            .await?;
        read_all(rows)
    }

    /// One machine; `None` when there is none of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machine(&self, id: &MachineId) -> Result<Option<Machine>, StoreError> {
        let row = machine::Entity::find_by_id(id.as_str())
            .one(&self.reader)
            .await?;
        row.map(Machine::try_from).transpose()
    }

    /// The machine that holds this key; `None` when the key is unknown or revoked.
    ///
    /// # Errors
    /// The database failed.
    pub async fn machine_of_key(&self, key: &SecretHash) -> Result<Option<Machine>, StoreError> {
        let key = machine_key::Entity::find_by_id(key.as_str())
            .filter(machine_key::Column::RevokedAt.is_null())
            .one(&self.reader)
            .await?;
        let Some(key) = key else { return Ok(None) };
        let row = machine::Entity::find_by_id(key.machine_id)
            .one(&self.reader)
            .await?;
        row.map(Machine::try_from).transpose()
    }

    /// Gives a machine another name. `None` when there is none of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rename_machine(
        &self,
        id: &MachineId,
        name: String,
        entry: NewAuditEntry,
    ) -> Result<Option<Machine>, StoreError> {
        let transaction = self.write().await?;
        let row = machine::Entity::find_by_id(id.as_str())
            .one(&transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut row: machine::ActiveModel = row.into();
        row.name = Set(name);
        let row = row.update(&transaction).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(Some(row.try_into()?))
    }

    /// Removes a machine and its keys; its sessions and audit entries stay.
    /// False when there is none of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_machine(
        &self,
        id: &MachineId,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let transaction = self.write().await?;
        let deleted = machine::Entity::delete_by_id(id.as_str())
            .exec(&transaction)
            .await?;
        if deleted.rows_affected == 0 {
            return Ok(false);
        }
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Revokes a machine's key: its agent must enrol anew.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke_machine_key(
        &self,
        id: &MachineId,
        now: DateTime<Utc>,
        entry: NewAuditEntry,
    ) -> Result<(), StoreError> {
        let transaction = self.write().await?;
        revoke_keys(&transaction, id, now).await?;
        audit::append(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes what an agent reported. `None` when the machine is gone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record_check_in(&self, check_in: CheckIn) -> Result<Option<Machine>, StoreError> {
        let transaction = self.write().await?;
        let row = machine::Entity::find_by_id(check_in.machine_id.as_str())
            .one(&transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let facts = check_in.facts;
        let mut row: machine::ActiveModel = row.into();
        row.host_name = Set(facts.host_name);
        row.os_family = Set(facts.os_family.as_str().to_owned());
        row.os_name = Set(facts.os_name);
        row.os_version = Set(facts.os_version);
        row.architecture = Set(facts.architecture);
        row.current_user = Set(facts.current_user);
        row.boot_time_unix = Set(signed(facts.boot_time_unix));
        row.agent_version = Set(check_in.agent_version);
        row.address = Set(check_in.address);
        row.last_seen_at = Set(check_in.now);
        let row = row.update(&transaction).await?;
        transaction.commit().await?;
        Ok(Some(row.try_into()?))
    }

    /// Notes that machines were heard of, many at once.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record_seen(
        &self,
        machines: &[MachineId],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if machines.is_empty() {
            return Ok(());
        }
        let transaction = self.write().await?;
        for ids in machines.chunks(IDS_IN_ONE_STATEMENT) {
            machine::Entity::update_many()
                .col_expr(machine::Column::LastSeenAt, Expr::value(at))
                .filter(machine::Column::Id.is_in(ids.iter().map(MachineId::as_str)))
                .exec(&transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// What a machine is called until a person says otherwise.
pub(crate) fn first_name(facts: &MachineFacts, id: &MachineId) -> String {
    if facts.host_name.is_empty() {
        id.as_str().to_owned()
    } else {
        facts.host_name.clone()
    }
}

/// The row of a machine that was never here.
pub(crate) fn new_row(
    id: &MachineId,
    facts: &MachineFacts,
    agent_public_key: &[u8; 32],
    address: &str,
    now: DateTime<Utc>,
    kind: MachineKind,
) -> machine::ActiveModel {
    let facts = facts.clone();
    machine::ActiveModel {
        id: Set(id.as_str().to_owned()),
        name: Set(first_name(&facts, id)),
        host_name: Set(facts.host_name),
        os_family: Set(facts.os_family.as_str().to_owned()),
        os_name: Set(facts.os_name),
        os_version: Set(facts.os_version),
        architecture: Set(facts.architecture),
        current_user: Set(facts.current_user),
        boot_time_unix: Set(signed(facts.boot_time_unix)),
        agent_version: Set(String::new()),
        agent_public_key: Set(agent_public_key.to_vec()),
        address: Set(address.to_owned()),
        created_at: Set(now),
        last_seen_at: Set(now),
        kind: Set(kind.as_str().to_owned()),
    }
}

pub(crate) async fn revoke_keys(
    db: &impl ConnectionTrait,
    id: &MachineId,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    machine_key::Entity::update_many()
        .col_expr(machine_key::Column::RevokedAt, Expr::value(now))
        .filter(machine_key::Column::MachineId.eq(id.as_str()))
        .filter(machine_key::Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

pub(crate) async fn insert_key(
    db: &impl ConnectionTrait,
    id: &MachineId,
    hash: &SecretHash,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = machine_key::ActiveModel {
        key_hash: Set(hash.as_str().to_owned()),
        machine_id: Set(id.as_str().to_owned()),
        created_at: Set(now),
        revoked_at: Set(None),
    };
    row.insert(db).await?;
    Ok(())
}
