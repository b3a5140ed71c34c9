//! Mouse and keyboard input as the machine is to see it.

use crate::key::Usage;

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MouseButton {
    /// Primary.
    Left,
    /// Secondary (context menu).
    Right,
    /// Wheel.
    Middle,
    /// Fourth button, "back".
    Back,
    /// Fifth button, "forward".
    Forward,
}

impl MouseButton {
    /// Every button, in the order of the bits of `MouseEvent.buttons`.
    pub const ALL: [Self; 5] = [
        Self::Left,
        Self::Right,
        Self::Middle,
        Self::Back,
        Self::Forward,
    ];
}

/// One thing to do to the machine. The session keeps track of what is held, so
/// presses and releases always pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputEvent {
    /// Move the pointer to picture coordinates inside the layout.
    PointerMove {
        /// Pixels from the left.
        x: u32,
        /// Pixels from the top.
        y: u32,
    },
    /// Press or release a button where the pointer is.
    Button {
        /// Which.
        button: MouseButton,
        /// Pressed (true) or released.
        down: bool,
    },
    /// Scroll, in 1/120 of a notch; positive is right and down.
    Wheel {
        /// Horizontal distance.
        x: i32,
        /// Vertical distance.
        y: i32,
    },
    /// Press or release a key.
    Key(KeyInput),
    /// Ctrl+Alt+Del by whatever way the system allows.
    SecureAttention,
}

/// One key press or release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInput {
    /// The physical key.
    pub usage: Usage,
    /// Pressed (true, again for each repeat) or released.
    pub down: bool,
    /// What the key typed at the viewer, if anything. When this machine's layout
    /// does not give the same text for the key, the text is typed instead.
    pub text: Option<KeyText>,
}

/// The text of one key press: at most [`KeyText::MAX_CHARS`] characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// Longest text of one key press; an emoji with modifiers has up to 10 characters.
    pub const MAX_CHARS: usize = 16;

    /// Takes text from the network; `None` when it is empty, too long or has control characters.
    pub fn new(text: &str) -> Option<Self> {
        let printable = !text.is_empty()
            && text.chars().count() <= Self::MAX_CHARS
            && !text.chars().any(char::is_control);
        printable.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
