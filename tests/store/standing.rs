//! Who may write is decided under the room's row: once a removal, a ban, a mute or a lock is acknowledged, nothing is stored that went by
//! what was before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use webcall::id::{MessageId, RoomId, UserId};
use webcall::role::Role;
use webcall::store::{
    Appended, AuditAct, BanOutcome, FileSet, Joined, MemberLimits, MemberUpdate, NewBan, NewMessage, Page, Range, RoomUpdate,
    Standing, Store, Unwelcome,
};
use webcall::time::Timestamp;

use crate::{NOW, act, on_both, room, user};

/// How often each act is tried against messages on their way. One of ten was too late before the rows were held.
const ROUNDS: usize = 12;
/// Who post at the same time: more than one transaction's worth is always on its way.
const POSTERS: usize = 8;

on_both! {
    a_removed_members_message_is_not_stored_after_the_removal
    a_banned_members_message_is_not_stored_after_the_ban
    a_muted_members_message_is_not_stored_after_the_mute
    a_members_message_is_not_stored_after_the_lock
}

async fn a_removed_members_message_is_not_stored_after_the_removal(store: &Store) {
    hammer(store, async |scene| {
        let removal = act(scene.room, scene.owner, AuditAct::Remove, Some(scene.guest), "");
        assert!(scene.store.remove_member(scene.room, scene.guest, Role::Member, Some(&removal)).await.unwrap());
    })
    .await;
}

async fn a_banned_members_message_is_not_stored_after_the_ban(store: &Store) {
    hammer(store, async |scene| {
        let ban =
            NewBan { room: scene.room, user: scene.guest, role: Some(Role::Member), by: scene.owner, at: NOW, max_bans: 10 };
        let record = act(scene.room, scene.owner, AuditAct::Ban, Some(scene.guest), "");
        assert_eq!(scene.store.ban(ban, &record).await.unwrap(), BanOutcome::Banned);
    })
    .await;
}

async fn a_muted_members_message_is_not_stored_after_the_mute(store: &Store) {
    hammer(store, async |scene| {
        let mute = MemberUpdate { role: None, chat_muted: Some(true) };
        assert!(scene.store.change_member(scene.room, scene.guest, Role::Member, mute, &[]).await.unwrap());
    })
    .await;
}

async fn a_members_message_is_not_stored_after_the_lock(store: &Store) {
    hammer(store, async |scene| {
        let lock = RoomUpdate { locked: Some(true), ..RoomUpdate::default() };
        assert!(scene.store.update_room(scene.room, &lock, &[]).await.unwrap());
    })
    .await;
}

/// A room whose guest posts without pause.
struct Scene<'a> {
    store: &'a Store,
    room: RoomId,
    owner: UserId,
    guest: UserId,
}

/// Lets a guest post, does `act` to them in the middle of it, and looks whether anything came later.
async fn hammer(store: &Store, act: impl AsyncFn(&Scene<'_>)) {
    let (owner, _) = user(store).await;
    for round in 0..ROUNDS {
        let (guest, _) = user(store).await;
        let link = format!("link{round}");
        let id = room(store, owner, &link).await;
        let limits = MemberLimits { in_room: 10, of_user: 10 };
        assert_eq!(store.join_room(&link, guest, NOW, limits).await.unwrap(), Joined::Joined(id));

        let stop = Arc::new(AtomicBool::new(false));
        let mut posters: tokio::task::JoinSet<()> =
            (0..POSTERS).map(|_| post_until(store.clone(), id, guest, Arc::clone(&stop))).collect();
        while store.room_of(id, owner).await.unwrap().unwrap().last_seq < 20 {}
        act(&Scene { store, room: id, owner, guest }).await;
        let last = store.room_of(id, owner).await.unwrap().unwrap().last_seq;
        stop.store(true, Ordering::Relaxed);
        while let Some(posted) = posters.join_next().await {
            posted.unwrap();
        }
        let late = store.entries(id, Page { range: Range::After(last), limit: 1_000, max_bytes: usize::MAX }).await.unwrap();
        assert_eq!(late, [], "round {round}: stored after the act was acknowledged");
        assert!(store.delete_room(id).await.unwrap().is_some());
    }
}

async fn post_until(store: Store, room: RoomId, sender: UserId, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let id = MessageId::new(NOW);
        let message = NewMessage { room, sender, id, body: vec![1], files: FileSet::default(), sent_at: NOW };
        match store.append(message, judge).unwrap().outcome().await.unwrap() {
            Appended::New { .. } => {}
            Appended::NoSuchRoom | Appended::Unwelcome(_) => return,
            other => panic!("{other:?}"),
        }
    }
}

fn judge(standing: &Standing, _: Timestamp) -> Result<(), Unwelcome> {
    match standing {
        Standing { chat_muted: true, .. } => Err(Unwelcome::Muted),
        Standing { locked: true, .. } => Err(Unwelcome::Locked),
        _ => Ok(()),
    }
}
