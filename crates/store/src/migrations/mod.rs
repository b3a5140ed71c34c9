//! The database's shape as a list of steps that only grows. Each step is one
//! Rust function that makes SeaORM statements, so that both engines get the
//! same tables; it runs once, in one transaction with the note that it ran.
//!
//! `sea-orm-migration` is not used: it would bring the whole of SeaORM's default
//! features into the server and runs SQLite's steps without a transaction.

mod columns;
mod m0001_first_tables;
mod m0002_support;
mod m0003_notices;
mod m0004_superseded_tokens;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{IndexCreateStatement, TableAlterStatement, TableCreateStatement};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, Set, TransactionTrait,
};

use crate::entity::migration;

/// One step: what it is called in the database, and what it makes.
struct Step {
    name: &'static str,
    tables: fn() -> Vec<TableCreateStatement>,
    changes: fn() -> Vec<TableAlterStatement>,
    indexes: fn() -> Vec<IndexCreateStatement>,
}

/// INVARIANT: steps that were released are never changed, removed or reordered.
const STEPS: &[Step] = &[
    Step {
        name: "0001_first_tables",
        tables: m0001_first_tables::tables,
        changes: Vec::new,
        indexes: m0001_first_tables::indexes,
    },
    Step {
        name: "0002_support",
        tables: m0002_support::tables,
        changes: m0002_support::changes,
        indexes: m0002_support::indexes,
    },
    Step {
        name: "0003_notices",
        tables: m0003_notices::tables,
        changes: Vec::new,
        indexes: m0003_notices::indexes,
    },
    Step {
        name: "0004_superseded_tokens",
        tables: Vec::new,
        changes: m0004_superseded_tokens::changes,
        indexes: Vec::new,
    },
];

/// Any number, the same in every server: two that start at once take turns.
const POSTGRES_LOCK: i64 = 0x6775_7275;

/// Brings the database to the newest shape. Returns the names of the steps that ran.
///
/// # Errors
/// The database refused; nothing of the step that failed is left. A database
/// that a newer server has already changed.
pub(crate) async fn run(
    db: &DatabaseConnection,
    now: DateTime<Utc>,
) -> Result<Vec<&'static str>, MigrateError> {
    let transaction = db.begin().await?;
    if db.get_database_backend() == DbBackend::Postgres {
        let lock = format!("SELECT pg_advisory_xact_lock({POSTGRES_LOCK})");
        transaction.execute_unprepared(&lock).await?;
    }
    let notes = sea_orm::Schema::new(db.get_database_backend())
        .create_table_from_entity(migration::Entity)
        .if_not_exists()
        .to_owned();
    transaction.execute(&notes).await?;

    let done = migration::Entity::find().all(&transaction).await?;
    if let Some(unknown) = done
        .iter()
        .find(|row| STEPS.iter().all(|s| s.name != row.name))
    {
        return Err(MigrateError::Newer(unknown.name.clone()));
    }
    let mut ran = Vec::new();
    for step in STEPS
        .iter()
        .filter(|step| done.iter().all(|row| row.name != step.name))
    {
        apply(&transaction, step, now).await?;
        ran.push(step.name);
    }
    transaction.commit().await?;
    Ok(ran)
}

/// Why the database could not be brought to the newest shape.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Starting an older server on it could lose what the newer one wrote.
    #[error("a newer version of this program has changed the database (step {0})")]
    Newer(String),
    /// The engine refused.
    #[error(transparent)]
    Database(#[from] DbErr),
}

async fn apply(
    transaction: &DatabaseTransaction,
    step: &Step,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for table in (step.tables)() {
        transaction.execute(&table).await?;
    }
    for change in (step.changes)() {
        transaction.execute(&change).await?;
    }
    for index in (step.indexes)() {
        transaction.execute(&index).await?;
    }
    let note = migration::ActiveModel {
        name: Set(step.name.to_owned()),
        applied_at: Set(now),
    };
    note.insert(transaction).await?;
    Ok(())
}
