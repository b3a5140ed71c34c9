//! The one-time secret with which a fresh server is claimed.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::chance::random_bytes;

/// Letters and digits that cannot be taken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Characters of a secret made here: 120 random bits, to be typed once.
const LENGTH: usize = 24;

/// See the module. What it guards is decided by the database, so it may stay
/// when the server is claimed.
pub(crate) struct ClaimSecret {
    digest: [u8; 32],
}

impl ClaimSecret {
    pub(crate) fn new(secret: &str) -> Self {
        Self {
            digest: Sha256::digest(secret.as_bytes()).into(),
        }
    }

    /// True for the secret; takes as long for any other text.
    pub(crate) fn matches(&self, presented: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented.trim().as_bytes()).into();
        digest.ct_eq(&self.digest).into()
    }
}

/// A new secret, in groups of four.
pub(crate) fn make_secret() -> Zeroizing<String> {
    let random = Zeroizing::new(random_bytes::<LENGTH>());
    let mut text = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / 4));
    for (index, byte) in random.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_matches() {
        let secret = make_secret();
        let claim = ClaimSecret::new(&secret);

        assert_eq!(secret.len(), 29);
        assert!(claim.matches(&secret) && claim.matches(&format!(" {}\n", *secret)));
        assert!(!claim.matches("") && !claim.matches(&secret[1..]));
    }
}
