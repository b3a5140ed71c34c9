//! Who is on the other end: the address that limits and audit entries use, and
//! whether the way to it is encrypted.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use super::error::ApiError;
use crate::app::Shared;

/// Most entries of `X-Forwarded-For` that are looked at, from the nearest.
const MAX_FORWARDED: usize = 16;

/// The TCP connection that a request came over. Set by the listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
}

/// The client as far as we believe what we are told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address: the peer's, or what a trusted proxy says.
    pub(crate) address: IpAddr,
    /// True when the client's own connection is encrypted.
    pub(crate) secure: bool,
    /// True when nothing stands between: for what only this machine may see.
    pub(crate) direct: bool,
}

/// Middleware: works out the client once for each request.
pub(crate) async fn identify(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>().copied() {
        let client = client_of(peer, request.headers(), &app.settings.trusted_proxies);
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| ApiError::internal(&anyhow::anyhow!("a request without its peer")))
    }
}

fn client_of(peer: Peer, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let peer_address = peer.address.ip().to_canonical();
    if !is_trusted(peer_address) {
        return Client {
            address: peer_address,
            secure: peer.tls,
            direct: true,
        };
    }
    let secure = headers
        .get("x-forwarded-proto")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|proto| {
            proto
                .rsplit(',')
                .next()
                .is_some_and(|last| last.trim() == "https")
        });
    // The nearest entry was written by the proxy that we trust; each further one
    // only counts when the one before it is a proxy of ours, too.
    let mut address = peer_address;
    for hop in forwarded_hops(headers).take(MAX_FORWARDED) {
        let Some(hop) = hop else { break };
        address = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    Client {
        address,
        secure: secure || peer.tls,
        direct: false,
    }
}

/// The entries of `X-Forwarded-For`, nearest first; `None` for what is no address.
fn forwarded_hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let mut values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        // What cannot be read is no address, and the search ends there.
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    values.reverse();
    values
        .into_iter()
        .flat_map(|value| value.rsplit(','))
        .map(|entry| {
            let entry = entry.trim();
            let address = entry.parse::<IpAddr>().ok();
            let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
            address
                .or_else(with_port)
                .map(|address| address.to_canonical())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], proto: Option<&'static str>) -> (String, bool) {
        let peer = Peer {
            address: SocketAddr::new(peer.parse().expect("an address"), 1),
            tls: false,
        };
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a header"));
        }
        if let Some(proto) = proto {
            headers.insert("x-forwarded-proto", proto.parse().expect("a header"));
        }
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        let client = client_of(peer, &headers, &trusted);
        (client.address.to_string(), client.secure)
    }

    #[test]
    fn believes_forwarded_headers_of_trusted_proxies_only() {
        type Case = (
            &'static str,
            &'static [&'static str],
            Option<&'static str>,
            &'static str,
            bool,
        );
        let table: [Case; 8] = [
            ("192.0.2.9", &["1.1.1.1"], Some("https"), "192.0.2.9", false),
            ("10.0.0.1", &[], None, "10.0.0.1", false),
            (
                "10.0.0.1",
                &["203.0.113.5"],
                Some("https"),
                "203.0.113.5",
                true,
            ),
            (
                "10.0.0.1",
                &["6.6.6.6, 203.0.113.5"],
                None,
                "203.0.113.5",
                false,
            ),
            (
                "10.0.0.1",
                &["203.0.113.5, 10.0.0.2"],
                None,
                "203.0.113.5",
                false,
            ),
            (
                "10.0.0.1",
                &["6.6.6.6", "203.0.113.5"],
                None,
                "203.0.113.5",
                false,
            ),
            ("10.0.0.1", &["nonsense"], None, "10.0.0.1", false),
            (
                "::ffff:10.0.0.1",
                &["2001:db8::1"],
                None,
                "2001:db8::1",
                false,
            ),
        ];
        for (peer, forwarded, proto, address, secure) in table {
            let expected = (address.to_owned(), secure);
            assert_eq!(
                client(peer, forwarded, proto),
                expected,
                "{peer} {forwarded:?}"
            );
        }
    }
}
