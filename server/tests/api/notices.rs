//! Mail and webhooks, against a small mail server and a small receiver that run here.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, StatusCode};
use ring::hmac;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::common::{Person, TestServer, answer, soon, text};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A certificate for `localhost`, and its file.
struct Certificate {
    folder: tempfile::TempDir,
    acceptor: TlsAcceptor,
}

impl Certificate {
    fn new() -> Self {
        let names = ["localhost", "127.0.0.1", "0.0.0.0"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).expect("written");
        let key = made.signing_key.serialize_pem();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
        let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a server");
        Self {
            folder,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

/// What a receiver got: head in lower case, and body.
#[derive(Debug)]
struct Got {
    head: String,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        line.unwrap_or_default()
    }
}

/// Takes webhooks; answers what it was told to, and 204 afterwards.
struct Receiver {
    port: u16,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Receiver {
    async fn start(answers: &[&'static str], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, got) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, answers, tls) = (sender.clone(), answers.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => receive(stream, &sender, &answers).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                receive(stream, &sender, &answers).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, got }
    }

    async fn next(&mut self) -> Got {
        soon(self.got.recv()).await.expect("a webhook")
    }
}

async fn receive(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    sender: &mpsc::UnboundedSender<Got>,
    answers: &Mutex<VecDeque<&'static str>>,
) {
    let mut bytes = Vec::new();
    let got = loop {
        let mut part = [0; 4_096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
        let text = String::from_utf8(bytes.clone()).expect("text");
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let got = Got {
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length: usize = got.header("content-length").parse().expect("a length");
        if got.body.len() == length {
            break got;
        }
    };
    let next = answers.lock().expect("not poisoned").pop_front();
    let status = next.unwrap_or("204 No Content");
    sender.send(got).expect("the test listens");
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _gone = stream.write_all(answer.as_bytes()).await;
    let _gone = stream.shutdown().await;
}

/// A mail as it came.
#[derive(Debug)]
struct Mail {
    /// What was said before the content.
    dialogue: Vec<String>,
    content: String,
}

/// Takes mail; answers the first `MAIL FROM`s with what it was told to.
struct MailServer {
    port: u16,
    got: mpsc::UnboundedReceiver<Mail>,
}

impl MailServer {
    async fn start(refusals: &[&'static str], tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, got) = mpsc::unbounded_channel();
        let refusals = Arc::new(Mutex::new(
            refusals.iter().copied().collect::<VecDeque<_>>(),
        ));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, refusals, tls) = (sender.clone(), refusals.clone(), tls.clone());
                tokio::spawn(async move {
                    let _gone = match tls {
                        None => take_mail(stream, &sender, &refusals).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => take_mail(stream, &sender, &refusals).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { port, got }
    }

    async fn next(&mut self) -> Mail {
        soon(self.got.recv()).await.expect("a mail")
    }
}

async fn take_mail(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    sender: &mpsc::UnboundedSender<Mail>,
    refusals: &Mutex<VecDeque<&'static str>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test ESMTP\r\n").await?;
    take_greeted_mail(stream, sender, refusals).await
}

async fn take_greeted_mail(
    mut stream: BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    sender: &mpsc::UnboundedSender<Mail>,
    refusals: &Mutex<VecDeque<&'static str>>,
) -> std::io::Result<()> {
    let mut dialogue = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let verb = line
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        dialogue.push(line);
        let answer = match verb.as_str() {
            "EHLO" => "250-mail.test\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "MAIL" => {
                let refusal = refusals.lock().expect("not poisoned").pop_front();
                refusal.unwrap_or("250 fine")
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut content = String::new();
                while !content.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut content).await? == 0 {
                        return Ok(());
                    }
                }
                let dialogue = std::mem::take(&mut dialogue);
                sender
                    .send(Mail { dialogue, content })
                    .expect("the test listens");
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// Takes mail after STARTTLS alone, and keeps what was said before.
struct CarefulMailServer {
    port: u16,
    got: mpsc::UnboundedReceiver<Mail>,
    in_the_clear: Arc<Mutex<Vec<String>>>,
}

impl CarefulMailServer {
    /// Without a certificate it does not know of STARTTLS.
    async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, got) = mpsc::unbounded_channel();
        let in_the_clear = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&in_the_clear);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _gone = begin_in_the_clear(stream, tls.clone(), &sender, &heard).await;
            }
        });
        Self {
            port,
            got,
            in_the_clear,
        }
    }

    /// Not loopback by its name, though it leads here: so TLS is a must.
    fn url(&self) -> String {
        format!("smtp://desk:p%40ss@0.0.0.0:{}", self.port)
    }

    fn heard_in_the_clear(&self) -> Vec<String> {
        self.in_the_clear.lock().expect("not poisoned").clone()
    }
}

async fn begin_in_the_clear(
    stream: tokio::net::TcpStream,
    tls: Option<TlsAcceptor>,
    sender: &mpsc::UnboundedSender<Mail>,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test ESMTP\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        heard.lock().expect("not poisoned").push(line.clone());
        let verb = line.split(' ').next().unwrap_or_default();
        let answer = match (verb, &tls) {
            ("EHLO", Some(_)) => "250-mail.test\r\n250-AUTH PLAIN\r\n250 STARTTLS",
            ("EHLO", None) => "250-mail.test\r\n250 AUTH PLAIN",
            ("STARTTLS", Some(tls)) => {
                stream.write_all(b"220 go on\r\n").await?;
                let sealed = tls.accept(stream.into_inner()).await?;
                let refusals = Mutex::default();
                return take_greeted_mail(BufReader::new(sealed), sender, &refusals).await;
            }
            ("QUIT", _) => "221 bye",
            _ => "502 not before TLS",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// A server that tells a webhook on this machine, and retries soon.
fn hook(port: u16, path: &str) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}{path}");
    let arguments = [
        "--support-requests",
        "true",
        "--notify-loopback",
        "true",
        "--notify-retry-seconds",
        "1",
        "--notify-webhook-secret",
        SECRET,
        "--notify-webhooks",
        &url,
    ];
    arguments.iter().map(ToString::to_string).collect()
}

fn mail(url: &str) -> Vec<String> {
    let arguments = [
        "--support-requests",
        "true",
        "--notify-retry-seconds",
        "1",
        "--smtp-url",
        url,
        "--smtp-from",
        "Help desk <help@example.com>",
        "--notify-emails",
        "on-call@example.com",
    ];
    arguments.iter().map(ToString::to_string).collect()
}

async fn claimed(arguments: &[String]) -> (TestServer, Person) {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    TestServer::claimed(&arguments).await
}

async fn ask(server: &TestServer, name: &str, message: &str) {
    let post = server.request(Method::POST, "/support/request");
    let form = "application/x-www-form-urlencoded";
    let body = format!("name={name}&message={message}");
    let asked = answer(post.header("content-type", form).body(body)).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
}

/// Waits for the log of deliveries to say this of the newest one.
async fn newest(ada: &Person, state: &str) -> Value {
    let log = ada
        .wait_for("/api/notices", |log| log["items"][0]["state"] == state)
        .await;
    log["items"][0].clone()
}

fn assert_signed(got: &Got) {
    let secret = BASE64.decode(&SECRET[6..]).expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signed = format!(
        "{}.{}.{}",
        got.header("webhook-id"),
        got.header("webhook-timestamp"),
        got.body
    );
    let given = got.header("webhook-signature").strip_prefix("v1,");
    let tag = BASE64.decode(given.expect("a version")).expect("base64");
    hmac::verify(&key, signed.as_bytes(), &tag).expect("the signature fits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_help_is_told_by_a_signed_webhook() {
    let mut receiver = Receiver::start(&[], None).await;
    let (server, ada) = claimed(&hook(receiver.port, "/hooks/secret-part?key=x")).await;

    ask(&server, "Grace", "It+does+not+print").await;

    let got = receiver.next().await;
    assert!(
        got.head
            .starts_with("POST /hooks/secret-part?key=x HTTP/1.1\r\n")
    );
    assert_eq!(got.header("content-type"), "application/json");
    assert_signed(&got);
    let body: Value = serde_json::from_str(&got.body).expect("JSON");
    let code = ada.get("/api/support-codes").await.body["items"][0].clone();
    assert_eq!(body["type"], "support.requested");
    assert_eq!(
        body["data"],
        json!({
            "support_code_id": code["id"],
            "customer": "Grace",
            "message": "It does not print",
            "after_hours": false,
            "url": format!("/support-codes/{}", text(&code["id"])),
        })
    );
    assert!(
        !got.body.contains(&text(&code["code"])),
        "the code stays out"
    );
    let delivered = newest(&ada, "delivered").await;
    assert_eq!(delivered["id"], got.header("webhook-id"));
    assert_eq!(delivered["attempts"], 1);
    // Its path may be a secret.
    let target = format!("http://127.0.0.1:{}", receiver.port);
    assert_eq!(delivered["target"], target);
    let metrics = server.metrics().await;
    assert!(metrics.contains("guruconnect_notices_total{kind=\"delivered\"} 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_with_the_same_id_and_given_up_when_told_so() {
    let answers = [
        "503 Service Unavailable",
        "302 Found\r\nLocation: /elsewhere",
        "410 Gone",
    ];
    let mut receiver = Receiver::start(&answers, None).await;
    let (server, ada) = claimed(&hook(receiver.port, "/")).await;

    ask(&server, "Grace", "Help").await;
    let first = receiver.next().await;
    let second = receiver.next().await;
    let third = receiver.next().await;

    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, third.body);
    assert!(
        !third.head.contains("/elsewhere"),
        "redirects are not followed"
    );
    assert_signed(&third);
    let failed = newest(&ada, "failed").await;
    assert_eq!(failed["attempts"], 3);
    assert_eq!(failed["last_error"], "the receiver answered 410 Gone");
    assert_eq!(failed["next_at"], Value::Null);
    let metrics = server.metrics().await;
    assert!(metrics.contains("guruconnect_notices_total{kind=\"retried\"} 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_tried_again_until_the_mail_server_takes_it() {
    let mut mailbox = MailServer::start(&["451 come back later"], None).await;
    let (server, ada) = claimed(&mail(&format!("smtp://127.0.0.1:{}", mailbox.port))).await;

    ask(&server, "Grace%0D%0ABcc:%20x@example.com", "One%0ATwo").await;

    let mail = mailbox.next().await;
    assert!(
        mail.dialogue
            .contains(&"RCPT TO:<on-call@example.com>".to_owned())
    );
    let content = mail.content.replace("\r\n", "\n");
    let (head, body) = content.split_once("\n\n").expect("head and body");
    assert!(!head.contains("\nBcc"), "{head}");
    assert!(
        head.contains("Subject: GraceBcc: x@example.com asks for help"),
        "{head}"
    );
    assert!(
        head.contains("From: \"Help desk\" <help@example.com>"),
        "{head}"
    );
    assert!(body.contains("\n> One\n> Two\n"), "{body}");
    let delivered = newest(&ada, "delivered").await;
    assert_eq!(delivered["attempts"], 2);
    assert_eq!(delivered["target"], "on-call@example.com");
    assert!(head.contains(&format!(
        "Message-ID: <{}@example.com>",
        text(&delivered["id"])
    )));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_is_refused_for_good_is_given_up() {
    let mailbox = MailServer::start(&["550 no such sender"], None).await;
    let (server, ada) = claimed(&mail(&format!("smtp://127.0.0.1:{}", mailbox.port))).await;

    ask(&server, "Grace", "Help").await;

    let failed = newest(&ada, "failed").await;
    assert_eq!(failed["attempts"], 1);
    assert!(text(&failed["last_error"]).contains("no such sender"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_webhooks_go_over_tls_to_those_whose_certificate_fits() {
    let certificate = Certificate::new();
    let tls = || Some(certificate.acceptor.clone());
    let mut mailbox = MailServer::start(&[], tls()).await;
    let mut receiver = Receiver::start(&[], tls()).await;
    let smtp = format!("smtps://desk:p%40ss@localhost:{}", mailbox.port);
    let mut arguments = mail(&smtp);
    let hook = hook(receiver.port, "/");
    arguments.extend_from_slice(&hook[2..4]);
    arguments.extend_from_slice(&hook[6..8]);
    let url = format!("https://localhost:{}/", receiver.port);
    arguments.extend(["--notify-webhooks".to_owned(), url]);
    let trusting = [
        arguments.clone(),
        vec![
            "--notify-ca-file".to_owned(),
            certificate.file().display().to_string(),
        ],
    ];
    let (server, _ada) = claimed(&trusting.concat()).await;

    ask(&server, "Grace", "Help").await;

    assert_signed(&receiver.next().await);
    let mail = mailbox.next().await;
    let login = BASE64.encode("\0desk\0p@ss");
    assert!(mail.dialogue.contains(&format!("AUTH PLAIN {login}")));

    let (doubting, ada) = claimed(&arguments).await;
    ask(&doubting, "Grace", "Help").await;
    let log = ada
        .wait_for("/api/notices", |log| {
            let items = log["items"].as_array().expect("a list");
            items.len() == 2 && items.iter().all(|item| item["last_error"].is_string())
        })
        .await;
    for item in log["items"].as_array().expect("a list") {
        let error = text(&item["last_error"]).to_lowercase();
        assert!(
            error.contains("certificate") || error.contains("issuer"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_its_password_go_only_after_starttls() {
    let certificate = Certificate::new();
    let mut mailbox = CarefulMailServer::start(Some(certificate.acceptor.clone())).await;
    let trust = certificate.file().display().to_string();
    let trusting = ["--notify-ca-file".to_owned(), trust];
    let (server, ada) = claimed(&[mail(&mailbox.url()), trusting.to_vec()].concat()).await;

    ask(&server, "Grace", "Help").await;

    let mail = soon(mailbox.got.recv()).await.expect("a mail");
    let login = BASE64.encode("\0desk\0p@ss");
    assert!(mail.dialogue.contains(&format!("AUTH PLAIN {login}")));
    newest(&ada, "delivered").await;
    let verbs: Vec<_> = mailbox.heard_in_the_clear();
    assert!(verbs[0].starts_with("EHLO"), "{verbs:?}");
    assert_eq!(verbs[1..], ["STARTTLS"], "nothing else in the clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_cannot_show_who_it_is_is_told_nothing() {
    let certificate = Certificate::new();
    let other = Certificate::new();
    let stranger = CarefulMailServer::start(Some(certificate.acceptor.clone())).await;
    let plain = CarefulMailServer::start(None).await;
    let trust = other.file().display().to_string();
    for (mailbox, reason) in [(stranger, "certificate"), (plain, "starttls")] {
        let trusting = ["--notify-ca-file".to_owned(), trust.clone()];
        let (server, ada) = claimed(&[mail(&mailbox.url()), trusting.to_vec()].concat()).await;

        ask(&server, "Grace", "Help").await;

        let log = ada
            .wait_for("/api/notices", |log| {
                log["items"][0]["last_error"].is_string()
            })
            .await;
        let error = text(&log["items"][0]["last_error"]).to_lowercase();
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains("p@ss"), "{error}");
        let heard = mailbox.heard_in_the_clear();
        assert!(!heard.is_empty());
        for line in heard {
            let verb = line.split(' ').next().unwrap_or_default();
            assert!(["EHLO", "STARTTLS", "QUIT"].contains(&verb), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_the_evening_where_the_operator_wants_that_and_webhooks_do_not() {
    let mut receiver = Receiver::start(&[], None).await;
    let mailbox = MailServer::start(&[], None).await;
    let mut arguments = hook(receiver.port, "/");
    let smtp = mail(&format!("smtp://127.0.0.1:{}", mailbox.port));
    arguments.extend_from_slice(&smtp[4..]);
    let always_open = ["--notify-email-when", "after-hours", "--support-hours"];
    arguments.extend(always_open.iter().map(ToString::to_string));
    let open = [arguments.clone(), vec!["mon-sun 00:00-24:00".to_owned()]].concat();
    let (server, ada) = claimed(&open).await;

    ask(&server, "Grace", "Help").await;

    assert!(receiver.next().await.body.contains("\"after_hours\":false"));
    let listed = ada.get("/api/notices").await.body;
    assert_eq!(listed["items"].as_array().expect("a list").len(), 1);
    assert_eq!(listed["support_hours"], "mon-sun 00:00-24:00");

    // One minute of the week, which this test does not meet twice.
    let closed = [arguments, vec![some_other_minute()]].concat();
    let (server, _ada) = claimed(&closed).await;
    ask(&server, "Grace", "Help").await;
    assert!(receiver.next().await.body.contains("\"after_hours\":true"));
    let mut mailbox = mailbox;
    assert!(mailbox.next().await.content.contains("(after hours)"));
}

/// Hours that are not now: a minute of the day three days from here.
fn some_other_minute() -> String {
    use chrono::Datelike as _;
    let day = chrono::Local::now().weekday().num_days_from_monday();
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let other = days[((day + 3) % 7) as usize];
    format!("{other} 00:00-00:01")
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_try_it_out_and_nobody_else_sees_it() {
    let mut receiver = Receiver::start(&[], None).await;
    let (server, ada) = claimed(&hook(receiver.port, "/")).await;
    let bo = server
        .add_person("bo", gc_model::role::Role::SeniorTechnician)
        .await;
    for (method, path) in [
        (Method::GET, "/api/notices"),
        (Method::POST, "/api/notices/test"),
    ] {
        let refused = bo.send(method, path).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }

    let sent = ada.send(Method::POST, "/api/notices/test").await;

    assert_eq!(sent.status, StatusCode::ACCEPTED);
    let got = receiver.next().await;
    assert_signed(&got);
    let body: Value = serde_json::from_str(&got.body).expect("JSON");
    assert_eq!(body["type"], "test");
    assert_eq!(body["data"]["customer"], "Ada Lovelace");
    assert!(ada.actions().await.contains(&"notice.tested".to_owned()));

    let (_silent, eve) = claimed(&[]).await;
    let nobody = eve.send(Method::POST, "/api/notices/test").await;
    assert_eq!(nobody.code(), "nobody_to_tell");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_is_delivered_after_a_restart() {
    let mut receiver = Receiver::start(&["503 Service Unavailable"], None).await;
    let mut arguments = hook(receiver.port, "/");
    // Long enough to stop the server before the second try.
    let retry = arguments.iter().position(|word| word == "1").expect("it");
    arguments[retry] = "3".to_owned();
    let (server, ada) = claimed(&arguments).await;
    ask(&server, "Grace", "Help").await;
    let first = receiver.next().await;
    newest(&ada, "pending").await;
    ada.wait_for("/api/notices", |log| log["items"][0]["attempts"] == 1)
        .await;

    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let _again = server.restart(&arguments).await;

    let second = receiver.next().await;
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
}
