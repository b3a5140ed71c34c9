//! `Noise_NK_25519_ChaChaPoly_SHA256` (noiseprotocol.org, revision 34): the
//! viewer knows the agent's static key, the agent learns who comes by the grant
//! in the first message.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use gc_model::id::{ParticipantId, SessionId};
use sha2::{Digest as _, Sha256};
use snow::params::{CipherChoice, DHChoice, HashChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState};
use zeroize::{Zeroize as _, Zeroizing};

use crate::seal::{LaneKeys, Role};

const PATTERN: &str = "Noise_NK_25519_ChaChaPoly_SHA256";

/// A Noise message is never longer (specification, section 3).
pub(crate) const MAX_NOISE_BYTES: usize = 65_535;

/// Bytes that the handshake adds to a payload: an ephemeral key and a tag.
const OVERHEAD_BYTES: usize = 32 + 16;

/// A handshake message that is damaged, or was made with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the handshake failed")]
pub(crate) struct HandshakeError;

impl From<snow::Error> for HandshakeError {
    fn from(_: snow::Error) -> Self {
        Self
    }
}

/// Binds the handshake to the session, so that it cannot be moved to another.
fn prologue(session: &SessionId, participant: &ParticipantId) -> Vec<u8> {
    [
        b"guruconnect session v1\0",
        session.as_str().as_bytes(),
        b"\0",
        participant.as_str().as_bytes(),
    ]
    .concat()
}

pub(crate) struct Handshake {
    state: HandshakeState,
    role: Role,
}

impl Handshake {
    pub(crate) fn viewer(
        session: &SessionId,
        participant: &ParticipantId,
        agent_public_key: &[u8; 32],
        seed: &[u8; 32],
    ) -> Result<Self, HandshakeError> {
        let prologue = prologue(session, participant);
        let state = builder(seed)
            .prologue(&prologue)?
            .remote_public_key(agent_public_key)?
            .build_initiator()?;
        Ok(Self {
            state,
            role: Role::Viewer,
        })
    }

    pub(crate) fn agent(
        session: &SessionId,
        participant: &ParticipantId,
        static_secret: &[u8; 32],
        seed: &[u8; 32],
    ) -> Result<Self, HandshakeError> {
        let prologue = prologue(session, participant);
        let state = builder(seed)
            .prologue(&prologue)?
            .local_private_key(static_secret)?
            .build_responder()?;
        Ok(Self {
            state,
            role: Role::Agent,
        })
    }

    pub(crate) fn write(&mut self, payload: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        let mut message = vec![0; payload.len() + OVERHEAD_BYTES];
        let length = self.state.write_message(payload, &mut message)?;
        message.truncate(length);
        Ok(message)
    }

    pub(crate) fn read(&mut self, message: &[u8]) -> Result<Vec<u8>, HandshakeError> {
        if message.len() > MAX_NOISE_BYTES {
            return Err(HandshakeError);
        }
        let mut payload = vec![0; message.len()];
        let length = self.state.read_message(message, &mut payload)?;
        payload.truncate(length);
        Ok(payload)
    }

    /// What both ends have in common once both messages were exchanged, and nobody else.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let hash = self.state.get_handshake_hash();
        hash.try_into().expect("SHA-256 has 32 bytes")
    }

    /// The lanes' keys, once both messages were exchanged.
    ///
    /// Noise's own transport counts messages of one stream only; our lanes may
    /// overtake each other, so each gets a key derived from Noise's two.
    pub(crate) fn finish(mut self) -> LaneKeys {
        debug_assert!(self.state.is_handshake_finished());
        let (from_viewer, from_agent) = self.state.dangerously_get_raw_split();
        let (from_viewer, from_agent) = (Zeroizing::new(from_viewer), Zeroizing::new(from_agent));
        LaneKeys::derive(self.role, &from_viewer, &from_agent)
    }
}

fn builder(seed: &[u8; 32]) -> Builder<'static> {
    let params: NoiseParams = PATTERN.parse().expect("a pattern that snow knows");
    Builder::with_resolver(params, Box::new(SeededResolver(Zeroizing::new(*seed))))
}

/// snow's own primitives with random numbers that were handed in.
struct SeededResolver(Zeroizing<[u8; 32]>);

impl CryptoResolver for SeededResolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom {
            seed: self.0.clone(),
            counter: 0,
        }))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// SHA-256 over a secret seed and a counter. The seed comes from the system's
/// generator and is used for one handshake.
struct SeededRandom {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        for chunk in dest.chunks_mut(32) {
            let mut block: [u8; 32] = Sha256::new()
                .chain_update(b"guruconnect handshake random\0")
                .chain_update(*self.seed)
                .chain_update(self.counter.to_le_bytes())
                .finalize()
                .into();
            self.counter += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
            block.zeroize();
        }
        Ok(())
    }
}

/// A random key from a seed that is used for nothing else of this name.
pub(crate) fn derive_key(seed: &[u8; 32], name: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Hkdf::<Sha256>::new(None, seed)
        .expand(name, &mut *key)
        .expect("32 bytes are within HKDF's limit");
    key
}

/// The cipher of all lanes.
pub(crate) fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.into())
}
