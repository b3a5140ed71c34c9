//! HTTPS by certificate and key.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::{TestServer, soon};

async fn https() -> (TestServer, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).expect("write the certificate");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("write the key");
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let server = TestServer::on_sqlite(&["--tls-cert", &cert, "--tls-key", &key]).await;
    (server, made.cert.der().clone())
}

async fn connect(
    server: &TestServer,
    root: Option<CertificateDer<'static>>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(root);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn get(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) -> String {
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = Vec::new();
    soon(async {
        let _ = stream.write_all(request).await;
        let _ = stream.read_to_end(&mut answer).await;
    })
    .await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_over_tls_with_the_certificate_it_was_given() {
    let (server, root) = https().await;

    let stream = connect(&server, Some(root.clone()), b"http/1.1")
        .await
        .expect("TLS");
    let answer = get(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age=63072000"),
        "{answer}"
    );
    let stream = connect(&server, Some(root), b"h2").await.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));

    assert!(
        connect(&server, None, b"http/1.1").await.is_err(),
        "nobody knows the certificate"
    );
    let plain = get(TcpStream::connect(server.address).await.expect("TCP")).await;
    assert!(!plain.starts_with("HTTP/1.1 200"), "{plain}");
    let line = server.claim_line().expect("unclaimed");
    assert!(
        line.starts_with("Claim this server: https://127.0.0.1:"),
        "{line}"
    );
}
