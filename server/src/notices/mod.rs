//! Notices: tells people who are not looking at the dashboard, by e-mail and
//! webhook, that a customer asks for help. What is to be told stands in the
//! database first, so that it is tried again until it arrives; see
//! `jobs::notices`.

mod mail;
pub(crate) mod webhook;

use anyhow::Context as _;
use gc_model::notice::Channel;
use gc_model::text::clean;
use gc_store::{NewAuditEntry, NewNotice, Notice, StoreError, SupportCodeRow};
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use url::Url;

use crate::api::support_codes::public_base;
use crate::app::App;
use crate::chance::{hex, new_id};
use crate::settings::{EmailWhen, NoticeSettings};
use mail::Mailer;
use webhook::Webhooks;

/// Deliveries that may wait: a mail server that is down for a day.
const MAX_PENDING: u64 = 1_000;

/// Longest reason that is kept of a try that failed, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// What the server holds for notices.
pub(crate) struct Notices {
    targets: Vec<Target>,
    mailer: Option<Mailer>,
    webhooks: Option<Webhooks>,
    /// There may be something to deliver.
    pub(crate) wake: Notify,
}

/// One receiver.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) channel: Channel,
    /// As people are shown it: of a webhook only the host, its path may be secret.
    pub(crate) label: String,
    /// How a delivery finds it again.
    key: String,
    to: To,
}

#[derive(Debug, Clone)]
enum To {
    Mail(Mailbox),
    Webhook(Url),
}

/// The body of a webhook, and what a mail is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// RFC 3339.
    pub(crate) timestamp: String,
    pub(crate) data: Data,
}

/// What a notice says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Data {
    /// Of the customer who asks; absent in a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) support_code_id: Option<String>,
    /// Their name as they wrote it.
    pub(crate) customer: String,
    /// What it is about, as they wrote it.
    pub(crate) message: String,
    /// True outside of the hours in which somebody is there.
    pub(crate) after_hours: bool,
    /// Where it is answered; begins with `/` where the server does not know its
    /// own address.
    pub(crate) url: String,
}

/// A try that failed.
#[derive(Debug)]
pub(crate) struct NotSent {
    pub(crate) error: anyhow::Error,
    /// True when trying again is of no use.
    pub(crate) for_good: bool,
}

impl From<anyhow::Error> for NotSent {
    fn from(error: anyhow::Error) -> Self {
        Self {
            error,
            for_good: false,
        }
    }
}

impl NotSent {
    /// As the log of deliveries keeps it.
    pub(crate) fn text(&self) -> String {
        clean(&format!("{:#}", self.error), MAX_ERROR_CHARS)
    }
}

impl Notices {
    pub(crate) fn open(settings: &NoticeSettings) -> anyhow::Result<Self> {
        let mut targets = Vec::new();
        for mailbox in settings.mail.iter().flat_map(|mail| &mail.to) {
            let label = mailbox.email.to_string();
            targets.push(Target {
                channel: Channel::Email,
                key: key(&label),
                label,
                to: To::Mail(mailbox.clone()),
            });
        }
        for url in &settings.webhooks {
            targets.push(Target {
                channel: Channel::Webhook,
                label: url.origin().ascii_serialization(),
                key: key(url.as_str()),
                to: To::Webhook(url.clone()),
            });
        }
        Ok(Self {
            targets,
            mailer: settings
                .mail
                .as_ref()
                .map(|mail| Mailer::new(mail, settings.ca_file.as_deref()))
                .transpose()
                .context("set up mail")?,
            webhooks: settings
                .webhook_secret
                .as_deref()
                .map(|secret| Webhooks::new(secret, settings.loopback, settings.ca_file.as_deref()))
                .transpose()
                .context("set up webhooks")?,
            wake: Notify::new(),
        })
    }

    /// Who is told.
    pub(crate) fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Tries once.
    pub(crate) async fn send(&self, notice: &Notice, now_unix: u64) -> Result<(), NotSent> {
        let known = self
            .targets
            .iter()
            .find(|target| target.channel == notice.channel && target.key == notice.target_key);
        let Some(target) = known else {
            return Err(NotSent {
                error: anyhow::anyhow!("the settings do not name this receiver any more"),
                for_good: true,
            });
        };
        match (&target.to, &self.mailer, &self.webhooks) {
            (To::Mail(mailbox), Some(mailer), _) => {
                let payload =
                    serde_json::from_str(&notice.payload).context("read what is to be sent")?;
                mailer.send(mailbox, &notice.id, &payload).await
            }
            (To::Webhook(url), _, Some(webhooks)) => {
                let sent = webhooks.send(url, &notice.id, now_unix, &notice.payload);
                sent.await
            }
            _ => Err(anyhow::anyhow!("nothing is set up to send this").into()),
        }
    }
}

/// What finds a receiver in the settings of the next start, and says nothing
/// about it.
fn key(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..16])
}

/// The customer, or the user of a machine and its name.
fn who_asks(code: &SupportCodeRow) -> String {
    match &code.guest {
        Some(guest) if code.customer.is_empty() && guest.user.is_empty() => guest.host_name.clone(),
        Some(guest) if code.customer.is_empty() => {
            format!("{} at {}", guest.user, guest.host_name)
        }
        _ => code.customer.clone(),
    }
}

impl App {
    /// True while nobody is there to help, by the operator's hours.
    pub(crate) fn is_after_hours(&self) -> bool {
        let hours = self.settings.notices.hours.as_ref();
        hours.is_some_and(|hours| !hours.contain(self.clock.now()))
    }

    /// A customer asks for help: everybody whom the operator named is told. The
    /// customer's request never fails for it.
    pub(crate) async fn announce_request(&self, code: &SupportCodeRow, message: &str) {
        let after_hours = self.is_after_hours();
        let mail = match self.settings.notices.email_when {
            EmailWhen::Always => true,
            EmailWhen::AfterHours => after_hours,
        };
        let base = public_base(self).unwrap_or_default();
        let data = Data {
            support_code_id: Some(code.id.as_str().to_owned()),
            customer: who_asks(code),
            message: message.to_owned(),
            after_hours,
            url: format!("{base}/support-codes/{}", code.id),
        };
        let told = |target: &Target| mail || target.channel != Channel::Email;
        match self.announce("support.requested", data, told, None).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(support = %code.id, "Nobody is told of a customer: too many notices wait");
            }
            Err(error) => {
                tracing::error!(support = %code.id, "Nobody is told of a customer: {error:#}");
            }
        }
    }

    /// Tells everybody something that is nothing, to see that it arrives. False
    /// when too much waits already.
    pub(crate) async fn announce_test(
        &self,
        who: &str,
        entry: NewAuditEntry,
    ) -> Result<bool, StoreError> {
        let base = public_base(self).unwrap_or_default();
        let data = Data {
            support_code_id: None,
            customer: who.to_owned(),
            message: "This is a test: nobody needs help.".to_owned(),
            after_hours: self.is_after_hours(),
            url: format!("{base}/support-codes"),
        };
        self.announce("test", data, |_| true, Some(entry)).await
    }

    async fn announce(
        &self,
        kind: &str,
        data: Data,
        told: impl Fn(&Target) -> bool,
        entry: Option<NewAuditEntry>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let payload = Payload {
            kind: kind.to_owned(),
            timestamp: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            data,
        };
        let payload = serde_json::to_string(&payload).expect("plain data");
        let targets = self.notices.targets.iter().filter(|target| told(target));
        let notices: Vec<_> = targets
            .map(|target| NewNotice {
                id: new_id(),
                kind: kind.to_owned(),
                channel: target.channel,
                target: target.label.clone(),
                target_key: target.key.clone(),
                payload: payload.clone(),
                created_at: now,
            })
            .collect();
        if notices.is_empty() {
            return Ok(true);
        }
        let count = notices.len();
        let added = self.store.add_notices(notices, MAX_PENDING, entry).await?;
        if added {
            self.notices.wake.notify_one();
        } else {
            self.metrics.notices("dropped", count);
        }
        Ok(added)
    }
}
