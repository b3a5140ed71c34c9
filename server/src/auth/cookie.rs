//! The cookie of the refresh token.

use axum::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

/// Its name.
const NAME: &str = "gc_refresh";

/// Life of a refresh token, in seconds: 24 hours.
pub(crate) const REFRESH_TOKEN_SECONDS: u64 = 24 * 60 * 60;

/// The refresh token of a request. With several cookies of this name, the first:
/// the most specific one by the rules for browsers.
pub(crate) fn read(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, value)| Zeroizing::new(value.to_owned()))
}

/// Sets the token. Scripts cannot read it, other sites cannot send it.
pub(crate) fn set(token: &str, secure: bool) -> HeaderValue {
    build(token, REFRESH_TOKEN_SECONDS, secure)
}

/// Takes the token away.
pub(crate) fn clear(secure: bool) -> HeaderValue {
    build("", 0, secure)
}

fn build(token: &str, max_age: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!(
        "{NAME}={token}; Path=/api/auth; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::from_str(&text).expect("tokens are hexadecimal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_its_cookie_among_others() {
        let table = [
            ("gc_refresh=abc", Some("abc")),
            ("theme=dark; gc_refresh=abc; x=y", Some("abc")),
            ("gc_refresh=first; gc_refresh=second", Some("first")),
            ("xgc_refresh=abc", None),
            ("", None),
        ];
        for (cookie, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().expect("a header"));
            let found = read(&headers);
            assert_eq!(
                found.as_ref().map(|token| token.as_str()),
                expected,
                "{cookie}"
            );
        }
    }
}
