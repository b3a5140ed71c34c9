//! What can be done to a machine as a whole.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PowerAction {
    /// Lock the screen.
    Lock,
    /// Sign the person at the machine out; programs may lose what was not saved.
    LogOff,
    /// Restart in order: programs are told, and ended when they do not end.
    Restart,
    /// Switch off.
    ShutDown,
    /// Restart into safe mode without a network.
    SafeMode,
    /// Restart into safe mode with a network.
    SafeModeNetwork,
    /// Restart into safe mode with a command prompt and a network.
    SafeModePrompt,
    /// Restart at once, without telling any program.
    EmergencyRestart,
}

impl PowerAction {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Lock,
        Self::LogOff,
        Self::Restart,
        Self::ShutDown,
        Self::SafeMode,
        Self::SafeModeNetwork,
        Self::SafeModePrompt,
        Self::EmergencyRestart,
    ];

    /// Its name in the API and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::LogOff => "log_off",
            Self::Restart => "restart",
            Self::ShutDown => "shut_down",
            Self::SafeMode => "safe_mode",
            Self::SafeModeNetwork => "safe_mode_network",
            Self::SafeModePrompt => "safe_mode_prompt",
            Self::EmergencyRestart => "emergency_restart",
        }
    }

    /// The one of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }

    /// True for a restart into a kind of safe mode.
    pub const fn is_safe_mode(self) -> bool {
        matches!(
            self,
            Self::SafeMode | Self::SafeModeNetwork | Self::SafeModePrompt
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_action() {
        for action in PowerAction::ALL {
            assert_eq!(PowerAction::parse(action.as_str()), Some(action));
        }
        assert_eq!(PowerAction::parse("explode"), None);
    }
}
