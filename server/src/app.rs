//! Everything a handler may need, once for the whole server.

use std::sync::Arc;

use gc_model::id::LoginId;
use gc_model::session::EndReason;
use gc_store::{Actor, Store, StoreError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::claim::ClaimSecret;
use crate::auth::live_logins::LiveLogins;
use crate::auth::lockout::Lockout;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::AccessTokens;
use crate::clock::Clock;
use crate::http::client::Client;
use crate::http::error::ApiError;
use crate::http::headers::SecurityHeaders;
use crate::http::limits::{Limited, Limits};
use crate::hub::Hub;
use crate::keys::ServerKeys;
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::settings::Settings;
use crate::support::Support;

/// How handlers hold it.
pub(crate) type Shared = Arc<App>;

/// See the module.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) keys: ServerKeys,
    pub(crate) hub: Hub,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) live_logins: LiveLogins,
    pub(crate) passwords: Passwords,
    pub(crate) lockout: Lockout,
    pub(crate) limits: Limits,
    pub(crate) support: Support,
    pub(crate) notices: Notices,
    /// `None` on a server that was claimed before it started.
    pub(crate) claim_secret: Option<ClaimSecret>,
    pub(crate) metrics: Metrics,
    pub(crate) security_headers: SecurityHeaders,
    /// Cancelled when the server is to stop.
    pub(crate) stopping: CancellationToken,
    /// What the server waits for when it stops: the WebSockets' close frames, and
    /// what is written after an answer.
    pub(crate) tasks: TaskTracker,
}

impl App {
    /// Counts a request against the limit of its kind.
    pub(crate) fn limit(&self, limited: Limited, client: Client) -> Result<(), ApiError> {
        self.limits
            .take(self.clock.moment(), limited, client.address)
            .map_err(|wait| {
                self.metrics.refused(limited.as_str());
                ApiError::too_many("too_many_requests", wait)
            })
    }

    /// A sign-in is over: its tokens, its listeners and its sessions go.
    pub(crate) async fn login_ended(&self, login: &LoginId) -> Result<(), StoreError> {
        self.live_logins.forget(login);
        self.hub.events.login_ended(login.clone());
        for session in self.hub.open_sessions(|open| open.login == *login) {
            self.end_session(&session, EndReason::LoginEnded, Actor::System, None)
                .await?;
        }
        Ok(())
    }
}
