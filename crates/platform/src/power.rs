//! The machine's power, and its safe mode.

use gc_model::power::PowerAction;

use crate::PlatformError;

/// What can be done to the machine as a whole. Nothing here asks anybody.
pub trait Power: Send + Sync {
    /// True when this system, and the account that we run as, can do it.
    fn can(&self, action: PowerAction) -> bool;

    /// Does one of the actions that are no safe mode. Locking and signing out are meant for
    /// `desktop_session`, as the system numbers them; `None` is the one with the machine's own screen.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] for what [`Power::can`] denies, otherwise the system's.
    fn act(&self, action: PowerAction, desktop_session: Option<u32>) -> Result<(), PlatformError>;

    /// Who is signed in there; empty for nobody, or where nobody can tell.
    fn login(&self, _desktop_session: Option<u32>) -> String {
        String::new()
    }

    /// Lets the next starts of the machine be of this kind; `None` for ordinary ones.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] for what [`Power::can`] denies, otherwise the system's. With `None`
    /// everything but the certainty that the next start is an ordinary one.
    fn set_safe_mode(&self, kind: Option<PowerAction>) -> Result<(), PlatformError>;

    /// True when the machine was started in safe mode.
    fn is_in_safe_mode(&self) -> bool;
}
