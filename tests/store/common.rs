//! What the tests of the store begin with.

use std::sync::atomic::{AtomicU32, Ordering};

use webcall::id::{RoomId, SessionId, UserId};
use webcall::store::{AddedRoom, AddedUser, AuditAct, AuditEntry, Encryption, NewRoom, NewSession, NewUser, Store};
use webcall::time::Timestamp;

/// The time in these tests.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

static NAMES: AtomicU32 = AtomicU32::new(0);

/// A user with one session.
pub(crate) async fn user(store: &Store) -> (UserId, SessionId) {
    let name = format!("user{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let (user, session) = (UserId::new(NOW), SessionId::new(NOW));
    let new_user = NewUser {
        id: user,
        username: &name,
        username_folded: &name,
        username_skeleton: &name,
        password_hash: "hash",
        created_at: NOW,
    };
    let new_session = NewSession { id: session, user, created_at: NOW, user_agent: "browser" };
    assert_eq!(store.add_user(&new_user, &new_session).await.unwrap(), AddedUser::Added);
    (user, session)
}

/// A room of this owner, whose link is its name.
pub(crate) async fn room(store: &Store, owner: UserId, name: &str) -> RoomId {
    room_of(store, owner, name, Encryption::Open).await
}

/// The same, encrypted or not.
pub(crate) async fn room_of(store: &Store, owner: UserId, name: &str, encryption: Encryption) -> RoomId {
    let id = RoomId::new(NOW);
    let room = NewRoom { id, name, protection: encryption.into(), link_code: name, created_at: NOW };
    assert_eq!(store.add_room(&room, owner, 10).await.unwrap(), AddedRoom::Added);
    id
}

/// An entry for the audit log.
pub(crate) fn act(room: RoomId, actor: UserId, act: AuditAct, subject: Option<UserId>, detail: &str) -> AuditEntry {
    AuditEntry { room, at: NOW, actor, act, subject, detail: detail.to_owned() }
}
