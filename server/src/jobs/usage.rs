//! Writes what sessions use, and that machines are still there.

use std::time::Duration;

use gc_store::Usage;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::{App, Shared};

/// A crash loses at most this much of a session's length and bytes.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// Every how many flushes the machines that are online are noted as seen: once
/// a minute.
const SEEN_EVERY: u64 = 12;

pub(super) async fn run(app: Shared) {
    let mut timer = interval(FLUSH_EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in 0.. {
        timer.tick().await;
        flush(&app).await;
        if turn % SEEN_EVERY == 0 {
            let online = app.hub.online();
            if let Err(error) = app.store.record_seen(&online, app.clock.now()).await {
                tracing::error!("Machines could not be noted as seen: {error:#}");
            }
        }
    }
}

/// Writes what sessions used since the last time.
pub(crate) async fn flush(app: &App) {
    let usage: Vec<Usage> = app
        .hub
        .take_usage()
        .into_iter()
        .map(|used| Usage {
            session_id: used.session,
            seconds: used.seconds,
            bytes: used.bytes,
        })
        .collect();
    if let Err(error) = app.store.add_usage(&usage).await {
        tracing::error!("The use of sessions could not be written: {error:#}");
    }
}
