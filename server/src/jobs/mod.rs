//! What the server does by itself, for as long as it runs.

mod housekeeping;
mod notices;
mod publish;
mod support;
mod usage;

use std::time::Duration;

use gc_model::id::SessionId;
use gc_model::session::EndReason;
use gc_store::Actor;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::Shared;

pub(crate) use usage::flush as flush_usage;

/// Pause before something is tried again that the database refused.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Starts all of them; they end when the set is dropped.
pub(crate) fn start(app: &Shared, abandoned: mpsc::UnboundedReceiver<SessionId>) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    let hub = app.clone();
    jobs.spawn(async move { hub.hub.keep_time().await });
    jobs.spawn(end_abandoned(app.clone(), abandoned));
    jobs.spawn(publish::run(app.clone()));
    jobs.spawn(usage::run(app.clone()));
    jobs.spawn(support::run(app.clone()));
    jobs.spawn(notices::run(app.clone()));
    jobs.spawn(housekeeping::run(app.clone()));
    jobs
}

/// Ends the sessions that nobody came back to. While the database fails, they wait.
async fn end_abandoned(app: Shared, mut abandoned: mpsc::UnboundedReceiver<SessionId>) {
    while let Some(session) = abandoned.recv().await {
        while let Err(error) = app
            .end_session(&session, EndReason::Abandoned, Actor::System, None)
            .await
        {
            tracing::error!(%session, "An abandoned session could not be ended: {error:#}");
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }
}
