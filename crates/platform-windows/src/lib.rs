//! The operating-system seam on Windows 7 SP1 and later: desktop duplication or GDI for the picture,
//! `SendInput` for mouse and keyboard. What can be decided without Windows is in
//! the modules below and tested anywhere; the system calls are in `system`.

pub mod boot;
pub mod cadence;
pub mod compare;
pub mod cursor_image;
pub mod duplication;
pub mod firmware;
pub mod guest_layout;
pub mod icon_place;
pub mod keystrokes;
pub mod layout_watch;
pub mod protection;
pub mod screen;
pub mod transform;

#[cfg(windows)]
mod system;
#[cfg(windows)]
pub use system::*;
