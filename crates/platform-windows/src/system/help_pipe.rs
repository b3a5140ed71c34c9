//! The pipe over which programs of this machine's users ask the agent for help.
//! Everybody who is signed in at the machine may open it, nobody over the
//! network, and nobody else may stand in for the agent.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, IntoRawHandle as _};
use std::time::Duration;

use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer, ServerOptions};
use windows_sys::Win32::Foundation::ERROR_PIPE_BUSY;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::GetNamedPipeClientSessionId;

use super::host::session_account;
use super::private_files::{Descriptor, owner_of_object};
use super::tokens::current_account;
use crate::protection::{HELP_PIPE_RIGHTS, Protected, is_trusted_owner};

/// While the agent makes the next end ready.
const BUSY_TRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// The agent's side.
#[derive(Debug)]
pub struct HelpPipe {
    path: String,
    next: NamedPipeServer,
}

impl HelpPipe {
    /// Makes the pipe.
    ///
    /// # Errors
    /// Another process has a pipe of this name.
    pub fn open(name: &str) -> io::Result<Self> {
        let path = format!(r"\\.\pipe\{name}");
        let next = end(&path, true, &Descriptor::of(Protected::HelpPipe)?)?;
        Ok(Self { path, next })
    }

    /// Waits for somebody. The connection, and who is signed in where it comes from, with
    /// their domain. Whoever Windows cannot name is sent away.
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&mut self) -> io::Result<(NamedPipeServer, String)> {
        loop {
            self.next.connect().await?;
            let next = end(&self.path, false, &Descriptor::of(Protected::HelpPipe)?)?;
            let here = std::mem::replace(&mut self.next, next);
            let mut session = 0;
            // The pipe's own note of it: a process may be gone by now, and its number another's.
            // SAFETY: the pipe is open, and the number has its place.
            let known =
                unsafe { GetNamedPipeClientSessionId(here.as_raw_handle(), &raw mut session) };
            if known != 0
                && let Some(user) = session_account(session)
            {
                return Ok((here, user));
            }
        }
    }
}

fn end(path: &str, is_first: bool, descriptor: &Descriptor) -> io::Result<NamedPipeServer> {
    let mut attributes = descriptor.attributes();
    // SAFETY: the attributes and their descriptor live until the pipe is made.
    unsafe {
        ServerOptions::new()
            .first_pipe_instance(is_first)
            .reject_remote_clients(true)
            .create_with_security_attributes_raw(path, (&raw mut attributes).cast())
    }
}

/// A user's side. Its other end is the agent where the pipe belongs to the system, to
/// administrators or to the user's own account: Windows lets nobody make a pipe in another's
/// name, and the agent's own pipe gives nobody the right to make a further end of it. What process
/// has the pipe does not say it: an ordinary user may not ask that of the system's.
///
/// # Errors
/// No agent has such a pipe, or another account has it.
pub async fn open_help_pipe(name: &str) -> io::Result<NamedPipeClient> {
    let path = format!(r"\\.\pipe\{name}");
    let mut tries = 0;
    let file = loop {
        let opened = OpenOptions::new()
            .access_mode(HELP_PIPE_RIGHTS)
            // Whoever has the pipe may see who we are, and do nothing as us.
            .custom_flags(FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION)
            .open(&path);
        match opened {
            Err(error)
                if error.raw_os_error() == Some(ERROR_PIPE_BUSY as i32) && tries < BUSY_TRIES =>
            {
                tries += 1;
                std::thread::sleep(BUSY_PAUSE);
            }
            other => break other?,
        }
    };
    let (owner, account) = (owner_of_object(&file)?, current_account()?);
    if !is_trusted_owner(&owner, &account) {
        let message = format!("another account ({owner}) has the agent's place");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    // SAFETY: an open pipe that was opened for overlapped use, and is nobody else's any more.
    unsafe { NamedPipeClient::from_raw_handle(file.into_raw_handle()) }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::ERROR_INVALID_OWNER;

    use super::*;

    fn in_a_runtime<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .expect("a runtime")
            .block_on(test)
    }

    fn name(test: &str) -> String {
        format!("guruconnect-help-{test}-{}", std::process::id())
    }

    #[test]
    fn an_agent_is_known_by_the_account_that_made_its_pipe() {
        in_a_runtime(async {
            let name = name("own");
            let pipe = HelpPipe::open(&name).expect("a pipe");

            open_help_pipe(&name).await.expect("the agent");

            drop(pipe);
            let gone = open_help_pipe(&name).await.expect_err("nobody");
            assert_eq!(gone.kind(), io::ErrorKind::NotFound);
        });
    }

    #[test]
    fn a_pipe_that_another_account_made_is_not_the_agents() {
        in_a_runtime(async {
            let path = format!(r"\\.\pipe\{}", name("others"));
            let others = Descriptor::from_text("O:S-1-5-21-1-2-3-1001D:P(A;;GA;;;WD)")
                .expect("a descriptor");

            match end(&path, true, &others) {
                Ok(_pipe) => {
                    let refused = open_help_pipe(&name("others")).await.expect_err("refused");
                    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
                }
                // Nobody makes one in the name of another: the very thing that is relied on.
                Err(error) => {
                    let code = error.raw_os_error().map(i32::cast_unsigned);
                    assert_eq!(code, Some(ERROR_INVALID_OWNER));
                }
            }
        });
    }
}
