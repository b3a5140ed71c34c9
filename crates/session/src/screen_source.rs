//! How the machine's screen is read.

/// For people: a technician sees it beside the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenSource {
    /// The way, like "GDI". From an agent: hostile text.
    pub method: String,
    /// Why it is not a better one; empty when there is none. From an agent: hostile text.
    pub reason: String,
}
