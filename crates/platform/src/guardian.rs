//! Keeping the person at the machine from acting or seeing, for a while.

use crate::PlatformError;

/// What can be kept from the person at the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guards {
    /// Mouse and keyboard of the machine do nothing.
    pub block_input: bool,
    /// The machine's own screens are dark.
    pub blank_screen: bool,
}

/// Keeps it. Everything is given back when this is dropped, and by the system
/// when the process ends.
pub trait Guardian: Send {
    /// Keeps exactly this from the person. On failure nothing is kept.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] for what [`crate::Host::guards`] denies, otherwise the system's.
    fn set(&mut self, wanted: Guards) -> Result<(), PlatformError>;
}
