//! Lock, sign out, restart, switch off, and safe mode.

use std::os::windows::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::ptr::null;

use gc_model::power::PowerAction;
use gc_platform::{PlatformError, Power};
use windows_sys::Win32::Foundation::{FALSE, TRUE};
use windows_sys::Win32::System::RemoteDesktop::WTS_CURRENT_SERVER_HANDLE;
use windows_sys::Win32::System::Shutdown::{
    EWX_LOGOFF, ExitWindowsEx, InitiateSystemShutdownExW, LockWorkStation,
    SHTDN_REASON_FLAG_PLANNED, SHTDN_REASON_MAJOR_OTHER,
};
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;
use windows_sys::Win32::UI::WindowsAndMessaging::{GetSystemMetrics, SM_CLEANBOOT};

use super::host::session_user;
use super::late::WTSLogoffSession;
use super::os::{Function, is_wine, last_error, loaded_function, system_directory};
use super::worker::{WorkerProcess, showing_session};
use super::{registry, tokens};
use crate::boot::{SHOW_NEXT_START, boot_edits, starts_in_safe_mode};

/// What Windows runs once after the next sign-in, in safe mode too (the `*`): the way back
/// when our service does not start there.
const RUN_ONCE_KEY: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce";
const RUN_ONCE_VALUE: &str = "*GuruConnectSafeMode";

/// The privilege without which nobody restarts the machine.
const SHUTDOWN_PRIVILEGE: &str = "SeShutdownPrivilege";

/// This machine's power.
#[derive(Debug, Clone, Copy, Default)]
pub struct WindowsPower;

impl Power for WindowsPower {
    fn can(&self, action: PowerAction) -> bool {
        match action {
            PowerAction::Lock
            | PowerAction::LogOff
            | PowerAction::Restart
            | PowerAction::ShutDown => !is_wine(),
            _ => !is_wine() && tokens::is_local_system(),
        }
    }

    fn act(&self, action: PowerAction, desktop_session: Option<u32>) -> Result<(), PlatformError> {
        if !self.can(action) {
            return Err(PlatformError::Unsupported("this power action"));
        }
        match action {
            PowerAction::Lock => lock(desktop_session),
            PowerAction::LogOff => log_off(desktop_session),
            PowerAction::Restart => shut_down(true),
            PowerAction::ShutDown => shut_down(false),
            PowerAction::EmergencyRestart => restart_at_once(),
            PowerAction::SafeMode | PowerAction::SafeModeNetwork | PowerAction::SafeModePrompt => {
                Err(PlatformError::Unsupported("this power action"))
            }
        }
    }

    fn login(&self, desktop_session: Option<u32>) -> String {
        let session = desktop_session.or_else(showing_session);
        session.map_or_else(String::new, session_user)
    }

    fn set_safe_mode(&self, kind: Option<PowerAction>) -> Result<(), PlatformError> {
        let failed = |source| PlatformError::Os {
            call: "bcdedit",
            source,
        };
        let program = bcdedit().ok_or(PlatformError::Unsupported("safe mode"))?;
        for edit in boot_edits(kind) {
            let status = run(&program, edit.arguments)
                .stdout(Stdio::null())
                .status()
                .map_err(failed)?;
            if !status.success() && !edit.may_fail {
                return Err(failed(std::io::Error::other(status.to_string())));
            }
        }
        if kind.is_some() {
            let line = format!(
                "\"{}\" /deletevalue {{current}} safeboot",
                program.display()
            );
            registry::write_text(RUN_ONCE_KEY, RUN_ONCE_VALUE, &line).map_err(|source| {
                PlatformError::Os {
                    call: "RegSetKeyValue",
                    source,
                }
            })
        } else {
            // A delete that fails says nothing: there may have been nothing to delete.
            let answer = run(&program, SHOW_NEXT_START).output().map_err(failed)?;
            if !answer.status.success() {
                return Err(failed(std::io::Error::other(answer.status.to_string())));
            }
            if starts_in_safe_mode(&String::from_utf8_lossy(&answer.stdout)) {
                let message = "the next start is still one into safe mode";
                return Err(failed(std::io::Error::other(message)));
            }
            // Only now: until then it is one more way back.
            registry::delete_machine_value(RUN_ONCE_KEY, RUN_ONCE_VALUE);
            Ok(())
        }
    }

    fn is_in_safe_mode(&self) -> bool {
        // SAFETY: takes a number.
        unsafe { GetSystemMetrics(SM_CLEANBOOT) != 0 }
    }
}

fn run(program: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .creation_flags(CREATE_NO_WINDOW);
    command
}

/// Windows' own, also for a 32-bit program, whose view of the system's directory is another.
fn bcdedit() -> Option<std::path::PathBuf> {
    let system = system_directory()?;
    let native = system.parent()?.join("Sysnative").join("bcdedit.exe");
    [native, system.join("bcdedit.exe")]
        .into_iter()
        .find(|path| path.exists())
}

/// A service has no screen to lock, so a program of the person's own does it for it.
fn lock(desktop_session: Option<u32>) -> Result<(), PlatformError> {
    if tokens::is_local_system() {
        let session = desktop_session
            .or_else(showing_session)
            .ok_or(PlatformError::Gone("the desktop session"))?;
        let program = system_directory()
            .ok_or(PlatformError::Unsupported("locking"))?
            .join("rundll32.exe");
        let arguments = ["user32.dll,LockWorkStation"];
        return WorkerProcess::start_as_user(session, &program, &arguments).map(drop);
    }
    // SAFETY: takes nothing.
    if unsafe { LockWorkStation() } == 0 {
        return Err(last_error("LockWorkStation"));
    }
    Ok(())
}

fn log_off(desktop_session: Option<u32>) -> Result<(), PlatformError> {
    let reason = SHTDN_REASON_MAJOR_OTHER | SHTDN_REASON_FLAG_PLANNED;
    let is_service = tokens::is_local_system();
    let session = desktop_session.or_else(showing_session);
    // SAFETY: take numbers. FALSE: the sign-out itself is not waited for.
    let done = unsafe {
        match session {
            Some(session) if is_service => {
                WTSLogoffSession(WTS_CURRENT_SERVER_HANDLE, session, FALSE)
            }
            _ => ExitWindowsEx(EWX_LOGOFF, reason),
        }
    };
    if done == 0 {
        return Err(last_error("signing out"));
    }
    Ok(())
}

/// Programs are told, and those that do not end are ended.
fn shut_down(restarts: bool) -> Result<(), PlatformError> {
    tokens::enable_privilege(SHUTDOWN_PRIVILEGE)?;
    let reason = SHTDN_REASON_MAJOR_OTHER | SHTDN_REASON_FLAG_PLANNED;
    // SAFETY: no name stands for this machine, and no text for none.
    let done = unsafe {
        InitiateSystemShutdownExW(
            null(),
            null(),
            0,
            TRUE,
            if restarts { TRUE } else { FALSE },
            reason,
        )
    };
    if done == 0 {
        return Err(last_error("InitiateSystemShutdownEx"));
    }
    Ok(())
}

fn restart_at_once() -> Result<(), PlatformError> {
    /// Of `SHUTDOWN_ACTION`: restart.
    const REBOOT: i32 = 1;
    tokens::enable_privilege(SHUTDOWN_PRIVILEGE)?;
    let function = loaded_function("ntdll.dll", c"NtShutdownSystem")
        .ok_or(PlatformError::Unsupported("restarting at once"))?;
    // SAFETY: the signature that every Windows since NT 4 has.
    let shut_down_now =
        unsafe { std::mem::transmute::<Function, unsafe extern "system" fn(i32) -> i32>(function) };
    // SAFETY: takes a number.
    let status = unsafe { shut_down_now(REBOOT) };
    if status < 0 {
        return Err(PlatformError::Os {
            call: "NtShutdownSystem",
            source: std::io::Error::other(format!("status {status:#x}")),
        });
    }
    Ok(())
}
