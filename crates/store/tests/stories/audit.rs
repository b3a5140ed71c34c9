//! The audit log.

use gc_store::{Action, Actor, AuditFilter, NewAuditEntry};

use crate::{Database, at, entry, machine_id, session_id, stories, user_id};

stories! {
    the_audit_log_is_filtered_paged_and_forgotten,
}

async fn the_audit_log_is_filtered_paged_and_forgotten(database: Database) {
    let store = database.open().await;
    for n in 0..6 {
        let by_ada = NewAuditEntry {
            at: at(n),
            actor: Actor::User {
                id: user_id("u1"),
                name: "Ada".into(),
            },
            machine: (n % 2 == 0).then(|| (machine_id("m1"), "DESK-07".into())),
            session_id: Some(session_id("s1")),
            ..entry(if n < 3 {
                Action::SessionStarted
            } else {
                Action::SessionEnded
            })
        };
        store.append_audit(by_ada).await.expect("written");
    }
    let count = async |filter: AuditFilter| {
        store
            .audit_page(&filter, None, 100)
            .await
            .expect("a page")
            .len()
    };

    let of_action = |action: &str| AuditFilter {
        action: Some(action.into()),
        ..Default::default()
    };
    let of_machine = |id: &str| AuditFilter {
        machine_id: Some(id.into()),
        ..Default::default()
    };
    let of_user = |id: &str| AuditFilter {
        user_id: Some(id.into()),
        ..Default::default()
    };
    assert_eq!(count(of_action("session.ended")).await, 3);
    assert_eq!(count(of_machine("m1")).await, 3);
    assert_eq!(count(of_user("u1")).await, 6);
    assert_eq!(count(of_user("u2")).await, 0);

    let first = store
        .audit_page(&AuditFilter::default(), None, 4)
        .await
        .expect("a page");
    let rest = store
        .audit_page(&AuditFilter::default(), Some(first[3].id), 4)
        .await
        .expect("a page");
    assert_eq!((first[0].at, first[3].at), (at(5), at(2)));
    assert_eq!(
        rest.iter().map(|record| record.at).collect::<Vec<_>>(),
        [at(1), at(0)]
    );
    assert_eq!(rest[1].machine_name.as_deref(), Some("DESK-07"));
    assert_eq!(rest[1].actor_name.as_deref(), Some("Ada"));

    assert_eq!(store.delete_audit_before(at(4)).await.expect("deleted"), 4);
    assert_eq!(count(AuditFilter::default()).await, 2);
}
