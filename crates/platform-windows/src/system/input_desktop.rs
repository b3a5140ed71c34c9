//! Windows has several desktops side by side: the user's, and the secure one of
//! the lock screen and of elevation prompts. A thread sees and controls the one
//! that it is attached to, so before work it follows the one that shows.

use gc_platform::PlatformError;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, GetLastError};
use windows_sys::Win32::System::StationsAndDesktops::{
    CloseDesktop, DESKTOP_CREATEWINDOW, DESKTOP_ENUMERATE, DESKTOP_HOOKCONTROL,
    DESKTOP_JOURNALPLAYBACK, DESKTOP_READOBJECTS, DESKTOP_SWITCHDESKTOP, DESKTOP_WRITEOBJECTS,
    GetThreadDesktop, GetUserObjectInformationW, HDESK, OpenDesktopW, OpenInputDesktop,
    OpenWindowStationW, SetProcessWindowStation, SetThreadDesktop, UOI_NAME,
};
use windows_sys::Win32::System::SystemServices::MAXIMUM_ALLOWED;
use windows_sys::Win32::System::Threading::GetCurrentThreadId;

use super::os::{from_wide, last_error, wide};

/// What became of following.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// The thread was on the desktop that shows.
    Already,
    /// The thread is on another desktop now.
    Switched,
    /// A desktop shows that this account may not see, like the lock screen.
    Refused,
}

/// The desktop that a thread was attached to; open while the thread uses it.
#[derive(Default)]
pub(crate) struct ThreadDesktop {
    attached: Option<OpenDesktop>,
}

impl ThreadDesktop {
    /// Attaches the calling thread to the desktop that shows now.
    pub(crate) fn follow(&mut self) -> Result<Followed, PlatformError> {
        let showing = match OpenDesktop::that_shows() {
            Ok(desktop) => desktop,
            Err(PlatformError::Denied(_)) => return Ok(Followed::Refused),
            Err(error) => return Err(error),
        };
        // SAFETY: takes a number; the handle needs no closing.
        let current = unsafe { GetThreadDesktop(GetCurrentThreadId()) };
        if !current.is_null() && name(current) == name(showing.0) {
            return Ok(Followed::Already);
        }
        // SAFETY: the desktop is open and stays so while the thread is on it: `attached` keeps it.
        if unsafe { SetThreadDesktop(showing.0) } == 0 {
            // SAFETY: takes nothing.
            return if unsafe { GetLastError() } == ERROR_ACCESS_DENIED {
                Ok(Followed::Refused)
            } else {
                Err(last_error("SetThreadDesktop"))
            };
        }
        self.attached = Some(showing);
        Ok(Followed::Switched)
    }
}

/// Attaches this process and the calling thread to where people see and control
/// things, for as long as they live.
pub(crate) fn go_to_the_users_desktop() -> Result<(), PlatformError> {
    let (station, desktop) = (wide("WinSta0"), wide("Default"));
    // SAFETY: the names end with a zero. What is used from now on is not closed.
    unsafe {
        let station = OpenWindowStationW(station.as_ptr(), 0, MAXIMUM_ALLOWED);
        if station.is_null() || SetProcessWindowStation(station) == 0 {
            return Err(last_error("SetProcessWindowStation"));
        }
        let desktop = OpenDesktopW(desktop.as_ptr(), 0, 0, MAXIMUM_ALLOWED);
        if desktop.is_null() || SetThreadDesktop(desktop) == 0 {
            return Err(last_error("SetThreadDesktop"));
        }
    }
    Ok(())
}

struct OpenDesktop(HDESK);

// SAFETY: a desktop's handle belongs to the process.
unsafe impl Send for OpenDesktop {}

impl OpenDesktop {
    fn that_shows() -> Result<Self, PlatformError> {
        let access = DESKTOP_CREATEWINDOW
            | DESKTOP_ENUMERATE
            | DESKTOP_HOOKCONTROL
            | DESKTOP_JOURNALPLAYBACK
            | DESKTOP_READOBJECTS
            | DESKTOP_SWITCHDESKTOP
            | DESKTOP_WRITEOBJECTS;
        // SAFETY: takes numbers.
        let desktop = unsafe { OpenInputDesktop(0, 0, access) };
        if desktop.is_null() {
            Err(last_error("OpenInputDesktop"))
        } else {
            Ok(Self(desktop))
        }
    }
}

impl Drop for OpenDesktop {
    fn drop(&mut self) {
        // SAFETY: ours. Fails, and leaks until the process ends, only while a thread is still on it.
        unsafe { CloseDesktop(self.0) };
    }
}

fn name(desktop: HDESK) -> String {
    let mut buffer = [0_u16; 256];
    let mut needed = 0;
    // SAFETY: the buffer is as large as said.
    unsafe {
        GetUserObjectInformationW(
            desktop,
            UOI_NAME,
            buffer.as_mut_ptr().cast(),
            size_of_val(&buffer) as u32,
            &raw mut needed,
        );
    }
    from_wide(&buffer)
}
