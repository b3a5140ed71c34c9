//! The only file of the agent that knows which operating systems there are.

use std::ffi::OsString;
use std::io;

use gc_platform::Host;
use gc_session::OsFamily;

use crate::connection::Stream;
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
