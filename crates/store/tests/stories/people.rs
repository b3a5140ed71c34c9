//! Those who sign in.

use std::collections::BTreeSet;

use gc_model::role::Role;
use gc_store::{
    Action, ChangeUserError, ClaimError, CreateUserError, RotateError, Rotation, Store, UserChange,
};

use crate::{
    Database, FIRST_HASH, actions, ada, add_ada, at, entry, hash, login, login_id, stories, user_id,
};

stories! {
    of_many_claims_at_once_one_wins,
    names_are_taken_once,
    a_refresh_token_works_once_and_its_second_use_ends_the_login,
    of_many_uses_of_one_refresh_token_at_once_two_win_and_the_login_ends,
    a_token_whose_answer_got_lost_is_exchanged_once_more,
    a_token_comes_once_more_only_soon_and_from_the_same_address,
    a_copy_of_a_token_and_its_owner_cannot_go_on_side_by_side,
    everybody_is_listed_changed_and_disabled,
    the_last_administrator_stays_one,
    a_password_that_was_reset_ends_every_login,
    ended_and_expired_logins_are_not_live,
    a_new_password_ends_every_other_login,
}

fn rotation(presented: &str, next: &str, now: i64) -> Rotation {
    Rotation {
        presented: hash(presented),
        next: hash(next),
        now: at(now),
        expires_at: at(now + 86_400),
        once_more_since: at(now - 10),
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

    let again = store.rotate_refresh_token(rotation("r1", "r3", 21)).await;
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

async fn of_many_uses_of_one_refresh_token_at_once_two_win_and_the_login_ends(database: Database) {
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

    // The second may be one whose answer got lost; the third is a thief.
    assert_eq!(won, 2);
    let live = store.live_login(&login_id("l1"), at(11)).await;
    assert!(live.expect("an answer").is_none());
}

async fn a_token_whose_answer_got_lost_is_exchanged_once_more(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    let rotate = async |presented, next, now| {
        store
            .rotate_refresh_token(rotation(presented, next, now))
            .await
    };
    rotate("r1", "lost", 100).await.expect("once");
    rotate("r1", "r2", 105).await.expect("once more");

    // Both may arrive after all: the first that is used is the one that counts.
    rotate("r2", "r3", 200).await.expect("the newest");
    let late = rotate("lost", "r4", 300).await;

    assert!(matches!(late, Err(RotateError::Reused(_))));
    assert!(matches!(
        rotate("r3", "r5", 301).await,
        Err(RotateError::NotValid)
    ));
}

async fn a_token_comes_once_more_only_soon_and_from_the_same_address(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    for n in 2..6 {
        let other = login(&format!("l{n}"), "u1", &format!("r{n}"));
        store
            .create_login(other, FIRST_HASH, entry(Action::LoginStarted))
            .await
            .expect("a login");
    }
    let rotate = async |rotation| store.rotate_refresh_token(rotation).await;
    let reused = |result| matches!(result, Err(RotateError::Reused(_)));

    rotate(rotation("r2", "a", 100)).await.expect("once");
    assert!(reused(rotate(rotation("r2", "b", 111)).await), "too late");

    rotate(rotation("r3", "c", 100)).await.expect("once");
    let elsewhere = Rotation {
        address: "192.0.2.99".into(),
        ..rotation("r3", "d", 101)
    };
    assert!(reused(rotate(elsewhere).await), "from elsewhere");

    rotate(rotation("r4", "e", 100)).await.expect("once");
    rotate(rotation("r4", "f", 101)).await.expect("once more");
    assert!(reused(rotate(rotation("r4", "g", 102)).await), "and again");

    rotate(rotation("r5", "h", 100)).await.expect("once");
    rotate(rotation("h", "i", 101)).await.expect("the next");
    let arrived = rotate(rotation("r5", "j", 102)).await;
    assert!(reused(arrived), "after its successor was used");
}

async fn a_copy_of_a_token_and_its_owner_cannot_go_on_side_by_side(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    let other = login("l2", "u1", "q1");
    store
        .create_login(other, FIRST_HASH, entry(Action::LoginStarted))
        .await
        .expect("a login");
    let rotate = async |presented, next, now| {
        store
            .rotate_refresh_token(rotation(presented, next, now))
            .await
    };

    // Both renew, seconds apart and from one address. Then whoever is early is
    // followed within seconds by the other.
    for [first, owner, thief, early, late, next] in [
        ["r1", "r2", "r3", "r2", "r3", "r4"],
        ["q1", "q2", "q3", "q3", "q2", "q4"],
    ] {
        rotate(first, owner, 100).await.expect("the owner");
        rotate(first, thief, 105).await.expect("the thief");
        rotate(early, next, 200).await.expect("the early one");
        let second = rotate(late, "never", 203).await;

        assert!(matches!(second, Err(RotateError::Reused(_))), "{second:?}");
        let ended = rotate(next, "never", 204).await;
        assert!(matches!(ended, Err(RotateError::NotValid)), "{ended:?}");
    }
}

pub(crate) fn grace() -> gc_store::NewUser {
    gc_store::NewUser {
        id: user_id("u2"),
        username: "grace".into(),
        display_name: "Grace Hopper".into(),
        role: Role::Technician,
        ..ada("u2")
    }
}

async fn everybody_is_listed_changed_and_disabled(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    store
        .create_user(grace(), entry(Action::UserCreated))
        .await
        .expect("grace");
    store
        .create_login(
            login("l2", "u2", "r2"),
            FIRST_HASH,
            entry(Action::LoginStarted),
        )
        .await
        .expect("a login");
    let change = |change| {
        let store = store.clone();
        async move {
            let entries = vec![entry(Action::UserChanged)];
            store
                .change_user(&user_id("u2"), change, at(9), entries)
                .await
        }
    };

    let promoted = UserChange {
        role: Some(Role::SeniorTechnician),
        display_name: Some("Grace".into()),
        disabled: None,
    };
    let changed = change(promoted).await.expect("changed");
    assert_eq!(changed.account.user.role, Role::SeniorTechnician);
    assert_eq!(changed.ended, []);
    let disabled = UserChange {
        disabled: Some(true),
        ..UserChange::default()
    };
    let changed = change(disabled.clone()).await.expect("disabled");
    assert_eq!(changed.ended, [login_id("l2")]);
    let again = change(disabled).await.expect("disabled already");
    assert_eq!(again.account.disabled_at, Some(at(9)));
    assert_eq!(again.ended, []);

    assert!(
        store
            .credentials("grace")
            .await
            .expect("an answer")
            .is_none()
    );
    let listed = store.accounts().await.expect("everybody");
    let listed: Vec<_> = listed
        .iter()
        .map(|account| {
            let name = account.user.display_name.as_str();
            (name, account.disabled_at.is_some())
        })
        .collect();
    assert_eq!(listed, [("Ada Lovelace", false), ("Grace", true)]);
    let enabled = UserChange {
        disabled: Some(false),
        ..UserChange::default()
    };
    change(enabled).await.expect("enabled");
    assert!(
        store
            .credentials("grace")
            .await
            .expect("an answer")
            .is_some()
    );
    let nobody = store
        .change_user(&user_id("nobody"), UserChange::default(), at(9), vec![])
        .await;
    assert!(matches!(nobody, Err(ChangeUserError::NotFound)));
}

async fn the_last_administrator_stays_one(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    let demote = |id: &'static str| {
        let store = store.clone();
        let change = UserChange {
            role: Some(Role::Technician),
            ..UserChange::default()
        };
        async move { store.change_user(&user_id(id), change, at(9), vec![]).await }
    };
    let alone = demote("u1").await;
    assert!(matches!(alone, Err(ChangeUserError::LastAdmin)));

    let second = gc_store::NewUser {
        role: Role::Admin,
        ..grace()
    };
    store
        .create_user(second, entry(Action::UserCreated))
        .await
        .expect("grace");
    let (one, other) = tokio::join!(tokio::spawn(demote("u1")), tokio::spawn(demote("u2")));
    let results = [one.expect("no panic"), other.expect("no panic")];

    let changed = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(changed, 1, "{results:?}");
}

async fn a_password_that_was_reset_ends_every_login(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;

    let reset = |id| {
        let hash = "$argon2id$third".to_owned();
        let entry = entry(Action::PasswordReset);
        let store = store.clone();
        async move {
            store
                .reset_password(&user_id(id), hash, at(5), entry)
                .await
                .expect("an answer")
        }
    };

    assert_eq!(reset("nobody").await, None);
    assert_eq!(reset("u1").await, Some(vec![login_id("l1")]));
    let known = store.credentials("ada").await.expect("an answer");
    assert_eq!(known.expect("ada").password_hash, "$argon2id$third");
}

async fn ended_and_expired_logins_are_not_live(database: Database) {
    let store = database.open().await;
    add_ada(&store).await;
    store
        .create_login(
            login("l2", "u1", "r2"),
            FIRST_HASH,
            entry(Action::LoginStarted),
        )
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
            .create_login(other, FIRST_HASH, entry(Action::LoginStarted))
            .await
            .expect("a login");
    }

    let changed = entry(Action::PasswordChanged);
    let ended = store
        .change_password(
            &user_id("u1"),
            FIRST_HASH,
            "$argon2id$second".into(),
            &login_id("l2"),
            at(5),
            changed,
        )
        .await
        .expect("an answer")
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
