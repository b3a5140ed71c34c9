//! The GuruConnect server: API, relay and dashboard in one program. The binary
//! around this library only reads its command line; tests start it in-process.

mod api;
mod app;
mod auth;
mod chance;
mod clock;
mod http;
mod hub;
mod jobs;
mod keys;
pub mod logging;
mod metrics;
mod notices;
mod portal;
mod serve;
mod sessions;
mod settings;
mod support;
mod tls;
mod web;
mod ws;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gc_store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use crate::app::{App, Shared};
use crate::auth::claim::{self, ClaimSecret};
use crate::auth::live_logins::LiveLogins;
use crate::auth::lockout::Lockout;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::AccessTokens;
use crate::clock::Clock;
use crate::http::headers::SecurityHeaders;
use crate::http::limits::Limits;
use crate::hub::{Hub, OpenSession};
use crate::keys::ServerKeys;
use crate::metrics::Metrics;
use crate::notices::Notices;
pub use crate::settings::{
    Arguments, Colour, Command, EmailWhen, LogFormat, MailSecurity, MailSettings, NoticeArguments,
    NoticeSettings, Settings, SupportSettings, TlsFiles,
};
use crate::support::Support;
use crate::tls::Certificate;

/// How long requests and WebSockets get to finish when the server stops. With
/// what is written after it, the whole stop stays within five seconds.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// The OpenAPI document of the API, as it is committed.
pub fn openapi_json() -> String {
    api::openapi_json()
}

/// Runs a server until the system asks it to stop (SIGTERM, SIGINT).
///
/// # Errors
/// It could not start; the error says why.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let server = Server::start(settings).await?;
    if let Some(line) = server.claim_line() {
        println!("{line}");
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    server.stop().await;
    Ok(())
}

/// A server that runs.
pub struct Server {
    app: Shared,
    address: SocketAddr,
    claim_secret: Option<Zeroizing<String>>,
    listener: JoinHandle<()>,
    jobs: JoinSet<()>,
}

impl Server {
    /// Opens the database, binds the address and serves.
    ///
    /// # Errors
    /// Any of that was not possible.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let keys = ServerKeys::open(&settings.data_dir, settings.jwt_secret.as_deref())?;
        let store = Store::open(&settings.database_url, clock.now()).await?;
        let certificate = settings.tls.as_ref().map(Certificate::open).transpose()?;
        let tls = certificate
            .as_ref()
            .map(Certificate::acceptor)
            .transpose()?;
        let (listener, address) = serve::bind(settings.bind).await?;
        let claim_secret = if store.is_claimed().await? {
            None
        } else {
            let given = settings.claim_secret.clone().map(Zeroizing::new);
            Some(given.unwrap_or_else(claim::make_secret))
        };

        let (hub, abandoned) = Hub::new(clock);
        for session in store.open_sessions().await? {
            hub.open_session(OpenSession::from(&session));
        }
        let app = Arc::new(App {
            support: Support::open(&settings.support, &keys.token_secret)?,
            notices: Notices::open(&settings.notices)?,
            access_tokens: AccessTokens::new(&keys.token_secret),
            security_headers: SecurityHeaders::new(&settings),
            claim_secret: claim_secret
                .as_deref()
                .map(|secret| ClaimSecret::new(secret)),
            settings,
            clock,
            store,
            keys,
            hub,
            live_logins: LiveLogins::default(),
            passwords: Passwords::new(),
            lockout: Lockout::default(),
            limits: Limits::default(),
            metrics: Metrics::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let mut jobs = jobs::start(&app, abandoned);
        if let Some(certificate) = certificate {
            jobs.spawn(async move { certificate.follow().await });
        }
        let listener = listen(&app, listener, tls);
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "Server started");
        Ok(Self {
            app,
            address,
            claim_secret,
            listener,
            jobs,
        })
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an operator needs to claim a fresh server; `None` once it is claimed.
    pub fn claim_line(&self) -> Option<String> {
        let secret = self.claim_secret.as_ref()?;
        let url = self.url();
        Some(format!(
            "Claim this server: {url}/claim  secret: {}",
            **secret
        ))
    }

    /// How a browser reaches it, as far as it knows.
    fn url(&self) -> String {
        if let Some(url) = &self.app.settings.public_url {
            return url.origin().ascii_serialization();
        }
        let scheme = if self.app.settings.tls.is_some() {
            "https"
        } else {
            "http"
        };
        if self.address.ip().is_unspecified() {
            format!("{scheme}://localhost:{}", self.address.port())
        } else {
            format!("{scheme}://{}", self.address)
        }
    }

    /// Stops it: agents and viewers are told, what sessions used is written.
    pub async fn stop(self) {
        let Self {
            app,
            listener,
            mut jobs,
            ..
        } = self;
        tracing::info!("Server stopping");
        app.stopping.cancel();
        app.hub.shut_down();
        app.tasks.close();
        let finished = async {
            app.tasks.wait().await;
            let _ = listener.await;
        };
        if tokio::time::timeout(STOP_TIMEOUT, finished).await.is_err() {
            tracing::warn!("Some connections did not finish in time");
        }
        jobs.shutdown().await;
        jobs::flush_usage(&app).await;
        app.store.clone().close().await;
        tracing::info!("Server stopped");
    }
}

fn listen(
    app: &Shared,
    listener: TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
) -> JoinHandle<()> {
    let router = api::router(app);
    tokio::spawn(serve::serve(listener, tls, router, app.stopping.clone()))
}
