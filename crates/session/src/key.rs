//! The agent's static X25519 key.

use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};

/// Bytes that are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has 32 bytes")]
pub struct AgentKeyError;

/// The public half of an agent's static secret (X25519, RFC 7748).
///
/// # Errors
/// Anything but 32 bytes.
pub fn agent_public_key(secret: &[u8]) -> Result<[u8; 32], AgentKeyError> {
    if secret.len() != 32 {
        return Err(AgentKeyError);
    }
    let mut dh = DefaultResolver
        .resolve_dh(&DHChoice::Curve25519)
        .expect("built with use-curve25519");
    dh.set(secret);
    dh.pubkey().try_into().map_err(|_| AgentKeyError)
}
