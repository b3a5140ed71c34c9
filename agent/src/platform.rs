//! The only file of the agent that knows which operating systems there are.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use gc_platform::Host;
use gc_session::OsFamily;
use tokio::net::TcpStream;

use crate::connection::Stream;
use crate::help::Door;
use crate::supervisor::Launcher;

#[cfg(target_os = "linux")]
type ThisHost = gc_platform_x11::LinuxHost;

#[cfg(windows)]
type ThisHost = gc_platform_windows::WindowsHost;

/// The machine that this program runs on.
pub fn host() -> impl Host {
    ThisHost::default()
}

/// Its family of systems, as viewers need it for key chords.
pub const fn os_family() -> OsFamily {
    if cfg!(windows) {
        OsFamily::Windows
    } else {
        OsFamily::Linux
    }
}

/// Where the program is started from is not to decide what is loaded into it. First of all.
pub fn load_libraries_of_the_system_only() {
    #[cfg(windows)]
    gc_platform_windows::load_libraries_of_windows_only();
}

/// Waits until the system or a person wants the program to end.
///
/// # Errors
/// When signals cannot be received.
#[cfg(unix)]
pub async fn stop_requested() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

/// Waits until the system or a person wants the program to end.
///
/// # Errors
/// When console events cannot be received.
#[cfg(windows)]
pub async fn stop_requested() -> io::Result<()> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

    let (mut interrupt, mut pause) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = pause.recv() => {}
        _ = close.recv() => {}
        _ = shutdown.recv() => {}
    }
    Ok(())
}

/// Lets the socket take little before it has sent it: enough to keep the line busy. What waits for
/// the line waits in the program, where it is bounded, and not in a buffer of the system's that
/// grows to megabytes. A system that refuses still works.
#[cfg(target_os = "linux")]
pub(crate) fn bound_unsent(stream: &TcpStream) {
    const UNSENT_BYTES: u32 = 32 * 1024;
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT was refused");
    }
}

/// Windows bounds it by what the line can have on its way ("ideal send backlog"), and a setting of
/// ours (`SO_SNDBUF`) would end that.
#[cfg(windows)]
pub(crate) const fn bound_unsent(_stream: &TcpStream) {}

/// Starts a program on a desktop that somebody looks at, without a window.
#[cfg(unix)]
pub(crate) const fn without_window(_command: &mut Command) {}

/// Starts a program on a desktop that somebody looks at, without a window.
#[cfg(windows)]
pub(crate) fn without_window(command: &mut Command) {
    use std::os::windows::process::CommandExt as _;

    /// `CREATE_NO_WINDOW`
    const NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(NO_WINDOW);
}

/// Where programs of this machine's users come in to ask for help: a socket beside
/// the keys, so that it is for whoever the agent runs as.
///
/// # Errors
/// The system's.
#[cfg(unix)]
pub(crate) fn open_door(data_dir: &Path) -> io::Result<Box<dyn Door>> {
    Ok(Box::new(socket::UnixDoor::open(data_dir)?))
}

/// The other end of [`open_door`], for a program of the user's.
///
/// # Errors
/// No agent runs with that data directory, or not for this user.
#[cfg(unix)]
pub(crate) async fn knock(data_dir: &Path) -> io::Result<Box<dyn Stream>> {
    let path = data_dir.join(socket::NAME);
    Ok(Box::new(tokio::net::UnixStream::connect(path).await?))
}

/// Where programs of this machine's users come in to ask for help.
///
/// # Errors
/// The system's, or another agent runs with that data directory.
#[cfg(windows)]
pub(crate) fn open_door(data_dir: &Path) -> io::Result<Box<dyn Door>> {
    let pipe = gc_platform_windows::HelpPipe::open(&trays::pipe_name(data_dir))?;
    Ok(Box::new(trays::PipeDoor(pipe)))
}

/// The other end of [`open_door`], for a program of the user's.
///
/// # Errors
/// No agent runs with that data directory, or another program pretends to be it.
#[cfg(windows)]
pub(crate) async fn knock(data_dir: &Path) -> io::Result<Box<dyn Stream>> {
    let name = trays::pipe_name(data_dir);
    Ok(Box::new(gc_platform_windows::open_help_pipe(&name).await?))
}

#[cfg(windows)]
pub(crate) use trays::Trays;

/// Icons of users' logins, which this system does not have.
#[cfg(unix)]
pub(crate) struct Trays;

#[cfg(unix)]
impl Trays {
    pub(crate) fn new(_arguments: Vec<OsString>) -> Self {
        Self
    }

    /// Starts those that are missing.
    pub(crate) fn started(self) -> Self {
        self
    }
}

#[cfg(windows)]
mod trays {
    use std::ffi::OsString;
    use std::fmt::Write as _;
    use std::path::Path;
    use std::time::Duration;

    use gc_platform_windows::{HelpPipe, WorkerProcess, logins, start_for_user};
    use sha2::{Digest as _, Sha256};
    use tracing::debug;

    use crate::help::{Door, Knock, Visitor};

    /// Each data directory has an agent, and each agent a pipe.
    pub(super) fn pipe_name(data_dir: &Path) -> String {
        let path = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        let path = path.to_string_lossy().to_lowercase();
        let mut name = "guruconnect-help-".to_owned();
        for byte in &Sha256::digest(path.as_bytes())[..8] {
            let _never_fails = write!(name, "{byte:02x}");
        }
        name
    }

    pub(super) struct PipeDoor(pub(super) HelpPipe);

    impl Door for PipeDoor {
        fn next(&mut self) -> Knock<'_> {
            Box::pin(async {
                let (pipe, user) = self.0.accept().await?;
                Ok(Visitor {
                    stream: Box::new(pipe),
                    user: Some(user),
                })
            })
        }
    }

    /// The icons of users' logins.
    pub(crate) struct Trays {
        arguments: Vec<OsString>,
        running: Vec<(u32, WorkerProcess)>,
    }

    impl Trays {
        pub(crate) fn new(arguments: Vec<OsString>) -> Self {
            Self {
                arguments,
                running: Vec::new(),
            }
        }

        /// Starts those that are missing. Asks the system, which may take its time.
        pub(crate) fn started(mut self) -> Self {
            self.running
                .retain(|(_, process)| process.exit_code(Duration::ZERO).is_none());
            let Ok(program) = std::env::current_exe() else {
                return self;
            };
            for login in logins() {
                let session = login.session;
                if self.running.iter().any(|(other, _)| *other == session) {
                    continue;
                }
                // Nobody is signed in there, as a rule.
                match start_for_user(session, &program, &self.arguments) {
                    Ok(process) => self.running.push((session, process)),
                    Err(error) => debug!(session, %error, "No icon for that login"),
                }
            }
            self
        }
    }
}

#[cfg(unix)]
mod socket {
    use std::fs::{Permissions, remove_file, set_permissions};
    use std::io;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use tokio::net::UnixListener;

    use crate::help::{Door, Knock, Visitor};

    pub(super) const NAME: &str = "help.sock";

    pub(super) struct UnixDoor(UnixListener);

    impl UnixDoor {
        pub(super) fn open(data_dir: &Path) -> io::Result<Self> {
            let path = data_dir.join(NAME);
            // Of an agent before this one: two never share a data directory.
            match remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            // The directory keeps others out already.
            set_permissions(&path, Permissions::from_mode(0o600))?;
            Ok(Self(listener))
        }
    }

    impl Door for UnixDoor {
        fn next(&mut self) -> Knock<'_> {
            Box::pin(async {
                let (stream, _) = self.0.accept().await?;
                Ok(Visitor {
                    stream: Box::new(stream),
                    user: None,
                })
            })
        }
    }
}

/// Starts workers in the desktop session that shows, with these arguments; `None`
/// where the agent runs in that session itself.
#[cfg(unix)]
pub(crate) fn worker_launcher(_arguments: Vec<OsString>) -> Option<Box<dyn Launcher>> {
    None
}

/// The worker's end of its pipe.
///
/// # Errors
/// There are no workers on this system.
#[cfg(unix)]
pub(crate) fn open_worker_pipe(_name: &str) -> io::Result<Box<dyn Stream>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Starts workers in the desktop session that shows, with these arguments; `None`
/// where the agent runs in that session itself.
#[cfg(windows)]
pub(crate) fn worker_launcher(arguments: Vec<OsString>) -> Option<Box<dyn Launcher>> {
    Some(Box::new(workers::WindowsLauncher { arguments }))
}

/// The worker's end of its pipe.
///
/// # Errors
/// The system's.
#[cfg(windows)]
pub(crate) fn open_worker_pipe(name: &str) -> io::Result<Box<dyn Stream>> {
    Ok(Box::new(gc_platform_windows::open_pipe(name)?))
}

/// Starts this program anew with administrator rights, to take over from this one. The
/// connection to it.
///
/// # Errors
/// There are no such programs on this system.
#[cfg(unix)]
pub(crate) async fn start_successor() -> io::Result<Box<dyn Stream>> {
    std::future::ready(Err(io::ErrorKind::Unsupported.into())).await
}

/// Starts this program anew with administrator rights, to take over from this one. The
/// connection to it.
///
/// # Errors
/// The system's; [`io::ErrorKind::PermissionDenied`] when the user did not agree.
#[cfg(windows)]
pub(crate) async fn start_successor() -> io::Result<Box<dyn Stream>> {
    workers::start_successor().await
}

#[cfg(windows)]
mod workers {
    use std::ffi::OsString;
    use std::fmt::Write as _;
    use std::io;
    use std::time::Duration;

    use gc_platform::PlatformError;
    use gc_platform_windows::{WorkerPipe, WorkerProcess, logins, showing_session, start_elevated};
    use tokio::task::spawn_blocking;
    use tokio::time::timeout;

    use crate::broker::DesktopSession;
    use crate::clock::random_bytes;
    use crate::connection::Stream;
    use crate::supervisor::{self, Launched, Launcher, Login};

    /// 20 s: the program was started and only has to open a pipe.
    const COMING_PATIENCE: Duration = Duration::from_secs(20);

    /// 2 s: a process that was told to end by the system is gone at once.
    const END_PATIENCE: Duration = Duration::from_secs(2);

    pub(super) struct WindowsLauncher {
        pub(super) arguments: Vec<OsString>,
    }

    impl Launcher for WindowsLauncher {
        fn showing(&self) -> Option<DesktopSession> {
            showing_session().map(DesktopSession)
        }

        fn sessions(&self) -> Vec<Login> {
            let found = logins().into_iter();
            found
                .map(|login| Login {
                    session: DesktopSession(login.session),
                    user: login.user,
                })
                .collect()
        }

        fn launch(&mut self, session: DesktopSession) -> io::Result<Launched> {
            let name = pipe_name();
            let pipe = WorkerPipe::new(&name)?;
            let mut arguments = self.arguments.clone();
            arguments.extend(["worker".into(), "--pipe".into(), name.into()]);
            let process = WorkerProcess::start(session.0, &std::env::current_exe()?, &arguments)
                .map_err(io::Error::other)?;
            let id = process.id();
            Ok(Launched {
                pipe: Box::pin(async move {
                    let pipe: Box<dyn Stream> = Box::new(pipe.accept(id).await?);
                    Ok(pipe)
                }),
                process: Box::new(Process(process)),
            })
        }
    }

    /// Nobody can make a pipe of that name before we do.
    fn pipe_name() -> String {
        let mut name = "guruconnect-".to_owned();
        for byte in random_bytes::<16>() {
            let _never_fails = write!(name, "{byte:02x}");
        }
        name
    }

    pub(super) async fn start_successor() -> io::Result<Box<dyn Stream>> {
        let name = pipe_name();
        let pipe = WorkerPipe::for_administrator(&name)?;
        let program = std::env::current_exe()?;
        let arguments = ["--take-over".into(), name.into()];
        let starting = spawn_blocking(move || start_elevated(&program, &arguments));
        let id = starting.await?.map_err(|error| match error {
            PlatformError::Denied(_) => io::ErrorKind::PermissionDenied.into(),
            error => io::Error::other(error),
        })?;
        let pipe = timeout(COMING_PATIENCE, pipe.accept(id)).await??;
        Ok(Box::new(pipe))
    }

    struct Process(WorkerProcess);

    impl supervisor::WorkerProcess for Process {
        fn end(&mut self, grace: Duration) -> String {
            self.0.exit_code(grace);
            self.0.end(END_PATIENCE)
        }
    }
}
