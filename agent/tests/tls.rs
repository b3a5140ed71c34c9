//! Which servers the agent trusts.

#![cfg(target_os = "linux")]

mod support;

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use support::{Agent, Server, TOKEN};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A certificate authority of somebody's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
        .expect("a certificate")
}

/// Puts TLS before `server`; gives the address to use.
async fn encrypt(
    server: &Server,
    name: &str,
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> String {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate with its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let plain = server.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Whoever does not trust us hangs up here.
                let Ok(mut outside) = acceptor.accept(stream).await else {
                    return;
                };
                let inside = TcpStream::connect(("127.0.0.1", plain)).await;
                let mut inside = inside.expect("the server runs");
                let _either_hung_up =
                    tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let (mut server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let authority = authority();
    let address = encrypt(&server, "localhost", &authority).await;
    let file = place.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).expect("writes");

    let file = file.to_str().expect("text");
    let arguments = ["--server", &address, "--token", TOKEN, "--ca-file", file];
    let _agent = Agent::start(place.path(), None, &arguments);

    server.agent().await;
}

#[tokio::test]
async fn an_unknown_authority_and_a_wrong_name_are_refused() {
    let (server, place) = (
        Server::start().await,
        tempfile::tempdir().expect("a directory"),
    );
    let authority = authority();
    let file = place.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).expect("writes");
    let right = encrypt(&server, "localhost", &authority).await;
    let wrong = encrypt(&server, "other.example", &authority).await;

    let (unknown, misnamed) = (place.path().join("unknown"), place.path().join("misnamed"));
    let first = Agent::start(&unknown, None, &["--server", &right, "--token", TOKEN]);
    let file = file.to_str().expect("text");
    let arguments = ["--server", &wrong, "--token", TOKEN, "--ca-file", file];
    let second = Agent::start(&misnamed, None, &arguments);

    first.logs("invalid peer certificate: UnknownIssuer").await;
    second.logs("certificate not valid for name").await;
    assert!(server.enrolments().is_empty());
}
