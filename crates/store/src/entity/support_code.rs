//! Table `support_codes`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "support_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub code: String,
    /// The code while it is live; unique. Null afterwards.
    pub live_code: Option<String>,
    pub state: String,
    pub customer: String,
    pub created_by: String,
    pub creator: String,
    pub assigned_to: Option<String>,
    pub created_at: DateTimeUtc,
    pub expires_at: Option<DateTimeUtc>,
    pub downloaded_at: Option<DateTimeUtc>,
    pub claimed_at: Option<DateTimeUtc>,
    pub machine_id: Option<String>,
    pub host_name: String,
    pub guest_user: String,
    pub os_name: String,
    pub address: String,
    pub technician_id: Option<String>,
    pub technician: String,
    pub answered_at: Option<DateTimeUtc>,
    pub session_id: Option<String>,
    pub ended_at: Option<DateTimeUtc>,
    pub end_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
