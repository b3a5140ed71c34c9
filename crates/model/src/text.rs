//! Text for people that came from outside: agents, viewers, other people.

/// Longest name that a person gives to something, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// Longest single fact that a machine reports about itself, in characters.
pub const MAX_FACT_CHARS: usize = 200;

/// `text` without what could make a line on a screen or in a log lie: control
/// characters and the marks that turn the direction of writing. Trimmed, and
/// cut after `max_chars`.
pub fn clean(text: &str, max_chars: usize) -> String {
    let kept: String = text.chars().filter(|&c| !is_deceptive(c)).collect();
    kept.trim()
        .chars()
        .take(max_chars)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The same for text of several lines: line breaks stay, as `\n`.
pub fn clean_lines(text: &str, max_chars: usize) -> String {
    let kept: String = text
        .chars()
        .filter(|&c| c == '\n' || !is_deceptive(c))
        .collect();
    let cut: String = kept.trim().chars().take(max_chars).collect();
    cut.trim_end().to_owned()
}

/// `text` with a space in the place of each character that [`clean`] takes out, so that words
/// stay apart.
pub fn spaced(text: &str) -> String {
    let shown = |c| if is_deceptive(c) { ' ' } else { c };
    text.chars().map(shown).collect()
}

/// Neither seen nor to be trusted.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{061c}'
            | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_cannot_be_seen() {
        let table = [
            ("DESK-07", "DESK-07"),
            ("  spaces around ", "spaces around"),
            ("two\nlines\r\u{7}", "twolines"),
            ("exe.\u{202e}gpj", "exe.gpj"),
            ("Büro Zürich 東京", "Büro Zürich 東京"),
            ("\u{200b}\u{feff}", ""),
        ];
        for (text, expected) in table {
            assert_eq!(clean(text, 100), expected, "{text:?}");
        }
    }

    #[test]
    fn keeps_the_lines_of_what_is_written() {
        assert_eq!(clean_lines(" one\r\ntwo\u{202e}\u{7}\n\n", 100), "one\ntwo");
        assert_eq!(clean_lines("one\ntwo", 4), "one");
    }

    #[test]
    fn what_is_taken_out_leaves_a_space_where_words_are_to_stay_apart() {
        let hidden = "\u{200b}\u{202e}\u{2028}\u{2060}\u{2066}\u{061c}\u{feff}\n\0";
        for c in hidden.chars() {
            assert_eq!(spaced(&format!("Ada{c}Lovelace")), "Ada Lovelace", "{c:?}");
        }
    }

    #[test]
    fn cuts_at_characters_not_bytes() {
        assert_eq!(clean("äöüß", 3), "äöü");
        assert_eq!(clean("ab cd", 3), "ab");
    }
}
