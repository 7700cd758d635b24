//! `store/sessions.rs`.

use std::time::Duration;

use webcall::id::SessionId;
use webcall::store::{NewSession, Rotation, Store};

use crate::{NOW, on_both, user};

on_both! {
    a_session_says_whose_it_is
    sessions_are_listed_last_used_first
    a_generation_is_exchanged_once
    only_its_own_user_ends_a_session
    too_many_sessions_end_those_unused_longest
    old_sessions_are_swept_and_others_stay
}

async fn a_session_says_whose_it_is(store: &Store) {
    let (id, session) = user(store).await;
    let row = store.session(session).await.unwrap().unwrap();
    let account = store.user(id).await.unwrap().unwrap();
    assert_eq!((row.id, row.user_id, &row.username, row.user_created_at), (session, id, &account.username, account.created_at));
    assert_eq!((row.generation, row.rotated_at, row.created_at, row.last_used_at), (0, NOW, NOW, NOW));
    assert_eq!(row.user_agent, "browser");
    assert_eq!(store.session(SessionId::new(NOW)).await.unwrap(), None);
}

async fn sessions_are_listed_last_used_first(store: &Store) {
    let (id, first) = user(store).await;
    let second = SessionId::new(NOW);
    store.add_session(&NewSession { id: second, user: id, created_at: NOW, user_agent: "" }, 10).await.unwrap();
    store.rotate_session(first, 0, NOW.plus(Duration::from_secs(1))).await.unwrap();
    let listed: Vec<_> = store.sessions_of(id).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(listed, [first, second]);
}

async fn a_generation_is_exchanged_once(store: &Store) {
    let (_, session) = user(store).await;
    let later = NOW.plus(Duration::from_secs(60));
    assert_eq!(store.rotate_session(session, 0, later).await.unwrap(), Rotation::Rotated);
    assert_eq!(store.rotate_session(session, 0, later).await.unwrap(), Rotation::Lost);
    let row = store.session(session).await.unwrap().unwrap();
    assert_eq!((row.generation, row.rotated_at, row.last_used_at, row.created_at), (1, later, later, NOW));
}

async fn only_its_own_user_ends_a_session(store: &Store) {
    let (id, session) = user(store).await;
    let (stranger, _) = user(store).await;
    assert!(!store.end_session(session, stranger).await.unwrap());
    assert!(store.end_session(session, id).await.unwrap());
    assert!(!store.end_session(session, id).await.unwrap());
    assert_eq!(store.session(session).await.unwrap(), None);
}

async fn too_many_sessions_end_those_unused_longest(store: &Store) {
    let (id, first) = user(store).await;
    let (second, third) = (SessionId::new(NOW), SessionId::new(NOW));
    let at = |seconds| NOW.plus(Duration::from_secs(seconds));
    let ended = store.add_session(&NewSession { id: second, user: id, created_at: at(1), user_agent: "" }, 2).await.unwrap();
    assert_eq!(ended, []);
    let ended = store.add_session(&NewSession { id: third, user: id, created_at: at(2), user_agent: "" }, 2).await.unwrap();
    assert_eq!(ended, [first]);
    assert_eq!(store.sessions_of(id).await.unwrap().len(), 2);
}

async fn old_sessions_are_swept_and_others_stay(store: &Store) {
    let (id, unused) = user(store).await;
    let used = SessionId::new(NOW);
    store.add_session(&NewSession { id: used, user: id, created_at: NOW, user_agent: "" }, 10).await.unwrap();
    store.rotate_session(used, 0, NOW.plus(Duration::from_secs(10))).await.unwrap();
    let (unused_since, begun_until) = (NOW, NOW.minus(Duration::from_millis(1)));
    assert_eq!(store.sweep_sessions(unused_since, begun_until).await.unwrap(), 1);
    assert_eq!(store.session(unused).await.unwrap(), None);
    assert_eq!(store.sweep_sessions(NOW, NOW).await.unwrap(), 1);
    assert_eq!(store.session(used).await.unwrap(), None);
}
