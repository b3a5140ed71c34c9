//! What can go wrong below a repository method.

use sea_orm::{DbErr, SqlErr};

/// The database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine or the connection to it failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A row holds something that this program never writes.
    #[error("{table} holds {value:?} as {column}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Where in the row.
        column: &'static str,
        /// What was found.
        value: String,
    },
}

/// True when a row with this key is already there.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
