//! Named limits of everything that comes from the network.

/// Largest WebSocket message of a session, in bytes: a whole 4K frame that does
/// not compress is cut into several updates below this.
pub const MAX_SESSION_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Largest WebSocket message of the control connection, in bytes.
pub const MAX_CONTROL_MESSAGE_BYTES: usize = 64 * 1024;

/// Most rectangles of one `VideoFrame`.
pub const MAX_RECTS: usize = 8_192;

/// Largest side of a `CursorShape`, in pixels.
pub const MAX_CURSOR_SIDE_PX: u32 = 256;

/// Longest free text for people (details, reasons, names), in bytes.
pub const MAX_TEXT_BYTES: usize = 1_024;

/// Longest name of a film's encoder, in bytes: Windows' own have about 40.
pub const MAX_FILM_MAKER_BYTES: usize = 128;

/// Longest line of the chat, in characters.
pub const MAX_CHAT_CHARS: usize = 2_000;

/// Longest name that a sender gives to a line of the chat, in bytes.
pub const MAX_CLIENT_ID_BYTES: usize = 64;

/// Most entries of a list of capabilities, rights or displays.
pub const MAX_LIST_LEN: usize = 64;

/// Most keys of one chord.
pub const MAX_CHORD_KEYS: usize = 6;

/// Largest scroll of one event, in 1/120 notch: 100 notches.
pub const MAX_WHEEL: i32 = 12_000;

/// Largest serialized `SignedGrant`, in bytes.
pub const MAX_GRANT_BYTES: usize = 4 * 1024;
