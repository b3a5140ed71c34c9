//! Access tokens: JWT, HS256, 15 minutes, naming the sign-in they belong to.

use std::sync::Once;

use gc_model::id::{LoginId, UserId};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as JwtResult};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};

/// Life of an access token, in seconds.
pub(crate) const ACCESS_TOKEN_SECONDS: u64 = 15 * 60;

const ISSUER: &str = "guruconnect";

/// Makes and reads access tokens.
pub(crate) struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    /// The sign-in.
    sid: String,
    iat: u64,
    exp: u64,
}

/// What a good access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessToken {
    pub(crate) user: UserId,
    pub(crate) login: LoginId,
    /// Seconds since 1970-01-01 UTC.
    pub(crate) expires_at: u64,
}

impl AccessTokens {
    pub(crate) fn new(secret: &[u8]) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // Fails only when another part of the process was first; this is the only one.
            let _ = PROVIDER.install_default();
        });
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// A token for this sign-in, good from now (seconds since 1970) on.
    pub(crate) fn issue(&self, user: &UserId, login: &LoginId, now: u64) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: user.as_str().to_owned(),
            sid: login.as_str().to_owned(),
            iat: now,
            exp: now + ACCESS_TOKEN_SECONDS,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims of plain texts and numbers can be signed")
    }

    /// Reads a token; `None` unless it is ours and in date.
    pub(crate) fn read(&self, token: &str) -> Option<AccessToken> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .ok()?
            .claims;
        Some(AccessToken {
            user: UserId::parse(&claims.sub).ok()?,
            login: LoginId::parse(&claims.sid).ok()?,
            expires_at: claims.exp,
        })
    }
}

/// HS256 by ring and nothing else: a token that asks for another algorithm has
/// nothing to be checked with.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            key.as_bytes(),
        )))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| {
        verifier(*algorithm, key).map(|verifier| Box::new(verifier) as Box<dyn JwtVerifier>)
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> JwtResult<Hs256> {
    match algorithm {
        Algorithm::HS256 => Ok(Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            key.try_get_as_bytes()?,
        ))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        // Constant time.
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn now() -> u64 {
        crate::clock::Clock::start().unix_seconds()
    }

    fn issued(tokens: &AccessTokens, now: u64) -> String {
        let user = UserId::parse("u1").expect("an id");
        let login = LoginId::parse("l1").expect("an id");
        tokens.issue(&user, &login, now)
    }

    #[test]
    fn reads_its_own_tokens() {
        let tokens = AccessTokens::new(&[7; 32]);

        let read = tokens.read(&issued(&tokens, now())).expect("a good token");

        assert_eq!((read.user.as_str(), read.login.as_str()), ("u1", "l1"));
    }

    #[test]
    fn refuses_tokens_that_are_old_forged_or_of_another_algorithm() {
        let tokens = AccessTokens::new(&[7; 32]);
        let good = issued(&tokens, now());
        let parts: Vec<&str> = good.split('.').collect();
        let header = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let none = header(r#"{"alg":"none","typ":"JWT"}"#);
        let other = header(r#"{"alg":"HS512","typ":"JWT"}"#);
        let bad = [
            issued(&tokens, now() - ACCESS_TOKEN_SECONDS - 1),
            issued(&AccessTokens::new(&[8; 32]), now()),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{other}.{}.{}", parts[1], parts[2]),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
            "a.b.c".to_owned(),
        ];
        for token in bad {
            assert_eq!(tokens.read(&token), None, "{token}");
        }
    }
}
