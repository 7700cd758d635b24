//! `store/audit.rs`.

use std::time::Duration;

use webcall::id::RoomId;
use webcall::store::{AuditAct, AuditEntry, MAX_ACTS, RoomUpdate, Store};

use crate::{NOW, act, on_both, room, user};

on_both! {
    acts_are_read_newest_first_and_by_pages
    every_kind_of_act_is_read_as_it_was_recorded
    acts_of_a_room_are_its_own_and_go_with_it
    only_the_newest_acts_are_kept
}

async fn acts_are_read_newest_first_and_by_pages(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "room").await;
    for second in 0..5 {
        let at = NOW.plus(Duration::from_secs(second));
        let entry = AuditEntry { at, ..act(id, owner, AuditAct::Topic, None, &second.to_string()) };
        store.update_room(id, &RoomUpdate { topic: Some("x"), ..RoomUpdate::default() }, &[entry]).await.unwrap();
    }
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = store.acts_of(id, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        read.extend(page);
    }
    assert_eq!(read.iter().map(|act| act.detail.as_str()).collect::<Vec<_>>(), ["4", "3", "2", "1", "0"]);
    assert!(read.iter().all(|act| act.actor == owner && act.subject.is_none() && act.subject_name.is_none()));
    assert_eq!(read[0].at, NOW.plus(Duration::from_secs(4)));
    assert_eq!(read[0].actor_name, Some(store.user(owner).await.unwrap().unwrap().username));
}

async fn every_kind_of_act_is_read_as_it_was_recorded(store: &Store) {
    use AuditAct::*;
    let (owner, _) = user(store).await;
    let (guest, _) = user(store).await;
    let id = room(store, owner, "room").await;
    let kinds = [
        Rename,
        ResetLink,
        Topic,
        Lock,
        Unlock,
        SlowMode,
        Retention,
        Role,
        HandOver,
        Remove,
        Ban,
        Unban,
        MuteInChat,
        UnmuteInChat,
        Pin,
        Unpin,
        DeleteMessage,
        Forbid,
        Allow,
        RemoveFromCall,
    ];
    for kind in kinds {
        store.record_act(&act(id, owner, kind, Some(guest), "")).await.unwrap();
        let acts = store.acts_of(id, None, 100).await.unwrap();
        assert!(acts.iter().any(|act| act.act == kind && act.subject == Some(guest)), "{kind:?}");
    }
    let name = store.user(guest).await.unwrap().unwrap().username;
    assert!(store.acts_of(id, None, 100).await.unwrap().iter().all(|act| act.subject_name.as_ref() == Some(&name)));
}

async fn acts_of_a_room_are_its_own_and_go_with_it(store: &Store) {
    let (owner, _) = user(store).await;
    let (mine, other) = (room(store, owner, "mine").await, room(store, owner, "other").await);
    store.record_act(&act(mine, owner, AuditAct::Lock, None, "")).await.unwrap();
    assert_eq!(store.acts_of(other, None, 10).await.unwrap(), []);
    store.delete_room(mine).await.unwrap();
    assert_eq!(store.acts_of(mine, None, 10).await.unwrap(), []);
    store.record_act(&act(RoomId::new(NOW), owner, AuditAct::Lock, None, "")).await.expect("a room that is gone is no failure");
}

async fn only_the_newest_acts_are_kept(store: &Store) {
    let (owner, _) = user(store).await;
    let id = room(store, owner, "room").await;
    let at = |n: i64| NOW.plus(Duration::from_millis(n.unsigned_abs()));
    let entries: Vec<_> =
        (0..MAX_ACTS + 3).map(|n| AuditEntry { at: at(n), ..act(id, owner, AuditAct::SlowMode, None, &n.to_string()) }).collect();
    // Few transactions: what is kept is decided with each act either way.
    for some in entries.chunks(1_000) {
        store.update_room(id, &RoomUpdate::default(), some).await.unwrap();
    }
    let kept = store.acts_of(id, None, 2 * MAX_ACTS).await.unwrap();
    assert_eq!((kept.len() as i64, kept[0].at, kept.last().unwrap().at), (MAX_ACTS, at(MAX_ACTS + 2), at(3)));
}
