//! Ends support codes that are over without anybody saying so.

use std::collections::HashSet;
use std::time::Duration;

use gc_store::{Actor, CodeChange, StoreError};

use super::RETRY_AFTER;
use crate::app::{App, Shared};
use crate::support::watch::{Seen, Watch};

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(app: Shared) {
    let mut watch = Watch::default();
    loop {
        let woken = app.support.wake.notified();
        match look(&app, &mut watch).await {
            Ok(true) => tokio::time::sleep(EVERY).await,
            // No code is live: nothing to look at until there is one.
            Ok(false) => woken.await,
            Err(error) => {
                tracing::error!("Support codes could not be looked after: {error:#}");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// True while there is a live code.
async fn look(app: &App, watch: &mut Watch) -> Result<bool, StoreError> {
    let codes = app.store.live_support_codes().await?;
    let now = app.clock.now();
    for code in &codes {
        let guest = code.guest.as_ref().map(|guest| &guest.machine_id);
        let seen = Seen {
            state: code.state,
            expired: code.expires_at.is_some_and(|end| end <= now),
            online: code
                .guest
                .as_ref()
                .is_some_and(|guest| guest.is_managed || app.hub.is_online(&guest.machine_id)),
            in_session: guest.is_some_and(|guest| {
                !app.hub
                    .open_sessions(|open| open.machine == *guest)
                    .is_empty()
            }),
        };
        let Some(over) = watch.look(app.clock.moment(), &code.id, seen) else {
            continue;
        };
        app.change_support(CodeChange {
            id: code.id.clone(),
            event: over.event,
            technician: None,
            session_id: None,
            reason: Some(over.reason),
            actor: Actor::System,
            address: None,
            now,
        })
        .await?;
    }
    let live: HashSet<_> = codes.iter().map(|code| &code.id).collect();
    watch.keep(|id| live.contains(id));
    Ok(!live.is_empty())
}
