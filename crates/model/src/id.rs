//! Ids as types, so that a machine is never taken for a session.

use std::fmt;

/// A text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {MAX_ID_CHARS} letters, digits, '-' or '_'")]
pub struct ParseIdError;

/// Longest id, in characters. Ids made here are UUIDs; a device id given by an
/// RMM may be anything of this length.
pub const MAX_ID_CHARS: usize = 64;

fn check(text: &str) -> Result<(), ParseIdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > MAX_ID_CHARS || !text.bytes().all(allowed) {
        return Err(ParseIdError);
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(String);

        impl $name {
            /// Checks an id that came from outside.
            ///
            /// # Errors
            /// Anything but 1 to [`MAX_ID_CHARS`] letters, digits, `-` or `_`.
            pub fn parse(text: &str) -> Result<Self, ParseIdError> {
                check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A managed computer.
    MachineId
}
id! {
    /// One remote control, start to end.
    SessionId
}
id! {
    /// One end of a session at the server: each (re)connection of a viewer is its own.
    ParticipantId
}
id! {
    /// A person who signs in.
    UserId
}
id! {
    /// One support code, from making it to the end of the help.
    SupportId
}
id! {
    /// One sign-in of one person, from password to sign-out.
    LoginId
}
