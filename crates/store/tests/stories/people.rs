//! Those who sign in.

use std::collections::BTreeSet;

use gc_model::role::Role;
use gc_store::{Action, ClaimError, CreateUserError, RotateError, Rotation, Store};

use crate::{Database, actions, ada, add_ada, at, entry, hash, login, login_id, stories, user_id};

stories! {
    of_many_claims_at_once_one_wins,
    names_are_taken_once,
    a_refresh_token_works_once_and_its_second_use_ends_the_login,
    of_many_uses_of_one_refresh_token_at_once_one_wins,
    ended_and_expired_logins_are_not_live,
    a_new_password_ends_every_other_login,
}

fn rotation(presented: &str, next: &str, now: i64) -> Rotation {
    Rotation {
        presented: hash(presented),
        next: hash(next),
        now: at(now),
        expires_at: at(now + 86_400),
        not_created_before: at(now - 30 * 86_400),
        address: "192.0.2.2".into(),
    }
}

async fn of_many_claims_at_once_one_wins(database: Database) {
    let store = database.open().await;
    assert!(!store.is_claimed().await.expect("an answer"));

    let mut claims = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (store, user) = (store.clone(), format!("u{n}"));
        claims.spawn(async move {
            let new_login = login(&format!("l{n}"), &user, &format!("r{n}"));
            store
                .claim_server(ada(&user), new_login, entry(Action::ServerClaimed))
                .await
        });
    }
    let results = claims.join_all().await;

    let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 19));
    for error in lost {
        assert!(
            matches!(error, Err(ClaimError::AlreadyClaimed)),
            "{error:?}"
        );
    }
    assert!(store.is_claimed().await.expect("an answer"));
    assert_eq!(actions(&store).await, ["server.claimed"]);
}

async fn names_are_taken_once(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let second = store
        .create_user(ada("u2"), entry(Action::UserCreated))
        .await;

    assert!(matches!(second, Err(CreateUserError::NameTaken(name)) if name == "ada"));
    let known = store
        .credentials("ada")
        .await
        .expect("an answer")
        .expect("ada");
    assert_eq!(
        (known.user.id, known.user.role),
        (user_id("u1"), Role::Admin)
    );
    assert!(
        store
            .credentials("grace")
            .await
            .expect("an answer")
            .is_none()
    );
}

async fn a_refresh_token_works_once_and_its_second_use_ends_the_login(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let (renewed, user) = store
        .rotate_refresh_token(rotation("r1", "r2", 10))
        .await
        .expect("once");
    assert_eq!(
        (renewed.id, user.username.as_str()),
        (login_id("l1"), "ada")
    );
    assert_eq!(renewed.expires_at, at(10 + 86_400));

    let again = store.rotate_refresh_token(rotation("r1", "r3", 20)).await;
    assert!(matches!(again, Err(RotateError::Reused(login)) if login == login_id("l1")));
    let newest = store.rotate_refresh_token(rotation("r2", "r4", 30)).await;
    assert!(matches!(newest, Err(RotateError::NotValid)));
    assert!(
        store
            .live_login(&login_id("l1"), at(30))
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(
        actions(&store).await,
        ["server.claimed", "login.reuse_detected"]
    );
}

async fn of_many_uses_of_one_refresh_token_at_once_one_wins(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let mut uses = tokio::task::JoinSet::new();
    for n in 0..10 {
        let store = store.clone();
        uses.spawn(async move {
            store
                .rotate_refresh_token(rotation("r1", &format!("next{n}"), 10))
                .await
        });
    }
    let won = uses.join_all().await.into_iter().flatten().count();

    assert_eq!(won, 1);
}

async fn ended_and_expired_logins_are_not_live(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    store
        .create_login(login("l2", "u1", "r2"), entry(Action::LoginStarted))
        .await
        .expect("l2");
    let live = async |now| {
        let logins = store
            .live_logins(&user_id("u1"), at(now))
            .await
            .expect("logins");
        logins
            .into_iter()
            .map(|login| login.id.to_string())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(live(0).await, ["l1".to_owned(), "l2".to_owned()].into());

    let end = |user: &'static str| store.end_login_of("l2", user);
    assert!(!end("somebody-else").await);
    assert!(end("u1").await);
    assert!(!end("u1").await);

    assert_eq!(live(0).await, ["l1".to_owned()].into());
    assert_eq!(live(86_400).await, BTreeSet::new());
    let refreshed = store
        .rotate_refresh_token(rotation("r1", "x", 86_400))
        .await;
    assert!(matches!(refreshed, Err(RotateError::NotValid)));
    assert_eq!(
        store
            .delete_logins_before(at(86_401))
            .await
            .expect("tidied"),
        2
    );
}

async fn a_new_password_ends_every_other_login(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    for n in 2..4 {
        let other = login(&format!("l{n}"), "u1", &format!("r{n}"));
        store
            .create_login(other, entry(Action::LoginStarted))
            .await
            .expect("a login");
    }

    let changed = entry(Action::PasswordChanged);
    let ended = store
        .change_password(
            &user_id("u1"),
            "$argon2id$second".into(),
            &login_id("l2"),
            at(5),
            changed,
        )
        .await
        .expect("changed");

    let ended: BTreeSet<_> = ended.into_iter().collect();
    assert_eq!(ended, [login_id("l1"), login_id("l3")].into());
    let live = store
        .live_logins(&user_id("u1"), at(5))
        .await
        .expect("logins");
    assert_eq!(
        live.into_iter().map(|login| login.id).collect::<Vec<_>>(),
        [login_id("l2")]
    );
    let known = store
        .credentials("ada")
        .await
        .expect("an answer")
        .expect("ada");
    assert_eq!(known.password_hash, "$argon2id$second");
}

trait EndLogin {
    async fn end_login_of(&self, login: &str, user: &str) -> bool;
}

impl EndLogin for Store {
    async fn end_login_of(&self, login: &str, user: &str) -> bool {
        self.end_login(
            &login_id(login),
            &user_id(user),
            at(1),
            entry(Action::LoginEnded),
        )
        .await
        .expect("an answer")
    }
}
