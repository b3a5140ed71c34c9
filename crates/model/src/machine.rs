//! What a machine says about itself.

use crate::text::{MAX_FACT_CHARS, clean};

/// The kind of operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OsFamily {
    /// Windows.
    Windows,
    /// Linux.
    Linux,
    /// macOS.
    MacOs,
    /// One that this server does not know yet.
    Other,
}

impl OsFamily {
    /// Its name in the database, the API and the protocol.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Other => "other",
        }
    }

    /// The family of that name; [`OsFamily::Other`] for any other text.
    pub fn from_name(name: &str) -> Self {
        match name {
            "windows" => Self::Windows,
            "linux" => Self::Linux,
            "macos" => Self::MacOs,
            _ => Self::Other,
        }
    }
}

/// What a machine is to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MachineKind {
    /// Enrolled for good: a managed computer.
    Unattended,
    /// A customer's computer for the time of one support session; in no list
    /// of machines, and gone afterwards.
    Guest,
}

impl MachineKind {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unattended => "unattended",
            Self::Guest => "guest",
        }
    }

    /// The kind of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unattended, Self::Guest]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Facts that an agent reports when it enrols and checks in. Made by
/// [`MachineFacts::cleaned`]: safe to show, every text at most
/// [`MAX_FACT_CHARS`] long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineFacts {
    /// The system's own name.
    pub host_name: String,
    /// Kind of operating system.
    pub os_family: OsFamily,
    /// "Windows 11 Pro", "Debian GNU/Linux".
    pub os_name: String,
    /// "10.0.22631", "12".
    pub os_version: String,
    /// "`x86_64`", "`aarch64`".
    pub architecture: String,
    /// Who is logged in at the console; empty when nobody is.
    pub current_user: String,
    /// Seconds since 1970-01-01 UTC; 0 when unknown.
    pub boot_time_unix: u64,
}

impl MachineFacts {
    /// The same facts, with every text cleaned and cut. Texts from an agent
    /// are hostile until then.
    #[must_use]
    pub fn cleaned(self) -> Self {
        let fact = |text: &str| clean(text, MAX_FACT_CHARS);
        Self {
            host_name: fact(&self.host_name),
            os_family: self.os_family,
            os_name: fact(&self.os_name),
            os_version: fact(&self.os_version),
            architecture: fact(&self.architecture),
            current_user: fact(&self.current_user),
            // The year 9999: what every calendar here can still write.
            boot_time_unix: self.boot_time_unix.min(253_402_300_799),
        }
    }
}
