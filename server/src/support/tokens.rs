//! What the server can recognise without having kept it: tokens of links,
//! tickets of portal pages, pieces of work. All are made from a support code's
//! id or from chance, with a key that never leaves the server.

use std::collections::HashSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use gc_model::id::SupportId;
use ring::hmac;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::chance::random_bytes;

/// 128 bits: nobody guesses that.
const MAC_BYTES: usize = 16;

/// How long a piece of work can be handed in, in seconds.
const WORK_SECONDS: u64 = 120;

/// Pieces of work remembered as used, so that none counts twice. More than can
/// be handed in within [`WORK_SECONDS`] by whoever the limits let in.
const MAX_USED: usize = 100_000;

/// Longest answer to a piece of work: a `u64` in decimal.
const MAX_ANSWER_CHARS: usize = 20;

/// See the module.
pub(crate) struct SupportTokens {
    key: hmac::Key,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    since: u64,
    young: HashSet<[u8; MAC_BYTES]>,
    old: HashSet<[u8; MAC_BYTES]>,
}

impl SupportTokens {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let own = hmac::sign(&root, b"guruconnect support v1");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()),
            used: Mutex::default(),
        }
    }

    /// The token in the link of a code: its id, and what proves that we wrote it.
    /// So a made-up one costs no look-up.
    pub(crate) fn link_token(&self, id: &SupportId) -> String {
        self.write(b"link", id)
    }

    /// The code of a link; `None` for a token that was not made here.
    pub(crate) fn read_link_token(&self, token: &str) -> Option<SupportId> {
        self.read(b"link", token)
    }

    /// What a portal page shows to ask about its code.
    pub(crate) fn ticket(&self, id: &SupportId) -> String {
        self.write(b"ticket", id)
    }

    /// The code of a ticket; `None` for a ticket that was not made here.
    pub(crate) fn read_ticket(&self, ticket: &str) -> Option<SupportId> {
        self.read(b"ticket", ticket)
    }

    fn write(&self, what: &[u8], id: &SupportId) -> String {
        let mac = BASE64.encode(self.mac(what, id.as_str().as_bytes()));
        format!("{id}.{mac}")
    }

    fn read(&self, what: &[u8], text: &str) -> Option<SupportId> {
        let (id, mac) = text.split_once('.')?;
        let id = SupportId::parse(id).ok()?;
        let expected = self.mac(what, id.as_str().as_bytes());
        let given = BASE64.decode(mac).ok()?;
        bool::from(expected.ct_eq(given.as_slice())).then_some(id)
    }

    /// A new piece of work.
    pub(crate) fn new_work(&self, now_unix: u64, bits: u32) -> String {
        let nonce = random_bytes::<8>();
        let head = format!("{now_unix}.{bits}.{}", BASE64.encode(nonce));
        let mac = BASE64.encode(self.mac(b"work", head.as_bytes()));
        format!("{head}.{mac}")
    }

    /// True once for a piece of work of this server that is done and in time.
    pub(crate) fn take_work(&self, now_unix: u64, challenge: &str, answer: &str) -> bool {
        let Some((head, mac)) = challenge.rsplit_once('.') else {
            return false;
        };
        let expected = self.mac(b"work", head.as_bytes());
        let given = BASE64.decode(mac).unwrap_or_default();
        if !bool::from(expected.ct_eq(given.as_slice())) {
            return false;
        }
        let mut parts = head.split('.');
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
        let (Some(made), Some(bits)) = (number(), number()) else {
            return false;
        };
        let in_time = now_unix.saturating_sub(made) <= WORK_SECONDS;
        let is_number = answer.len() <= MAX_ANSWER_CHARS && answer.parse::<u64>().is_ok();
        in_time
            && is_number
            && leading_zeros(challenge, answer) >= bits
            && self.use_once(now_unix, expected)
    }

    fn use_once(&self, now_unix: u64, mac: [u8; MAC_BYTES]) -> bool {
        let mut used = self.used.lock().expect("no code here panics");
        if now_unix.saturating_sub(used.since) > WORK_SECONDS || used.young.len() >= MAX_USED {
            used.old = std::mem::take(&mut used.young);
            used.since = now_unix;
        }
        !used.old.contains(&mac) && used.young.insert(mac)
    }

    fn mac(&self, what: &[u8], of: &[u8]) -> [u8; MAC_BYTES] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(what);
        context.update(&[0]);
        context.update(of);
        let tag = context.sign();
        tag.as_ref()[..MAC_BYTES]
            .try_into()
            .expect("SHA-256 has 32 bytes")
    }
}

/// Zero bits in front of SHA-256 of challenge and answer.
fn leading_zeros(challenge: &str, answer: &str) -> u64 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(challenge)
        .chain_update(answer)
        .finalize()
        .into();
    let mut bits = 0;
    for byte in digest {
        bits += u64::from(byte.leading_zeros());
        if byte != 0 {
            break;
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SupportId {
        SupportId::parse(text).expect("an id")
    }

    fn solve(challenge: &str, bits: u64) -> String {
        (0_u64..u64::MAX)
            .map(|answer| answer.to_string())
            .find(|answer| leading_zeros(challenge, answer) >= bits)
            .expect("there are answers")
    }

    #[test]
    fn a_link_names_its_code_and_cannot_be_made_elsewhere() {
        let tokens = SupportTokens::new(b"secret");
        let token = tokens.link_token(&id("a"));

        assert_eq!(token.len(), "a.".len() + 22);
        assert_eq!(tokens.read_link_token(&token), Some(id("a")));
        let other = SupportTokens::new(b"other");
        assert_eq!(other.read_link_token(&token), None);
        for made_up in [
            "",
            ".",
            "a.",
            &token[2..],
            &token[..23],
            &format!("{token}A"),
            &token.replacen('a', "b", 1),
            &tokens.ticket(&id("a")),
        ] {
            assert_eq!(tokens.read_link_token(made_up), None, "{made_up}");
        }
    }

    #[test]
    fn a_ticket_names_its_code_and_cannot_be_made_elsewhere() {
        let tokens = SupportTokens::new(b"secret");
        let ticket = tokens.ticket(&id("a"));

        assert_eq!(tokens.read_ticket(&ticket), Some(id("a")));
        assert_eq!(tokens.read_ticket(&ticket.replacen('a', "b", 1)), None);
        assert_eq!(tokens.read_ticket(&tokens.link_token(&id("a"))), None);
        assert_eq!(tokens.read_ticket("a"), None);
    }

    #[test]
    fn work_counts_once_in_time_and_only_when_done() {
        let tokens = SupportTokens::new(b"secret");
        let challenge = tokens.new_work(1_000, 10);
        let answer = solve(&challenge, 10);
        let wrong = (0_u64..u64::MAX)
            .map(|n| n.to_string())
            .find(|n| leading_zeros(&challenge, n) < 10)
            .expect("a wrong one");

        assert!(!tokens.take_work(1_000, &challenge, &wrong));
        assert!(!tokens.take_work(1_000, &challenge, "x"));
        assert!(!tokens.take_work(1_121, &challenge, &answer));
        assert!(!tokens.take_work(1_000, &challenge.replace(".10.", ".1."), &answer));
        assert!(tokens.take_work(1_100, &challenge, &answer));
        assert!(!tokens.take_work(1_100, &challenge, &answer));
        assert!(!tokens.take_work(1_100, "", ""));
    }
}
