//! The machine as a whole: who it is, where the agent keeps its files, and the
//! way to the desktop.

use std::io;
use std::path::{Path, PathBuf};

use crate::guest::GuestWindow;
use crate::{
    Desktop, FilmEncoders, Guardian, Guards, MachineFilms, PlatformError, Power, ServiceControl,
    Tray,
};

/// What the machine is, for the technician's list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Name of the machine in its network.
    pub host_name: String,
    /// `windows`, `linux` or `macos`.
    pub os_family: &'static str,
    /// For people: "Debian GNU/Linux", "Windows 11 Pro".
    pub os_name: String,
    /// For people: "12", "10.0.22631".
    pub os_version: String,
    /// As Rust names it: `x86_64`, `x86`, `aarch64`.
    pub architecture: &'static str,
    /// Who is signed in; empty for nobody.
    pub current_user: String,
    /// Seconds since 1970-01-01 UTC when the machine started; 0 when unknown.
    pub boot_time_unix: u64,
}

/// Settings that an installer or an administrator left on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preset {
    /// Address of the server.
    pub server: Option<String>,
    /// Key of an enrolled machine.
    pub api_key: Option<String>,
}

/// When the file of a running program goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Now,
    /// A few seconds after the program ends: this system keeps the files of programs that run.
    AtTheEnd,
}

/// The machine, as the agent sees it without anybody looking at a desktop.
pub trait Host: Send + Sync {
    /// What the machine is now. Never fails: what cannot be found is left empty.
    fn facts(&self) -> Facts;

    /// What tells this installation of the system on this hardware from every other, and stays
    /// when the agent is installed anew or a network adapter is exchanged. Not to be sent as it is.
    fn installation(&self) -> Option<String> {
        None
    }

    /// Opens the desktop that is to be shown.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] when there is none now, [`PlatformError::Unsupported`] when it can never be shown.
    fn open_desktop(&self) -> Result<Box<dyn Desktop>, PlatformError>;

    /// Where the agent keeps its settings and keys, unless told otherwise.
    ///
    /// # Errors
    /// When no such place is known for this user.
    fn default_data_dir(&self) -> Result<PathBuf, PlatformError>;

    /// Where the agent logs, unless told otherwise.
    fn default_log_file(&self, data_dir: &Path) -> PathBuf;

    /// What an installer or an administrator left on the machine.
    fn preset(&self) -> Preset;

    /// Creates a directory (and its parents) that only this user and the administrators may enter.
    ///
    /// # Errors
    /// The system's.
    fn create_private_dir(&self, path: &Path) -> io::Result<()>;

    /// Writes a file that only this user and the administrators may read.
    /// Readers see the old content or the new one, whenever the power fails.
    ///
    /// # Errors
    /// The system's.
    fn replace_private_file(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// A secret as it is to be kept in a file: where the system can, so that no other machine
    /// can read it.
    ///
    /// # Errors
    /// The system's.
    fn protect(&self, secret: &[u8]) -> io::Result<Vec<u8>> {
        Ok(secret.to_vec())
    }

    /// What [`Host::protect`] made, or an agent kept before there was protection, as it was.
    ///
    /// # Errors
    /// The system's, when it was changed or made on another machine.
    fn unprotect(&self, kept: &[u8]) -> io::Result<Vec<u8>> {
        Ok(kept.to_vec())
    }

    /// True for what needs no protection (any more).
    fn is_protected(&self, _kept: &[u8]) -> bool {
        true
    }

    /// Deletes the secret part of [`Host::preset`], which the agent keeps by itself now.
    ///
    /// # Errors
    /// The system's.
    fn forget_preset_key(&self) -> io::Result<()> {
        Ok(())
    }

    /// The window of an attended session.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] where there is none, [`PlatformError::Gone`] without a desktop.
    fn open_guest_window(&self) -> Result<Box<dyn GuestWindow>, PlatformError> {
        Err(PlatformError::Unsupported("attended support"))
    }

    /// An icon beside the clock with a menu of these items; `None` when this login has one of
    /// ours already.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] where there are none.
    fn open_tray(&self, _items: &[&str]) -> Result<Option<Box<dyn Tray>>, PlatformError> {
        Err(PlatformError::Unsupported("an icon beside the clock"))
    }

    /// The configuration slot that is built into this program, as it was downloaded.
    fn configuration_slot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Removes the file of this running program, which ends soon.
    ///
    /// # Errors
    /// The system's.
    fn remove_program(&self) -> io::Result<Removed> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// True where this program can be started anew with administrator rights, by its user's word.
    fn can_elevate(&self) -> bool {
        false
    }

    /// True when this program has administrator rights that its user gave it.
    fn is_elevated(&self) -> bool {
        false
    }

    /// Gives memory that is not used any more back to the system. Called before
    /// the first thread starts and after each session, so that an agent that
    /// waits again is as small as before.
    fn release_memory(&self) {}

    /// What can be kept from the person at the machine here.
    fn guards(&self) -> Guards {
        Guards::default()
    }

    /// Keeps it from the person at this process' desktop.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] where nothing can be kept.
    fn guardian(&self) -> Result<Box<dyn Guardian>, PlatformError> {
        Err(PlatformError::Unsupported("guarding the machine"))
    }

    /// Video encoders of the machine. Talking to them may end or stop this process: drivers do.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] where there are none.
    fn film_encoders(&self, _which: FilmEncoders) -> Result<MachineFilms, PlatformError> {
        Err(PlatformError::Unsupported("a video encoder of the machine"))
    }

    /// System, graphics cards and their drivers, in words that are others when one of them is.
    /// `None` where films are never made by them.
    fn graphics(&self) -> Option<String> {
        None
    }

    /// The machine's power, where this system can be told.
    fn power(&self) -> Option<Box<dyn Power>> {
        None
    }

    /// The agent as a service of this system; `None` where the system's own tools do that.
    fn service(&self) -> Option<Box<dyn ServiceControl>> {
        None
    }
}
