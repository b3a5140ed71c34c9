//! Delivers notices, again and again until they arrive or are given up.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use gc_model::notice::wait_after;
use gc_store::{Notice, StoreError, Tried};

use super::RETRY_AFTER;
use crate::app::{App, Shared};

/// Deliveries at once.
const AT_ONCE: u64 = 8;

/// The wall clock may be set while we wait for a time on it.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

pub(super) async fn run(app: Shared) {
    loop {
        let woken = app.notices.wake.notified();
        match round(&app).await {
            Ok(Some(wait)) => {
                let _woken_or_late = tokio::time::timeout(wait, woken).await;
            }
            Ok(None) => woken.await,
            Err(error) => {
                tracing::error!("Notices could not be delivered: {error:#}");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// Tries all that are due. How long until there are more; `None` while none wait.
async fn round(app: &App) -> Result<Option<Duration>, StoreError> {
    loop {
        let due = app.store.due_notices(app.clock.now(), AT_ONCE).await?;
        if due.is_empty() {
            break;
        }
        for noted in join_all(due.iter().map(|notice| deliver(app, notice))).await {
            noted?;
        }
    }
    let next = app.store.next_notice_at().await?;
    Ok(next.map(|at| {
        let wait = (at - app.clock.now()).to_std().unwrap_or(Duration::ZERO);
        wait.min(LONGEST_SLEEP)
    }))
}

async fn deliver(app: &App, notice: &Notice) -> Result<(), StoreError> {
    let sent = app.notices.send(notice, app.clock.unix_seconds()).await;
    let now = app.clock.now();
    let channel = notice.channel.as_str();
    let tried = match sent {
        Ok(()) => {
            tracing::info!(notice = %notice.id, channel, "Notice delivered");
            app.metrics.notices("delivered", 1);
            Tried::Delivered
        }
        Err(failure) => {
            let error = failure.text();
            let first = app.settings.notices.first_wait;
            let wait = wait_after(notice.attempts + 1, first).filter(|_| !failure.for_good);
            if let Some(wait) = wait.and_then(|wait| TimeDelta::from_std(wait).ok()) {
                tracing::warn!(notice = %notice.id, channel, error, "Notice not delivered; it is tried again");
                app.metrics.notices("retried", 1);
                let at = now + wait;
                Tried::Again { at, error }
            } else {
                tracing::error!(notice = %notice.id, channel, error, "Notice given up");
                app.metrics.notices("failed", 1);
                Tried::Failed { error }
            }
        }
    };
    app.store.note_try(&notice.id, tried, now).await
}
