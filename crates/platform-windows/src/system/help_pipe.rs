//! The pipe over which programs of this machine's users ask the agent for help.
//! Everybody who is signed in at the machine may open it, nobody over the
//! network, and nobody else may stand in for the agent.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::{AsRawHandle as _, IntoRawHandle as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer, ServerOptions};
use windows_sys::Win32::Foundation::{CloseHandle, ERROR_PIPE_BUSY};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::{GetNamedPipeClientSessionId, GetNamedPipeServerProcessId};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

use super::host::session_account;
use super::os::from_wide;
use super::private_files::Descriptor;
use crate::protection::{HELP_PIPE_RIGHTS, Protected};

/// While the agent makes the next end ready.
const BUSY_TRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// The longest path of Windows, in characters.
const MAX_PATH_CHARS: usize = 32_768;

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
        let next = end(&path, true)?;
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
            let next = end(&self.path, false)?;
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

fn end(path: &str, is_first: bool) -> io::Result<NamedPipeServer> {
    let descriptor = Descriptor::of(Protected::HelpPipe)?;
    let mut attributes = descriptor.attributes();
    // SAFETY: the attributes and their descriptor live until the pipe is made.
    unsafe {
        ServerOptions::new()
            .first_pipe_instance(is_first)
            .reject_remote_clients(true)
            .create_with_security_attributes_raw(path, (&raw mut attributes).cast())
    }
}

/// A user's side.
///
/// # Errors
/// No agent has such a pipe, or it is not this very program that has it.
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
    let mut process = 0;
    // SAFETY: the pipe is open, and the number has its place.
    if unsafe { GetNamedPipeServerProcessId(file.as_raw_handle(), &raw mut process) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let theirs = program_of(process)?;
    let own = std::env::current_exe()?;
    if !is_same(&theirs, &own) {
        let message = format!("{} has the agent's place", theirs.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    // SAFETY: an open pipe that was opened for overlapped use, and is nobody else's any more.
    unsafe { NamedPipeClient::from_raw_handle(file.into_raw_handle()) }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let lower = |path: &Path| path.to_string_lossy().to_lowercase();
    lower(one) == lower(other)
}

fn program_of(process: u32) -> io::Result<PathBuf> {
    let mut name = vec![0_u16; MAX_PATH_CHARS];
    let mut length = name.len() as u32;
    // SAFETY: the name is as long as said; the process' handle is closed here.
    let known = unsafe {
        let process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, process);
        if process.is_null() {
            return Err(io::Error::last_os_error());
        }
        let known = QueryFullProcessImageNameW(
            process,
            PROCESS_NAME_WIN32,
            name.as_mut_ptr(),
            &raw mut length,
        );
        CloseHandle(process);
        known
    };
    if known == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(PathBuf::from(from_wide(&name[..length as usize])))
}
