//! What the agent and a program of this machine's user say to each other over
//! the local door: a length (four bytes, little-endian), then one message as
//! JSON. Anybody who is signed in may knock, so the agent takes them for hostile.

use gc_model::text::clean_lines;
use gc_platform::guest::MAX_TYPED_CHARS;
use serde::{Deserialize, Serialize};

use crate::looking::Looking;

/// 8 KiB: the longest message to the agent is a line of 500 characters.
pub(crate) const MAX_WISH_BYTES: usize = 8 * 1024;

/// 512 KiB: [`MAX_LINES`] lines of the chat, each of 2,000 characters.
pub(crate) const MAX_STANDING_BYTES: usize = 512 * 1024;

/// Lines of the chat that a window shows.
pub(crate) const MAX_LINES: usize = 30;

/// What a user wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wish {
    /// Help, or to say more about the help that was asked for.
    Ask(String),
    /// No help any more.
    TakeBack,
}

impl Wish {
    /// Without what no person typed; `None` where nothing is left.
    pub(crate) fn checked(self) -> Option<Self> {
        match self {
            Self::Ask(text) => {
                // As the server does it: what it would take for nothing is not sent.
                let text = clean_lines(&text, MAX_TYPED_CHARS);
                (!text.is_empty()).then_some(Self::Ask(text))
            }
            Self::TakeBack => Some(Self::TakeBack),
        }
    }
}

/// How things are, for one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The server's host name.
    pub(crate) server: String,
    pub(crate) machine_id: String,
    /// The server can be reached now.
    pub(crate) connected: bool,
    pub(crate) stage: Stage,
    /// Who takes care; empty while nobody does.
    pub(crate) technician: String,
    /// For which company.
    pub(crate) company: String,
    /// Nobody is there now.
    pub(crate) after_hours: bool,
    /// The newest lines of the chat, oldest first; then those that are on their way.
    pub(crate) lines: Vec<Line>,
    /// Lines of this user that have not arrived.
    pub(crate) unsent: Vec<String>,
    /// Newest lines of this user that the server did not take.
    #[serde(default)]
    pub(crate) not_taken: Vec<String>,
    /// Who looks at this computer now.
    #[serde(default)]
    pub(crate) looking: Vec<Looking>,
    /// Why the last wish was not followed.
    pub(crate) problem: Option<Problem>,
}

/// A line of the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Empty for this side.
    pub(crate) author: String,
    pub(crate) text: String,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nothing was asked.
    #[default]
    Nothing,
    /// Nobody has taken it.
    Waiting,
    Taken,
    /// Taken back, or done.
    Done,
    /// Nobody takes it: put aside, or its time is over.
    Closed,
    /// Another user of this machine asked, whose matter it is.
    OfOther,
}

/// See [`Standing::problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Problem {
    /// This user asked too often.
    TooOften,
    /// All users of this machine together asked too often.
    TooOftenHere,
    /// The chat takes no more lines.
    ChatFull,
    /// More lines at once than a person writes.
    TooFast,
    /// The server could not take it.
    Failed,
}
