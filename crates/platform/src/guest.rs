//! The window of an attended session: what the person at the machine sees and
//! presses. The agent says what is on it; a platform only draws it.

use std::time::Duration;

use crate::PlatformError;

/// Longest line that a person may type, in characters.
pub const MAX_TYPED_CHARS: usize = 500;

/// Everything that is on the window. A new page replaces the old one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// How it looks.
    pub shape: Shape,
    /// Large, at the top.
    pub title: String,
    /// A name and a value each: server, company, technician.
    pub facts: Vec<(String, String)>,
    /// Set apart and large: the two words.
    pub words: Option<String>,
    /// Sentences below.
    pub text: Vec<String>,
    /// The chat, while it is open.
    pub chat: Option<Vec<ChatRow>>,
    /// From left to right.
    pub buttons: Vec<Button>,
}

impl Page {
    /// What the page asks, to compare with another's. A line of the chat, or the count of
    /// unread ones on a button, is no other question; another title, or other words, is.
    pub fn asks(&self) -> impl PartialEq + '_ {
        let actions: Vec<Action> = self.buttons.iter().map(|button| button.action).collect();
        let said = (&self.title, &self.words, &self.facts, &self.text);
        (self.shape, said, actions)
    }
}

/// See [`Page::shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// In the middle of the screen.
    #[default]
    Dialog,
    /// Small, at the screen's upper edge, in front of everything.
    Bar,
}

/// A line of the chat, shown as text and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRow {
    /// Who wrote it.
    pub author: String,
    /// What.
    pub text: String,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What pressing it means.
    pub action: Action,
    /// What is on it.
    pub label: String,
    /// Set apart by its colour.
    pub strong: bool,
}

/// What a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Yes to the question.
    Allow,
    /// No to the question.
    Decline,
    /// Show nothing for a while.
    Pause,
    /// Go on.
    Resume,
    /// Open or shut the chat.
    Chat,
    /// Let the technician ask again, who was told no often.
    Reopen,
    /// End the session.
    Disconnect,
    /// Put the window away; the program ends.
    Close,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuestEvent {
    /// A button of the current page was pressed, by pointer or keyboard.
    Pressed(Action),
    /// A line for the chat.
    Typed(String),
    /// The window's own close button.
    Closed,
}

/// The window. Belongs to one thread.
pub trait GuestWindow: Send {
    /// False when another program of ours has its window on this desktop.
    fn is_first(&self) -> bool;

    /// Shows a page.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] when the desktop went away.
    fn show(&mut self, page: &Page) -> Result<(), PlatformError>;

    /// What the person did next; `None` after `timeout`.
    ///
    /// # Errors
    /// [`PlatformError::Gone`] when the desktop went away.
    fn wait(&mut self, timeout: Duration) -> Result<Option<GuestEvent>, PlatformError>;
}
