//! The program's log: to standard error, as text or JSON.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::LogFormat;

/// Libraries that write addresses, statements or bytes at their finer levels.
/// They stay quiet whatever the operator asks for.
const CAPPED: [&str; 8] = [
    "sqlx=warn",
    "sea_orm=warn",
    "hyper=info",
    "h2=info",
    "rustls=info",
    "tungstenite=info",
    "tokio_tungstenite=info",
    "axum=info",
];

/// Starts the log for the whole program.
///
/// # Errors
/// `level` is no filter, or a log was started before.
pub fn start(level: &str, format: LogFormat) -> anyhow::Result<()> {
    let mut filter =
        EnvFilter::try_new(level).with_context(|| format!("LOG_LEVEL: {level:?} is no filter"))?;
    for directive in CAPPED {
        filter = filter.add_directive(directive.parse().context("a directive of this file")?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .context("start the log")
}
