//! The operating-system seam: what the agent needs of a desktop, as small
//! traits. `platform-x11` and `platform-windows` implement them, [`fake`] stands
//! beside them in unit tests, and [`conformance`] is the suite that each passes.

pub mod conformance;
pub mod fake;
mod films;
mod guardian;
pub mod guest;
mod host;
pub mod part;
mod power;
mod service;
mod source;
mod tray;

use std::time::Duration;

pub use films::{FilmEncoders, MachineFilms};
pub use guardian::{Guardian, Guards};
pub use host::{Facts, Host, Preset, Removed};
pub use power::Power;
pub use service::{ServiceBody, ServiceControl, ServiceEvent, ServiceEvents, ServiceStart};
pub use source::ScreenSource;
pub use tray::{Tray, TrayFace, TrayTeller};

use gc_codec::FrameView;
use gc_model::geometry::{DisplayLayout, Rect};
use gc_model::input::InputEvent;
use gc_model::pointer::Pointer;

/// Why the system did not do it.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// This system cannot do it at all. The text says what.
    #[error("{0} is not supported on this system")]
    Unsupported(&'static str),
    /// The system can, but does not let us.
    #[error("{0} was denied by the system")]
    Denied(&'static str),
    /// The desktop, display or connection went away; open it again.
    #[error("{0} is gone")]
    Gone(&'static str),
    /// A call failed.
    #[error("{call} failed")]
    Os {
        /// Name of the system call or request.
        call: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A desktop in a user's session.
pub trait Desktop: Send {
    /// The displays as they are now.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn layout(&mut self) -> Result<DisplayLayout, PlatformError>;

    /// Starts reading the whole picture (all displays). The capture may be moved to another thread.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn open_capture(&mut self) -> Result<Box<dyn Capture>, PlatformError>;

    /// Opens mouse and keyboard.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] or [`PlatformError::Denied`] where input cannot be made; the session is then view only.
    fn open_input(&mut self) -> Result<Box<dyn Input>, PlatformError>;

    /// True when [`InputEvent::SecureAttention`] has an effect here.
    fn has_secure_attention(&self) -> bool;

    /// Releases every key and button that is down, after a process of ours that ended without
    /// doing so. A key that the person at the machine holds is released too: the system does
    /// not say who pressed it. Answers how many there were.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn release_leftovers(&mut self) -> Result<usize, PlatformError> {
        Ok(0)
    }
}

/// What [`Capture::grab`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grab {
    /// The picture may differ from the last grab inside these rectangles and nowhere else.
    Changed(Vec<Rect>),
    /// Nothing changed since the last grab.
    Unchanged,
    /// The layout or the desktop changed: read the layout and open a new capture.
    Reopen,
}

/// What ended [`Capture::wait`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The picture or the layout may have changed, and the pointer too.
    Activity,
    /// Only the pointer may have changed: [`Capture::pointer`] is enough, no grab is needed.
    Pointer,
    /// Somebody called [`Wake::wake`].
    Woken,
    /// The time is over.
    Timeout,
}

/// Reads the screen. Costs nothing while nobody waits or grabs.
pub trait Capture: Send {
    /// Blocks until something may have changed, until woken, or for `timeout`.
    /// Where the system does not announce changes this returns
    /// [`Wait::Activity`] at the rate at which the screen should be looked at.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] when the desktop went away.
    fn wait(&mut self, timeout: Duration) -> Result<Wait, PlatformError>;

    /// A handle that ends [`Capture::wait`] from another thread.
    fn waker(&self) -> Box<dyn Wake>;

    /// Reads what changed into the frame.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn grab(&mut self) -> Result<Grab, PlatformError>;

    /// The picture as of the last grab.
    fn frame(&self) -> FrameView<'_>;

    /// The pointer, when its shape, place or visibility differs from the last call's.
    ///
    /// # Errors
    /// See [`PlatformError`].
    fn pointer(&mut self) -> Result<Option<Pointer>, PlatformError>;

    /// Who reads the screen, as of the last grab; `None` where there is but one way.
    fn source(&self) -> Option<ScreenSource> {
        None
    }
}

/// Ends a wait from another thread.
pub trait Wake: Send + Sync {
    /// Lets the current or the next [`Capture::wait`] return [`Wait::Woken`].
    fn wake(&self);
}

/// Makes mouse and keyboard input.
pub trait Input: Send {
    /// Does one thing and hands it to the system before it returns.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`] for what this system lacks, [`PlatformError::Denied`] when the desktop refuses input.
    fn inject(&mut self, event: &InputEvent) -> Result<(), PlatformError>;
}
