//! What packs a film, for people who want to know why it looks or runs as it does.

use std::borrow::Cow;

/// The encoder of a film's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmMaker {
    /// A library, or what the system calls an encoder of the machine. For people.
    pub name: Cow<'static, str>,
    /// It is the machine's hardware, and costs its processor little.
    pub is_hardware: bool,
}

impl FilmMaker {
    /// A library in this program.
    pub const fn library(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            is_hardware: false,
        }
    }
}
