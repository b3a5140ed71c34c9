//! The clear four bytes in front of every message of a session:
//! `[version, lane, epoch high, epoch low]`. All else is sealed.

/// Version of the envelope.
const VERSION: u8 = 1;

/// Bytes before the sealed body.
const HEADER_BYTES: usize = 4;

/// Largest message of a session, in bytes, header included. The same number as
/// in the messages' crate, which the relay does not link: it needs none of them.
pub const MAX_SESSION_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// What a message carries. The relay treats all lanes alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The two handshake messages.
    Handshake,
    /// Everything that is neither input, nor pointer, nor picture.
    Control,
    /// Keys and mouse.
    Input,
    /// The pointer.
    Cursor,
    /// The picture.
    Picture,
}

impl Lane {
    fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Handshake,
            1 => Self::Control,
            2 => Self::Input,
            3 => Self::Cursor,
            4 => Self::Picture,
            _ => return None,
        })
    }
}

/// A message that must not pass. Its sender is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// No room for the header.
    #[error("a message of {0} bytes has no header")]
    TooShort(usize),
    /// Larger than any message may be.
    #[error("a message of {0} bytes is too large")]
    TooLarge(usize),
    /// An envelope of another version.
    #[error("envelope version {0} is unknown")]
    Version(u8),
    /// A lane that does not exist.
    #[error("lane {0} is unknown")]
    Lane(u8),
}

/// Decides whether a message may pass.
///
/// # Errors
/// See [`Violation`].
pub fn check_message(message: &[u8]) -> Result<Lane, Violation> {
    if message.len() > MAX_SESSION_MESSAGE_BYTES {
        return Err(Violation::TooLarge(message.len()));
    }
    if message.len() < HEADER_BYTES {
        return Err(Violation::TooShort(message.len()));
    }
    let (version, lane) = (message[0], message[1]);
    if version != VERSION {
        return Err(Violation::Version(version));
    }
    Lane::from_number(lane).ok_or(Violation::Lane(lane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_pass_what_has_a_known_header_and_nothing_else() {
        let largest = {
            let mut bytes = vec![0; MAX_SESSION_MESSAGE_BYTES];
            bytes[0] = 1;
            bytes
        };
        let too_large = vec![1; MAX_SESSION_MESSAGE_BYTES + 1];
        let table: [(&[u8], Result<Lane, Violation>); 10] = [
            (&[1, 0, 0, 0], Ok(Lane::Handshake)),
            (&[1, 1, 0, 9, 42], Ok(Lane::Control)),
            (&[1, 2, 255, 255], Ok(Lane::Input)),
            (&[1, 4, 0, 0, 1, 2, 3], Ok(Lane::Picture)),
            (&largest, Ok(Lane::Handshake)),
            (&[], Err(Violation::TooShort(0))),
            (&[1, 4, 0], Err(Violation::TooShort(3))),
            (&[2, 0, 0, 0], Err(Violation::Version(2))),
            (&[1, 5, 0, 0], Err(Violation::Lane(5))),
            (
                &too_large,
                Err(Violation::TooLarge(MAX_SESSION_MESSAGE_BYTES + 1)),
            ),
        ];
        for (message, expected) in table {
            assert_eq!(check_message(message), expected, "{} bytes", message.len());
        }
    }
}
