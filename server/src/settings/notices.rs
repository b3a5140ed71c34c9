//! Who is told, by e-mail and webhook, when a customer asks for help.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::hours::SupportHours;
use super::{given, given_all};

/// Addresses that get mail: each is a delivery of its own.
const MAX_MAILBOXES: usize = 20;

/// Webhooks, likewise.
const MAX_WEBHOOKS: usize = 10;

/// Bytes of the secret that signs webhooks, as Standard Webhooks asks for.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What such a secret begins with.
const SECRET_PREFIX: &str = "whsec_";

/// See [`NoticeSettings`].
#[derive(Debug, clap::Args)]
pub struct NoticeArguments {
    /// Mail server: `smtps://user:password@host` (TLS, port 465) or
    /// `smtp://user:password@host` (STARTTLS, port 587). Unencrypted only to a
    /// server on this machine.
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,

    /// Sender of mail, such as `GuruConnect <support@example.com>`.
    #[arg(long, env = "SMTP_FROM")]
    pub smtp_from: Option<String>,

    /// Who gets mail when a customer asks for help, separated by commas.
    #[arg(long, env = "NOTIFY_EMAILS", value_delimiter = ',')]
    pub notify_emails: Vec<String>,

    /// When mail is sent; webhooks are told always.
    #[arg(long, env = "NOTIFY_EMAIL_WHEN", value_enum, default_value = "always")]
    pub notify_email_when: EmailWhen,

    /// Addresses (https) that are told by a signed request, separated by commas.
    #[arg(long, env = "NOTIFY_WEBHOOKS", value_delimiter = ',')]
    pub notify_webhooks: Vec<String>,

    /// Secret that signs webhooks: `whsec_` and 24 to 64 bytes in base64.
    #[arg(long, env = "NOTIFY_WEBHOOK_SECRET", hide_env_values = true)]
    pub notify_webhook_secret: Option<String>,

    /// Whether webhooks may lead to this machine itself, then also without TLS.
    #[arg(long, env = "NOTIFY_LOOPBACK", default_value_t = false, action = clap::ArgAction::Set)]
    pub notify_loopback: bool,

    /// Certificate authorities (PEM) that are trusted for mail and webhooks,
    /// beside the public ones.
    #[arg(long, env = "NOTIFY_CA_FILE")]
    pub notify_ca_file: Option<PathBuf>,

    /// Seconds before what failed is tried again. Each further wait is four
    /// times as long, up to six hours; after eight tries it is given up.
    #[arg(long, env = "NOTIFY_RETRY_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub notify_retry_seconds: u32,

    /// When somebody is there to help, such as
    /// `mon-fri 08:00-18:00, sat 09:00-12:00`. Always, when absent.
    #[arg(long, env = "SUPPORT_HOURS")]
    pub support_hours: Option<String>,

    /// Time zone of the hours, such as `Europe/Berlin`. The server's own (`TZ`),
    /// when absent.
    #[arg(long, env = "SUPPORT_TIME_ZONE")]
    pub support_time_zone: Option<String>,
}

/// When mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EmailWhen {
    /// For every customer who asks for help.
    Always,
    /// Outside of the hours in which somebody is there.
    AfterHours,
}

impl EmailWhen {
    /// Its name in settings and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::AfterHours => "after-hours",
        }
    }
}

/// Settings that were checked. See [`NoticeArguments`] for what each is for.
#[derive(Clone)]
pub struct NoticeSettings {
    /// `None` where no mail is sent.
    pub mail: Option<MailSettings>,
    /// When mail is sent.
    pub email_when: EmailWhen,
    /// Where signed requests go.
    pub webhooks: Vec<Url>,
    /// What signs them; there when there are any.
    pub webhook_secret: Option<Zeroizing<Vec<u8>>>,
    /// Whether they may lead to this machine.
    pub loopback: bool,
    /// More authorities.
    pub ca_file: Option<PathBuf>,
    /// Wait after the first failure.
    pub first_wait: Duration,
    /// When somebody is there; `None` for always.
    pub hours: Option<SupportHours>,
}

/// How mail is sent.
#[derive(Clone)]
pub struct MailSettings {
    /// Name or address of the mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: MailSecurity,
    /// User name and password, where it wants them.
    pub login: Option<(String, Zeroizing<String>)>,
    /// Sender.
    pub from: Mailbox,
    /// Receivers.
    pub to: Vec<Mailbox>,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything that matters, or no mail.
    StartTls,
    /// None: the server is on this machine.
    Loopback,
}

impl TryFrom<NoticeArguments> for NoticeSettings {
    type Error = anyhow::Error;

    fn try_from(arguments: NoticeArguments) -> anyhow::Result<Self> {
        let webhooks = webhooks(&arguments)?;
        let webhook_secret = given(arguments.notify_webhook_secret)
            .map(|text| parse_secret(&text))
            .transpose()?;
        if !webhooks.is_empty() && webhook_secret.is_none() {
            bail!("NOTIFY_WEBHOOKS needs NOTIFY_WEBHOOK_SECRET, which signs what is sent");
        }
        let hours = SupportHours::read(arguments.support_hours, arguments.support_time_zone)?;
        let email_when = arguments.notify_email_when;
        if email_when == EmailWhen::AfterHours && hours.is_none() {
            bail!("NOTIFY_EMAIL_WHEN=after-hours needs SUPPORT_HOURS");
        }
        Ok(Self {
            mail: mail(
                given(arguments.smtp_url),
                given(arguments.smtp_from),
                &arguments.notify_emails,
            )?,
            email_when,
            webhooks,
            webhook_secret,
            loopback: arguments.notify_loopback,
            ca_file: arguments
                .notify_ca_file
                .filter(|path| !path.as_os_str().is_empty()),
            first_wait: Duration::from_secs(arguments.notify_retry_seconds.into()),
            hours,
        })
    }
}

fn mail(
    url: Option<String>,
    from: Option<String>,
    to: &[String],
) -> anyhow::Result<Option<MailSettings>> {
    let to = given_all(to)
        .map(|text| parse_mailbox("NOTIFY_EMAILS", text))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if to.len() > MAX_MAILBOXES {
        bail!("NOTIFY_EMAILS: at most {MAX_MAILBOXES} addresses; use a list at your mail server");
    }
    let (url, from) = match (url, from) {
        (None, None) if to.is_empty() => return Ok(None),
        (Some(url), Some(from)) if !to.is_empty() => (url, from),
        _ => bail!("SMTP_URL, SMTP_FROM and NOTIFY_EMAILS belong together: give all or none"),
    };
    let from = parse_mailbox("SMTP_FROM", &from)?;
    parse_server(&url, from, to).map(Some)
}

/// The address stays out of errors: it has a password.
fn parse_server(text: &str, from: Mailbox, to: Vec<Mailbox>) -> anyhow::Result<MailSettings> {
    let url = Url::parse(text).context("SMTP_URL is not a URL")?;
    let host = url.host_str().unwrap_or_default();
    let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if host.is_empty() || !plain {
        bail!("SMTP_URL must be smtp(s)://user:password@host or smtp(s)://user:password@host:port");
    }
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let (security, port) = match url.scheme() {
        "smtps" => (MailSecurity::Tls, 465),
        "smtp" if is_loopback_name(&host) => (MailSecurity::Loopback, 25),
        "smtp" => (MailSecurity::StartTls, 587),
        _ => bail!("SMTP_URL must begin with smtps:// or smtp://"),
    };
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(String::from)
            .context("SMTP_URL: user name and password must be UTF-8")
    };
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) | (_, None) => {
            bail!("SMTP_URL: user name and password belong together");
        }
        (user, Some(password)) => Some((decoded(user)?, Zeroizing::new(decoded(password)?))),
    };
    Ok(MailSettings {
        host,
        port: url.port().unwrap_or(port),
        security,
        login,
        from,
        to,
    })
}

fn parse_mailbox(setting: &str, text: &str) -> anyhow::Result<Mailbox> {
    text.parse()
        .with_context(|| format!("{setting}: {text:?} is not a mail address"))
}

fn webhooks(arguments: &NoticeArguments) -> anyhow::Result<Vec<Url>> {
    let webhooks = given_all(&arguments.notify_webhooks)
        .enumerate()
        .map(|(index, text)| {
            parse_webhook(text, arguments.notify_loopback)
                .with_context(|| format!("NOTIFY_WEBHOOKS: address {}", index + 1))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    if webhooks.len() > MAX_WEBHOOKS {
        bail!("NOTIFY_WEBHOOKS: at most {MAX_WEBHOOKS} addresses");
    }
    Ok(webhooks)
}

/// The address stays out of errors: many have a secret in their path.
fn parse_webhook(text: &str, loopback: bool) -> anyhow::Result<Url> {
    let url = Url::parse(text).context("not a URL")?;
    let here = match url.host() {
        None => bail!("it names no host"),
        Some(Host::Domain(name)) => is_loopback_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    if here && !loopback {
        bail!("it leads to this machine, which NOTIFY_LOOPBACK=true allows");
    }
    if url.scheme() != "https" && !(here && url.scheme() == "http") {
        bail!("it must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        bail!("it must have neither user name nor fragment");
    }
    Ok(url)
}

fn is_loopback_name(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn parse_secret(text: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let secret = text
        .strip_prefix(SECRET_PREFIX)
        .and_then(|text| BASE64.decode(text).ok())
        .map(Zeroizing::new)
        .filter(|secret| SECRET_BYTES.contains(&secret.len()));
    secret.with_context(|| {
        format!(
            "NOTIFY_WEBHOOK_SECRET must be {SECRET_PREFIX} and {} to {} bytes in base64, \
             such as {SECRET_PREFIX}$(openssl rand -base64 32)",
            SECRET_BYTES.start(),
            SECRET_BYTES.end()
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use proptest::prelude::*;

    use super::*;
    use crate::settings::{Arguments, Settings};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn notices(arguments: &[&str]) -> anyhow::Result<NoticeSettings> {
        let program = std::iter::once(&"guruconnect-server");
        let settings: Settings = Arguments::try_parse_from(program.chain(arguments))?.try_into()?;
        Ok(settings.notices)
    }

    fn mail(url: &str) -> anyhow::Result<MailSettings> {
        let from = ["--smtp-from", "Help <help@example.com>"];
        let to = ["--notify-emails", "a@example.com, B <b@example.com>"];
        let arguments = [&["--smtp-url", url][..], &from, &to].concat();
        Ok(notices(&arguments)?.mail.expect("mail"))
    }

    #[test]
    fn mail_goes_encrypted_or_not_beyond_this_machine() {
        let table = [
            ("smtps://u:p@mail.example.com", MailSecurity::Tls, 465),
            ("smtp://u:p@mail.example.com", MailSecurity::StartTls, 587),
            ("smtp://mail.example.com:2525", MailSecurity::StartTls, 2525),
            ("smtp://localhost", MailSecurity::Loopback, 25),
            ("smtp://127.0.0.1:1025", MailSecurity::Loopback, 1025),
            ("smtp://[::1]:1025", MailSecurity::Loopback, 1025),
        ];
        for (url, security, port) in table {
            let mail = mail(url).expect(url);
            assert_eq!((mail.security, mail.port), (security, port), "{url}");
            assert_eq!(mail.to.len(), 2);
        }
        let encoded = mail("smtps://help%40example.com:p%3Aw@mail.example.com").expect("settings");
        let (user, password) = encoded.login.expect("a login");
        assert_eq!(
            (user.as_str(), password.as_str()),
            ("help@example.com", "p:w")
        );
    }

    #[test]
    fn refuses_what_would_be_unsafe_or_senseless_and_repeats_no_secret() {
        let hook =
            |url: &'static str| ["--notify-webhooks", url, "--notify-webhook-secret", SECRET];
        let table: [(&[&str], &str); 17] = [
            (&["--smtp-url", "smtps://hunter2@host"], "belong together"),
            (&["--notify-emails", "a@example.com"], "belong together"),
            (&["--notify-emails", "nobody"], "is not a mail address"),
            (&["--smtp-from", "x"], "belong together"),
            (
                &["--notify-webhooks", "https://a.example/hunter2"],
                "SECRET",
            ),
            (&["--notify-webhook-secret", "hunter2"], "must be whsec_"),
            (
                &["--notify-webhook-secret", "whsec_aHVudGVyMg=="],
                "24 to 64",
            ),
            (&hook("http://a.example/hunter2"), "https://"),
            (&hook("https://hunter2:x@a.example/"), "user name"),
            (&hook("https://a.example/#hunter2"), "fragment"),
            (&hook("https://localhost/hunter2"), "this machine"),
            (&hook("https://127.0.0.1/hunter2"), "this machine"),
            (&hook("https://[::1]/hunter2"), "this machine"),
            (&hook("file:///hunter2"), "names no host"),
            (&hook("hunter2"), "not a URL"),
            (&["--support-hours", "always"], "SUPPORT_HOURS"),
            (&["--notify-email-when", "after-hours"], "SUPPORT_HOURS"),
        ];
        for (arguments, expected) in table {
            let error = notices(arguments).err().map(|error| format!("{error:#}"));
            let error = error.unwrap_or_default();
            assert!(error.contains(expected), "{arguments:?}: {error:?}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for url in [
            "https://mail.example.com",
            "smtps://mail.example.com/path",
            "smtps://user@mail.example.com",
            "smtps://:hunter2@mail.example.com",
            "smtps://",
        ] {
            let error = format!("{:#}", mail(url).err().expect(url));
            assert!(error.contains("SMTP_URL"), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn webhooks_lead_to_this_machine_only_where_that_is_allowed() {
        let here = [
            "--notify-webhooks",
            "http://127.0.0.1:9/x, https://a.example/y",
            "--notify-loopback",
            "true",
            "--notify-webhook-secret",
            SECRET,
        ];
        assert_eq!(notices(&here).expect("settings").webhooks.len(), 2);
    }

    proptest! {
        #[test]
        fn any_address_of_a_webhook_is_https_or_refused(text in "[a-z:/@.\\[\\]0-9#?%]{0,60}") {
            if let Ok(url) = parse_webhook(&text, false) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(url.host().is_some());
            }
        }

        #[test]
        fn any_mail_server_is_read_or_refused(text in "(smtps?://)?.{0,60}") {
            let me = || "a@example.com".parse::<Mailbox>().expect("an address");
            if let Ok(mail) = parse_server(&text, me(), vec![me()]) {
                let open = mail.security == MailSecurity::Loopback;
                prop_assert!(!open || is_loopback_name(&mail.host));
            }
        }

        #[test]
        fn a_secret_of_the_right_length_is_read_whole(secret in prop::collection::vec(any::<u8>(), 0..80)) {
            let text = format!("{SECRET_PREFIX}{}", BASE64.encode(&secret));
            match parse_secret(&text) {
                Ok(read) => prop_assert_eq!(&*read, &secret),
                Err(_) => prop_assert!(!SECRET_BYTES.contains(&secret.len())),
            }
        }
    }
}
