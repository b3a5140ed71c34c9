//! Hashing and checking passwords: argon2id, away from the async threads, a few
//! at a time.

use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, PasswordHash};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::chance::random_bytes;

/// How long a sign-in waits for its turn before the server says that it is busy.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// Each hash takes 19 MiB and some 20 ms of one core (the defaults of the crate,
/// which are OWASP's): this many at once keep sign-ins from starving the relay.
const AT_ONCE: usize = 2;

/// See the module.
pub(crate) struct Passwords {
    turns: Semaphore,
    /// Hash of a password that nobody has, checked when the user is unknown, so
    /// that the answer takes as long.
    nobody: String,
}

/// Too many sign-ins at once.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub(crate) struct Busy;

impl Passwords {
    pub(crate) fn new() -> Self {
        let nobody = hash_now(&random_bytes::<32>());
        Self {
            turns: Semaphore::new(AT_ONCE),
            nobody,
        }
    }

    /// The hash to keep.
    pub(crate) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Busy> {
        self.in_turn(move || hash_now(password.as_bytes())).await
    }

    /// True when the password belongs to the hash; false, after the same work,
    /// when there is no hash.
    pub(crate) async fn verify(
        &self,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<bool, Busy> {
        let somebody = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let matches = self
            .in_turn(move || Argon2::default().verify_password(password.as_bytes(), hash.as_str()))
            .await?
            .is_ok();
        Ok(somebody && matches)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, self.turns.acquire());
        let _turn = turn
            .await
            .map_err(|_| Busy)?
            .expect("the semaphore is never closed");
        Ok(tokio::task::spawn_blocking(work)
            .await
            .expect("hashing does not panic"))
    }
}

fn hash_now(password: &[u8]) -> String {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password)
        .expect("any password can be hashed");
    hash.to_string()
}
