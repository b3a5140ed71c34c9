//! Table `chat_lines`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_lines")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub support_id: String,
    pub from_guest: bool,
    pub client_id: String,
    pub author: String,
    pub text: String,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
