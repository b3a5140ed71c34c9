//! Workers: processes of ours in the desktop session that shows, and the named
//! pipe over which the service talks to each.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::Duration;

use gc_platform::PlatformError;
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Pipes::GetNamedPipeClientProcessId;
use windows_sys::Win32::System::RemoteDesktop::{
    WTS_CURRENT_SERVER_HANDLE, WTS_SESSION_INFOW, WTSActive, WTSEnumerateSessionsW, WTSFreeMemory,
    WTSGetActiveConsoleSessionId,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NO_WINDOW, CreateProcessAsUserW, GetExitCodeProcess, PROCESS_INFORMATION, STARTUPINFOW,
    TerminateProcess, WaitForSingleObject,
};

use super::host::session_user;
use super::input_desktop;
use super::os::{is_wine, last_error, wide};
use super::private_files::Descriptor;
use super::tokens;
use crate::protection::{Protected, command_line};

/// Windows says so while no session has the screen, as between two users.
const NO_SESSION: u32 = u32::MAX;

/// Where people see and control things. As a system service the worker follows
/// from there to the lock screen and to elevation prompts.
const DESKTOP: &str = r"winsta0\default";

/// Exit code of a worker that the service ended.
const ENDED_BY_SERVICE: u32 = 0x4743;

/// The desktop session that has the screen, keyboard and mouse of the machine.
pub fn showing_session() -> Option<u32> {
    // SAFETY: takes nothing.
    let session = unsafe { WTSGetActiveConsoleSessionId() };
    (session != NO_SESSION).then_some(session)
}

/// A login that could be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// As Windows numbers it.
    pub session: u32,
    /// Who is signed in; empty at a sign-in screen.
    pub user: String,
}

/// The logins that have a screen: the machine's own, and those of connected remote desktops.
pub fn logins() -> Vec<Login> {
    let console = showing_session();
    let mut found = console.into_iter().collect::<Vec<_>>();
    // Wine says that there are none, and means that it cannot tell.
    found.extend(
        active_sessions()
            .into_iter()
            .filter(|session| Some(*session) != console),
    );
    found
        .into_iter()
        .map(|session| Login {
            session,
            user: session_user(session),
        })
        .collect()
}

/// The sessions whose user is connected. That of the services is none of them.
fn active_sessions() -> Vec<u32> {
    let mut list: *mut WTS_SESSION_INFOW = null_mut();
    let mut count = 0;
    // SAFETY: Windows makes a list of that many entries, which is copied before it is freed.
    unsafe {
        let known = WTSEnumerateSessionsW(
            WTS_CURRENT_SERVER_HANDLE,
            0,
            1,
            &raw mut list,
            &raw mut count,
        );
        if known == 0 || list.is_null() {
            return Vec::new();
        }
        let sessions = std::slice::from_raw_parts(list, count as usize)
            .iter()
            .filter(|session| session.State == WTSActive)
            .map(|session| session.SessionId)
            .collect();
        WTSFreeMemory(list.cast());
        sessions
    }
}

/// A worker's process.
#[derive(Debug)]
pub struct WorkerProcess {
    process: HANDLE,
    id: u32,
}

// SAFETY: a process' handle belongs to our process, and the calls on it may come from any thread.
unsafe impl Send for WorkerProcess {}

impl WorkerProcess {
    /// Ends the process, if it has not ended, and says how it did.
    pub fn end(&self, patience: Duration) -> String {
        let code = self.exit_code(Duration::ZERO).or_else(|| {
            // SAFETY: the handle is ours.
            unsafe { TerminateProcess(self.process, ENDED_BY_SERVICE) };
            self.exit_code(patience)
        });
        match code {
            Some(ENDED_BY_SERVICE) => "ended by the service".to_owned(),
            Some(code) => format!("exit code {code:#x}"),
            None => "it cannot be ended".to_owned(),
        }
    }

    /// Waits for the process to end by itself.
    pub fn exit_code(&self, patience: Duration) -> Option<u32> {
        let mut code = 0;
        let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX - 1);
        // SAFETY: the handle is ours.
        unsafe {
            (WaitForSingleObject(self.process, millis) == WAIT_OBJECT_0
                && GetExitCodeProcess(self.process, &raw mut code) != 0)
                .then_some(code)
        }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // SAFETY: nobody else closes the handle.
        unsafe { CloseHandle(self.process) };
    }
}

/// The service's end of a worker's pipe, before the worker has come.
#[derive(Debug)]
pub struct WorkerPipe {
    pipe: NamedPipeServer,
}

impl WorkerPipe {
    /// Makes a pipe of this name, which nobody can have guessed, for the system alone.
    ///
    /// # Errors
    /// When there is such a pipe already.
    pub fn new(name: &str) -> io::Result<Self> {
        Self::protected(name, Protected::Pipe)
    }

    /// Makes a pipe of this name for a program with administrator rights.
    ///
    /// # Errors
    /// When there is such a pipe already.
    pub fn for_administrator(name: &str) -> io::Result<Self> {
        Self::protected(name, Protected::AdministratorsPipe)
    }

    fn protected(name: &str, kind: Protected) -> io::Result<Self> {
        let descriptor = Descriptor::of(kind)?;
        let mut attributes = descriptor.attributes();
        // SAFETY: the attributes and their descriptor live until the pipe is made.
        let pipe = unsafe {
            ServerOptions::new()
                .first_pipe_instance(true)
                .reject_remote_clients(true)
                .max_instances(1)
                .create_with_security_attributes_raw(path(name), (&raw mut attributes).cast())
        }?;
        Ok(Self { pipe })
    }

    /// Waits for the worker. Whoever else comes is refused, and so is the worker after that.
    ///
    /// # Errors
    /// The system's, or somebody else's process came.
    pub async fn accept(self, worker: u32) -> io::Result<NamedPipeServer> {
        self.pipe.connect().await?;
        let mut client = 0;
        // SAFETY: the pipe is open, and the number has a place.
        let known =
            unsafe { GetNamedPipeClientProcessId(self.pipe.as_raw_handle(), &raw mut client) };
        if known == 0 {
            return Err(io::Error::last_os_error());
        }
        if client != worker {
            let message = format!("process {client} opened the pipe of worker {worker}");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(self.pipe)
    }
}

impl WorkerProcess {
    /// Starts a program of ours in a desktop session, as the account that this process runs as.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] for everybody but the system.
    pub fn start<A: AsRef<OsStr>>(
        session: u32,
        program: &Path,
        arguments: &[A],
    ) -> Result<Self, PlatformError> {
        // Under Wine a program's threads begin on the desktop of the thread that started
        // it, whatever that asked for. On Windows a service stays where it is.
        if is_wine() {
            input_desktop::go_to_the_users_desktop()?;
        }
        Self::start_with(&tokens::for_session(session)?, program, arguments)
    }

    /// Starts a program in a desktop session as the person who is signed in there.
    ///
    /// # Errors
    /// [`PlatformError::Denied`] for everybody but the system, and where nobody is signed in the system's.
    pub fn start_as_user<A: AsRef<OsStr>>(
        session: u32,
        program: &Path,
        arguments: &[A],
    ) -> Result<Self, PlatformError> {
        Self::start_with(&tokens::of_user(session)?, program, arguments)
    }

    fn start_with<A: AsRef<OsStr>>(
        token: &tokens::Token,
        program: &Path,
        arguments: &[A],
    ) -> Result<Self, PlatformError> {
        let mut line = Vec::new();
        let arguments: Vec<Vec<u16>> = arguments
            .iter()
            .map(|argument| argument.as_ref().encode_wide().collect())
            .collect();
        let own: Vec<u16> = program.as_os_str().encode_wide().collect();
        command_line(&mut line, &own, &arguments);
        line.push(0);
        let program: Vec<u16> = program.as_os_str().encode_wide().chain([0]).collect();
        let mut desktop = wide(DESKTOP);
        let startup = STARTUPINFOW {
            cb: size_of::<STARTUPINFOW>() as u32,
            lpDesktop: desktop.as_mut_ptr(),
            ..Default::default()
        };
        let mut started = PROCESS_INFORMATION::default();
        // SAFETY: program, line and desktop end with a zero and outlive the call; no handle is
        // inherited; the environment is our own.
        let known = unsafe {
            CreateProcessAsUserW(
                token.handle(),
                program.as_ptr(),
                line.as_mut_ptr(),
                null(),
                null(),
                0,
                CREATE_NO_WINDOW,
                null(),
                null(),
                &raw const startup,
                &raw mut started,
            )
        };
        if known == 0 {
            return Err(last_error("CreateProcessAsUser"));
        }
        // SAFETY: the first thread's handle is ours and not needed.
        unsafe { CloseHandle(started.hThread) };
        Ok(Self {
            process: started.hProcess,
            id: started.dwProcessId,
        })
    }

    /// The process' number, for [`WorkerPipe::accept`].
    pub const fn id(&self) -> u32 {
        self.id
    }
}

/// The worker's end of its pipe.
///
/// # Errors
/// When there is no such pipe, or it is another process' already.
pub fn open_pipe(name: &str) -> io::Result<NamedPipeClient> {
    ClientOptions::new().open(path(name))
}

fn path(name: &str) -> String {
    format!(r"\\.\pipe\{name}")
}
