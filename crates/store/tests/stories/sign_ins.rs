//! Signing in while the account changes.

use gc_store::{Action, CreateLoginError, UserChange};

use crate::people::grace;
use crate::{
    Database, FIRST_HASH, actions, ada, add_ada, at, entry, login, login_id, stories, user_id,
};

stories! {
    a_password_that_was_checked_before_a_change_opens_nothing_after_it,
    no_sign_in_outlives_a_reset_at_the_same_moment,
}

async fn a_password_that_was_checked_before_a_change_opens_nothing_after_it(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    let second = gc_store::NewUser {
        username: "bo".into(),
        ..ada("u3")
    };
    for user in [grace(), second] {
        let created = store.create_user(user, entry(Action::UserCreated)).await;
        created.expect("a person");
    }
    let reset = entry(Action::PasswordReset);
    let reset = store
        .reset_password(&user_id("u1"), "$argon2id$new".into(), at(5), reset)
        .await;
    assert!(reset.expect("an answer").is_some());
    let disable = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    let disabled = store
        .change_user(&user_id("u2"), disable, at(5), vec![])
        .await;
    disabled.expect("disabled");
    let change = |user: &'static str| {
        let (store, hash) = (store.clone(), "$argon2id$late".to_owned());
        let (keep, changed) = (login_id("l1"), entry(Action::PasswordChanged));
        async move {
            store
                .change_password(&user_id(user), FIRST_HASH, hash, &keep, at(6), changed)
                .await
                .expect("an answer")
        }
    };
    assert!(change("u3").await.is_some(), "nothing came in between");

    for user in ["u1", "u2", "u3", "nobody"] {
        let late = login("late", user, "late");
        let late = store.create_login(late, FIRST_HASH, entry(Action::LoginStarted));
        let refused = late.await.expect_err("refused");
        assert!(matches!(refused, CreateLoginError::NotValid), "{user}");
        assert_eq!(change(user).await, None, "{user}");
        let live = store.live_logins(&user_id(user), at(6)).await;
        assert_eq!(live.expect("logins"), [], "{user}");
    }

    let known = store.credentials("ada").await.expect("an answer");
    assert_eq!(known.expect("ada").password_hash, "$argon2id$new");
    assert!(!actions(&store).await.contains(&"login.started".to_owned()));
}

async fn no_sign_in_outlives_a_reset_at_the_same_moment(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let mut all = tokio::task::JoinSet::new();
    for n in 0..20 {
        let store = store.clone();
        all.spawn(async move {
            if n == 10 {
                let (hash, reset) = ("$argon2id$new".into(), entry(Action::PasswordReset));
                let reset = store
                    .reset_password(&user_id("u1"), hash, at(5), reset)
                    .await;
                assert!(reset.expect("an answer").is_some());
                return;
            }
            let started = entry(Action::LoginStarted);
            let new_login = login(&format!("n{n}"), "u1", &format!("t{n}"));
            match store.create_login(new_login, FIRST_HASH, started).await {
                Ok(()) | Err(CreateLoginError::NotValid) => {}
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    all.join_all().await;

    let live = store.live_logins(&user_id("u1"), at(6)).await;
    assert_eq!(live.expect("logins"), []);
}
