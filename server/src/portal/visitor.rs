//! What a browser says about the computer it runs on, for instructions that fit.

use axum::http::{HeaderMap, header};

use crate::support::Program;

/// How a browser shows what it downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Browser {
    Chrome,
    Edge,
    Firefox,
    Other,
}

/// A guess, only ever used to choose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Visitor {
    /// `None` where there is no program for the system.
    pub(super) program: Option<Program>,
    pub(super) browser: Browser,
}

pub(super) fn visitor(headers: &HeaderMap) -> Visitor {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let says = |word: &str| agent.contains(word);
    let program = if says("Windows NT") {
        Some(Program::Windows)
    } else if says("Android") || says("CrOS") || says("Mac OS X") || says("iPhone") {
        None
    } else if says("Linux") || says("X11") {
        Some(Program::Linux)
    } else {
        None
    };
    let browser = if says("Edg/") {
        Browser::Edge
    } else if says("Firefox/") {
        Browser::Firefox
    } else if says("Chrome/") && !says("OPR/") {
        Browser::Chrome
    } else {
        Browser::Other
    };
    Visitor { program, browser }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_common_ones() {
        let table = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
                Some(Program::Windows),
                Browser::Edge,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
                Some(Program::Linux),
                Browser::Firefox,
            ),
            (
                "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
                None,
                Browser::Chrome,
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.0 Safari/605.1.15",
                None,
                Browser::Other,
            ),
            ("", None, Browser::Other),
        ];
        for (agent, program, browser) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().expect("a header"));
            assert_eq!(visitor(&headers), Visitor { program, browser }, "{agent}");
        }
    }
}
