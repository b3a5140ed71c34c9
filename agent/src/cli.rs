//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use gc_session::Quality;
use tracing::level_filters::LevelFilter;

/// Shares this machine's screen, mouse and keyboard with the technicians of a
/// GuruConnect server.
#[derive(Debug, Parser)]
#[command(name = "guruconnect-agent", version)]
pub struct Options {
    /// Address of the server, like <https://support.example.com>
    #[arg(long, env = "GURUCONNECT_SERVER")]
    pub server: Option<String>,

    /// Enrolment token (`enr_…`) from the dashboard; used once, when the machine has no key yet
    #[arg(long, env = "GURUCONNECT_TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// Replaces the key (`cak_…`) of a machine that is enrolled already
    #[arg(long, env = "GURUCONNECT_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,

    /// Id that another system has for this machine; enrolling with the same one again keeps the machine's entry
    #[arg(long)]
    pub device_id: Option<String>,

    /// Best picture that viewers may ask for
    #[arg(long, value_enum)]
    pub quality: Option<QualityCap>,

    /// What is logged
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,

    /// Log file; by default `logs/agent.log` in the data directory
    #[arg(long)]
    pub log_file: Option<PathBuf>,

    /// Where settings and keys are kept
    #[arg(long, env = "GURUCONNECT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// Trusts the certificate authorities of this PEM file too
    #[arg(long)]
    pub ca_file: Option<PathBuf>,

    /// Lets a technician help once: shows a window that asks before anything is shared, and keeps nothing
    #[arg(long)]
    pub attended: bool,

    /// Support code of the technician, for --attended
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,

    /// Reads the screen once into a PNG file, prints how long reading and encoding take, and ends
    #[arg(long, value_name = "PNG")]
    pub test_capture: Option<PathBuf>,
}

/// `--quality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
}
