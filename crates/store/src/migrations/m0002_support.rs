//! Attended support: codes, their chat, and machines that are only guests.

use sea_orm::sea_query::{
    ColumnDef, Index, IndexCreateStatement, Table, TableAlterStatement, TableCreateStatement,
};

use super::columns::{id, owned_by, text, time};
use crate::entity::{chat_line, machine, support_code};

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![support_codes(), chat_lines()]
}

/// Machines of before are all managed computers.
pub(super) fn changes() -> Vec<TableAlterStatement> {
    let kind = ColumnDef::new(machine::Column::Kind)
        .text()
        .not_null()
        .default("unattended")
        .to_owned();
    vec![
        Table::alter()
            .table(machine::Entity)
            .add_column(kind)
            .to_owned(),
    ]
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str| Index::create().name(name).to_owned();
    vec![
        index("support_codes_created")
            .table(support_code::Entity)
            .col(support_code::Column::CreatedAt)
            .to_owned(),
        index("support_codes_machine")
            .table(support_code::Entity)
            .col(support_code::Column::MachineId)
            .to_owned(),
        // What is sent again is not said twice.
        index("chat_lines_once")
            .table(chat_line::Entity)
            .col(chat_line::Column::SupportId)
            .col(chat_line::Column::FromGuest)
            .col(chat_line::Column::ClientId)
            .unique()
            .to_owned(),
    ]
}

/// `live_code` is what keeps live codes apart: unique, and empty as soon as a
/// code is over, which both engines allow any number of times.
fn support_codes() -> TableCreateStatement {
    use support_code::Column as C;
    let maybe_text = |column| ColumnDef::new(column).text().to_owned();
    let maybe_time = |column| ColumnDef::new(column).timestamp_with_time_zone().to_owned();
    Table::create()
        .table(support_code::Entity)
        .col(id(C::Id))
        .col(text(C::Code))
        .col(maybe_text(C::LiveCode).unique_key())
        .col(text(C::State))
        .col(text(C::Customer))
        .col(text(C::CreatedBy))
        .col(text(C::Creator))
        .col(maybe_text(C::AssignedTo))
        .col(time(C::CreatedAt))
        .col(maybe_time(C::ExpiresAt))
        .col(maybe_time(C::DownloadedAt))
        .col(maybe_time(C::ClaimedAt))
        .col(maybe_text(C::MachineId))
        .col(text(C::HostName))
        .col(text(C::GuestUser))
        .col(text(C::OsName))
        .col(text(C::Address))
        .col(maybe_text(C::TechnicianId))
        .col(text(C::Technician))
        .col(maybe_time(C::AnsweredAt))
        .col(maybe_text(C::SessionId))
        .col(maybe_time(C::EndedAt))
        .col(maybe_text(C::EndReason))
        .to_owned()
}

fn chat_lines() -> TableCreateStatement {
    use chat_line::Column as C;
    Table::create()
        .table(chat_line::Entity)
        .col(
            ColumnDef::new(C::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(text(C::SupportId))
        .col(ColumnDef::new(C::FromGuest).boolean().not_null())
        .col(text(C::ClientId))
        .col(text(C::Author))
        .col(text(C::Text))
        .col(time(C::At))
        .foreign_key(&mut owned_by(
            (chat_line::Entity, C::SupportId),
            (support_code::Entity, support_code::Column::Id),
        ))
        .to_owned()
}
