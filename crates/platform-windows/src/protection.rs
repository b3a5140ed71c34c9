//! Who may read the agent's secrets, in Windows' security descriptor language,
//! and programs' command lines that nobody can put words into.
//!
//! Format: "Security Descriptor String Format" of the Windows documentation.

/// What is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected {
    /// One file.
    File,
    /// A folder and everything made in it later.
    Folder,
    /// The pipe between the service and one worker.
    Pipe,
    /// The pipe from a user's program to one with administrator rights.
    AdministratorsPipe,
    /// The pipe over which users of this machine ask the agent for help.
    HelpPipe,
}

/// What a user may do with the agent's pipe for help: read, write, ask for its state. To make
/// another end of it, and so take the agent's place, is not among them (`GENERIC_WRITE`
/// would be).
pub const HELP_PIPE_RIGHTS: u32 = 0x0012_018b;

/// A descriptor that gives the system, administrators and `owner` (the SID of
/// the account that runs the agent) everything, and nobody else anything. It
/// takes nothing over from the folder around it.
pub fn descriptor(kind: Protected, owner: &str) -> String {
    let inheritance = match kind {
        Protected::File | Protected::Pipe | Protected::AdministratorsPipe | Protected::HelpPipe => {
            ""
        }
        Protected::Folder => "OICI",
    };
    let everything_for = |account: &str| format!("(A;{inheritance};FA;;;{account})");
    // Users know the agent by it. Unasked, Windows may put a group there.
    let named = match kind {
        Protected::HelpPipe => format!("O:{owner}"),
        _ => String::new(),
    };
    // Other programs of the same user have no business in a pipe to an administrator.
    let owner = if is_always_named(owner) || kind == Protected::AdministratorsPipe {
        String::new()
    } else {
        everything_for(owner)
    };
    // Administrators have no business in a pipe between two processes of the system.
    let administrators = match kind {
        Protected::File | Protected::Folder | Protected::AdministratorsPipe => everything_for("BA"),
        Protected::Pipe | Protected::HelpPipe => String::new(),
    };
    // Nobody over the network, and everybody who is signed in here.
    let (refused, users) = match kind {
        Protected::HelpPipe => ("(D;;FA;;;NU)", format!("(A;;{HELP_PIPE_RIGHTS:#x};;;IU)")),
        _ => ("", String::new()),
    };
    let system = everything_for("SY");
    format!("{named}D:P{refused}{system}{administrators}{owner}{users}")
}

/// Puts a program and its arguments on one line, so that the program finds the
/// same arguments on it again. Format: "Parsing C command-line arguments" of
/// the Windows documentation.
pub fn command_line(line: &mut Vec<u16>, program: &[u16], arguments: &[Vec<u16>]) {
    const QUOTE: u16 = b'"' as u16;
    const BACKSLASH: u16 = b'\\' as u16;
    // A path has no quotation marks.
    line.push(QUOTE);
    line.extend(program);
    line.push(QUOTE);
    for argument in arguments {
        line.extend([u16::from(b' '), QUOTE]);
        let mut backslashes = 0;
        for &unit in argument {
            if unit == QUOTE {
                // Those before a mark count twice, and one more makes it an ordinary one.
                line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
            }
            backslashes = if unit == BACKSLASH {
                backslashes + 1
            } else {
                0
            };
            line.push(unit);
        }
        line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
        line.push(QUOTE);
    }
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
    fn the_pipe_for_help_is_the_agents_and_for_everybody_here_who_makes_no_end_of_it() {
        const FILE_CREATE_PIPE_INSTANCE: u32 = 0x4;
        let text = descriptor(Protected::HelpPipe, "S-1-5-18");

        assert_eq!(
            text,
            "O:S-1-5-18D:P(D;;FA;;;NU)(A;;FA;;;SY)(A;;0x12018b;;;IU)"
        );
        assert_eq!(HELP_PIPE_RIGHTS & FILE_CREATE_PIPE_INSTANCE, 0);
    }

    #[test]
    fn a_pipe_to_an_administrator_is_for_administrators_alone() {
        let owner = "S-1-5-21-1-2-3-1001";

        let text = descriptor(Protected::AdministratorsPipe, owner);

        assert_eq!(text, "D:P(A;;FA;;;SY)(A;;FA;;;BA)");
    }

    #[test]
    fn what_is_made_in_a_protected_folder_is_protected_too() {
        assert_eq!(
            descriptor(Protected::Folder, "S-1-5-18"),
            "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
        );
    }

    #[test]
    fn a_pipe_is_for_the_system_alone() {
        assert_eq!(descriptor(Protected::Pipe, "S-1-5-18"), "D:P(A;;FA;;;SY)");
    }

    #[test]
    fn arguments_stay_whole_on_a_command_line() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let cases = [
            ("plain", r#""plain""#),
            ("two words", r#""two words""#),
            (r"C:\ends\", r#""C:\ends\\""#),
            (r#"say "hi""#, r#""say \"hi\"""#),
            (r#"\""#, r#""\\\"""#),
            ("", r#""""#),
        ];

        for (argument, expected) in cases {
            let mut line = Vec::new();
            command_line(
                &mut line,
                &wide(r"C:\Program Files\a.exe"),
                &[wide(argument)],
            );

            let line = String::from_utf16_lossy(&line);
            assert_eq!(line, format!(r#""C:\Program Files\a.exe" {expected}"#));
        }
    }

    #[test]
    fn only_the_system_administrators_and_the_account_itself_are_trusted() {
        let account = "S-1-5-21-1-2-3-1001";

        assert!(is_trusted_owner(account, account));
        assert!(is_trusted_owner("S-1-5-18", account));
        assert!(!is_trusted_owner("S-1-5-21-1-2-3-1002", account));
    }
}
