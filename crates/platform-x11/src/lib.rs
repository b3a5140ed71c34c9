//! The seam on Linux with an X server: MIT-SHM capture with `XDamage`, `XFixes`
//! pointer shapes, `RandR` layouts, XTEST input, and the machine's facts and files.
//! Works with plain X servers too, only slower: each extension has a fallback.

#![cfg(target_os = "linux")]

mod capture;
mod display;
mod error;
mod guest;
mod host;
mod input;
mod memory;
mod slot;
mod wake;

pub use display::X11Desktop;
pub use host::LinuxHost;
