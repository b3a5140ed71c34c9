//! What the server remembers: users, logins, machines, sessions and the audit
//! log, in SQLite or PostgreSQL, from one set of entities and migrations.
//!
//! Secrets are never here: passwords come as argon2id texts, tokens and keys as
//! hashes. Time is an argument. What is audited is written in one transaction
//! with its audit entry.

mod audit;
mod chat;
mod enrolment;
mod entity;
mod errors;
mod logins;
mod machines;
mod migrations;
mod notices;
mod open;
mod rows;
mod sessions;
mod support;
mod support_requests;
mod users;

pub use audit::{Action, Actor, AuditFilter, AuditRecord, NewAuditEntry};
pub use chat::{ChatLine, MAX_LINES_READ, NewChatLine, Said, SayError};
pub use enrolment::{EnrolError, Enrolled, Enrolment, NewEnrolmentToken};
pub use errors::StoreError;
pub use logins::{CreateLoginError, NewLogin, RotateError, Rotation};
pub use machines::CheckIn;
pub use migrations::MigrateError;
pub use notices::{NewNotice, Notice, Tried};
pub use open::{OpenError, Store};
pub use rows::{Account, EnrolmentToken, Login, Machine, Session, User};
pub use sessions::{EndedSession, NewSession, SessionCursor, SessionFilter, Usage};
pub use support::{
    ClaimCodeError, Claimed, CodeChange, CreateCodeError, Guest, GuestClaim, NewSupportCode,
    SupportCodeRow,
};
pub use support_requests::{ASKED_BY_MACHINE, AskError, Asked, NewSupportRequest};
pub use users::{
    ChangeUserError, ChangedUser, ClaimError, CreateUserError, Credentials, NewUser, UserChange,
};

/// SHA-256 of a random secret, in hexadecimal: what the database keeps of
/// refresh tokens, enrolment tokens and machine keys. Their 256 random bits need
/// no slow hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretHash(String);

impl SecretHash {
    /// Takes the hash itself.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in digest {
            write!(text, "{byte:02x}").expect("a String takes every write");
        }
        Self(text)
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}
