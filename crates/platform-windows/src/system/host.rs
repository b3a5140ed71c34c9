//! The machine: its facts, and where the agent's files are.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gc_platform::guest::GuestWindow;
use gc_platform::{
    Desktop, Facts, FilmEncoders, Guardian, Guards, Host, MachineFilms, PlatformError, Power,
    Preset, Removed, ServiceControl, Tray,
};
use windows_sys::Win32::System::RemoteDesktop::{
    WTS_INFO_CLASS, WTSDomainName, WTSGetActiveConsoleSessionId, WTSUserName,
};
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW, GetNativeSystemInfo, GetTickCount64,
    PROCESSOR_ARCHITECTURE_AMD64, PROCESSOR_ARCHITECTURE_ARM64, PROCESSOR_ARCHITECTURE_INTEL,
    SYSTEM_INFO,
};
use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

use super::desktop::WindowsDesktop;
use super::guardian::{self, WindowsGuardian};
use super::guest::WindowsGuestWindow;
use super::late::{WTSFreeMemory, WTSQuerySessionInformationW};
use super::os::{Version, from_wide};
use super::power::WindowsPower;
use super::service::WindowsService;
use super::tray::WindowsTray;
use super::{
    graphics, hardware, media, private_files, program_files, registry, secrets, slot, tokens,
};

/// Where an installer or an administrator leaves settings.
const SETTINGS_KEY: &str = r"SOFTWARE\GuruConnect";

/// Where Windows names the folder for programs' data.
const PROFILES_KEY: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// This Windows machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct WindowsHost;

impl Host for WindowsHost {
    fn facts(&self) -> Facts {
        let version = Version::current();
        Facts {
            host_name: host_name(),
            os_family: "windows",
            os_name: os_name(version),
            os_version: format!("{}.{}.{}", version.major, version.minor, version.build),
            architecture: architecture(),
            current_user: current_user(),
            boot_time_unix: boot_time_unix(),
        }
    }

    fn installation(&self) -> Option<String> {
        hardware::installation()
    }

    fn open_desktop(&self) -> Result<Box<dyn Desktop>, PlatformError> {
        Ok(Box::new(WindowsDesktop::open()?))
    }

    fn default_data_dir(&self) -> Result<PathBuf, PlatformError> {
        // Not the environment: it is another one in a service than for a person.
        let programs = registry::read_text(PROFILES_KEY, "ProgramData");
        let programs = programs.unwrap_or_else(|| r"C:\ProgramData".to_owned());
        Ok(Path::new(&programs).join("GuruConnect"))
    }

    fn default_log_file(&self, data_dir: &Path) -> PathBuf {
        data_dir.join("Logs").join("agent.log")
    }

    fn preset(&self) -> Preset {
        Preset {
            server: registry::read_text(SETTINGS_KEY, "Server"),
            api_key: registry::read_text(SETTINGS_KEY, "ApiKey"),
        }
    }

    fn create_private_dir(&self, path: &Path) -> io::Result<()> {
        private_files::create_dir(path)
    }

    fn replace_private_file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        private_files::replace_file(path, content)
    }

    fn protect(&self, secret: &[u8]) -> io::Result<Vec<u8>> {
        secrets::protect(secret)
    }

    fn unprotect(&self, kept: &[u8]) -> io::Result<Vec<u8>> {
        secrets::unprotect(kept)
    }

    fn is_protected(&self, kept: &[u8]) -> bool {
        secrets::is_protected(kept)
    }

    fn forget_preset_key(&self) -> io::Result<()> {
        registry::try_delete_machine_value(SETTINGS_KEY, "ApiKey")
    }

    fn guards(&self) -> Guards {
        guardian::guards()
    }

    fn guardian(&self) -> Result<Box<dyn Guardian>, PlatformError> {
        Ok(Box::new(WindowsGuardian::default()))
    }

    fn film_encoders(&self, which: FilmEncoders) -> Result<MachineFilms, PlatformError> {
        media::film_encoders(which)
    }

    fn graphics(&self) -> Option<String> {
        Some(graphics::description())
    }

    fn power(&self) -> Option<Box<dyn Power>> {
        Some(Box::new(WindowsPower))
    }

    fn open_tray(&self, items: &[&str]) -> Result<Option<Box<dyn Tray>>, PlatformError> {
        let tray = WindowsTray::open(items)?;
        Ok(tray.map(|tray| Box::new(tray) as Box<dyn Tray>))
    }

    fn open_guest_window(&self) -> Result<Box<dyn GuestWindow>, PlatformError> {
        Ok(Box::new(WindowsGuestWindow::open()?))
    }

    fn configuration_slot(&self) -> Vec<u8> {
        slot::content()
    }

    fn remove_program(&self) -> io::Result<Removed> {
        program_files::remove_downloaded()
    }

    fn can_elevate(&self) -> bool {
        !tokens::is_elevated()
    }

    fn is_elevated(&self) -> bool {
        tokens::is_elevated()
    }

    fn service(&self) -> Option<Box<dyn ServiceControl>> {
        Some(Box::new(WindowsService))
    }
}

fn host_name() -> String {
    let mut buffer = [0_u16; 256];
    let mut length = buffer.len() as u32;
    // SAFETY: the buffer is as long as said.
    let known = unsafe {
        GetComputerNameExW(
            ComputerNamePhysicalDnsHostname,
            buffer.as_mut_ptr(),
            &raw mut length,
        )
    };
    if known == 0 {
        String::new()
    } else {
        from_wide(&buffer)
    }
}

fn os_name(version: Version) -> String {
    let name = registry::read_text(
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion",
        "ProductName",
    );
    let name = name.unwrap_or_else(|| "Windows".to_owned());
    if version >= Version::WINDOWS_11 {
        name.replace("Windows 10", "Windows 11")
    } else {
        name
    }
}

fn architecture() -> &'static str {
    let mut info = SYSTEM_INFO::default();
    // SAFETY: takes a place for the structure.
    unsafe { GetNativeSystemInfo(&raw mut info) };
    // SAFETY: Windows fills in this variant of the union.
    match unsafe { info.Anonymous.Anonymous.wProcessorArchitecture } {
        PROCESSOR_ARCHITECTURE_AMD64 => "x86_64",
        PROCESSOR_ARCHITECTURE_INTEL => "x86",
        PROCESSOR_ARCHITECTURE_ARM64 => "aarch64",
        _ => std::env::consts::ARCH,
    }
}

/// Who is signed in at the screen, or else whose process this is.
fn current_user() -> String {
    let signed_in = console_user();
    if signed_in.is_empty() && !tokens::is_local_system() {
        own_user()
    } else {
        signed_in
    }
}

fn console_user() -> String {
    // SAFETY: takes nothing.
    session_user(unsafe { WTSGetActiveConsoleSessionId() })
}

/// Who is signed in there; empty for nobody.
pub(crate) fn session_user(session: u32) -> String {
    session_text(session, WTSUserName)
}

/// The same with their domain, so that two of one name are two; `None` for nobody.
pub(crate) fn session_account(session: u32) -> Option<String> {
    account(
        &session_text(session, WTSDomainName),
        &session_user(session),
    )
}

fn account(domain: &str, user: &str) -> Option<String> {
    match (domain, user) {
        (_, "") => None,
        ("", user) => Some(user.to_owned()),
        (domain, user) => Some(format!(r"{domain}\{user}")),
    }
}

fn session_text(session: u32, what: WTS_INFO_CLASS) -> String {
    let mut text = std::ptr::null_mut();
    let mut bytes = 0;
    // SAFETY: Windows makes a text of that many bytes, which is copied before it is freed.
    unsafe {
        let known = WTSQuerySessionInformationW(
            std::ptr::null_mut(),
            session,
            what,
            &raw mut text,
            &raw mut bytes,
        );
        if known == 0 || text.is_null() {
            return String::new();
        }
        let name = from_wide(std::slice::from_raw_parts(text, bytes as usize / 2));
        WTSFreeMemory(text.cast());
        name
    }
}

fn own_user() -> String {
    let mut buffer = [0_u16; 257];
    let mut length = buffer.len() as u32;
    // SAFETY: the buffer is as long as said.
    let known = unsafe { GetUserNameW(buffer.as_mut_ptr(), &raw mut length) };
    if known == 0 {
        String::new()
    } else {
        from_wide(&buffer)
    }
}

fn boot_time_unix() -> u64 {
    // SAFETY: takes nothing.
    let running = Duration::from_millis(unsafe { GetTickCount64() });
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_sub(running).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_the_machine_is() {
        let facts = WindowsHost.facts();

        assert!(!facts.host_name.is_empty());
        assert!(facts.os_name.contains("Windows"), "{}", facts.os_name);
        assert!(
            facts.os_version.starts_with(char::is_numeric),
            "{}",
            facts.os_version
        );
        assert!(["x86_64", "x86", "aarch64"].contains(&facts.architecture));
        assert!(!facts.current_user.is_empty());
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970")
            .as_secs();
        assert!(facts.boot_time_unix > 0 && facts.boot_time_unix <= now);
    }

    #[test]
    fn knows_this_installation_again() {
        let installation = WindowsHost.installation();

        assert!(installation.as_ref().is_some_and(|text| text.len() > 30));
        assert_eq!(installation, WindowsHost.installation());
    }

    #[test]
    fn names_nobody_where_nobody_is_and_two_of_one_name_apart() {
        assert_eq!(account("", ""), None);
        assert_eq!(account("OFFICE", ""), None);
        assert_eq!(account("", "grace").as_deref(), Some("grace"));
        assert_eq!(account("OFFICE", "grace").as_deref(), Some(r"OFFICE\grace"));
    }

    #[test]
    fn logs_beside_its_settings() {
        let data_dir = WindowsHost.default_data_dir().expect("a place");

        let log = WindowsHost.default_log_file(&data_dir);

        assert!(data_dir.is_absolute());
        assert!(
            log.ends_with(r"GuruConnect\Logs\agent.log"),
            "{}",
            log.display()
        );
    }
}
