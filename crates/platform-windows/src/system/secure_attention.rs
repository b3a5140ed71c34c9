//! Ctrl+Alt+Del, which no ordinary program may press: only a service of the
//! system can, where policy lets it (`SoftwareSASGeneration`).

use gc_platform::PlatformError;
use windows_sys::Win32::Foundation::FALSE;
use windows_sys::core::BOOL;

use super::os::{Function, is_wine, system_function};
use super::registry;
use super::tokens;

/// True when [`send`] has an effect.
pub(crate) fn is_available() -> bool {
    !is_wine() && tokens::is_local_system() && is_allowed_by_policy() && function().is_some()
}

/// Presses Ctrl+Alt+Del.
pub(crate) fn send() -> Result<(), PlatformError> {
    // Wine exports the function and ends the program that calls it.
    let function = if is_available() { function() } else { None };
    let Some(function) = function else {
        return Err(PlatformError::Unsupported("Ctrl+Alt+Del"));
    };
    // SAFETY: the documented signature of SendSAS.
    let send_sas =
        unsafe { std::mem::transmute::<Function, unsafe extern "system" fn(BOOL)>(function) };
    // SAFETY: false: the caller is a service, not a program of the user.
    unsafe { send_sas(FALSE) };
    Ok(())
}

fn function() -> Option<Function> {
    system_function("sas.dll", c"SendSAS")
}

fn is_allowed_by_policy() -> bool {
    const SERVICES: u32 = 1;
    let policies = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System";
    registry::read_number(policies, "SoftwareSASGeneration")
        .is_some_and(|allowed| allowed & SERVICES != 0)
}
