//! Sealing of what travels after the handshake: ChaCha20-Poly1305 (RFC 8439)
//! with one key and one counter per lane and direction. A message that was
//! changed, replayed, left out or put in another order does not open.

use chacha20poly1305::aead::AeadInPlace as _;
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};

use crate::handshake::{cipher, derive_key};
use crate::wire::{HEADER_BYTES, Header, Lane};

const TAG_BYTES: usize = 16;

/// A message that does not open. The session cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message was changed, repeated, lost or reordered on its way")]
pub(crate) struct OpenError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Viewer,
    Agent,
}

/// One direction of one lane.
struct Counted {
    cipher: ChaCha20Poly1305,
    counter: u64,
}

impl Counted {
    fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: cipher(key),
            counter: 0,
        }
    }

    /// 4 zero bytes and the counter, little-endian, as in Noise.
    fn next_nonce(&mut self) -> Nonce {
        let mut nonce = Nonce::default();
        nonce[4..].copy_from_slice(&self.counter.to_le_bytes());
        self.counter = self
            .counter
            .checked_add(1)
            .expect("2^64 messages are never reached");
        nonce
    }

    fn seal(&mut self, header: Header, body: &[u8]) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER_BYTES + body.len() + TAG_BYTES);
        message.extend_from_slice(&header.to_bytes());
        message.extend_from_slice(body);
        let nonce = self.next_nonce();
        let (clear, sealed) = message.split_at_mut(HEADER_BYTES);
        let tag = self
            .cipher
            .encrypt_in_place_detached(&nonce, clear, sealed)
            .expect("messages are far below the cipher's limit");
        message.extend_from_slice(&tag);
        message
    }

    fn open(&mut self, header: Header, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (body, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or(OpenError)?;
        let mut body = body.to_vec();
        let nonce = self.next_nonce();
        self.cipher
            .decrypt_in_place_detached(&nonce, &header.to_bytes(), &mut body, Tag::from_slice(tag))
            .map_err(|_| OpenError)?;
        Ok(body)
    }
}

/// The keys of one end.
pub(crate) struct LaneKeys {
    sending: [Counted; 3],
    receiving: [Counted; 3],
    picture: Option<(u16, Counted)>,
}

/// The lanes whose keys come from the handshake, in the order of the arrays above.
const KEYED: [(Lane, &[u8]); 3] = [
    (Lane::Control, b"guruconnect lane control"),
    (Lane::Input, b"guruconnect lane input"),
    (Lane::Cursor, b"guruconnect lane cursor"),
];

impl LaneKeys {
    pub(crate) fn derive(role: Role, from_viewer: &[u8; 32], from_agent: &[u8; 32]) -> Self {
        let lanes =
            |secret: &[u8; 32]| KEYED.map(|(_, name)| Counted::new(&derive_key(secret, name)));
        let (sending, receiving) = match role {
            Role::Viewer => (lanes(from_viewer), lanes(from_agent)),
            Role::Agent => (lanes(from_agent), lanes(from_viewer)),
        };
        Self {
            sending,
            receiving,
            picture: None,
        }
    }

    /// Uses `key` for the picture lane from now on. An epoch comes once.
    pub(crate) fn set_picture_key(&mut self, epoch: u16, key: &[u8; 32]) {
        self.picture = Some((epoch, Counted::new(key)));
    }

    /// One binary WebSocket message.
    pub(crate) fn seal(&mut self, lane: Lane, body: &[u8]) -> Vec<u8> {
        if let Some(index) = index_of(lane) {
            return self.sending[index].seal(Header { lane, epoch: 0 }, body);
        }
        let (epoch, counted) = self
            .picture
            .as_mut()
            .expect("the host makes a picture key before the first frame");
        counted.seal(
            Header {
                lane: Lane::Picture,
                epoch: *epoch,
            },
            body,
        )
    }

    /// The body of a received message.
    pub(crate) fn open(&mut self, header: Header, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        if let Some(index) = index_of(header.lane) {
            return self.receiving[index].open(header, sealed);
        }
        match (&mut self.picture, header.lane) {
            (Some((epoch, counted)), Lane::Picture) if *epoch == header.epoch => {
                counted.open(header, sealed)
            }
            _ => Err(OpenError),
        }
    }
}

fn index_of(lane: Lane) -> Option<usize> {
    KEYED.iter().position(|&(keyed, _)| keyed == lane)
}
