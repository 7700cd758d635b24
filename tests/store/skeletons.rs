//! The migration that gives older accounts their skeleton, beside the function that gives it to new ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;
use webcall::accounts::Username;
use webcall::id::{SessionId, UserId};
use webcall::store::{AddedUser, NewSession, NewUser, Store};

use crate::{NOW, postgres};

/// The last migration before the one that is tested.
const BEFORE: i64 = 4;

/// Every letter in both cases and every kind of run; some are taken for others.
const NAMES: [&str; 16] = [
    "Paul",
    "PauI",
    "pau1",
    "0scar",
    "oscar",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "abcdefghijklmnopqrstuvwxyz.01234",
    "-56789_",
    "m.-_._-w",
    "________________________________",
    "a______________________________b",
    "dddddddddddddddddddddddddddddddd",
    "IIIIllll1111iiii",
    "vviIl",
    "will",
    "rnartin",
];

pub(crate) async fn migrations_until(folder: &str, last: i64) -> Migrator {
    let all = Migrator::new(Path::new(folder)).await.unwrap();
    let earlier = all.iter().filter(|migration| migration.version <= last).cloned().collect();
    Migrator::with_migrations(earlier)
}

/// What the accounts must have: each skeleton the first that had it, and nobody else.
fn expected() -> BTreeMap<String, Option<String>> {
    let mut taken = BTreeSet::new();
    let skeletons = NAMES.iter().map(|name| {
        let skeleton = Username::parse(name).unwrap().skeleton();
        (name.to_string(), taken.insert(skeleton.clone()).then_some(skeleton))
    });
    skeletons.collect()
}

const INSERT: &str = "insert into users (id, username, username_folded, password_hash, created_at) values ($1, $2, $3, '', $4)";

async fn a_name_like_an_older_one_is_refused(store: &Store) {
    let (id, session) = (UserId::new(NOW), SessionId::new(NOW));
    let new_session = NewSession { id: session, user: id, created_at: NOW, user_agent: "browser" };
    for (name, expected) in [
        ("PAU1", AddedUser::NameTaken),
        ("PaUI.", AddedUser::LooksTaken),
        ("Martin", AddedUser::LooksTaken),
        ("Paula", AddedUser::Added),
    ] {
        let name = Username::parse(name).unwrap();
        let (folded, skeleton) = (name.folded(), name.skeleton());
        let user = NewUser {
            id,
            username: name.as_str(),
            username_folded: &folded,
            username_skeleton: &skeleton,
            password_hash: "hash",
            created_at: NOW,
        };
        assert_eq!(store.add_user(&user, &new_session).await.unwrap(), expected, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn accounts_that_were_there_before_keep_their_names_and_have_the_skeletons_of_new_ones_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("webcall.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    migrations_until("migrations/sqlite", BEFORE).await.run(&mut connection).await.unwrap();
    for (at, name) in (1_i64..).zip(NAMES) {
        let insert = sqlx::query(INSERT).bind(Uuid::from_u128(at as u128)).bind(name).bind(name.to_lowercase()).bind(at);
        insert.execute(&mut connection).await.unwrap();
    }
    let store = Store::open_sqlite(&file).await.unwrap();
    let found: Vec<(String, Option<String>)> =
        sqlx::query_as("select username, username_skeleton from users").fetch_all(&mut connection).await.unwrap();
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected());
    connection.close().await.unwrap();
    a_name_like_an_older_one_is_refused(&store).await;
}

#[tokio::test]
async fn accounts_that_were_there_before_keep_their_names_and_have_the_skeletons_of_new_ones_on_postgres() {
    let server = postgres::Postgres::start();
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    migrations_until("migrations/postgres", BEFORE).await.run(&mut connection).await.unwrap();
    for (at, name) in (1_i64..).zip(NAMES) {
        let insert = sqlx::query(INSERT).bind(Uuid::from_u128(at as u128)).bind(name).bind(name.to_lowercase()).bind(at);
        insert.execute(&mut connection).await.unwrap();
    }
    let store = Store::open_postgres(server.options()).await.unwrap();
    let found: Vec<(String, Option<String>)> =
        sqlx::query_as("select username, username_skeleton from users").fetch_all(&mut connection).await.unwrap();
    assert_eq!(found.into_iter().collect::<BTreeMap<_, _>>(), expected());
    a_name_like_an_older_one_is_refused(&store).await;
}
