//! Keys for TURN credentials.

use webcall::store::{AddedTurnKey, Store};

use crate::{NOW, on_both};

on_both! { a_key_is_found_by_its_hash_until_it_is_removed names_are_taken_once_and_keys_are_bounded }

async fn a_key_is_found_by_its_hash_until_it_is_removed(store: &Store) {
    assert_eq!(store.add_turn_key("phones", &[7; 32], NOW, 9).await.unwrap(), AddedTurnKey::Added);
    assert_eq!(store.turn_key(&[7; 32]).await.unwrap().as_deref(), Some("phones"));
    assert_eq!(store.turn_key(&[8; 32]).await.unwrap(), None);
    let all = store.turn_keys().await.unwrap();
    assert_eq!(all.iter().map(|key| (key.name.as_str(), key.created_at)).collect::<Vec<_>>(), [("phones", NOW)]);
    assert!(store.remove_turn_key("phones").await.unwrap());
    assert!(!store.remove_turn_key("phones").await.unwrap());
    assert_eq!(store.turn_key(&[7; 32]).await.unwrap(), None);
}

async fn names_are_taken_once_and_keys_are_bounded(store: &Store) {
    assert_eq!(store.add_turn_key("a", &[1; 32], NOW, 2).await.unwrap(), AddedTurnKey::Added);
    assert_eq!(store.add_turn_key("a", &[2; 32], NOW, 2).await.unwrap(), AddedTurnKey::NameTaken);
    assert_eq!(store.turn_key(&[2; 32]).await.unwrap(), None);
    assert_eq!(store.add_turn_key("b", &[2; 32], NOW, 2).await.unwrap(), AddedTurnKey::Added);
    assert_eq!(store.add_turn_key("c", &[3; 32], NOW, 2).await.unwrap(), AddedTurnKey::TooMany);
}
