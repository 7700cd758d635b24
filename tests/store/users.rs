//! `store/users.rs` and `Store::ping`.

use webcall::id::{SessionId, UserId};
use webcall::store::{AddedUser, NewSession, NewUser, Store};

use crate::{NOW, on_both, user};

on_both! {
    an_added_user_is_found_by_name_and_by_identifier
    a_taken_name_adds_neither_user_nor_session
    a_name_that_looks_taken_adds_neither_user_nor_session
    a_changed_password_ends_every_other_session
    a_hash_is_replaced_only_if_nobody_changed_it_meanwhile
    an_open_store_answers
}

async fn an_added_user_is_found_by_name_and_by_identifier(store: &Store) {
    let (id, session) = (UserId::new(NOW), SessionId::new(NOW));
    let new_user =
        NewUser { id, username: "Ann", username_folded: "ann", username_skeleton: "ann", password_hash: "hash", created_at: NOW };
    let new_session = NewSession { id: session, user: id, created_at: NOW, user_agent: "browser" };
    store.add_user(&new_user, &new_session).await.unwrap();
    let found = store.user_by_name("ann").await.unwrap().unwrap();
    assert_eq!((found.id, found.username.as_str(), found.password_hash.as_str(), found.created_at), (id, "Ann", "hash", NOW));
    assert_eq!(store.user(id).await.unwrap(), Some(found));
    assert_eq!(store.user_by_name("Ann").await.unwrap(), None);
    assert_eq!(store.user(UserId::new(NOW)).await.unwrap(), None);
}

async fn a_taken_name_adds_neither_user_nor_session(store: &Store) {
    let (first, _) = user(store).await;
    let name = store.user(first).await.unwrap().unwrap().username;
    let (id, session) = (UserId::new(NOW), SessionId::new(NOW));
    let new_user = NewUser {
        id,
        username: &name,
        username_folded: &name,
        username_skeleton: &name,
        password_hash: "other",
        created_at: NOW,
    };
    let new_session = NewSession { id: session, user: id, created_at: NOW, user_agent: "browser" };
    assert_eq!(store.add_user(&new_user, &new_session).await.unwrap(), AddedUser::NameTaken);
    assert_eq!(store.user_by_name(&name).await.unwrap().unwrap().id, first);
    assert_eq!(store.session(session).await.unwrap(), None);
}

async fn a_name_that_looks_taken_adds_neither_user_nor_session(store: &Store) {
    let (first, _) = user(store).await;
    let skeleton = store.user(first).await.unwrap().unwrap().username;
    let (id, session) = (UserId::new(NOW), SessionId::new(NOW));
    let new_user = NewUser {
        id,
        username: "Imitator",
        username_folded: "imitator",
        username_skeleton: &skeleton,
        password_hash: "other",
        created_at: NOW,
    };
    let new_session = NewSession { id: session, user: id, created_at: NOW, user_agent: "browser" };
    assert_eq!(store.add_user(&new_user, &new_session).await.unwrap(), AddedUser::LooksTaken);
    assert_eq!((store.user_by_name("imitator").await.unwrap(), store.session(session).await.unwrap()), (None, None));
}

async fn a_changed_password_ends_every_other_session(store: &Store) {
    let (id, kept) = user(store).await;
    let other = SessionId::new(NOW);
    store.add_session(&NewSession { id: other, user: id, created_at: NOW, user_agent: "" }, 10).await.unwrap();
    let (_, strangers) = user(store).await;
    assert_eq!(store.change_password(id, "new", kept).await.unwrap(), [other]);
    assert_eq!(store.user(id).await.unwrap().unwrap().password_hash, "new");
    assert!(store.session(kept).await.unwrap().is_some());
    assert!(store.session(strangers).await.unwrap().is_some());
    assert_eq!(store.session(other).await.unwrap(), None);
}

async fn a_hash_is_replaced_only_if_nobody_changed_it_meanwhile(store: &Store) {
    let (id, _) = user(store).await;
    store.rehash_password(id, "older", "x").await.unwrap();
    assert_eq!(store.user(id).await.unwrap().unwrap().password_hash, "hash");
    store.rehash_password(id, "hash", "dearer").await.unwrap();
    assert_eq!(store.user(id).await.unwrap().unwrap().password_hash, "dearer");
}

async fn an_open_store_answers(store: &Store) {
    store.ping().await.unwrap();
}
