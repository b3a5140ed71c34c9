//! Which pages may use this server from a browser.

use axum::http::{HeaderMap, Uri, header};

use super::client::Client;
use crate::settings::Settings;

/// What a request says about the page that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It says nothing: not a browser.
    Absent,
    /// A page that may.
    Allowed,
    /// A page that may not, or a value that cannot be read.
    Foreign,
}

/// Judges the `Origin` header.
pub(crate) fn judge(settings: &Settings, client: Client, headers: &HeaderMap, uri: &Uri) -> Origin {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let origin = match (values.next(), values.next()) {
        (None, _) => return Origin::Absent,
        (Some(value), None) => value.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return Origin::Foreign,
    };
    let own = match &settings.public_url {
        Some(url) => Some(url.origin().ascii_serialization()),
        None => host(headers, uri).map(|host| {
            let scheme = if client.secure { "https" } else { "http" };
            format!("{scheme}://{}", host.to_ascii_lowercase())
        }),
    };
    let allowed = own.as_deref() == Some(origin)
        || settings
            .allowed_origins
            .iter()
            .any(|allowed| allowed == origin);
    if allowed {
        Origin::Allowed
    } else {
        Origin::Foreign
    }
}

/// The address of this server as WebSockets name it: `wss://host:port`.
/// `None` when the request names no host.
pub(crate) fn websocket_base(
    settings: &Settings,
    client: Client,
    headers: &HeaderMap,
    uri: &Uri,
) -> Option<String> {
    if let Some(url) = &settings.public_url {
        let origin = url.origin().ascii_serialization();
        return origin.strip_prefix("http").map(|rest| format!("ws{rest}"));
    }
    let scheme = if client.secure { "wss" } else { "ws" };
    host(headers, uri).map(|host| format!("{scheme}://{host}"))
}

/// The address of this server as links name it: `https://host:port`. `None`
/// when the request names no host.
pub(crate) fn http_base(
    settings: &Settings,
    client: Client,
    headers: &HeaderMap,
    uri: &Uri,
) -> Option<String> {
    websocket_base(settings, client, headers, uri)
        .and_then(|base| base.strip_prefix("ws").map(|rest| format!("http{rest}")))
}

/// Host and port that the client asked for: HTTP/1 says it in a header, HTTP/2
/// in the request's address.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let header = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = header.or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    (!host.is_empty() && host.bytes().all(plain)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn judged(arguments: &[&str], secure: bool, host: &str, origin: Option<&str>) -> Origin {
        let program = std::iter::once(&"guruconnect-server");
        let arguments = crate::Arguments::parse_from(program.chain(arguments));
        let settings = Settings::try_from(arguments).expect("good settings");
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        let client = Client {
            address,
            secure,
            direct: true,
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a header"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("a header"));
        }
        judge(&settings, client, &headers, &Uri::from_static("/"))
    }

    #[test]
    fn allows_pages_of_the_host_that_was_asked_for() {
        let table = [
            (
                false,
                "gc.example:8443",
                Some("http://gc.example:8443"),
                Origin::Allowed,
            ),
            (
                true,
                "gc.example",
                Some("https://gc.example"),
                Origin::Allowed,
            ),
            (
                true,
                "GC.example",
                Some("https://gc.example"),
                Origin::Allowed,
            ),
            (
                true,
                "gc.example",
                Some("http://gc.example"),
                Origin::Foreign,
            ),
            (
                false,
                "gc.example:8443",
                Some("http://gc.example:8444"),
                Origin::Foreign,
            ),
            (
                false,
                "gc.example",
                Some("http://gc.example.evil.example"),
                Origin::Foreign,
            ),
            (false, "gc.example", Some("null"), Origin::Foreign),
            (false, "gc.example", None, Origin::Absent),
        ];
        for (secure, host, origin, expected) in table {
            assert_eq!(
                judged(&[], secure, host, origin),
                expected,
                "{host} {origin:?}"
            );
        }
    }

    #[test]
    fn with_a_public_url_the_host_header_decides_nothing() {
        let url = ["--public-url", "https://gc.example"];
        let page = |origin| judged(&url, false, "evil.example", Some(origin));

        assert_eq!(page("https://gc.example"), Origin::Allowed);
        assert_eq!(page("http://evil.example"), Origin::Foreign);
    }

    #[test]
    fn allows_listed_origins() {
        let list = ["--allowed-origins", "https://rmm.example"];
        let page = |origin| judged(&list, false, "gc.example", Some(origin));

        assert_eq!(page("https://rmm.example"), Origin::Allowed);
        assert_eq!(page("https://rmm.example.evil.example"), Origin::Foreign);
    }
}
