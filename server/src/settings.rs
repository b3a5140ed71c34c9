//! What the operator decides, read once at start from the environment and the
//! command line, and checked before anything is opened.

mod hours;
mod notices;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use gc_model::support::CodeDigits;
use gc_model::text::{MAX_NAME_CHARS, clean};
use ipnet::IpNet;
use url::Url;

pub use notices::{EmailWhen, MailSecurity, MailSettings, NoticeArguments, NoticeSettings};

/// Shortest `JWT_SECRET`, in bytes: HS256 deserves a key of 256 bits.
const MIN_JWT_SECRET_BYTES: usize = 32;

/// Shortest `CLAIM_SECRET`, in characters.
const MIN_CLAIM_SECRET_CHARS: usize = 20;

/// Shortest `METRICS_TOKEN`, in characters.
const MIN_METRICS_TOKEN_CHARS: usize = 16;

/// GuruConnect server: relay, API and dashboard in one program.
#[derive(Debug, clap::Parser)]
#[command(name = "guruconnect-server", version)]
pub struct Arguments {
    /// Something else than serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Address and port to listen on.
    ///
    /// Anything but a loopback address needs TLS, or a proxy in front of it
    /// (`TRUSTED_PROXIES`).
    #[arg(long = "bind", env = "BIND_ADDRESS", default_value = "127.0.0.1:8443")]
    pub bind: SocketAddr,

    /// Database: `postgres://…` or `sqlite://…`. Without it a SQLite file
    /// `guruconnect.db` is kept in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Folder for the server's keys and the SQLite file. Made with access for
    /// this user only.
    #[arg(long, env = "DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,

    /// Secret that signs access tokens, at least 32 bytes. Without it the server
    /// makes one and keeps it in `server-keys.json` in the data folder.
    #[arg(long, env = "JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,

    /// Certificate chain (PEM). With it the server speaks HTTPS only.
    #[arg(long, env = "TLS_CERT")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate (PEM).
    #[arg(long, env = "TLS_KEY")]
    pub tls_key: Option<PathBuf>,

    /// How much to log: error, warn, info, debug or trace, or a filter such as
    /// `info,guruconnect_server::ws=debug`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: String,

    /// How log lines look.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text")]
    pub log_format: LogFormat,

    /// Address under which browsers and agents reach this server, such as
    /// `https://connect.example.com`. Needed behind a proxy that changes the
    /// Host header. With it, only pages of this address (and `ALLOWED_ORIGINS`)
    /// may open viewers; without it, pages of the host that was asked for.
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,

    /// More origins whose pages may open viewers, separated by commas.
    #[arg(long, env = "ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,

    /// Proxies (addresses or networks such as 10.0.0.0/8, separated by commas)
    /// whose X-Forwarded-For and X-Forwarded-Proto headers are believed. They
    /// must speak TLS to the world.
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,

    /// Bearer token for /metrics, at least 16 characters. Without it /metrics
    /// answers only on loopback.
    #[arg(long, env = "METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,

    /// One-time secret for claiming a fresh server, at least 20 characters, for
    /// scripted set-up. Without it the server makes one and prints it.
    #[arg(long, env = "CLAIM_SECRET", hide_env_values = true)]
    pub claim_secret: Option<String>,

    /// Digits of support codes, 5 or 6.
    #[arg(long, env = "SUPPORT_CODE_DIGITS", default_value_t = 6, value_parser = clap::value_parser!(u8).range(5..=6))]
    pub support_code_digits: u8,

    /// The company that helps, as customers know it.
    #[arg(long, env = "SUPPORT_COMPANY", default_value = "GuruConnect")]
    pub support_company: String,

    /// Colour of the customers' page, `#rrggbb`. Text on it is white or black,
    /// whichever can be read.
    #[arg(long, env = "SUPPORT_BRAND_COLOUR", default_value = "#0e6862")]
    pub support_brand_colour: String,

    /// Logo on the customers' page: an SVG or PNG file of at most 256 KiB.
    #[arg(long, env = "SUPPORT_LOGO")]
    pub support_logo: Option<PathBuf>,

    /// Whether customers without a code may ask for help on the portal.
    #[arg(long, env = "SUPPORT_REQUESTS", default_value_t = false, action = clap::ArgAction::Set)]
    pub support_requests: bool,

    /// Folder with the programs that customers download, `guruconnect-agent.exe`
    /// and `guruconnect-agent`. `agents` in the data folder when absent.
    #[arg(long, env = "AGENTS_DIR")]
    pub agents_dir: Option<PathBuf>,

    /// Who is told when a customer asks for help.
    #[command(flatten)]
    pub notices: NoticeArguments,

    /// How many days the audit log is kept.
    #[arg(long, env = "AUDIT_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub audit_days: u32,
}

/// Something else than serving.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum Command {
    /// Print the OpenAPI document of the API and exit.
    Openapi,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings that were checked. See [`Arguments`] for what each is for.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen.
    pub bind: SocketAddr,
    /// `sqlite:` or `postgres:`.
    pub database_url: String,
    /// Keys and SQLite file.
    pub data_dir: PathBuf,
    /// Given, at least 32 bytes; made by the server otherwise.
    pub jwt_secret: Option<String>,
    /// Certificate chain and key.
    pub tls: Option<TlsFiles>,
    /// Filter for the log.
    pub log_level: String,
    /// Look of the log.
    pub log_format: LogFormat,
    /// How the world sees this server.
    pub public_url: Option<Url>,
    /// Origins as browsers write them.
    pub allowed_origins: Vec<String>,
    /// Whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Opens /metrics to others than loopback.
    pub metrics_token: Option<String>,
    /// Given; made by the server otherwise.
    pub claim_secret: Option<String>,
    /// Days of audit log.
    pub audit_days: u32,
    /// What customers meet.
    pub support: SupportSettings,
    /// Who is told when they ask for help.
    pub notices: NoticeSettings,
}

/// What customers meet when they are helped.
#[derive(Debug, Clone)]
pub struct SupportSettings {
    /// Digits of new codes.
    pub digits: CodeDigits,
    /// Name of the company.
    pub company: String,
    /// Its colour.
    pub brand_colour: Colour,
    /// File with its logo.
    pub logo: Option<PathBuf>,
    /// Whether customers may ask for help without a code.
    pub requests: bool,
    /// Where the programs are.
    pub agents_dir: PathBuf,
}

/// A colour as red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain (PEM).
    pub cert: PathBuf,
    /// Private key (PEM).
    pub key: PathBuf,
}

impl TryFrom<Arguments> for Settings {
    type Error = anyhow::Error;

    fn try_from(arguments: Arguments) -> anyhow::Result<Self> {
        let trusted_proxies = given_all(&arguments.trusted_proxies)
            .map(parse_network)
            .collect::<anyhow::Result<Vec<_>>>()?;
        let allowed_origins = given_all(&arguments.allowed_origins)
            .map(parse_origin)
            .collect::<anyhow::Result<Vec<_>>>()?;
        let support = support(&arguments)?;
        let settings = Self {
            support,
            bind: arguments.bind,
            database_url: given(arguments.database_url)
                .unwrap_or_else(|| sqlite_file(&arguments.data_dir)),
            data_dir: arguments.data_dir,
            jwt_secret: given(arguments.jwt_secret),
            tls: tls_files(arguments.tls_cert, arguments.tls_key)?,
            log_level: arguments.log_level,
            log_format: arguments.log_format,
            public_url: given(arguments.public_url)
                .as_deref()
                .map(parse_public_url)
                .transpose()?,
            allowed_origins,
            trusted_proxies,
            metrics_token: given(arguments.metrics_token),
            claim_secret: given(arguments.claim_secret),
            audit_days: arguments.audit_days,
            notices: arguments.notices.try_into()?,
        };
        settings.check()?;
        Ok(settings)
    }
}

impl Settings {
    fn check(&self) -> anyhow::Result<()> {
        if self.tls.is_none() && !self.bind.ip().is_loopback() && self.trusted_proxies.is_empty() {
            bail!(
                "refusing to serve plain HTTP on {}: give TLS_CERT and TLS_KEY, name the proxy \
                 in front in TRUSTED_PROXIES, or bind to a loopback address",
                self.bind
            );
        }
        if self
            .jwt_secret
            .as_ref()
            .is_some_and(|secret| secret.len() < MIN_JWT_SECRET_BYTES)
        {
            bail!("JWT_SECRET must have at least {MIN_JWT_SECRET_BYTES} bytes");
        }
        let too_short = |secret: &Option<String>, least: usize| {
            secret
                .as_ref()
                .is_some_and(|secret| secret.chars().count() < least)
        };
        if too_short(&self.claim_secret, MIN_CLAIM_SECRET_CHARS) {
            bail!("CLAIM_SECRET must have at least {MIN_CLAIM_SECRET_CHARS} characters");
        }
        if too_short(&self.metrics_token, MIN_METRICS_TOKEN_CHARS) {
            bail!("METRICS_TOKEN must have at least {MIN_METRICS_TOKEN_CHARS} characters");
        }
        Ok(())
    }
}

fn support(arguments: &Arguments) -> anyhow::Result<SupportSettings> {
    let colour = arguments.support_brand_colour.trim();
    let brand_colour = parse_colour(colour)
        .with_context(|| format!("SUPPORT_BRAND_COLOUR: {colour:?} is not like #0e6862"))?;
    let company = clean(&arguments.support_company, MAX_NAME_CHARS);
    if company.is_empty() {
        bail!("SUPPORT_COMPANY must not be empty");
    }
    let agents_dir = arguments.agents_dir.clone();
    let logo = arguments.support_logo.clone();
    Ok(SupportSettings {
        digits: match arguments.support_code_digits {
            5 => CodeDigits::Five,
            _ => CodeDigits::Six,
        },
        company,
        brand_colour,
        requests: arguments.support_requests,
        logo: logo.filter(|path| !path.as_os_str().is_empty()),
        agents_dir: agents_dir
            .filter(|path| !path.as_os_str().is_empty())
            .unwrap_or_else(|| arguments.data_dir.join("agents")),
    })
}

fn parse_colour(text: &str) -> Option<Colour> {
    let digits = text.strip_prefix('#').filter(|digits| {
        digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })?;
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some(Colour([part(0)?, part(2)?, part(4)?]))
}

/// An empty variable is one that was not given.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

fn given_all(texts: &[String]) -> impl Iterator<Item = &str> {
    texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

fn sqlite_file(data_dir: &std::path::Path) -> String {
    format!("sqlite://{}", data_dir.join("guruconnect.db").display())
}

fn tls_files(cert: Option<PathBuf>, key: Option<PathBuf>) -> anyhow::Result<Option<TlsFiles>> {
    let given = |path: Option<PathBuf>| path.filter(|path| !path.as_os_str().is_empty());
    match (given(cert), given(key)) {
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
        (None, None) => Ok(None),
        _ => bail!("TLS_CERT and TLS_KEY belong together: give both or neither"),
    }
}

fn parse_network(text: &str) -> anyhow::Result<IpNet> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .with_context(|| format!("TRUSTED_PROXIES: {text:?} is neither an address nor a network"))
}

fn parse_public_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).with_context(|| format!("PUBLIC_URL: {text:?} is not a URL"))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if !plain {
        bail!("PUBLIC_URL: {text:?} must be http(s)://host or http(s)://host:port and no more");
    }
    Ok(url)
}

fn parse_origin(text: &str) -> anyhow::Result<String> {
    let url = parse_public_url(text)
        .with_context(|| format!("ALLOWED_ORIGINS: {text:?} is not an origin"))?;
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn settings(arguments: &[&str]) -> anyhow::Result<Settings> {
        let program = std::iter::once(&"guruconnect-server");
        Arguments::try_parse_from(program.chain(arguments))?.try_into()
    }

    #[test]
    fn refuses_what_would_be_unsafe_or_senseless() {
        let table: [(&[&str], &str); 11] = [
            (&["--bind", "0.0.0.0:8443"], "plain HTTP"),
            (&["--tls-cert", "a.pem"], "belong together"),
            (&["--jwt-secret", "short"], "JWT_SECRET"),
            (&["--claim-secret", "short"], "CLAIM_SECRET"),
            (&["--metrics-token", "short"], "METRICS_TOKEN"),
            (&["--support-brand-colour", "teal"], "SUPPORT_BRAND_COLOUR"),
            (&["--support-company", " "], "SUPPORT_COMPANY"),
            (&["--public-url", "ftp://host"], "PUBLIC_URL"),
            (&["--public-url", "https://host/path"], "PUBLIC_URL"),
            (
                &["--allowed-origins", "https://a.example,what"],
                "ALLOWED_ORIGINS",
            ),
            (
                &["--trusted-proxies", "10.0.0.0/8,proxy"],
                "TRUSTED_PROXIES",
            ),
        ];
        for (arguments, expected) in table {
            let error = settings(arguments).err().map(|error| format!("{error:#}"));
            assert!(
                error.as_ref().is_some_and(|e| e.contains(expected)),
                "{arguments:?}: {error:?}"
            );
        }
    }

    #[test]
    fn takes_plain_http_on_loopback_or_behind_a_declared_proxy() {
        assert!(settings(&[]).is_ok());
        assert!(settings(&["--bind", "[::1]:1"]).is_ok());
        assert!(settings(&["--bind", "0.0.0.0:1", "--trusted-proxies", "192.0.2.1"]).is_ok());
    }

    #[test]
    fn reads_lists_and_writes_origins_as_browsers_do() {
        let settings = settings(&["--allowed-origins", " https://A.example:443/ ,http://b:81"])
            .expect("two origins");

        assert_eq!(
            settings.allowed_origins,
            ["https://a.example", "http://b:81"]
        );
    }
}
