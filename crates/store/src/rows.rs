//! Rows as the rest of the server sees them: ids and names parsed, secrets left out.

use chrono::{DateTime, Utc};
use gc_model::id::{LoginId, MachineId, SessionId, UserId};
use gc_model::machine::{MachineFacts, MachineKind, OsFamily};
use gc_model::role::Role;
use gc_model::session::EndReason;

use crate::entity;
use crate::errors::StoreError;

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Lower case, unique.
    pub username: String,
    /// For people.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: DateTime<Utc>,
}

/// A person as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub user: User,
    /// Since when they cannot sign in; `None` while they can.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// One sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Id; the access tokens name it.
    pub id: LoginId,
    /// Whose.
    pub user_id: UserId,
    /// When the password was given.
    pub created_at: DateTime<Utc>,
    /// When a token was last renewed.
    pub last_used_at: DateTime<Utc>,
    /// When the newest refresh token ends.
    pub expires_at: DateTime<Utc>,
    /// Where from, at the last renewal.
    pub address: String,
    /// The browser, as it names itself.
    pub user_agent: String,
}

/// A managed computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Id.
    pub id: MachineId,
    /// For people; the host name until somebody changes it.
    pub name: String,
    /// What it last said about itself.
    pub facts: MachineFacts,
    /// Version of its agent; empty before it first connects.
    pub agent_version: String,
    /// X25519 key of its agent, which viewers pin.
    pub agent_public_key: [u8; 32],
    /// Where its agent last came from.
    pub address: String,
    /// When it was enrolled first.
    pub created_at: DateTime<Utc>,
    /// When it was last heard of.
    pub last_seen_at: DateTime<Utc>,
    /// Managed, or a guest of one support session.
    pub kind: MachineKind,
}

/// One remote control, start to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id.
    pub id: SessionId,
    /// Of which machine; that may be gone.
    pub machine_id: MachineId,
    /// Its name at the time.
    pub machine_name: String,
    /// Who started it.
    pub user_id: UserId,
    /// Their name at the time.
    pub technician: String,
    /// The sign-in that started it.
    pub login_id: LoginId,
    /// Start.
    pub created_at: DateTime<Utc>,
    /// End; `None` while it is open.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Whole seconds in which a viewer and the agent were connected.
    pub duration_seconds: u64,
    /// Bytes that the relay carried, both directions.
    pub bytes_transferred: u64,
}

/// Permission to enrol machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentToken {
    /// Id; not the token.
    pub id: String,
    /// For people.
    pub name: String,
    /// How many machines it may enrol; `None` for any number.
    pub max_uses: Option<u32>,
    /// How many it has.
    pub uses: u32,
    /// Until when; `None` for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

macro_rules! parsed {
    ($table:literal, $column:literal, $value:expr, $parse:expr) => {
        $parse(&$value).ok_or_else(|| StoreError::Corrupt {
            table: $table,
            column: $column,
            value: $value.clone(),
        })
    };
}

impl TryFrom<entity::user::Model> for User {
    type Error = StoreError;

    fn try_from(row: entity::user::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed!("users", "id", row.id, |text: &String| UserId::parse(text)
                .ok())?,
            role: parsed!("users", "role", row.role, |text: &String| Role::parse(text))?,
            username: row.username,
            display_name: row.display_name,
            created_at: row.created_at,
        })
    }
}

impl TryFrom<entity::user::Model> for Account {
    type Error = StoreError;

    fn try_from(row: entity::user::Model) -> Result<Self, StoreError> {
        Ok(Self {
            disabled_at: row.disabled_at,
            user: User::try_from(row)?,
        })
    }
}

impl TryFrom<entity::login::Model> for Login {
    type Error = StoreError;

    fn try_from(row: entity::login::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed!("logins", "id", row.id, |text: &String| LoginId::parse(text)
                .ok())?,
            user_id: user_id("logins", &row.user_id)?,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            address: row.address,
            user_agent: row.user_agent,
        })
    }
}

impl TryFrom<entity::machine::Model> for Machine {
    type Error = StoreError;

    fn try_from(row: entity::machine::Model) -> Result<Self, StoreError> {
        let agent_public_key =
            row.agent_public_key
                .as_slice()
                .try_into()
                .map_err(|_| StoreError::Corrupt {
                    table: "machines",
                    column: "agent_public_key",
                    value: format!("{} bytes", row.agent_public_key.len()),
                })?;
        Ok(Self {
            id: machine_id("machines", &row.id)?,
            kind: parsed!("machines", "kind", row.kind, |text: &String| {
                MachineKind::parse(text)
            })?,
            name: row.name,
            facts: MachineFacts {
                host_name: row.host_name,
                os_family: OsFamily::from_name(&row.os_family),
                os_name: row.os_name,
                os_version: row.os_version,
                architecture: row.architecture,
                current_user: row.current_user,
                boot_time_unix: unsigned(row.boot_time_unix),
            },
            agent_version: row.agent_version,
            agent_public_key,
            address: row.address,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
        })
    }
}

impl TryFrom<entity::session::Model> for Session {
    type Error = StoreError;

    fn try_from(row: entity::session::Model) -> Result<Self, StoreError> {
        let end_reason = row
            .end_reason
            .map(|text| {
                parsed!("sessions", "end_reason", text, |text: &String| {
                    EndReason::parse(text)
                })
            })
            .transpose()?;
        Ok(Self {
            id: session_id("sessions", &row.id)?,
            machine_id: machine_id("sessions", &row.machine_id)?,
            machine_name: row.machine_name,
            user_id: user_id("sessions", &row.user_id)?,
            technician: row.technician,
            login_id: parsed!("sessions", "login_id", row.login_id, |text: &String| {
                LoginId::parse(text).ok()
            })?,
            created_at: row.created_at,
            ended_at: row.ended_at,
            end_reason,
            duration_seconds: unsigned(row.duration_seconds),
            bytes_transferred: unsigned(row.bytes_transferred),
        })
    }
}

impl TryFrom<entity::enrolment_token::Model> for EnrolmentToken {
    type Error = StoreError;

    fn try_from(row: entity::enrolment_token::Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            max_uses: row.max_uses.map(i32::unsigned_abs),
            uses: row.uses.unsigned_abs(),
            expires_at: row.expires_at,
            created_by: user_id("enrolment_tokens", &row.created_by)?,
            created_at: row.created_at,
        })
    }
}

/// Numbers that are never negative, as the engines keep them.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The largest number both engines can keep is far above any real one.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn user_id(table: &'static str, value: &str) -> Result<UserId, StoreError> {
    UserId::parse(value).map_err(|_| corrupt(table, "user_id", value))
}

pub(crate) fn machine_id(table: &'static str, value: &str) -> Result<MachineId, StoreError> {
    MachineId::parse(value).map_err(|_| corrupt(table, "machine_id", value))
}

pub(crate) fn session_id(table: &'static str, value: &str) -> Result<SessionId, StoreError> {
    SessionId::parse(value).map_err(|_| corrupt(table, "session_id", value))
}

pub(crate) fn corrupt(table: &'static str, column: &'static str, value: &str) -> StoreError {
    StoreError::Corrupt {
        table,
        column,
        value: value.to_owned(),
    }
}

/// Reads a whole list of rows.
pub(crate) fn read_all<M, R>(rows: Vec<M>) -> Result<Vec<R>, StoreError>
where
    R: TryFrom<M, Error = StoreError>,
{
    rows.into_iter().map(R::try_from).collect()
}
