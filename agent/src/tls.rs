//! Which certificates are trusted: the public authorities that are built in,
//! those of the system's store (where administrators add their own), and those
//! of `--ca-file`. The built-in ones are there because an old or offline Windows
//! fetches its store only when its own programs ask for it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tracing::debug;

/// Makes the connector for all TLS connections of this agent.
pub(crate) fn connector(ca_file: Option<&Path>) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        debug!(%error, "Part of the system's certificate store is not readable");
    }
    // Stores hold certificates of every age; those that make no sense today are not trusted.
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        let context = || format!("read certificate authorities from {}", path.display());
        let certificates = CertificateDer::pem_file_iter(path).with_context(context)?;
        let certificates: Vec<_> = certificates
            .collect::<Result<_, _>>()
            .with_context(context)?;
        anyhow::ensure!(
            !certificates.is_empty(),
            "no certificate in {}",
            path.display()
        );
        for certificate in certificates {
            roots.add(certificate).with_context(context)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("set up TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
