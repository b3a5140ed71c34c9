//! What can be kept from the person at the machine.

/// Which of it, wanted or so now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guard {
    /// Mouse and keyboard of the machine do nothing.
    pub block_input: bool,
    /// The machine's own screens are dark.
    pub blank_screen: bool,
}

impl Guard {
    /// True when nothing is kept from anybody.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}
