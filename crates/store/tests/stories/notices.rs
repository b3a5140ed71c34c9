//! The queue of notices.

use gc_model::notice::{Channel, DeliveryState};
use gc_store::{Action, AuditFilter, NewNotice, Tried};

use crate::{Database, at, entry, stories};

stories! {
    a_notice_is_tried_until_it_arrives_or_is_given_up,
    the_queue_is_bounded_and_takes_all_or_nothing,
    what_has_ended_is_forgotten_and_what_waits_is_not,
}

fn notice(id: &str, seconds: i64) -> NewNotice {
    NewNotice {
        id: id.into(),
        kind: "support.requested".into(),
        channel: Channel::Webhook,
        target: "https://hooks.example.com".into(),
        target_key: "key".into(),
        payload: "{}".into(),
        created_at: at(seconds),
    }
}

async fn a_notice_is_tried_until_it_arrives_or_is_given_up(database: Database) {
    let store = database.open().await;
    let notices = vec![notice("a", 0), notice("b", 1)];
    assert!(store.add_notices(notices, 10, None).await.expect("added"));
    let due = |seconds| {
        let store = store.clone();
        async move {
            let due = store.due_notices(at(seconds), 10).await.expect("due");
            due.into_iter().map(|notice| notice.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(due(0).await, ["a"]);
    assert_eq!(due(1).await, ["a", "b"]);

    let again = Tried::Again {
        at: at(30),
        error: "connection refused".into(),
    };
    store.note_try("a", again, at(1)).await.expect("noted");
    assert_eq!(due(29).await, ["b"]);
    assert_eq!(store.next_notice_at().await.expect("next"), Some(at(1)));
    let failed = Tried::Failed {
        error: "410 Gone".into(),
    };
    store.note_try("b", failed, at(2)).await.expect("noted");
    assert_eq!(store.next_notice_at().await.expect("next"), Some(at(30)));
    store
        .note_try("a", Tried::Delivered, at(30))
        .await
        .expect("noted");

    assert_eq!(store.next_notice_at().await.expect("next"), None);
    let log = store.notices(10).await.expect("the log");
    let log: Vec<_> = log
        .iter()
        .map(|notice| {
            let error = notice.last_error.as_deref();
            (notice.id.as_str(), notice.state, notice.attempts, error)
        })
        .collect();
    assert_eq!(
        log,
        [
            ("b", DeliveryState::Failed, 1, Some("410 Gone")),
            ("a", DeliveryState::Delivered, 2, None),
        ]
    );
}

async fn the_queue_is_bounded_and_takes_all_or_nothing(database: Database) {
    let store = database.open().await;
    let two = || vec![notice("a", 0), notice("b", 0)];
    let tested = Some(entry(Action::NoticeTested));
    let refused = store.add_notices(two(), 1, tested.clone()).await;
    assert!(!refused.expect("an answer"));
    assert_eq!(store.notices(10).await.expect("the log"), []);
    let filter = AuditFilter::default();
    let audit = store.audit_page(&filter, None, 10).await.expect("the log");
    assert!(audit.is_empty());

    assert!(store.add_notices(two(), 2, tested).await.expect("added"));
    let full = store.add_notices(vec![notice("c", 0)], 2, None).await;
    assert!(!full.expect("an answer"));
    let audit = store.audit_page(&filter, None, 10).await.expect("the log");
    assert_eq!(audit.len(), 1);

    store
        .note_try("a", Tried::Delivered, at(1))
        .await
        .expect("noted");
    let place = store.add_notices(vec![notice("c", 0)], 2, None).await;
    assert!(place.expect("an answer"));
}

async fn what_has_ended_is_forgotten_and_what_waits_is_not(database: Database) {
    let store = database.open().await;
    let notices = vec![notice("a", 0), notice("b", 0)];
    assert!(store.add_notices(notices, 10, None).await.expect("added"));
    store
        .note_try("a", Tried::Delivered, at(5))
        .await
        .expect("noted");

    assert_eq!(store.delete_notices_before(at(5)).await.expect("gone"), 0);
    assert_eq!(store.delete_notices_before(at(6)).await.expect("gone"), 1);
    let left = store.notices(10).await.expect("the log");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].id, "b");
}
