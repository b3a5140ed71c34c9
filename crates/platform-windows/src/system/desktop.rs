//! The desktop that this process lives on.

use std::sync::Arc;

use gc_model::geometry::DisplayLayout;
use gc_platform::{Capture, Desktop, Input, PlatformError};

use super::capture::GdiCapture;
use super::displays::{monitors, use_physical_pixels, virtual_screen};
use super::events::Captures;
use super::input::SendInputDevice;
use super::secure_attention;

/// The displays, mouse and keyboard of the session that this process runs in.
pub struct WindowsDesktop {
    captures: Arc<Captures>,
}

impl WindowsDesktop {
    /// Opens the desktop, in physical pixels.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] in a session without a screen.
    pub fn open() -> Result<Self, PlatformError> {
        use_physical_pixels();
        virtual_screen()?;
        Ok(Self {
            captures: Arc::default(),
        })
    }
}

impl Desktop for WindowsDesktop {
    fn layout(&mut self) -> Result<DisplayLayout, PlatformError> {
        Ok(virtual_screen()?.layout(&monitors()))
    }

    fn open_capture(&mut self) -> Result<Box<dyn Capture>, PlatformError> {
        Ok(Box::new(GdiCapture::new(self.captures.add()?)?))
    }

    fn open_input(&mut self) -> Result<Box<dyn Input>, PlatformError> {
        Ok(Box::new(SendInputDevice::new(Arc::clone(&self.captures))))
    }

    fn release_leftovers(&mut self) -> Result<usize, PlatformError> {
        SendInputDevice::new(Arc::clone(&self.captures)).release_leftovers()
    }

    fn has_secure_attention(&self) -> bool {
        secure_attention::is_available()
    }
}
