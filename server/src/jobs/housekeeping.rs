//! Forgets what is older than it is kept.

use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use tokio::time::interval;

use crate::app::{App, Shared};

const EVERY: Duration = Duration::from_hours(6);

/// How long a sign-in that is over can still be looked up, in days.
const LOGIN_DAYS: i64 = 7;

/// How long the log of deliveries is kept, in days. It has what customers wrote.
const NOTICE_DAYS: i64 = 30;

pub(super) async fn run(app: Shared) {
    let mut timer = interval(EVERY);
    loop {
        timer.tick().await;
        if let Err(error) = tidy(&app).await {
            tracing::error!("Old entries could not be deleted: {error:#}");
        }
    }
}

async fn tidy(app: &App) -> anyhow::Result<()> {
    let now = app.clock.now();
    let audit_cut = now - TimeDelta::days(app.settings.audit_days.into());
    let entries = app
        .store
        .delete_audit_before(audit_cut)
        .await
        .context("audit entries")?;
    let login_cut = now - TimeDelta::days(LOGIN_DAYS);
    let logins = app
        .store
        .delete_logins_before(login_cut)
        .await
        .context("sign-ins")?;
    // What was written around a support code is kept as long as the audit log.
    let codes = app
        .store
        .delete_support_before(audit_cut)
        .await
        .context("support codes")?;
    let notice_cut = now - TimeDelta::days(NOTICE_DAYS);
    let notices = app
        .store
        .delete_notices_before(notice_cut)
        .await
        .context("notices")?;
    if entries + logins + codes + notices > 0 {
        tracing::info!(
            entries,
            logins,
            codes,
            notices,
            "Old audit entries, sign-ins, support codes and notices deleted"
        );
    }
    Ok(())
}
