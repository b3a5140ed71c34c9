//! One-time permission to take one end of one session.

use std::fmt::Write as _;
use std::time::Duration;

/// How long a ticket can be used: long enough to open a connection on a bad
/// link, too short to be found in a log.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);

const BYTES: usize = 32;

/// 256 random bits. Never printed: `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket([u8; BYTES]);

impl Ticket {
    /// Takes fresh random bytes.
    pub const fn from_random(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// As it stands in a URL: hexadecimal.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(2 * BYTES);
        for byte in self.0 {
            write!(text, "{byte:02x}").expect("a String takes every write");
        }
        text
    }

    /// Reads a ticket from a URL; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 2 * BYTES {
            return None;
        }
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let ticket = Ticket::from_random(std::array::from_fn(|i| i as u8 * 7));
        let text = ticket.to_text();

        assert_eq!(Ticket::parse(&text), Some(ticket));
        for bad in [
            "",
            "00",
            &text.to_uppercase(),
            &text[1..],
            &format!("{text}0"),
        ] {
            assert_eq!(Ticket::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn does_not_show_its_bits() {
        let shown = format!("{:?}", Ticket::from_random([0xab; 32]));

        assert!(!shown.contains("ab") && !shown.contains("171"));
    }
}
