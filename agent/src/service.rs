//! The agent as a service of the system: `install`, `uninstall`, `start`, and
//! serving as the service. What `install` was given is kept in `service.json`
//! beside the keys; what is secret in it is forgotten once the machine is enrolled.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use gc_platform::{Host, PlatformError, ServiceControl, ServiceEvents, ServiceStart};
use serde::{Deserialize, Serialize};
use tracing::error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::cli::{FilmCodecName, Options, QualityCap};
use crate::config::DataDir;
use crate::run::{Orders, Settings, data_dir_of, run_with, start_log};
use crate::{config, films, platform, power, worker};

/// Name of the file in the data directory.
const FILE_NAME: &str = "service.json";

/// Largest `service.json`, in bytes; a real one has about 300.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Registers the agent to be started with the machine.
///
/// # Errors
/// Settings that make no sense, no rights, a system without services of ours.
pub fn install(options: &Options) -> anyhow::Result<()> {
    let host = platform::host();
    let control = control(&host)?;
    Settings::new(options, &host)?;
    let data_dir = data_dir_of(options, &host)?;
    host.create_private_dir(&data_dir)
        .with_context(|| format!("create the data directory {}", data_dir.display()))?;
    let kept = Kept::load(&host, &data_dir)?.unwrap_or_default();
    let kept = kept.with(options)?;
    let can_enrol =
        kept.token.is_some() && (kept.server.is_some() || host.preset().server.is_some());
    if !can_enrol && !config::is_enrolled(&data_dir) {
        bail!(
            "this machine is not enrolled: give --server and --token (an enrolment token from the dashboard)"
        );
    }
    kept.store(&host, &data_dir)?;
    let mut arguments = vec!["service-run".to_owned()];
    if let Some(path) = &options.data_dir {
        let path = std::path::absolute(path).context("name the data directory in full")?;
        let path = path.to_str().context("--data-dir is no readable name")?;
        arguments.extend(["--data-dir".to_owned(), path.to_owned()]);
    }
    let program = std::env::current_exe().context("find this program's own file")?;
    let missing = control
        .install(&program, &arguments)
        .map_err(|error| explained(error, "install the service"))?;
    for what in missing {
        eprintln!("guruconnect-agent: this system could not set {what}");
    }
    println!("Installed {}", control.program()?.display());
    Ok(())
}

/// Takes the service away, and unless told otherwise the machine's keys and logs.
///
/// # Errors
/// No rights, a system without services of ours, files that cannot be deleted.
pub fn uninstall(options: &Options, keep_data: bool) -> anyhow::Result<()> {
    let host = platform::host();
    let was_installed = control(&host)?
        .uninstall()
        .map_err(|error| explained(error, "uninstall the service"))?;
    if !keep_data {
        let data_dir = data_dir_of(options, &host)?;
        remove_data(&data_dir, &host.default_log_file(&data_dir))
            .with_context(|| format!("delete the agent's files in {}", data_dir.display()))?;
    }
    println!(
        "{}",
        if was_installed {
            "Uninstalled"
        } else {
            "The service was not installed"
        }
    );
    Ok(())
}

/// Starts the installed service.
///
/// # Errors
/// Not installed, no rights, or it ends at once.
pub fn start() -> anyhow::Result<()> {
    let started = control(&platform::host())?
        .start()
        .map_err(|error| explained(error, "start the service"))?;
    println!(
        "{}",
        match started {
            ServiceStart::Started => "Started",
            ServiceStart::RanAlready => "The service runs already",
        }
    );
    Ok(())
}

/// For the program started by hand without a word: on a machine that is managed the service is
/// installed, where it is not, and started, instead of running twice. False on any other machine.
///
/// # Errors
/// See [`install`] and [`start`].
pub fn start_if_managed(options: &Options) -> anyhow::Result<bool> {
    let host = platform::host();
    let Some(control) = host.service() else {
        return Ok(false);
    };
    match control.is_installed() {
        Ok(true) => {}
        Ok(false) if config::is_enrolled(&data_dir_of(options, &host)?) => install(options)?,
        // Who may not even ask runs the agent for himself.
        Ok(false) | Err(_) => return Ok(false),
    }
    start().map(|()| true)
}

/// Serves as the service, when the system starts this program as one.
///
/// # Errors
/// When the system did not.
pub fn serve(options: Options) -> anyhow::Result<()> {
    let control = control(&platform::host())?;
    let body = move |events| {
        let result = serve_until_stopped(options, events);
        result.map_err(|error| {
            let said = format!("{error:#}");
            error!(error = said, "The service ends");
            said
        })
    };
    control
        .run(Box::new(body))
        .context("run as a service; only the system starts service-run")
}

fn serve_until_stopped(options: Options, events: ServiceEvents) -> anyhow::Result<()> {
    let host = platform::host();
    let data_dir = data_dir_of(&options, &host)?;
    // First of all: nobody sees what a service prints.
    start_log(&options, &host, &data_dir);
    let options = take_settings(options)?;
    let data = DataDir::open(&host, &data_dir)?;
    run_with(&options, &data, Orders::Service(events))
}

/// The options of the command line with what `install` kept.
fn take_settings(mut options: Options) -> anyhow::Result<Options> {
    let host = platform::host();
    let data_dir = data_dir_of(&options, &host)?;
    if let Some(mut kept) = Kept::load(&host, &data_dir)? {
        options.server = options.server.or(kept.server.take());
        options.token = options.token.or(kept.token.take());
        options.api_key = options.api_key.or(kept.api_key.take());
        options.device_id = options.device_id.or(kept.device_id.take());
        options.quality = options.quality.or(kept.quality);
        options.film_codecs = options.film_codecs.or(kept.film_codecs.take());
        options.hardware_films = options.hardware_films.or(kept.hardware_films);
        options.ca_file = options.ca_file.or(kept.ca_file.take());
        options.power_dry_run |= kept.power_dry_run;
        options.longest_wait_ms = options.longest_wait_ms.or(kept.longest_wait_ms);
    }
    Ok(options)
}

/// The machine is enrolled: what enrolled it is not needed again.
pub(crate) fn forget_secrets(host: &dyn Host, data_dir: &Path) -> anyhow::Result<()> {
    match Kept::load(host, data_dir)? {
        Some(mut kept) if kept.token.is_some() || kept.api_key.is_some() => {
            kept.token.zeroize();
            kept.api_key.zeroize();
            (kept.token, kept.api_key) = (None, None);
            kept.store(host, data_dir)
        }
        _ => Ok(()),
    }
}

fn control(host: &dyn Host) -> anyhow::Result<Box<dyn ServiceControl>> {
    host.service().ok_or_else(|| {
        anyhow!(
            "the agent installs itself as a service on Windows only; \
             here, start it with the session whose screen it is to show"
        )
    })
}

/// An error in words that say what to do.
fn explained(error: PlatformError, what: &'static str) -> anyhow::Error {
    let hint = match &error {
        PlatformError::Denied(_) => Some("run this as an administrator"),
        PlatformError::Gone(_) => {
            Some("it is not installed: run `guruconnect-agent install` first")
        }
        _ => None,
    };
    let error = anyhow::Error::new(error).context(what);
    match hint {
        Some(hint) => error.context(hint),
        None => error,
    }
}

/// Only what the agent made: the directory may have been somebody else's before.
fn remove_data(data_dir: &Path, log_file: &Path) -> io::Result<()> {
    let others = [&FILE_NAME, &power::NOTE_NAME, &films::MEMORY_NAME];
    for name in config::FILES.iter().chain(others) {
        gone(fs::remove_file(data_dir.join(name)))?;
    }
    for log in [
        log_file.to_owned(),
        log_file.with_file_name(worker::LOG_NAME),
    ] {
        for file in crate::logging::files(&log) {
            gone(fs::remove_file(file))?;
        }
    }
    for folder in [log_file.parent(), Some(data_dir)].into_iter().flatten() {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            result => gone(result)?,
        }
    }
    Ok(())
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// `service.json`. Fields are added, never renamed.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    server: Option<String>,
    token: Option<String>,
    api_key: Option<String>,
    device_id: Option<String>,
    quality: Option<QualityCap>,
    #[serde(default)]
    film_codecs: Option<Vec<FilmCodecName>>,
    #[serde(default)]
    hardware_films: Option<bool>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    power_dry_run: bool,
    longest_wait_ms: Option<u64>,
}

impl Kept {
    fn load(host: &dyn Host, data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = data_dir.join(FILE_NAME);
        let read = || -> io::Result<Option<Zeroizing<Vec<u8>>>> {
            match fs::metadata(&path) {
                Ok(found) if found.len() > MAX_FILE_BYTES => {
                    Err(io::ErrorKind::FileTooLarge.into())
                }
                Ok(_) => fs::read(&path).map(Zeroizing::new).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        let kept = read().with_context(|| format!("read {}", path.display()))?;
        let content = kept
            .map(|kept| host.unprotect(&kept).map(Zeroizing::new))
            .transpose()
            .with_context(|| {
                format!(
                    "this machine cannot read {}; delete it and install again",
                    path.display()
                )
            })?;
        // The error's own text may quote the content, which may be secret.
        content
            .map(|content| serde_json::from_slice(&content))
            .transpose()
            .map_err(|error| {
                anyhow!(
                    "{} is damaged (not readable at line {}, column {}); delete it and install again",
                    path.display(),
                    error.line(),
                    error.column()
                )
            })
    }

    /// What is given now replaces what was given before.
    fn with(mut self, options: &Options) -> anyhow::Result<Self> {
        let given = |new: &Option<String>, old: &mut Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        given(&options.server, &mut self.server);
        given(&options.token, &mut self.token);
        given(&options.api_key, &mut self.api_key);
        given(&options.device_id, &mut self.device_id);
        self.quality = options.quality.or(self.quality);
        if options.film_codecs.is_some() {
            self.film_codecs.clone_from(&options.film_codecs);
        }
        self.hardware_films = options.hardware_films.or(self.hardware_films);
        self.power_dry_run |= options.power_dry_run;
        self.longest_wait_ms = options.longest_wait_ms.or(self.longest_wait_ms);
        if let Some(path) = &options.ca_file {
            let path = std::path::absolute(path).context("name the file of --ca-file in full")?;
            self.ca_file = Some(path);
        }
        Ok(self)
    }

    fn store(&self, host: &dyn Host, data_dir: &Path) -> anyhow::Result<()> {
        let path = data_dir.join(FILE_NAME);
        let content = serde_json::to_vec_pretty(self).context("write the settings as JSON")?;
        let content = Zeroizing::new(content);
        host.protect(&content)
            .and_then(|kept| host.replace_private_file(&path, &kept))
            .with_context(|| format!("write {}", path.display()))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.token.zeroize();
        self.api_key.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn options(place: &Path, line: &[&str]) -> Options {
        let data_dir = place.to_str().expect("a name");
        let start = ["guruconnect-agent", "--data-dir", data_dir];
        Options::try_parse_from(start.iter().chain(line)).expect("options")
    }

    fn keep(place: &Path, line: &[&str]) {
        let kept = Kept::load(&platform::host(), place)
            .expect("loads")
            .unwrap_or_default();
        let kept = kept.with(&options(place, line)).expect("makes sense");
        kept.store(&platform::host(), place).expect("stores");
    }

    #[test]
    fn the_service_runs_with_what_was_given_to_install() {
        let place = tempfile::tempdir().expect("a directory");
        keep(
            place.path(),
            &["--server", "https://a.example", "--token", "enr_1"],
        );
        keep(
            place.path(),
            &[
                "--server",
                "https://b.example",
                "--quality",
                "low",
                "--hardware-films",
            ],
        );

        let taken = take_settings(options(place.path(), &[])).expect("loads");

        assert_eq!(taken.server.as_deref(), Some("https://b.example"));
        assert_eq!(taken.token.as_deref(), Some("enr_1"));
        assert_eq!(taken.quality, Some(QualityCap::Low));
        assert_eq!(taken.hardware_films, Some(true));
    }

    #[test]
    fn an_enrolled_machine_keeps_no_token() {
        let place = tempfile::tempdir().expect("a directory");
        keep(
            place.path(),
            &[
                "--server",
                "https://a.example",
                "--token",
                "enr_1",
                "--api-key",
                "cak_1",
            ],
        );

        forget_secrets(&platform::host(), place.path()).expect("stores");

        let content = fs::read_to_string(place.path().join(FILE_NAME)).expect("is there");
        assert!(content.contains("a.example"), "{content}");
        assert!(
            !content.contains("enr_1") && !content.contains("cak_1"),
            "{content}"
        );
    }

    #[test]
    fn damage_is_named_without_showing_secrets() {
        let place = tempfile::tempdir().expect("a directory");
        fs::write(place.path().join(FILE_NAME), r#"{"token": "enr_1", "#).expect("writes");

        let said = Kept::load(&platform::host(), place.path())
            .err()
            .expect("is damaged")
            .to_string();

        assert!(
            said.contains("is damaged") && !said.contains("enr_1"),
            "{said}"
        );
    }

    #[test]
    fn uninstalling_leaves_what_others_put_beside_the_agents_files() {
        let place = tempfile::tempdir().expect("a directory");
        let (data, logs) = (place.path().join("data"), place.path().join("data/logs"));
        fs::create_dir_all(&logs).expect("makes");
        for name in [
            "agent.json",
            "agent.lock",
            FILE_NAME,
            "logs/agent.log",
            "logs/agent.log.3",
        ] {
            fs::write(data.join(name), "x").expect("writes");
        }
        fs::write(data.join("theirs.txt"), "x").expect("writes");

        remove_data(&data, &logs.join("agent.log")).expect("removes");
        let left: Vec<_> = fs::read_dir(&data).expect("is there").flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");

        fs::remove_file(data.join("theirs.txt")).expect("removes");
        remove_data(&data, &logs.join("agent.log")).expect("removes");
        remove_data(&data, &logs.join("agent.log")).expect("nothing is left to remove");
        assert!(!data.exists());
    }
}
