//! Every store function, run on both databases by the same tests. PostgreSQL is started for this run; without it the tests fail.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/postgres.rs"]
mod postgres;

#[path = "store/audit.rs"]
mod audit;

#[path = "store/bans.rs"]
mod bans;

#[path = "store/diagnostics.rs"]
mod diagnostics;

#[path = "store/files.rs"]
mod files;

#[path = "store/sessions.rs"]
mod sessions;

#[path = "store/rooms.rs"]
mod rooms;

#[path = "store/members.rs"]
mod members;

#[path = "store/messages.rs"]
mod messages;

#[path = "store/turn_keys.rs"]
mod turn_keys;

#[path = "store/users.rs"]
mod users;

use std::sync::atomic::{AtomicU32, Ordering};

use webcall::id::{RoomId, SessionId, UserId};
use webcall::store::{AddedRoom, AddedUser, AuditAct, AuditEntry, NewRoom, NewSession, NewUser, Store};
use webcall::time::Timestamp;

/// The time in these tests.
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Makes two tests of one function that takes an empty store.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)*) => {
        $(mod $name {
            #[tokio::test]
            async fn on_sqlite() {
                let (_folder, store) = $crate::sqlite().await;
                super::$name(&store).await;
                store.close().await;
            }

            #[tokio::test]
            async fn on_postgres() {
                let (_server, store) = $crate::postgresql().await;
                super::$name(&store).await;
                store.close().await;
            }
        })*
    };
}

async fn sqlite() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("webcall.db")).await.unwrap();
    (folder, store)
}

async fn postgresql() -> (postgres::Postgres, Store) {
    let server = postgres::Postgres::start();
    let store = Store::open_postgres(server.options()).await.unwrap();
    (server, store)
}

static NAMES: AtomicU32 = AtomicU32::new(0);

/// A user with one session.
async fn user(store: &Store) -> (UserId, SessionId) {
    let name = format!("user{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let (user, session) = (UserId::new(NOW), SessionId::new(NOW));
    let new_user = NewUser { id: user, username: &name, username_folded: &name, password_hash: "hash", created_at: NOW };
    let new_session = NewSession { id: session, user, created_at: NOW, user_agent: "browser" };
    assert_eq!(store.add_user(&new_user, &new_session).await.unwrap(), AddedUser::Added);
    (user, session)
}

/// A room of this owner, whose link is its name.
async fn room(store: &Store, owner: UserId, name: &str) -> RoomId {
    let id = RoomId::new(NOW);
    let room = NewRoom { id, name, encryption: "open", link_code: name, created_at: NOW };
    assert_eq!(store.add_room(&room, owner, 10).await.unwrap(), AddedRoom::Added);
    id
}

/// An entry for the audit log.
fn act(room: RoomId, actor: UserId, act: AuditAct, subject: Option<UserId>, detail: &str) -> AuditEntry {
    AuditEntry { room, at: NOW, actor, act, subject, detail: detail.to_owned() }
}
