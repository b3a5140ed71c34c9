//! Which passwords are good enough to be set.

/// Shortest password, in characters. Length is what counts: no rule about
/// digits and symbols, which people meet with `Password1!`.
pub(crate) const MIN_PASSWORD_CHARS: usize = 12;

/// Longest, in characters: far above any passphrase.
pub(crate) const MAX_PASSWORD_CHARS: usize = 256;

/// Fewest different characters.
const MIN_DIFFERENT: usize = 5;

/// What the commonest long passwords are made of. A password that is only these,
/// repeated, or with digits and symbols around, is among the first to be tried.
const COMMON_PARTS: [&str; 34] = [
    "abcdefghijklmnopqrstuvwxyz",
    "abcdefghijkl",
    "abcdefgh",
    "abc123",
    "abcd",
    "abc",
    "administrator",
    "admin",
    "changeme",
    "default",
    "dragon",
    "football",
    "guruconnect",
    "guru",
    "helpdesk",
    "iloveyou",
    "letmein",
    "login",
    "master",
    "monkey",
    "pass",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "princess",
    "qwertyuiop",
    "qwerty",
    "qazwsx",
    "asdfghjkl",
    "zxcvbnm",
    "secret",
    "sunshine",
    "support",
    "welcome",
];

/// A password that must not be set, and why, for the person.
pub(crate) type Weak = &'static str;

/// Judges a password that is about to be set.
pub(crate) fn check(password: &str, username: &str) -> Result<(), Weak> {
    let length = password.chars().count();
    if length < MIN_PASSWORD_CHARS {
        return Err("The password must have at least 12 characters.");
    }
    if length > MAX_PASSWORD_CHARS {
        return Err("The password must have at most 256 characters.");
    }
    let lower = password.to_lowercase();
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < MIN_DIFFERENT {
        return Err("The password repeats too few characters.");
    }
    if is_only(&lower, &[&username.to_lowercase()]) {
        return Err("The password must not be the user name.");
    }
    if is_only(&lower, &COMMON_PARTS) {
        return Err("The password is among the first that everybody tries.");
    }
    Ok(())
}

/// True when nothing but digits and symbols is left without `parts`.
fn is_only(password: &str, parts: &[&str]) -> bool {
    let mut parts: Vec<&str> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    // The longest first: `pass` would leave `word` of `password`.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let rest = parts
        .into_iter()
        .fold(password.to_owned(), |rest, part| rest.replace(part, " "));
    !rest.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_short_or_tried_first() {
        let table = [
            ("short", false),
            ("elevenchars", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("ababababababab", false),
            ("123456789012", false),
            ("Password12345", false),
            ("P@ssw0rd!2024", false),
            ("qwertyuiop123", false),
            ("AdminAdmin2024!", false),
            ("ada.lovelace1", false),
            ("Ada.Lovelace-2024", false),
            ("correct horse battery", true),
            ("tg7#kfLq92nz", true),
            ("Größer als zwölf", true),
        ];
        for (password, good) in table {
            assert_eq!(check(password, "ada.lovelace").is_ok(), good, "{password}");
        }
        assert!(check(&"xyzzy plugh ".repeat(30), "ada").is_err());
    }
}
