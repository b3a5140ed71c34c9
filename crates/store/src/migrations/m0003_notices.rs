//! What is sent by e-mail and webhook: the queue, and the log of what went.

use sea_orm::sea_query::{ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement};

use super::columns::{id, number, text, time};
use crate::entity::notice::{Column as C, Entity};

pub(super) fn tables() -> Vec<TableCreateStatement> {
    let maybe_time = |column| ColumnDef::new(column).timestamp_with_time_zone().to_owned();
    vec![
        Table::create()
            .table(Entity)
            .col(id(C::Id))
            .col(text(C::Kind))
            .col(text(C::Channel))
            .col(text(C::Target))
            .col(text(C::TargetKey))
            .col(text(C::Payload))
            .col(text(C::State))
            .col(number(C::Attempts))
            .col(time(C::CreatedAt))
            .col(maybe_time(C::NextAt))
            .col(maybe_time(C::EndedAt))
            .col(ColumnDef::new(C::LastError).text().to_owned())
            .to_owned(),
    ]
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str| Index::create().name(name).table(Entity).to_owned();
    vec![
        // Empty once a notice is delivered or given up.
        index("notices_next").col(C::NextAt).to_owned(),
        index("notices_created").col(C::CreatedAt).to_owned(),
    ]
}
