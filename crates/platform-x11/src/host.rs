//! A Linux machine: what it is, and where the agent keeps its files.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use gc_platform::guest::GuestWindow;
use gc_platform::{Desktop, Facts, Host, PlatformError, Preset, Removed};

use crate::X11Desktop;
use crate::guest::X11GuestWindow;

/// The machine that this program runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinuxHost;

impl Host for LinuxHost {
    fn facts(&self) -> Facts {
        let system = rustix::system::uname();
        let release = read("/etc/os-release")
            .or_else(|| read("/usr/lib/os-release"))
            .unwrap_or_default();
        Facts {
            host_name: system.nodename().to_string_lossy().into_owned(),
            os_family: "linux",
            os_name: value_of(&release, "NAME").unwrap_or_else(|| "Linux".to_owned()),
            os_version: value_of(&release, "VERSION_ID").unwrap_or_default(),
            architecture: std::env::consts::ARCH,
            current_user: current_user().unwrap_or_default(),
            boot_time_unix: read("/proc/stat")
                .and_then(|stat| boot_time(&stat))
                .unwrap_or(0),
        }
    }

    fn open_desktop(&self) -> Result<Box<dyn Desktop>, PlatformError> {
        if std::env::var_os("DISPLAY").is_none_or(|display| display.is_empty()) {
            return Err(PlatformError::Unsupported(
                "a machine without an X display (DISPLAY is not set)",
            ));
        }
        Ok(Box::new(X11Desktop::connect(None)?))
    }

    fn default_data_dir(&self) -> Result<PathBuf, PlatformError> {
        if rustix::process::geteuid().is_root() {
            return Ok(PathBuf::from("/var/lib/guruconnect"));
        }
        let state = absolute("XDG_STATE_HOME");
        let state = state.or_else(|| Some(absolute("HOME")?.join(".local/state")));
        Ok(state
            .ok_or(PlatformError::Unsupported(
                "a user without a home directory",
            ))?
            .join("guruconnect"))
    }

    fn default_log_file(&self, data_dir: &Path) -> PathBuf {
        data_dir.join("logs/agent.log")
    }

    /// Linux has no installer that leaves settings behind yet; environment and flags do it.
    fn preset(&self) -> Preset {
        Preset::default()
    }

    fn create_private_dir(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)?;
        // It may have been there with other rights.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
    }

    fn replace_private_file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let new = path.with_extension("new");
        // What a crash left is not ours to continue, and its rights are unknown.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // The new name must be on the disk too before anybody is told that the key is kept.
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    fn open_guest_window(&self) -> Result<Box<dyn GuestWindow>, PlatformError> {
        Ok(Box::new(X11GuestWindow::open()?))
    }

    fn configuration_slot(&self) -> Vec<u8> {
        crate::slot::content()
    }

    fn remove_program(&self) -> io::Result<Removed> {
        fs::remove_file(std::env::current_exe()?).map(|()| Removed::Now)
    }

    fn release_memory(&self) {
        crate::memory::release();
    }
}

/// Who sits at the machine according to logind, or else who runs this program.
fn current_user() -> Option<String> {
    let seat = read("/run/systemd/seats/seat0").and_then(|seat| value_of(&seat, "ACTIVE_USER"));
    seat.or_else(|| {
        let uid = rustix::process::getuid().as_raw().to_string();
        let users = read("/etc/passwd")?;
        let line = users
            .lines()
            .find(|line| line.split(':').nth(2) == Some(uid.as_str()))?;
        Some(line.split(':').next()?.to_owned())
    })
}

/// The value of `key` in lines of `KEY=value` or `KEY="value"`.
fn value_of(text: &str, key: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn boot_time(stat: &str) -> Option<u64> {
    stat.lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_says_about_itself() {
        let release =
            "PRETTY_NAME=\"Some Linux 12 (codename)\"\nNAME=\"Some Linux\"\nVERSION_ID=12\n";

        assert_eq!(value_of(release, "NAME").as_deref(), Some("Some Linux"));
        assert_eq!(value_of(release, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(value_of(release, "VERSION"), None);
        assert_eq!(
            boot_time("cpu 1 2\nbtime 1700000000\nprocesses 5\n"),
            Some(1_700_000_000)
        );
    }

    #[test]
    fn knows_this_machine() {
        let facts = LinuxHost.facts();

        assert!(!facts.host_name.is_empty() && !facts.architecture.is_empty());
        assert!(facts.boot_time_unix > 0);
    }
}
