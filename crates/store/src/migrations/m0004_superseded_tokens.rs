//! Refresh tokens that were never exchanged, because another one was.

use sea_orm::sea_query::{ColumnDef, Table, TableAlterStatement};

use crate::entity::refresh_token;

/// Tokens of before count as exchanged.
pub(super) fn changes() -> Vec<TableAlterStatement> {
    let superseded = ColumnDef::new(refresh_token::Column::SupersededAt)
        .timestamp_with_time_zone()
        .to_owned();
    vec![
        Table::alter()
            .table(refresh_token::Entity)
            .add_column(superseded)
            .to_owned(),
    ]
}
