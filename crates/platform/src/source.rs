//! Who reads the screen.

use std::fmt;

/// The way in which a capture reads the screen, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenSource {
    /// Its name, like "GDI".
    pub method: &'static str,
    /// Why it is not a better one; empty when it is the best.
    pub reason: String,
    /// A better one is being prepared, and may read the screen soon.
    pub for_now: bool,
}

impl ScreenSource {
    /// A way and the reason for it.
    pub const fn new(method: &'static str, reason: String) -> Self {
        Self {
            method,
            reason,
            for_now: false,
        }
    }

    /// A way that reads the screen while a better one is being prepared.
    pub const fn for_now(method: &'static str, reason: String) -> Self {
        Self {
            method,
            reason,
            for_now: true,
        }
    }
}

impl fmt::Display for ScreenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method)?;
        if self.reason.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.reason)
        }
    }
}
