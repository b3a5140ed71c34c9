//! Length, bytes, pages.

use gc_model::session::EndReason;
use gc_store::{Action, AuditFilter, EndedSession, NewAuditEntry, SessionCursor, SessionFilter};

use crate::{Database, at, entry, machine_id, new_session, run_sql, session_id, stories, usage};

stories! {
    a_session_adds_up_and_ends_once,
    sessions_are_read_page_by_page,
    the_report_by_sql_works,
}

fn end(session: &str, seconds: u64, bytes: u64) -> EndedSession {
    EndedSession {
        usage: usage(session, seconds, bytes),
        at: at(100),
        reason: EndReason::EndedByTechnician,
    }
}

async fn a_session_adds_up_and_ends_once(database: Database) {
    let store = database.open().await;
    for id in ["s1", "s2"] {
        let started = entry(Action::SessionStarted);
        store
            .create_session(new_session(id, "m1", 10), started)
            .await
            .expect("a session");
    }

    store
        .add_usage(&[usage("s1", 5, 1_000), usage("s2", 1, 1)])
        .await
        .expect("added");
    store
        .add_usage(&[usage("s1", 5, 1_000), usage("gone", 1, 1)])
        .await
        .expect("added");
    let ended = store
        .end_session(end("s1", 2, 5_000_000_000), |session| NewAuditEntry {
            detail: serde_json::json!({ "seconds": session.duration_seconds }),
            ..entry(Action::SessionEnded)
        })
        .await
        .expect("an answer")
        .expect("it was open");
    let again = store
        .end_session(end("s1", 2, 2), |_| entry(Action::SessionEnded))
        .await;

    assert_eq!(
        (ended.duration_seconds, ended.bytes_transferred),
        (12, 5_000_002_000)
    );
    assert_eq!(
        (ended.ended_at, ended.end_reason),
        (Some(at(100)), Some(EndReason::EndedByTechnician))
    );
    assert!(again.expect("an answer").is_none());
    let open = store.open_sessions().await.expect("sessions");
    assert_eq!(
        open.into_iter()
            .map(|session| session.id)
            .collect::<Vec<_>>(),
        [session_id("s2")]
    );
    let log = store
        .audit_page(&AuditFilter::default(), None, 1)
        .await
        .expect("a page");
    assert_eq!(log[0].detail, serde_json::json!({ "seconds": 12 }));
}

async fn sessions_are_read_page_by_page(database: Database) {
    let store = database.open().await;
    // Pairs of sessions that started at the same moment.
    for n in 0..10 {
        let machine = if n == 3 { "other" } else { "m1" };
        let session = new_session(&format!("s{n}"), machine, n / 2);
        store
            .create_session(session, entry(Action::SessionStarted))
            .await
            .expect("a session");
    }

    let mut seen = Vec::new();
    let mut cursor: Option<SessionCursor> = None;
    loop {
        let filter = SessionFilter {
            machine_id: Some(machine_id("m1")),
        };
        let page = store
            .session_page(&filter, cursor.as_ref(), 4)
            .await
            .expect("a page");
        let Some(last) = page.last() else { break };
        cursor = Some(SessionCursor {
            created_at: last.created_at,
            id: last.id.clone(),
        });
        seen.extend(page.into_iter().map(|session| session.id.to_string()));
    }

    assert_eq!(seen, ["s9", "s8", "s7", "s6", "s5", "s4", "s2", "s1", "s0"]);
}

async fn the_report_by_sql_works(database: Database) {
    let store = database.open().await;
    store
        .create_session(new_session("s1", "m1", 0), entry(Action::SessionStarted))
        .await
        .expect("a session");
    store
        .add_usage(&[usage("s1", 90, 4_096)])
        .await
        .expect("added");

    let since = if database.url.starts_with("sqlite") {
        "datetime('now', '-7 days')"
    } else {
        "NOW() - INTERVAL '7 days'"
    };
    let report = format!(
        "SELECT machine_id, user_id, AVG(duration_seconds), SUM(bytes_transferred) \
         FROM sessions WHERE created_at > {since} GROUP BY machine_id, user_id"
    );
    let rows = run_sql(&database.url, &report).await;

    assert_eq!(rows, 1);
}
