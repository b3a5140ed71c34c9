//! Words about a session that the server, the store and the API share.

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The technician disconnected.
    EndedByTechnician,
    /// Somebody with the right to do so ended it.
    EndedByOther,
    /// No viewer was connected for longer than the server waits.
    Abandoned,
    /// The machine was removed or its key was revoked.
    MachineRevoked,
    /// The person at the machine ended it.
    EndedByGuest,
    /// The technician signed out or was signed out.
    LoginEnded,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::EndedByTechnician,
        Self::EndedByOther,
        Self::Abandoned,
        Self::MachineRevoked,
        Self::EndedByGuest,
        Self::LoginEnded,
    ];

    /// Its name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndedByTechnician => "ended_by_technician",
            Self::EndedByOther => "ended_by_other",
            Self::Abandoned => "abandoned",
            Self::MachineRevoked => "machine_revoked",
            Self::EndedByGuest => "ended_by_guest",
            Self::LoginEnded => "login_ended",
        }
    }

    /// The reason of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}
