//! Notices by SMTP.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, Tls, TlsParameters, TlsParametersBuilder,
};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{NotSent, Payload};
use crate::settings::{MailSecurity, MailSettings};

/// How long the mail server may take for any step.
const TIMEOUT: Duration = Duration::from_secs(20);

/// See the module.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    pub(super) fn new(settings: &MailSettings, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let parameters = || -> anyhow::Result<TlsParameters> {
            let mut builder: TlsParametersBuilder = TlsParameters::builder(settings.host.clone())
                .certificate_store(CertificateStore::WebpkiRoots);
            for certificate in super::webhook::more_authorities(ca_file)? {
                let certificate = Certificate::from_der(certificate.to_vec())
                    .context("read a certificate authority")?;
                builder = builder.add_root_certificate(certificate);
            }
            builder.build_rustls().context("set up TLS")
        };
        let tls = match settings.security {
            MailSecurity::Tls => Tls::Wrapper(parameters()?),
            MailSecurity::StartTls => Tls::Required(parameters()?),
            MailSecurity::Loopback => Tls::None,
        };
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.as_str())
                .port(settings.port)
                .tls(tls)
                .timeout(Some(TIMEOUT));
        if let Some((user, password)) = &settings.login {
            let credentials = Credentials::new(user.clone(), password.as_str().to_owned());
            transport = transport.credentials(credentials);
        }
        Ok(Self {
            transport: transport.build(),
            from: settings.from.clone(),
        })
    }

    pub(super) async fn send(
        &self,
        to: &Mailbox,
        id: &str,
        payload: &Payload,
    ) -> Result<(), NotSent> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.clone())
            // The same at every try, so that what comes twice is seen once.
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .subject(subject(payload))
            .header(ContentType::TEXT_PLAIN)
            .body(body(payload))
            .context("write the mail")?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(NotSent {
                for_good: error.is_permanent(),
                error: anyhow::Error::new(error).context("send the mail"),
            }),
        }
    }
}

fn subject(payload: &Payload) -> String {
    let data = &payload.data;
    if payload.kind == "test" {
        return "GuruConnect: a test".to_owned();
    }
    let when = if data.after_hours {
        " (after hours)"
    } else {
        ""
    };
    format!("{} asks for help{when}", data.customer)
}

fn body(payload: &Payload) -> String {
    let data = &payload.data;
    let address = if data.url.starts_with('/') {
        "Answer in the dashboard, under Support.".to_owned()
    } else {
        format!("Answer: {}", data.url)
    };
    // What the customer wrote stands apart: nothing of it can be taken for ours.
    let quoted: Vec<_> = data
        .message
        .lines()
        .map(|line| format!("> {line}"))
        .collect();
    let lead = if payload.kind == "test" {
        format!("{} tries out the notices of this server.", data.customer)
    } else {
        format!("{} asks for help:", data.customer)
    };
    format!("{lead}\n\n{}\n\n{address}\n", quoted.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::Data;

    fn payload(customer: &str, message: &str) -> Payload {
        Payload {
            kind: "support.requested".to_owned(),
            timestamp: "2026-01-01T00:00:00Z".to_owned(),
            data: Data {
                support_code_id: Some("a".to_owned()),
                customer: customer.to_owned(),
                message: message.to_owned(),
                after_hours: true,
                url: "https://gc.example/support-codes/a".to_owned(),
            },
        }
    }

    #[test]
    fn a_mail_says_who_and_what_and_where_to_answer() {
        let payload = payload("Sam Baker", "The printer\nsays PC LOAD LETTER");

        assert_eq!(subject(&payload), "Sam Baker asks for help (after hours)");
        assert_eq!(
            body(&payload),
            "Sam Baker asks for help:\n\n> The printer\n> says PC LOAD \
             LETTER\n\nAnswer: https://gc.example/support-codes/a\n"
        );
    }

    #[test]
    fn a_name_cannot_write_headers() {
        let payload = payload("Sam\r\nBcc: everybody@example.com", "x");
        let me: Mailbox = "a@example.com".parse().expect("an address");

        let message = Message::builder()
            .from(me.clone())
            .to(me)
            .subject(subject(&payload))
            .body(body(&payload))
            .expect("a mail");

        let text = String::from_utf8(message.formatted()).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("head and body");
        assert!(!head.contains("\nBcc:"), "{head}");
    }
}
