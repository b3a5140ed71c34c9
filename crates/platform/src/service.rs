//! The agent as a service of the system: there after every start of the
//! machine, without anybody signed in.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use crate::PlatformError;

/// What a service is told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceEvent {
    /// End soon: somebody stops the service, or the machine goes down.
    Stop,
    /// Another desktop session may be the one that shows.
    SessionChanged,
}

/// What the service does until it is told to stop; the text says what went wrong.
pub type ServiceBody = Box<dyn FnOnce(Receiver<ServiceEvent>) -> Result<(), String> + Send>;

/// What became of asking for a service to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceStart {
    /// It runs now.
    Started,
    /// It ran before.
    RanAlready,
}

/// The agent's entry among the services of the system. Everything can be repeated safely.
pub trait ServiceControl {
    /// Where the program belongs once it is installed.
    ///
    /// # Errors
    /// When the system names no such place.
    fn program(&self) -> Result<PathBuf, PlatformError>;

    /// True when the service is installed.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn is_installed(&self) -> Result<bool, PlatformError>;

    /// Stops the service if it runs, puts `from` in the program's place, and
    /// registers it to be started with the machine, with `arguments`. Answers
    /// with what this system could not set, in words; the service works without.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] without the rights of an administrator.
    fn install(&self, from: &Path, arguments: &[String]) -> Result<Vec<String>, PlatformError>;

    /// Stops the service and takes away what [`ServiceControl::install`] made.
    /// False when there was nothing.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] without the rights of an administrator.
    fn uninstall(&self) -> Result<bool, PlatformError>;

    /// Starts the service and waits until it runs.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] when it is not installed.
    fn start(&self) -> Result<ServiceStart, PlatformError>;

    /// Serves as the service, in the process that the system started for it.
    ///
    /// # Errors
    /// When the system did not start this process as a service.
    fn run(&self, body: ServiceBody) -> Result<(), PlatformError>;
}
