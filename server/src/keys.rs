//! The server's own keys: what signs access tokens and what signs grants.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use gc_proto::Message as _;
use gc_proto::v1::{Grant, SignedGrant};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::chance::random_bytes;

/// What a grant's signature is over, in front of the grant itself.
const GRANT_CONTEXT: &[u8] = b"guruconnect grant v1\0";

const FILE_NAME: &str = "server-keys.json";

/// The keys, in memory.
pub(crate) struct ServerKeys {
    /// Key of the access tokens.
    pub(crate) token_secret: Zeroizing<Vec<u8>>,
    grant_key: SigningKey,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    /// Base64 of 32 random bytes.
    token_secret: Zeroizing<String>,
    /// Base64 of the 32 bytes of an Ed25519 secret key.
    grant_secret: Zeroizing<String>,
}

impl ServerKeys {
    /// Reads the keys from `data_dir`, and makes folder and keys when they are
    /// missing. `jwt_secret` stands in for the key of the access tokens.
    pub(crate) fn open(data_dir: &Path, jwt_secret: Option<&str>) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .with_context(|| format!("create the data folder {}", data_dir.display()))?;
        let path = data_dir.join(FILE_NAME);
        if !path.exists() {
            write_new(data_dir, &path)
                .with_context(|| format!("write new keys to {}", path.display()))?;
        }
        let file =
            read(&path).with_context(|| format!("read the server's keys in {}", path.display()))?;
        let token_secret = match jwt_secret {
            Some(secret) => Zeroizing::new(secret.as_bytes().to_vec()),
            None => Zeroizing::new(decode(&file.token_secret)?.to_vec()),
        };
        let grant_secret = decode(&file.grant_secret)?;
        Ok(Self {
            token_secret,
            grant_key: SigningKey::from_bytes(&grant_secret),
        })
    }

    /// What agents check grants with.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.grant_key.verifying_key().to_bytes()
    }

    /// Signs what the programs of this server are told about it.
    pub(crate) fn signer(&self) -> &SigningKey {
        &self.grant_key
    }

    /// Signs a grant: a serialized `SignedGrant`.
    pub(crate) fn sign(&self, grant: &Grant) -> Vec<u8> {
        let grant = grant.encode_to_vec();
        let signed: Vec<u8> = [GRANT_CONTEXT, &grant].concat();
        let signature = self.grant_key.sign(&signed).to_bytes().to_vec();
        SignedGrant {
            grant: grant.into(),
            signature: signature.into(),
        }
        .encode_to_vec()
    }
}

fn read(path: &Path) -> anyhow::Result<KeyFile> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "Others could read the server's keys; now they cannot");
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    let text = Zeroizing::new(fs::read_to_string(path)?);
    Ok(serde_json::from_str(&text)?)
}

/// Written whole beside its place and then moved there: a crash leaves none or
/// all of it. Of two servers that start at once, the first one's keys stay.
fn write_new(data_dir: &Path, path: &Path) -> anyhow::Result<()> {
    let new_key = || Zeroizing::new(BASE64.encode(random_bytes::<32>()));
    let file = KeyFile {
        token_secret: new_key(),
        grant_secret: new_key(),
    };
    let text = Zeroizing::new(serde_json::to_string_pretty(&file)?);

    let beside = data_dir.join(format!("{FILE_NAME}.{}", std::process::id()));
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Ok(()) => File::open(data_dir)?.sync_all()?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn decode(text: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(BASE64.decode(text).context("a key is not base64")?);
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(_) => bail!("a key has {} bytes instead of 32", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signature, VerifyingKey};

    #[test]
    fn keeps_its_keys_where_only_this_user_reads_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("data");

        let first = ServerKeys::open(&data_dir, None).expect("new keys");
        let second = ServerKeys::open(&data_dir, None).expect("the same keys");

        assert_eq!(first.public_key(), second.public_key());
        assert_eq!(first.token_secret, second.token_secret);
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode(&data_dir), 0o700);
        assert_eq!(mode(&data_dir.join(FILE_NAME)), 0o600);
    }

    #[test]
    fn signs_grants_that_agents_can_check() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = ServerKeys::open(folder.path(), None).expect("new keys");
        let grant = Grant {
            technician: "Ada".into(),
            ..Grant::default()
        };

        let signed = SignedGrant::decode(keys.sign(&grant).as_slice()).expect("a SignedGrant");

        let public = VerifyingKey::from_bytes(&keys.public_key()).expect("a key");
        let message = [GRANT_CONTEXT, &signed.grant].concat();
        let signature = Signature::from_slice(&signed.signature).expect("64 bytes");
        assert!(public.verify_strict(&message, &signature).is_ok());
        assert_eq!(Grant::decode(signed.grant).expect("a Grant"), grant);
    }
}
