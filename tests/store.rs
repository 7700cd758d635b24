//! Every store function, run on both databases by the same tests. PostgreSQL is started for this run; without it the tests fail.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/postgres.rs"]
mod postgres;

#[path = "store/common.rs"]
mod common;

#[path = "store/audit.rs"]
mod audit;

#[path = "store/bans.rs"]
mod bans;

#[path = "store/diagnostics.rs"]
mod diagnostics;

#[path = "store/e2ee.rs"]
mod e2ee;

#[path = "store/ever_members.rs"]
mod ever_members;

#[path = "store/files.rs"]
mod files;

#[path = "store/groups.rs"]
mod groups;

#[path = "store/sessions.rs"]
mod sessions;

#[path = "store/rooms.rs"]
mod rooms;

#[path = "store/members.rs"]
mod members;

#[path = "store/messages.rs"]
mod messages;

#[path = "store/skeletons.rs"]
mod skeletons;
#[path = "store/standing.rs"]
mod standing;

#[path = "store/turn_keys.rs"]
mod turn_keys;

#[path = "store/users.rs"]
mod users;

use common::{NOW, act, room, room_of, user};
use webcall::store::Store;

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
