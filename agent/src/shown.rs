//! Text of the server as people at this machine see it.

use gc_model::text::spaced;

/// Longest name or sentence of the server that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// A line, and not too long.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = spaced(text).chars().take(MAX_SHOWN_CHARS).collect();
    cut.trim().to_owned()
}

/// A line of the chat, as long as it was.
pub(crate) fn shown_chat(text: &str) -> String {
    spaced(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_server_can_not_turn_around_hide_or_break_the_window() {
        assert_eq!(shown("  A\u{202e}da\nLove\0lace "), "A da Love lace");
        assert_eq!(shown("Ada\u{2028}\u{feff}"), "Ada");
        assert_eq!(shown_chat("one\u{200b}two"), "one two");
        assert_eq!(shown(&"x".repeat(1_000)).len(), MAX_SHOWN_CHARS);
    }
}
