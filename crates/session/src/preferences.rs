//! What the technician chose, and what both ends are.

use gc_proto::v1;

/// How much the picture may give up for speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quality {
    /// The network decides.
    #[default]
    Auto,
    /// Fewest colours in moving, photo-like regions.
    Low,
    /// Fewer colours in moving, photo-like regions.
    Medium,
    /// Every pixel exact at all times.
    High,
}

impl Quality {
    pub(crate) fn from_wire(number: i32) -> Self {
        match v1::Quality::try_from(number) {
            Ok(v1::Quality::Low) => Self::Low,
            Ok(v1::Quality::Medium) => Self::Medium,
            Ok(v1::Quality::High) => Self::High,
            _ => Self::Auto,
        }
    }

    pub(crate) fn to_wire(self) -> v1::Quality {
        match self {
            Self::Auto => v1::Quality::Auto,
            Self::Low => v1::Quality::Low,
            Self::Medium => v1::Quality::Medium,
            Self::High => v1::Quality::High,
        }
    }
}

/// A viewer's wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// How much the picture may give up for speed.
    pub quality: Quality,
    /// Look only: no input is sent or accepted.
    pub view_only: bool,
}

impl Preferences {
    pub(crate) fn from_wire(preferences: v1::ViewerPreferences) -> Self {
        Self {
            quality: Quality::from_wire(preferences.quality),
            view_only: preferences.view_only,
        }
    }

    pub(crate) fn to_wire(self) -> v1::ViewerPreferences {
        v1::ViewerPreferences {
            quality: self.quality.to_wire().into(),
            view_only: self.view_only,
        }
    }
}

/// The machine's family of operating systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OsFamily {
    /// Any Windows.
    Windows,
    /// Linux with X11.
    Linux,
    /// macOS.
    MacOs,
}

impl OsFamily {
    pub(crate) fn from_wire(number: i32) -> Option<Self> {
        match v1::OsFamily::try_from(number).ok()? {
            v1::OsFamily::Windows => Some(Self::Windows),
            v1::OsFamily::Linux => Some(Self::Linux),
            v1::OsFamily::Macos => Some(Self::MacOs),
            v1::OsFamily::Unspecified => None,
        }
    }

    pub(crate) fn to_wire(self) -> v1::OsFamily {
        match self {
            Self::Windows => v1::OsFamily::Windows,
            Self::Linux => v1::OsFamily::Linux,
            Self::MacOs => v1::OsFamily::Macos,
        }
    }
}
