//! Random bytes and what is made of them.

use gc_store::SecretHash;
use sha2::{Digest as _, Sha256};

/// Fresh random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has randomness once it runs");
    bytes
}

/// A random UUID (version 4) as text.
pub(crate) fn new_id() -> String {
    let mut bytes = random_bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// A secret of 256 random bits behind a prefix that says what it is.
pub(crate) fn new_secret(prefix: &str) -> String {
    format!("{prefix}{}", hex(&random_bytes::<32>()))
}

/// What the database keeps of such a secret.
pub(crate) fn secret_hash(secret: &str) -> SecretHash {
    SecretHash::from_digest(Sha256::digest(secret.as_bytes()).into())
}

/// Hexadecimal, lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_ids_that_look_like_uuids_and_differ() {
        let (one, two) = (new_id(), new_id());

        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(gc_model::id::SessionId::parse(&one).is_ok());
    }
}
