//! Certificate and key: read from files, and read again when they change, so that
//! a renewal needs no restart.

use std::fs;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::settings::TlsFiles;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// The certificate in use.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: TlsFiles,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    changed_at: [Option<SystemTime>; 2],
}

impl Certificate {
    /// Reads the files.
    pub(crate) fn open(files: &TlsFiles) -> anyhow::Result<Arc<Self>> {
        let changed_at = changed_at(files);
        let current = Current {
            key: Arc::new(read(files)?),
            changed_at,
        };
        Ok(Arc::new(Self {
            files: files.clone(),
            current: RwLock::new(current),
        }))
    }

    /// What turns TCP connections into TLS ones with this certificate.
    pub(crate) fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .context("start TLS")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Follows the files, for as long as the server runs.
    pub(crate) async fn follow(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look_again() {
                Ok(true) => tracing::info!("The new certificate is in use"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(
                        "The certificate changed and stays in use as it was: {error:#}"
                    );
                }
            }
        }
    }

    /// Takes the files' content when they changed. False when they did not. A
    /// pair that does not fit, such as one that is half written, is not taken.
    fn look_again(&self) -> anyhow::Result<bool> {
        let changed_at = changed_at(&self.files);
        let known = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .changed_at;
        if changed_at == known {
            return Ok(false);
        }
        let key = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { key, changed_at };
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current.key))
    }
}

fn changed_at(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.cert, &files.key].map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
}

fn read(files: &TlsFiles) -> anyhow::Result<CertifiedKey> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("read the certificate {}", files.cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("read the key {}", files.key.display()))?;
    let certified = CertifiedKey::from_der(chain, key, &default_provider())
        .context("use the certificate with the key")?;
    Ok(certified)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_new(files: &TlsFiles) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a pair");
        fs::write(&files.cert, made.cert.pem()).expect("write the certificate");
        fs::write(&files.key, made.signing_key.serialize_pem()).expect("write the key");
        made.cert.der().to_vec()
    }

    fn in_use(certificate: &Certificate) -> Vec<u8> {
        certificate.current.read().expect("not poisoned").key.cert[0].to_vec()
    }

    #[test]
    fn a_renewed_certificate_is_used_without_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = TlsFiles {
            cert: folder.path().join("cert.pem"),
            key: folder.path().join("key.pem"),
        };
        let first = write_new(&files);
        let certificate = Certificate::open(&files).expect("a good pair");
        assert!(!certificate.look_again().expect("nothing changed"));

        // The next pair, half written: not taken.
        let next = SystemTime::now() + Duration::from_mins(1);
        let key_of_first = fs::read(&files.key).expect("the key");
        let second = write_new(&files);
        let key_of_second = fs::read(&files.key).expect("the key");
        fs::write(&files.key, key_of_first).expect("write the key");
        let cert = fs::File::options()
            .append(true)
            .open(&files.cert)
            .expect("the file");
        cert.set_modified(next).expect("set the time");
        assert!(certificate.look_again().is_err());
        assert_eq!(in_use(&certificate), first);

        fs::write(&files.key, key_of_second).expect("write the key");
        assert!(certificate.look_again().expect("a good pair"));
        assert_eq!(in_use(&certificate), second);
    }
}
