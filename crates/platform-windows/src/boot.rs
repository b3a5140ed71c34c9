//! How Windows is told to start in safe mode: the arguments of `bcdedit`.
//!
//! Reference: "`BCDEdit` /set" of the Windows documentation, `safeboot` and `safebootalternateshell`.

use gc_model::power::PowerAction;

/// One run of `bcdedit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootEdit {
    /// Its arguments.
    pub arguments: &'static [&'static str],
    /// Deleting what is not there fails, and nothing is wrong.
    pub may_fail: bool,
}

const SHELL_OFF: BootEdit = BootEdit {
    arguments: &["/deletevalue", "{current}", "safebootalternateshell"],
    may_fail: true,
};

const fn set(arguments: &'static [&'static str]) -> BootEdit {
    BootEdit {
        arguments,
        may_fail: false,
    }
}

/// What makes the next starts of this kind; `None` for ordinary ones. Empty for what is no safe mode.
pub fn boot_edits(kind: Option<PowerAction>) -> &'static [BootEdit] {
    const MINIMAL: &[BootEdit] = &[
        SHELL_OFF,
        set(&["/set", "{current}", "safeboot", "minimal"]),
    ];
    const NETWORK: &[BootEdit] = &[
        SHELL_OFF,
        set(&["/set", "{current}", "safeboot", "network"]),
    ];
    const PROMPT: &[BootEdit] = &[
        set(&["/set", "{current}", "safebootalternateshell", "yes"]),
        set(&["/set", "{current}", "safeboot", "network"]),
    ];
    const ORDINARY: &[BootEdit] = &[
        SHELL_OFF,
        BootEdit {
            arguments: &["/deletevalue", "{current}", "safeboot"],
            may_fail: true,
        },
    ];
    match kind {
        None => ORDINARY,
        Some(PowerAction::SafeMode) => MINIMAL,
        Some(PowerAction::SafeModeNetwork) => NETWORK,
        Some(PowerAction::SafeModePrompt) => PROMPT,
        Some(_) => &[],
    }
}

/// The arguments that make `bcdedit` say how the next start is.
pub const SHOW_NEXT_START: &[&str] = &["/enum", "{current}"];

/// True when the answer to [`SHOW_NEXT_START`] says that the next start is one into safe mode.
/// The names of the values are the same in every language; what is around them is not.
pub fn starts_in_safe_mode(answer: &str) -> bool {
    answer
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .any(|name| name.eq_ignore_ascii_case("safeboot"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kind: Option<PowerAction>) -> Vec<String> {
        let edits = boot_edits(kind).iter();
        edits.map(|edit| edit.arguments.join(" ")).collect()
    }

    #[test]
    fn each_safe_mode_says_its_kind_last_so_that_half_of_it_changes_no_start() {
        for (kind, expected) in [
            (PowerAction::SafeMode, "/set {current} safeboot minimal"),
            (
                PowerAction::SafeModeNetwork,
                "/set {current} safeboot network",
            ),
            (
                PowerAction::SafeModePrompt,
                "/set {current} safeboot network",
            ),
        ] {
            assert_eq!(lines(Some(kind)).last().map(String::as_str), Some(expected));
        }
    }

    #[test]
    fn an_ordinary_start_forgets_both_values() {
        assert_eq!(
            lines(None),
            [
                "/deletevalue {current} safebootalternateshell",
                "/deletevalue {current} safeboot",
            ]
        );
    }

    #[test]
    fn an_answer_with_the_value_is_one_of_a_machine_that_starts_in_safe_mode() {
        const ORDINARY: &str = "\r\nWindows-Startladeprogramm\r\n\
            -------------------------\r\n\
            Bezeichner              {current}\r\n\
            device                  partition=C:\r\n\
            description             Windows 7 safeboot\r\n\
            safebootalternateshell  Yes\r\n\
            nx                      OptIn\r\n";
        assert!(!starts_in_safe_mode(ORDINARY));

        for kind in ["Minimal", "Network", "DsRepair"] {
            let answer = format!("{ORDINARY}safeboot                {kind}\r\n");
            assert!(starts_in_safe_mode(&answer), "{answer}");
        }
    }

    #[test]
    fn what_is_no_safe_mode_changes_nothing() {
        assert!(boot_edits(Some(PowerAction::Restart)).is_empty());
    }
}
