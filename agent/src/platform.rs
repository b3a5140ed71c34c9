//! The only file of the agent that knows which operating systems there are.

use std::io;

use gc_platform::Host;
use gc_session::OsFamily;

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
