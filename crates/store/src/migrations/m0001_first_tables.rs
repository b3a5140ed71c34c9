//! Users and their logins, enrolment, machines, sessions, audit.
//!
//! What may be deleted while its history stays (a machine, a user) is not
//! referenced from `sessions` and `audit_entries`: those keep the names as they
//! were at the time.

use sea_orm::sea_query::{ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement};

use super::columns::{id, number, owned_by, text, time};
use crate::entity::{
    audit_entry, claim, enrolment_token, login, machine, machine_key, refresh_token, session, user,
};

pub(super) fn tables() -> Vec<TableCreateStatement> {
    vec![
        users(),
        claims(),
        logins(),
        refresh_tokens(),
        enrolment_tokens(),
        machines(),
        machine_keys(),
        sessions(),
        audit_entries(),
    ]
}

pub(super) fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str| Index::create().name(name).to_owned();
    vec![
        index("logins_user")
            .table(login::Entity)
            .col(login::Column::UserId)
            .to_owned(),
        index("refresh_tokens_login")
            .table(refresh_token::Entity)
            .col(refresh_token::Column::LoginId)
            .to_owned(),
        index("machine_keys_machine")
            .table(machine_key::Entity)
            .col(machine_key::Column::MachineId)
            .to_owned(),
        index("sessions_created")
            .table(session::Entity)
            .col(session::Column::CreatedAt)
            .col(session::Column::Id)
            .to_owned(),
        index("sessions_machine_created")
            .table(session::Entity)
            .col(session::Column::MachineId)
            .col(session::Column::CreatedAt)
            .to_owned(),
        index("sessions_ended")
            .table(session::Entity)
            .col(session::Column::EndedAt)
            .to_owned(),
        index("audit_at")
            .table(audit_entry::Entity)
            .col(audit_entry::Column::At)
            .to_owned(),
        index("audit_action")
            .table(audit_entry::Entity)
            .col(audit_entry::Column::Action)
            .col(audit_entry::Column::Id)
            .to_owned(),
        index("audit_machine")
            .table(audit_entry::Entity)
            .col(audit_entry::Column::MachineId)
            .col(audit_entry::Column::Id)
            .to_owned(),
        index("audit_actor")
            .table(audit_entry::Entity)
            .col(audit_entry::Column::ActorId)
            .col(audit_entry::Column::Id)
            .to_owned(),
    ]
}

fn users() -> TableCreateStatement {
    use user::Column as C;
    Table::create()
        .table(user::Entity)
        .col(id(C::Id))
        .col(text(C::Username).unique_key())
        .col(text(C::DisplayName))
        .col(text(C::Role))
        .col(text(C::PasswordHash))
        .col(time(C::CreatedAt))
        .col(ColumnDef::new(C::DisabledAt).timestamp_with_time_zone())
        .to_owned()
}

/// At most one row, by its key: that is what makes a server claimable once.
fn claims() -> TableCreateStatement {
    use claim::Column as C;
    Table::create()
        .table(claim::Entity)
        .col(ColumnDef::new(C::Id).integer().not_null().primary_key())
        .col(text(C::UserId))
        .col(time(C::ClaimedAt))
        .to_owned()
}

fn logins() -> TableCreateStatement {
    use login::Column as C;
    Table::create()
        .table(login::Entity)
        .col(id(C::Id))
        .col(text(C::UserId))
        .col(time(C::CreatedAt))
        .col(time(C::LastUsedAt))
        .col(time(C::ExpiresAt))
        .col(ColumnDef::new(C::EndedAt).timestamp_with_time_zone())
        .col(text(C::Address))
        .col(text(C::UserAgent))
        .foreign_key(&mut owned_by(
            (login::Entity, C::UserId),
            (user::Entity, user::Column::Id),
        ))
        .to_owned()
}

fn refresh_tokens() -> TableCreateStatement {
    use refresh_token::Column as C;
    Table::create()
        .table(refresh_token::Entity)
        .col(id(C::TokenHash))
        .col(text(C::LoginId))
        .col(time(C::IssuedAt))
        .col(time(C::ExpiresAt))
        .col(ColumnDef::new(C::UsedAt).timestamp_with_time_zone())
        .foreign_key(&mut owned_by(
            (refresh_token::Entity, C::LoginId),
            (login::Entity, login::Column::Id),
        ))
        .to_owned()
}

fn enrolment_tokens() -> TableCreateStatement {
    use enrolment_token::Column as C;
    Table::create()
        .table(enrolment_token::Entity)
        .col(id(C::Id))
        .col(text(C::Name))
        .col(text(C::TokenHash).unique_key())
        .col(ColumnDef::new(C::MaxUses).integer())
        .col(ColumnDef::new(C::Uses).integer().not_null())
        .col(ColumnDef::new(C::ExpiresAt).timestamp_with_time_zone())
        .col(text(C::CreatedBy))
        .col(time(C::CreatedAt))
        .to_owned()
}

fn machines() -> TableCreateStatement {
    use machine::Column as C;
    Table::create()
        .table(machine::Entity)
        .col(id(C::Id))
        .col(text(C::Name))
        .col(text(C::HostName))
        .col(text(C::OsFamily))
        .col(text(C::OsName))
        .col(text(C::OsVersion))
        .col(text(C::Architecture))
        .col(text(C::CurrentUser))
        .col(number(C::BootTimeUnix))
        .col(text(C::AgentVersion))
        .col(ColumnDef::new(C::AgentPublicKey).blob().not_null())
        .col(text(C::Address))
        .col(time(C::CreatedAt))
        .col(time(C::LastSeenAt))
        .to_owned()
}

fn machine_keys() -> TableCreateStatement {
    use machine_key::Column as C;
    Table::create()
        .table(machine_key::Entity)
        .col(id(C::KeyHash))
        .col(text(C::MachineId))
        .col(time(C::CreatedAt))
        .col(ColumnDef::new(C::RevokedAt).timestamp_with_time_zone())
        .foreign_key(&mut owned_by(
            (machine_key::Entity, C::MachineId),
            (machine::Entity, machine::Column::Id),
        ))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    use session::Column as C;
    Table::create()
        .table(session::Entity)
        .col(id(C::Id))
        .col(text(C::MachineId))
        .col(text(C::MachineName))
        .col(text(C::UserId))
        .col(text(C::Technician))
        .col(text(C::LoginId))
        .col(time(C::CreatedAt))
        .col(ColumnDef::new(C::EndedAt).timestamp_with_time_zone())
        .col(ColumnDef::new(C::EndReason).text())
        .col(number(C::DurationSeconds))
        .col(number(C::BytesTransferred))
        .to_owned()
}

fn audit_entries() -> TableCreateStatement {
    use audit_entry::Column as C;
    Table::create()
        .table(audit_entry::Entity)
        .col(
            ColumnDef::new(C::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(time(C::At))
        .col(text(C::Action))
        .col(text(C::ActorKind))
        .col(ColumnDef::new(C::ActorId).text())
        .col(ColumnDef::new(C::ActorName).text())
        .col(ColumnDef::new(C::MachineId).text())
        .col(ColumnDef::new(C::MachineName).text())
        .col(ColumnDef::new(C::SessionId).text())
        .col(ColumnDef::new(C::Address).text())
        .col(text(C::Detail))
        .to_owned()
}
