//! The tables as SeaORM sees them. Nothing outside this crate does: rows become
//! the types of [`crate::rows`] at this door.
#![allow(missing_docs, unreachable_pub)]

pub mod audit_entry;
pub mod chat_line;
pub mod claim;
pub mod enrolment_token;
pub mod login;
pub mod machine;
pub mod machine_key;
pub mod migration;
pub mod notice;
pub mod refresh_token;
pub mod session;
pub mod support_code;
pub mod user;
