//! The logins of a machine that can be shown.

/// One login on the machine's system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesktopSession {
    /// As the machine's system numbers it.
    pub id: u32,
    /// Where its screen is.
    pub kind: DesktopSessionKind,
    /// Who is signed in; empty at a sign-in screen.
    pub user: String,
    /// This is the one that is shown.
    pub shown: bool,
}

/// Where the screen of a login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DesktopSessionKind {
    /// At the machine.
    Console,
    /// At somebody's remote desktop.
    Remote,
}
