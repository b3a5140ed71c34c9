//! Who may read the agent's secrets, in Windows' security descriptor language.
//!
//! Format: "Security Descriptor String Format" of the Windows documentation.

/// What is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected {
    /// One file.
    File,
    /// A folder and everything made in it later.
    Folder,
}

/// A descriptor that gives the system, administrators and `owner` (the SID of
/// the account that runs the agent) everything, and nobody else anything. It
/// takes nothing over from the folder around it.
pub fn descriptor(kind: Protected, owner: &str) -> String {
    let inheritance = match kind {
        Protected::File => "",
        Protected::Folder => "OICI",
    };
    let everything_for = |account: &str| format!("(A;{inheritance};FA;;;{account})");
    let owner = if is_always_named(owner) {
        String::new()
    } else {
        everything_for(owner)
    };
    format!("D:P{}{}{owner}", everything_for("SY"), everything_for("BA"))
}

/// True when `owner` is `account` itself or one that can read everything anyway.
pub fn is_trusted_owner(owner: &str, account: &str) -> bool {
    owner == account || is_always_named(owner)
}

/// The system and the administrators.
fn is_always_named(account: &str) -> bool {
    ["S-1-5-18", "S-1-5-32-544"].contains(&account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_for_the_system_administrators_and_its_owner_alone() {
        let owner = "S-1-5-21-1-2-3-1001";

        let text = descriptor(Protected::File, owner);

        assert_eq!(
            text,
            "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;S-1-5-21-1-2-3-1001)"
        );
    }

    #[test]
    fn what_is_made_in_a_protected_folder_is_protected_too() {
        assert_eq!(
            descriptor(Protected::Folder, "S-1-5-18"),
            "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
        );
    }

    #[test]
    fn only_the_system_administrators_and_the_account_itself_are_trusted() {
        let account = "S-1-5-21-1-2-3-1001";

        assert!(is_trusted_owner(account, account));
        assert!(is_trusted_owner("S-1-5-18", account));
        assert!(!is_trusted_owner("S-1-5-21-1-2-3-1002", account));
    }
}
