//! Columns as every step writes them.

use sea_orm::sea_query::{
    ColumnDef, ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, IntoIden, IntoTableRef,
};

pub(super) fn id(column: impl IntoIden) -> ColumnDef {
    ColumnDef::new(column)
        .text()
        .not_null()
        .primary_key()
        .to_owned()
}

pub(super) fn text(column: impl IntoIden) -> ColumnDef {
    ColumnDef::new(column).text().not_null().to_owned()
}

pub(super) fn number(column: impl IntoIden) -> ColumnDef {
    ColumnDef::new(column).big_integer().not_null().to_owned()
}

pub(super) fn time(column: impl IntoIden) -> ColumnDef {
    ColumnDef::new(column)
        .timestamp_with_time_zone()
        .not_null()
        .to_owned()
}

/// A row that goes when the row it belongs to goes.
pub(super) fn owned_by<T, C, OT, OC>(from: (T, C), to: (OT, OC)) -> ForeignKeyCreateStatement
where
    T: IntoTableRef,
    C: IntoIden,
    OT: IntoTableRef,
    OC: IntoIden,
{
    ForeignKey::create()
        .from(from.0, from.1)
        .to(to.0, to.1)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
