//! The support code that rides in the file's name. It is a hint: the server decides.

/// Fewest and most digits of a support code.
const DIGITS: std::ops::RangeInclusive<usize> = 5..=6;

/// How the server names what it gives out, before the code.
const BEGINNING: &str = "guruconnect-";

/// Finds the support code in a file's name, such as `GuruConnect-847291.exe` or
/// what a browser makes of a second download, `GuruConnect-847291 (1).exe`.
pub fn code_in(name: &str) -> Option<&str> {
    let beginning = name.get(..BEGINNING.len())?;
    if !beginning.eq_ignore_ascii_case(BEGINNING) {
        return None;
    }
    let rest = &name[BEGINNING.len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (code, rest) = rest.split_at(digits);
    let fits = DIGITS.contains(&code.len()) && is_harmless(rest);
    fits.then_some(code)
}

/// What browsers and systems put behind a name: nothing, ` (1)`, `(1)`, ` - Copy`, and the ending.
fn is_harmless(rest: &str) -> bool {
    let ends = rest.len().checked_sub(4);
    let rest = match ends.and_then(|at| rest.split_at_checked(at)) {
        Some((name, ending)) if ending.eq_ignore_ascii_case(".exe") => name,
        _ => rest,
    };
    rest.is_empty() || rest.starts_with([' ', '(', '_', '-'])
}

/// The name of the file that carries `code`.
pub fn name_for(code: &str, windows: bool) -> String {
    let ending = if windows { ".exe" } else { "" };
    format!("GuruConnect-{code}{ending}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_code_in_what_browsers_make_of_the_name() {
        for name in [
            "GuruConnect-847291",
            "GuruConnect-847291.exe",
            "GuruConnect-847291 (1).exe",
            "GuruConnect-847291(2)",
            "guruconnect-847291.EXE",
            "GuruConnect-847291 - Copy.exe",
        ] {
            assert_eq!(code_in(name), Some("847291"), "{name}");
        }
        assert_eq!(code_in("GuruConnect-84729"), Some("84729"));
    }

    #[test]
    fn finds_no_code_where_there_is_none() {
        for name in [
            "",
            "guruconnect-agent",
            "guruconnect-agent.exe",
            "GuruConnect-8472",
            "GuruConnect-8472911",
            "GuruConnect-847291x",
            "847291",
            "Gürüconnect-847291",
        ] {
            assert_eq!(code_in(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_code_is_digits_whatever_the_name(name in ".{0,40}") {
            if let Some(code) = code_in(&name) {
                prop_assert!(code.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn finds_what_the_server_writes(code in "[0-9]{5,6}", windows in any::<bool>()) {
            let name = name_for(&code, windows);
            prop_assert_eq!(code_in(&name), Some(&*code));
        }
    }
}
