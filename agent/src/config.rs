//! What the agent keeps between runs: `agent.json` in a directory that only its
//! user may enter. It holds the machine's keys, so it is replaced as a whole and
//! never written over when it cannot be understood.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use gc_model::id::MachineId;
use gc_platform::Host;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::address::ServerAddress;

/// Name of the file in the data directory.
const FILE_NAME: &str = "agent.json";

/// Name of the file that a running agent holds locked.
const LOCK_NAME: &str = "agent.lock";

/// The files that the agent keeps in its data directory.
pub(crate) const FILES: [&str; 2] = [FILE_NAME, LOCK_NAME];

/// True when the directory holds a machine's identity, whether or not it is in use.
pub(crate) fn is_enrolled(data_dir: &Path) -> bool {
    data_dir.join(FILE_NAME).exists()
}

/// Largest `agent.json`, in bytes; a real one has about 400.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Longest API key, in characters.
const MAX_API_KEY_CHARS: usize = 256;

/// An enrolled machine's identity.
#[derive(Clone)]
pub struct Identity {
    /// The server that it belongs to.
    pub server: ServerAddress,
    /// Its id there.
    pub machine_id: MachineId,
    /// What it shows to the server.
    pub api_key: ApiKey,
    /// Static X25519 secret, whose public half the viewers know.
    pub secret: Zeroizing<[u8; 32]>,
    /// Ed25519 key that the server signs grants with, pinned at enrolment.
    pub server_public_key: [u8; 32],
}

/// A machine's key at its server (`cak_…`). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// Checks what came from a person, a file or the server.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.starts_with("cak_")
            && text.len() <= MAX_API_KEY_CHARS
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The key, for a header or the file.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cak_…")
    }
}

/// Why the agent's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The system said no.
    #[error("{action} {path}")]
    Io {
        /// What we were doing.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else runs with it.
    #[error("another agent is running with the data directory {0}")]
    InUse(PathBuf),
    /// It is not what we wrote.
    #[error(
        "{path} is damaged ({detail}); restore it from a backup, or delete it and enrol again with --token"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// The agent's directory, held by this process until dropped.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory where it is missing and takes it for this process.
    ///
    /// # Errors
    /// [`ConfigError::InUse`] when another agent has it, otherwise the system's.
    pub fn open(host: &dyn Host, path: &Path) -> Result<Self, ConfigError> {
        let failed = |action| {
            move |source| ConfigError::Io {
                action,
                path: path.to_owned(),
                source,
            }
        };
        host.create_private_dir(path)
            .map_err(failed("failed to create the data directory"))?;
        let lock = File::create(path.join(LOCK_NAME))
            .map_err(failed("failed to write in the data directory"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(ConfigError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => {
                Err(failed("failed to lock the data directory")(source))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The machine's identity; `None` before it was enrolled.
    ///
    /// # Errors
    /// [`ConfigError::Damaged`] when the file is not what [`DataDir::store`] writes on this machine.
    pub fn load(&self, host: &dyn Host) -> Result<Option<Identity>, ConfigError> {
        let path = self.file();
        let damaged = |detail: String| ConfigError::Damaged {
            path: path.clone(),
            detail,
        };
        let failed = |source| ConfigError::Io {
            action: "failed to read",
            path: path.clone(),
            source,
        };
        match fs::metadata(&path) {
            Ok(found) if found.len() > MAX_FILE_BYTES => {
                return Err(damaged("it is too large".to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let kept = Zeroizing::new(fs::read(&path).map_err(failed)?);
        let content = host.unprotect(&kept).map_err(|error| {
            damaged(format!(
                "this machine cannot read it, perhaps because another one wrote it: {error}"
            ))
        })?;
        let content = Zeroizing::new(content);
        let stored: Stored = serde_json::from_slice(&content).map_err(|error| {
            // The error's own text may quote the content, which is secret.
            damaged(format!(
                "not readable at line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        let identity = stored
            .identity()
            .map_err(|field| damaged(format!("{field} makes no sense")))?;
        if !host.is_protected(&kept) {
            // An agent from before the protection wrote it.
            self.store(host, &identity)?;
        }
        Ok(Some(identity))
    }

    /// Keeps the machine's identity.
    ///
    /// # Errors
    /// The system's.
    pub fn store(&self, host: &dyn Host, identity: &Identity) -> Result<(), ConfigError> {
        let path = self.file();
        let content = serde_json::to_vec_pretty(&Stored::new(identity))
            .expect("strings can always be written as JSON");
        let content = Zeroizing::new(content);
        host.protect(&content)
            .and_then(|kept| host.replace_private_file(&path, &kept))
            .map_err(|source| ConfigError::Io {
                action: "failed to write",
                path,
                source,
            })
    }

    fn file(&self) -> PathBuf {
        self.path.join(FILE_NAME)
    }
}

/// `agent.json`. Fields are added, never renamed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    server: String,
    machine_id: String,
    api_key: String,
    private_key: String,
    server_public_key: String,
}

impl Stored {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self {
            server: identity.server.to_string(),
            machine_id: identity.machine_id.to_string(),
            api_key: identity.api_key.reveal().to_owned(),
            private_key: BASE64.encode(*identity.secret),
            server_public_key: BASE64.encode(identity.server_public_key),
        }
    }

    /// The name of the field that is wrong, on failure.
    pub(crate) fn identity(&self) -> Result<Identity, &'static str> {
        Ok(Identity {
            server: ServerAddress::parse(&self.server).map_err(|_| "server")?,
            machine_id: MachineId::parse(&self.machine_id).map_err(|_| "machine_id")?,
            api_key: ApiKey::parse(&self.api_key).ok_or("api_key")?,
            secret: Zeroizing::new(key_from_base64(&self.private_key).ok_or("private_key")?),
            server_public_key: key_from_base64(&self.server_public_key)
                .ok_or("server_public_key")?,
        })
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;

        self.api_key.zeroize();
        self.private_key.zeroize();
    }
}

/// A 32-byte key from its base64 text.
pub fn key_from_base64(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// The base64 text of a key.
pub fn key_to_base64(key: [u8; 32]) -> String {
    BASE64.encode(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform;

    fn identity() -> Identity {
        Identity {
            server: ServerAddress::parse("https://a.example").expect("an address"),
            machine_id: MachineId::parse("m-1").expect("an id"),
            api_key: ApiKey::parse("cak_secret").expect("a key"),
            secret: Zeroizing::new([7; 32]),
            server_public_key: [9; 32],
        }
    }

    #[test]
    fn keeps_what_was_stored() {
        let place = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(&platform::host(), &place.path().join("data")).expect("opens");
        assert!(
            dir.load(&platform::host())
                .expect("nothing is no error")
                .is_none()
        );

        dir.store(&platform::host(), &identity()).expect("stores");

        let loaded = dir
            .load(&platform::host())
            .expect("loads")
            .expect("is there");
        assert_eq!(loaded.server, identity().server);
        assert_eq!(loaded.api_key, identity().api_key);
        assert_eq!(
            (*loaded.secret, loaded.server_public_key),
            ([7; 32], [9; 32])
        );
    }

    #[test]
    fn names_the_damage_without_showing_secrets() {
        let place = tempfile::tempdir().expect("a directory");
        let dir = DataDir::open(&platform::host(), place.path()).expect("opens");
        dir.store(&platform::host(), &identity()).expect("stores");
        let good = fs::read_to_string(dir.file()).expect("readable");
        let cases = [
            ("", "not readable at line 1"),
            ("{\"server\": \"cak_secret\"", "not readable"),
            (
                &good.replace("cak_secret", "secret"),
                "api_key makes no sense",
            ),
            (
                &good.replace("https://", "http://"),
                "server makes no sense",
            ),
            (
                &good.replace("CQkJ", "Cg"),
                "server_public_key makes no sense",
            ),
        ];

        for (content, expected) in cases {
            fs::write(dir.file(), content).expect("writable");
            let error = dir
                .load(&platform::host())
                .err()
                .expect("is damaged")
                .to_string();
            assert!(
                error.contains(expected) && !error.contains("cak_secret"),
                "{error}"
            );
            assert_eq!(
                fs::read_to_string(dir.file()).expect("readable"),
                content,
                "left as it was"
            );
        }
    }

    #[test]
    fn one_directory_serves_one_agent() {
        let place = tempfile::tempdir().expect("a directory");
        let _first = DataDir::open(&platform::host(), place.path()).expect("opens");

        let second = DataDir::open(&platform::host(), place.path());

        assert!(matches!(second.err(), Some(ConfigError::InUse(_))));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("data");
        let dir = DataDir::open(&platform::host(), &path).expect("opens");
        dir.store(&platform::host(), &identity()).expect("stores");

        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.file())), (0o700, 0o600));
    }
}
