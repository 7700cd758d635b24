//! The migration that remembers who was in an encrypted room before that was written down.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;
use webcall::id::UserId;
use webcall::store::Store;

use crate::postgres;
use crate::skeletons::migrations_until;

/// The last migration before the one that is tested.
const BEFORE: i64 = 12;

const ANN: Uuid = Uuid::from_u128(1);
const BEN: Uuid = Uuid::from_u128(2);
const CLARA: Uuid = Uuid::from_u128(3);
const EVE: Uuid = Uuid::from_u128(4);
const SEALED: Uuid = Uuid::from_u128(11);
const OPEN: Uuid = Uuid::from_u128(12);

const USER: &str = "insert into users (id, username, username_folded, password_hash, created_at, username_skeleton) \
                    values ($1, $2, $2, '', 1, $2)";
const ROOM: &str = "insert into rooms (id, name, encryption, strict, link_code, created_at, member_count, kind, topic, locked, slow_mode_s, \
                    first_seq, last_seq) values ($1, 'room', $2, false, $2, 1, 1, 'room', '', false, 0, 1, 1)";
const MEMBER: &str = "insert into members (room_id, user_id, role, joined_at, read_seq, chat_muted, last_message_at, unasked) \
                      values ($1, $2, 'member', 1, 0, false, 0, false)";
const MESSAGE: &str = "insert into messages (room_id, seq, id, kind, sender, sent_at) values ($1, 1, $1, 'message', $2, 1)";

/// Ann and Ben are in the encrypted room, in which Clara wrote; Eve wrote in the open one.
macro_rules! fill {
    ($connection:expr) => {
        for (user, name) in [(ANN, "ann"), (BEN, "ben"), (CLARA, "clara"), (EVE, "eve")] {
            sqlx::query(USER).bind(user).bind(name).execute(&mut $connection).await.unwrap();
        }
        for (room, encryption, author) in [(SEALED, "mls", CLARA), (OPEN, "open", EVE)] {
            sqlx::query(ROOM).bind(room).bind(encryption).execute(&mut $connection).await.unwrap();
            sqlx::query(MEMBER).bind(room).bind(ANN).execute(&mut $connection).await.unwrap();
            sqlx::query(MESSAGE).bind(room).bind(author).execute(&mut $connection).await.unwrap();
        }
        sqlx::query(MEMBER).bind(SEALED).bind(BEN).execute(&mut $connection).await.unwrap();
        $connection.close().await.unwrap();
    };
}

async fn is_remembered(store: &Store) {
    let [ann, ben, clara, eve] = [ANN, BEN, CLARA, EVE].map(|id| UserId::from_bytes(*id.as_bytes()));
    for (user, expected) in [(ben, true), (clara, true), (eve, false)] {
        assert_eq!(store.was_in_a_room_of(ann, user).await.unwrap(), expected);
    }
    store.close().await;
}

#[tokio::test]
async fn who_was_in_an_encrypted_room_before_is_remembered_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("webcall.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    migrations_until("migrations/sqlite", BEFORE).await.run(&mut connection).await.unwrap();
    fill!(connection);
    is_remembered(&Store::open_sqlite(&file).await.unwrap()).await;
}

#[tokio::test]
async fn who_was_in_an_encrypted_room_before_is_remembered_on_postgres() {
    let server = postgres::Postgres::start();
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    migrations_until("migrations/postgres", BEFORE).await.run(&mut connection).await.unwrap();
    fill!(connection);
    is_remembered(&Store::open_postgres(server.options()).await.unwrap()).await;
}
