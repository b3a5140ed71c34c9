//! The desktop that this process lives on.

use std::sync::{Arc, Mutex, PoisonError};

use gc_model::geometry::DisplayLayout;
use gc_platform::{Capture, Desktop, Input, PlatformError};

use super::capture::ScreenCapture;
use super::displays::{monitors, use_physical_pixels, virtual_screen};
use super::events::Captures;
use super::input::SendInputDevice;
use super::secure_attention;
use crate::duplication::Choice;

/// The displays, mouse and keyboard of the session that this process runs in.
pub struct WindowsDesktop {
    captures: Arc<Captures>,
    /// How desktop duplication went so far.
    choice: Arc<Mutex<Choice>>,
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
            choice: Arc::default(),
        })
    }
}

impl Desktop for WindowsDesktop {
    fn layout(&mut self) -> Result<DisplayLayout, PlatformError> {
        Ok(virtual_screen()?.layout(&monitors()))
    }

    fn open_capture(&mut self) -> Result<Box<dyn Capture>, PlatformError> {
        // Opened anew after the monitors or the desktop changed: what did not work may now.
        let mut choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        choice.handle_displays_changed();
        drop(choice);
        let capture = ScreenCapture::new(self.captures.add()?, Arc::clone(&self.choice))?;
        Ok(Box::new(capture))
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
