//! Opening what is there.

use gc_store::{OpenError, Store};

use crate::{Database, add_ada, at, login_id, run_sql, stories};

stories! {
    everything_is_there_after_opening_again,
    a_database_of_a_newer_version_is_left_alone,
}

async fn everything_is_there_after_opening_again(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    store.close().await;

    let store = database.open().await;

    assert!(store.is_claimed().await.expect("an answer"));
    let (kept, user) = store
        .live_login(&login_id("l1"), at(1))
        .await
        .expect("an answer")
        .expect("live");
    assert_eq!(
        (kept.created_at, kept.user_agent.as_str()),
        (at(0), "Browser")
    );
    assert_eq!(user.display_name, "Ada Lovelace");
    store.ping().await.expect("a sign of life");
}

async fn a_database_of_a_newer_version_is_left_alone(database: Database) {
    database.open().await.close().await;
    run_sql(&database.url, "INSERT INTO schema_migrations VALUES ('9999_from_the_future', '2030-01-01T00:00:00+00:00')").await;

    let opened = Store::open(&database.url, at(0)).await;

    let error = opened.expect_err("refused");
    assert!(matches!(error, OpenError::Migrate(_)), "{error:?}");
}
