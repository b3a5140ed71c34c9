//! Coming with a support code: `POST /api/support/claim`.

use std::time::Duration;

use gc_model::id::MachineId;
use gc_platform::Host;
use gc_session::agent_public_key;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::config::{ApiKey, Identity, key_from_base64, key_to_base64};
use crate::connection::Connector;

use crate::facts;
use crate::http::{self, RequestError};
use crate::shown::shown;

/// Hardest piece of work that is done, in zero bits: about a minute of one core.
const MAX_DIFFICULTY: u32 = 26;

/// Longest challenge, in bytes.
const MAX_CHALLENGE_BYTES: usize = 512;

/// Wait when the server names none.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);

/// Longest wait that a server may ask for; then it is asked again.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// A code that was accepted.
pub(super) struct Claimed {
    pub(super) identity: Identity,
    /// Who will help; empty while nobody took the code.
    pub(super) technician: String,
    pub(super) company: String,
}

/// What became of an attempt.
pub(super) enum Attempt {
    Claimed(Box<Claimed>),
    /// Do this first.
    Work(Work),
    /// Come again.
    Later(Duration),
    /// Asking again changes nothing: a sentence for the person.
    Refused(String),
    /// The server cannot be reached.
    Unreachable(RequestError),
}

/// A piece of work.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Work {
    challenge: String,
    difficulty: u32,
}

/// A solved one.
pub(super) struct Solved {
    challenge: String,
    answer: u64,
}

impl Work {
    /// Finds the number. `None` when the server asks for more than anybody should do.
    pub(super) fn solve(self) -> Option<Solved> {
        if self.difficulty > MAX_DIFFICULTY || self.challenge.len() > MAX_CHALLENGE_BYTES {
            return None;
        }
        let begun = Sha256::new().chain_update(&self.challenge);
        let answer = (0..=u64::MAX).find(|number| {
            let digest = begun.clone().chain_update(number.to_string()).finalize();
            let (first, _) = digest.split_at(4);
            let first = u32::from_be_bytes(first.try_into().expect("4 bytes"));
            first.leading_zeros() >= self.difficulty
        })?;
        Some(Solved {
            challenge: self.challenge,
            answer,
        })
    }
}

/// Comes with the code. The private key is made here and never leaves the memory.
pub(super) async fn claim(
    connector: &Connector,
    host: &dyn Host,
    code: &str,
    expected_key: Option<[u8; 32]>,
    work: Option<&Solved>,
) -> Attempt {
    let secret = Zeroizing::new(crate::clock::random_bytes());
    let public = agent_public_key(&*secret).expect("32 bytes were made above");
    let mut request = json!({
        "code": code,
        "agent_public_key": key_to_base64(public),
        "facts": facts::to_json(host.facts()),
    });
    if let Some(work) = work {
        request["work"] = json!({
            "challenge": work.challenge,
            "answer": work.answer.to_string(),
        });
    }
    let answer = http::post_raw(connector, "/api/support/claim", &request).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Attempt::Unreachable(error),
    };
    match answer.status {
        status if status.is_success() => read(&answer.body, connector, secret, expected_key),
        StatusCode::PRECONDITION_REQUIRED => match serde_json::from_slice(&answer.body) {
            Ok(work) => Attempt::Work(work),
            Err(_) => Attempt::Refused(NONSENSE.to_owned()),
        },
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = answer.retry_after.unwrap_or(DEFAULT_WAIT);
            Attempt::Later(wait.clamp(Duration::from_secs(1), MAX_WAIT))
        }
        StatusCode::NOT_FOUND => Attempt::Refused(NOT_ACTIVE.to_owned()),
        status if status.is_server_error() => Attempt::Later(DEFAULT_WAIT),
        _ => Attempt::Refused(http::refusal(&answer.body)),
    }
}

const NOT_ACTIVE: &str = "This support code is not valid any more: it was used, it was cancelled, or it has expired. \
    Ask your technician for a new one.";

const NONSENSE: &str =
    "The server's answer makes no sense. Download this program again from your support page.";

const OTHER_KEY: &str = "What answered is not the server that this program was made for, so nothing was shared. \
    Tell your technician.";

fn read(
    body: &[u8],
    connector: &Connector,
    secret: Zeroizing<[u8; 32]>,
    expected_key: Option<[u8; 32]>,
) -> Attempt {
    let parsed = || {
        let answer: Answer = serde_json::from_slice(body).ok()?;
        let claimed = Claimed {
            identity: Identity {
                server: connector.server().clone(),
                machine_id: MachineId::parse(&answer.machine_id).ok()?,
                api_key: ApiKey::parse(&answer.api_key)?,
                secret,
                server_public_key: key_from_base64(&answer.server_public_key)?,
            },
            technician: shown(&answer.technician),
            company: shown(&answer.company),
        };
        Some(claimed)
    };
    match parsed() {
        None => Attempt::Refused(NONSENSE.to_owned()),
        Some(claimed)
            if expected_key.is_some_and(|key| key != claimed.identity.server_public_key) =>
        {
            Attempt::Refused(OTHER_KEY.to_owned())
        }
        Some(claimed) => Attempt::Claimed(Box::new(claimed)),
    }
}

#[derive(Deserialize)]
struct Answer {
    machine_id: String,
    api_key: String,
    server_public_key: String,
    technician: String,
    company: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_the_work_that_the_server_asks_for() {
        let work = Work {
            challenge: "1700000000.12.abc.def".to_owned(),
            difficulty: 12,
        };

        let solved = work.solve().expect("a small piece of work");

        let digest = Sha256::digest(format!("{}{}", solved.challenge, solved.answer));
        assert!(digest[0] == 0 && digest[1] < 16);
    }

    #[test]
    fn refuses_work_that_nobody_should_do() {
        let (long, difficulty) = ("x".repeat(600), MAX_DIFFICULTY + 1);
        for (challenge, difficulty) in [("a".to_owned(), difficulty), (long, 1)] {
            let work = Work {
                challenge,
                difficulty,
            };
            assert!(work.solve().is_none());
        }
    }
}
