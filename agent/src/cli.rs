//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gc_codec::FilmFormat;
use gc_session::Quality;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use crate::reconnect::LONGEST_WAIT;

/// Shares this machine's screen, mouse and keyboard with the technicians of a
/// GuruConnect server.
#[derive(Debug, Parser)]
#[command(name = "guruconnect-agent", version)]
pub struct Options {
    /// Address of the server, like <https://support.example.com>
    #[arg(long, env = "GURUCONNECT_SERVER", global = true)]
    pub server: Option<String>,

    /// Enrolment token (`enr_…`) from the dashboard; used once, when the machine has no key yet
    #[arg(long, env = "GURUCONNECT_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<String>,

    /// Replaces the key (`cak_…`) of a machine that is enrolled already
    #[arg(
        long,
        env = "GURUCONNECT_API_KEY",
        hide_env_values = true,
        global = true
    )]
    pub api_key: Option<String>,

    /// Id that another system has for this machine; enrolling with the same one again keeps the machine's entry
    #[arg(long, global = true)]
    pub device_id: Option<String>,

    /// Best picture that viewers may ask for
    #[arg(long, value_enum, global = true)]
    pub quality: Option<QualityCap>,

    /// Video codecs for what plays on the screen, best first; those that this program does not
    /// have are left out
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "CODEC,…",
        global = true
    )]
    pub film_codecs: Option<Vec<FilmCodecName>>,

    /// Lets the machine's hardware pack films as H.264, once it was tried and found to work
    #[arg(
        long,
        value_name = "true|false",
        num_args = 0..=1,
        default_missing_value = "true",
        require_equals = true,
        global = true
    )]
    pub hardware_films: Option<bool>,

    /// What is logged
    #[arg(long, value_enum, default_value_t = LogLevel::Info, global = true)]
    pub log_level: LogLevel,

    /// Log file; by default `logs/agent.log` in the data directory
    #[arg(long, global = true)]
    pub log_file: Option<PathBuf>,

    /// Where settings and keys are kept
    #[arg(long, env = "GURUCONNECT_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,

    /// Trusts the certificate authorities of this PEM file too
    #[arg(long, global = true)]
    pub ca_file: Option<PathBuf>,

    /// Lets a technician help once: shows a window that asks before anything is shared, and keeps nothing
    #[arg(long)]
    pub attended: bool,

    /// Support code of the technician, for --attended
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,

    /// Takes a support session over from the program that started this one with administrator
    /// rights; only that one does it
    #[arg(long, value_name = "PIPE", hide = true)]
    pub take_over: Option<String>,
    /// Seconds that the person at the machine has to answer, for --attended; no answer means no
    #[arg(long, env = "GURUCONNECT_ANSWER_SECONDS", value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u8).range(3..=60))]
    pub answer_seconds: u8,

    /// Reads the screen once into a PNG file, prints how long reading and encoding take, and ends
    #[arg(long, value_name = "PNG")]
    pub test_capture: Option<PathBuf>,

    /// Says in the log what a technician orders of the machine (restart, safe mode, …) instead of doing it
    #[arg(long, hide = true, global = true)]
    pub power_dry_run: bool,

    /// Asks for a server that is away at least this often, to find what leaks
    #[arg(long, hide = true, global = true,
        value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub longest_wait_ms: Option<u64>,

    /// What to do instead of running in the foreground
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program does other than run in the foreground.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Installs the agent as a service that starts with the machine; can be repeated
    Install,
    /// Removes the service, and the machine's keys and logs with it; can be repeated
    Uninstall {
        /// Keeps keys and logs, so that an agent installed later is the same machine
        #[arg(long)]
        keep_data: bool,
    },
    /// Starts the installed service
    Start,
    /// Asks your support for help, in a window or with --message
    RequestSupport(RequestSupport),
    /// Shows an icon in the user's login; only the service starts this
    #[command(hide = true)]
    Tray,
    /// Serves as the service; only the system starts this
    #[command(hide = true)]
    ServiceRun,
    /// Tries the machine's video encoder and says in one line how it did; only the agent starts this
    #[command(hide = true)]
    FilmProbe {
        /// An encoder of the system's that is a program, to see that encoders can be talked to
        #[arg(long)]
        software: bool,
    },
    /// Serves viewers for the service; only the service starts this
    #[command(hide = true)]
    Worker {
        /// Name of the pipe to the service
        #[arg(long)]
        pipe: String,
    },
}

/// What `request-support` is to do; without anything it opens a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct RequestSupport {
    /// What you need help with; sent without a window
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Says how far your request is, and what was answered
    #[arg(long, conflicts_with = "message")]
    pub status: bool,
    /// Shows which server looks after this computer
    #[arg(long, conflicts_with_all = ["message", "status"])]
    pub about: bool,
}

impl Options {
    /// No wait for a server that cannot be reached is longer.
    pub fn longest_wait(&self) -> Duration {
        self.longest_wait_ms
            .map_or(LONGEST_WAIT, Duration::from_millis)
    }

    /// True for a program that was started without a word, by a double click.
    pub fn is_bare(&self) -> bool {
        let Self {
            server,
            token,
            api_key,
            device_id,
            data_dir,
            test_capture,
            command,
            ..
        } = self;
        server.is_none()
            && token.is_none()
            && api_key.is_none()
            && device_id.is_none()
            && data_dir.is_none()
            && test_capture.is_none()
            && command.is_none()
    }
}

/// `--quality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QualityCap {
    /// Fewest colours in moving regions
    Low,
    /// Fewer colours in moving regions
    Med,
    /// Every pixel exact
    High,
}

impl QualityCap {
    /// As the session takes it.
    pub const fn quality(self) -> Quality {
        match self {
            Self::Low => Quality::Low,
            Self::Med => Quality::Medium,
            Self::High => Quality::High,
        }
    }
}

/// One of `--film-codecs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilmCodecName {
    /// VP9: every current browser plays it
    Vp9,
    /// H.264: in programs that were built with it
    H264,
}

impl FilmCodecName {
    /// As encoders take it, the usual form first.
    pub const fn formats(self) -> &'static [FilmFormat] {
        match self {
            Self::Vp9 => &[FilmFormat::Vp9, FilmFormat::Vp9FullChroma],
            Self::H264 => &[FilmFormat::H264],
        }
    }
}

/// `--log-level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What failed
    Error,
    /// And what looks wrong
    Warn,
    /// And what an operator wants to know
    Info,
    /// And decisions
    Debug,
    /// And each frame
    Trace,
}

impl LogLevel {
    /// As the logger takes it.
    pub const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn reads_the_documented_flags() {
        let line = "guruconnect-agent --server https://a.example --token enr_x --quality med --log-level debug";

        let options = Options::try_parse_from(line.split(' ')).expect("documented flags");

        assert_eq!(
            options.quality.map(QualityCap::quality),
            Some(Quality::Medium)
        );
        assert_eq!(options.log_level.filter(), LevelFilter::DEBUG);
    }

    #[test]
    fn hardware_films_are_on_off_or_not_spoken_of() {
        for (line, expected) in [
            ("guruconnect-agent", None),
            ("guruconnect-agent --hardware-films", Some(true)),
            ("guruconnect-agent --hardware-films install", Some(true)),
            (
                "guruconnect-agent install --hardware-films=false",
                Some(false),
            ),
        ] {
            let options = Options::try_parse_from(line.split(' ')).expect(line);

            assert_eq!(options.hardware_films, expected, "{line}");
        }
        assert!(Options::try_parse_from(["guruconnect-agent", "--hardware-films=maybe"]).is_err());
    }

    #[test]
    fn flags_stand_before_or_behind_the_command() {
        for line in [
            "guruconnect-agent install --server https://a.example",
            "guruconnect-agent --server https://a.example install",
        ] {
            let options = Options::try_parse_from(line.split(' ')).expect(line);

            assert_eq!(options.command, Some(Command::Install), "{line}");
            assert_eq!(
                options.server.as_deref(),
                Some("https://a.example"),
                "{line}"
            );
        }
    }
}
