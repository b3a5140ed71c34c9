//! Table `notices`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub kind: String,
    pub channel: String,
    pub target: String,
    pub target_key: String,
    pub payload: String,
    pub state: String,
    pub attempts: i64,
    pub created_at: DateTimeUtc,
    pub next_at: Option<DateTimeUtc>,
    pub ended_at: Option<DateTimeUtc>,
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
