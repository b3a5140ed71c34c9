//! Where the server is.

use std::fmt;
use std::net::IpAddr;

use tokio_tungstenite::tungstenite::http::Uri;

/// Longest address that is accepted, in characters.
const MAX_CHARS: usize = 512;

/// A server's address: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    encrypted: bool,
    host: String,
    port: u16,
}

/// An address that is not used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAddressError {
    /// Not an address at all.
    #[error("{0:?} is not a server address: write it like https://support.example.com")]
    Malformed(String),
    /// Plain text to another machine.
    #[error(
        "{0:?} would send everything in plain text: use https://, plain http:// is only for a server on this machine"
    )]
    PlainText(String),
    /// Something behind the host.
    #[error("{0:?} has a path: give only the server's address, like https://support.example.com")]
    HasPath(String),
}

impl ServerAddress {
    /// Reads what a person typed. `wss:` means `https:`, `ws:` means `http:`,
    /// and without a scheme `https:` is meant.
    ///
    /// # Errors
    /// What is no address of a server, or plain text to another machine.
    pub fn parse(text: &str) -> Result<Self, ParseAddressError> {
        let text = text.trim();
        let malformed = || ParseAddressError::Malformed(text.chars().take(MAX_CHARS).collect());
        if text.len() > MAX_CHARS || text.contains('@') {
            return Err(malformed());
        }
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let uri: Uri = full.parse().map_err(|_| malformed())?;
        let encrypted = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            _ => return Err(malformed()),
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(malformed)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        // What stands behind the host is empty or a port; a bad one is left out by the parser.
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let behind_host = authority
            .rsplit_once(']')
            .map_or(authority, |(_, behind)| behind);
        let port = match (behind_host.rsplit_once(':'), uri.port_u16()) {
            (None, _) if encrypted => 443,
            (None, _) => 80,
            (Some(_), Some(port)) if port != 0 => port,
            _ => return Err(malformed()),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(ParseAddressError::HasPath(text.to_owned()));
        }
        if !encrypted && !is_this_machine(&host) {
            return Err(ParseAddressError::PlainText(text.to_owned()));
        }
        Ok(Self {
            encrypted,
            host,
            port,
        })
    }

    /// True when the connection is TLS.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Name or IP address (IPv6 without brackets).
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let usual = if self.encrypted { 443 } else { 80 };
        if self.port == usual {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// A WebSocket address on this server; `path` starts with a slash.
    pub fn websocket(&self, path: &str) -> String {
        let scheme = if self.encrypted { "wss" } else { "ws" };
        format!("{scheme}://{}{path}", self.authority())
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let cases = [
            ("https://support.example.com", "https://support.example.com"),
            ("Support.Example.com", "https://support.example.com"),
            (" wss://a.example:8443/ ", "https://a.example:8443"),
            ("http://127.0.0.1:8443", "http://127.0.0.1:8443"),
            ("ws://localhost", "http://localhost"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                ServerAddress::parse(text).map(|address| address.to_string()),
                Ok(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_plain_text_to_other_machines() {
        for text in [
            "http://support.example.com",
            "ws://192.168.1.5:8443",
            "http://localhost.example.com",
        ] {
            assert!(
                matches!(
                    ServerAddress::parse(text),
                    Err(ParseAddressError::PlainText(_))
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in [
            "",
            "ftp://a",
            "https://",
            "https://a:99999",
            "https://a:0",
            "https://user@a",
            "not an address",
        ] {
            assert!(
                matches!(
                    ServerAddress::parse(text),
                    Err(ParseAddressError::Malformed(_))
                ),
                "{text}"
            );
        }
        assert!(matches!(
            ServerAddress::parse("https://a/b"),
            Err(ParseAddressError::HasPath(_))
        ));
    }

    #[test]
    fn makes_websocket_addresses() {
        let address = ServerAddress::parse("https://a.example:8443").expect("an address");

        assert_eq!(
            address.websocket("/ws/agent"),
            "wss://a.example:8443/ws/agent"
        );
    }
}
