//! Notices as signed requests, in the form of Standard Webhooks
//! (<https://www.standardwebhooks.com>): headers `webhook-id`,
//! `webhook-timestamp` and `webhook-signature`.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ring::hmac;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use url::Url;

use super::NotSent;

/// How long a delivery may take from the look-up of the name to the answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest head of an answer, in bytes. Its body is not read.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// See the module.
pub(super) struct Webhooks {
    key: hmac::Key,
    loopback: bool,
    tls: TlsConnector,
}

impl Webhooks {
    pub(super) fn new(
        secret: &[u8],
        loopback: bool,
        ca_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for certificate in more_authorities(ca_file)? {
            roots
                .add(certificate)
                .context("read a certificate authority")?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("set up TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            loopback,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Tries once.
    pub(super) async fn send(
        &self,
        url: &Url,
        id: &str,
        now_unix: u64,
        body: &str,
    ) -> Result<(), NotSent> {
        let answered = tokio::time::timeout(TIMEOUT, self.post(url, id, now_unix, body));
        let status = answered
            .await
            .with_context(|| format!("no answer within {} s", TIMEOUT.as_secs()))
            .flatten()?;
        if status.is_success() {
            return Ok(());
        }
        let more = if status.is_redirection() {
            ", and redirects are not followed"
        } else {
            ""
        };
        Err(NotSent {
            error: anyhow::anyhow!("the receiver answered {status}{more}"),
            // "Do not send this again", in the words of Standard Webhooks.
            for_good: status == StatusCode::GONE,
        })
    }

    async fn post(
        &self,
        url: &Url,
        id: &str,
        now_unix: u64,
        body: &str,
    ) -> anyhow::Result<StatusCode> {
        let host = url.host_str().context("the address names no host")?;
        let port = url
            .port_or_known_default()
            .context("the address has no port")?;
        let request = self.request(url, id, now_unix, body)?;
        let stream = self.connect(host, port).await?;
        if url.scheme() == "http" {
            return exchange(stream, request).await;
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).context("the host is no name for TLS")?;
        let stream = self
            .tls
            .connect(name, stream)
            .await
            .context("agree on TLS with the receiver")?;
        exchange(stream, request).await
    }

    /// Looks the name up once and connects to what it was looked up for, so that
    /// it cannot mean something else a moment later.
    async fn connect(&self, host: &str, port: u16) -> anyhow::Result<TcpStream> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = lookup_host((bare, port))
            .await
            .context("look up the receiver's host")?
            .collect();
        let Some(address) = found
            .iter()
            .find(|address| may_reach(address.ip(), self.loopback))
        else {
            bail!("the receiver's host has no address that webhooks may reach");
        };
        TcpStream::connect(address)
            .await
            .context("connect to the receiver")
    }

    fn request(
        &self,
        url: &Url,
        id: &str,
        now_unix: u64,
        body: &str,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let agent = concat!("GuruConnect/", env!("CARGO_PKG_VERSION"));
        Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, host)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, agent)
            .header(header::CONNECTION, HeaderValue::from_static("close"))
            .header("webhook-id", id)
            .header("webhook-timestamp", now_unix)
            .header("webhook-signature", sign(&self.key, id, now_unix, body))
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .context("write the request")
    }
}

/// `v1,` and HMAC-SHA256 of `<id>.<timestamp>.<body>` in base64.
fn sign(key: &hmac::Key, id: &str, timestamp: u64, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let tag = hmac::sign(key, signed.as_bytes());
    format!("v1,{}", BASE64.encode(tag))
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> anyhow::Result<StatusCode>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .context("speak HTTP with the receiver")?;
    let mut connection = std::pin::pin!(connection);
    let mut answered = std::pin::pin!(sender.send_request(request));
    let answer = tokio::select! {
        biased;
        answer = &mut answered => answer,
        // It may have answered and gone in one step.
        _ = &mut connection => answered.await,
    };
    let answer = answer.context("wait for the receiver's answer")?;
    Ok(answer.status())
}

/// Where a webhook may lead: not to this machine, unless that is allowed, and
/// never to addresses that only mean something on one wire, where clouds keep
/// their machines' secrets (169.254.169.254). Networks of the operator's own are
/// fine: only the operator names webhooks.
fn may_reach(address: IpAddr, loopback: bool) -> bool {
    match address.to_canonical() {
        address if address.is_loopback() => loopback,
        address if address.is_unspecified() || address.is_multicast() => false,
        IpAddr::V4(address) => {
            !address.is_link_local() && !address.is_broadcast() && address.octets()[0] != 0
        }
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}

/// The authorities of `NOTIFY_CA_FILE`.
pub(super) fn more_authorities(
    ca_file: Option<&Path>,
) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let Some(path) = ca_file else {
        return Ok(Vec::new());
    };
    let context = || format!("NOTIFY_CA_FILE: read {}", path.display());
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .with_context(context)?
        .collect::<Result<_, _>>()
        .with_context(context)?;
    if found.is_empty() {
        bail!("NOTIFY_CA_FILE: no certificate in {}", path.display());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the specification.
    #[test]
    fn signs_as_standard_webhooks_does() {
        let secret = BASE64
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);

        let signature = sign(
            &key,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );

        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn reaches_the_world_and_own_networks_but_no_wire_and_not_this_machine() {
        let table = [
            ("203.0.113.7", true),
            ("10.1.2.3", true),
            ("2001:db8::1", true),
            ("127.0.0.1", false),
            ("127.8.8.8", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("169.254.169.254", false),
            ("fe80::1", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("::", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("ff02::1", false),
        ];
        for (address, expected) in table {
            let address = address.parse().expect("an address");
            assert_eq!(may_reach(address, false), expected, "{address}");
        }
        assert!(may_reach("::1".parse().expect("an address"), true));
        let wire = "169.254.169.254".parse().expect("an address");
        assert!(!may_reach(wire, true));
    }

    proptest! {
        #[test]
        fn a_signature_fits_one_id_time_and_body_only(
            id in "[a-f0-9-]{1,36}",
            time in any::<u64>(),
            body in ".{0,200}",
            other in ".{0,200}",
        ) {
            let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of the tests, 32 bytes..");
            let signature = sign(&key, &id, time, &body);
            let tag = BASE64.decode(signature.strip_prefix("v1,").expect("a version")).expect("base64");
            let signed = format!("{id}.{time}.{body}");

            prop_assert!(hmac::verify(&key, signed.as_bytes(), &tag).is_ok());
            prop_assert_eq!(sign(&key, &id, time, &other) == signature, other == body);
            prop_assert_ne!(sign(&key, &id, time ^ 1, &body), signature);
        }
    }
}
