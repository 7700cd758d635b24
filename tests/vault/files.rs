//! People's files beside the rows that speak of them, when the two do not agree.

use std::fs;

use sqlx::Connection;
use uuid::Uuid;
use webcall::config::Database;

use crate::{back_up, names, on_sqlite, restore, rows, set_up};

#[tokio::test]
async fn no_row_of_a_backup_points_to_bytes_that_are_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    let Database::Sqlite(path) = &source.database else { unreachable!() };
    let mut connection = rows::sqlite(path).await;
    let user = Uuid::from_u128(1);
    let sql = "insert into users (id, username, username_folded, password_hash, created_at) values ($1, 'a', 'a', '', 0)";
    sqlx::query(sql).bind(user).execute(&mut connection).await.unwrap();
    // What a row counts, and what is on the disk.
    let growing = (Uuid::from_u128(10), 4, Some(b"12345678".as_slice()));
    let empty = (Uuid::from_u128(11), 0, None);
    let deleted = (Uuid::from_u128(12), 4, None);
    let cut_off = (Uuid::from_u128(13), 4, Some(b"123".as_slice()));
    let shard = source.data_dir.join("files/ab");
    fs::create_dir_all(&shard).unwrap();
    for (id, received, bytes) in [growing, empty, deleted, cut_off] {
        let sql =
            "insert into files (id, room_id, user_id, size_bytes, received_bytes, created_at) values ($1, $1, $2, 8, $3, 0)";
        sqlx::query(sql).bind(id).bind(user).bind(received).execute(&mut connection).await.unwrap();
        if let Some(bytes) = bytes {
            fs::write(shard.join(id.to_string()), bytes).unwrap();
        }
    }
    connection.close().await.unwrap();
    let unknown = Uuid::from_u128(14).to_string();
    fs::write(shard.join(&unknown), "a row of which nobody knows").unwrap();
    fs::write(shard.join("draft.tmp"), "no file of anybody").unwrap();

    let file = folder.path().join("backup");
    assert_eq!(back_up(&source, &file).await.unwrap().left_out, 2);
    let target = on_sqlite(&folder.path().join("restored"));
    restore(&target, &file).await.unwrap();
    let restored = target.data_dir.join("files/ab");
    assert_eq!(names(&restored), [growing.0.to_string()]);
    assert_eq!(fs::read(restored.join(growing.0.to_string())).unwrap(), b"1234");
    let Database::Sqlite(path) = &target.database else { unreachable!() };
    let mut connection = rows::sqlite(path).await;
    let left: Vec<Uuid> = sqlx::query_scalar("select id from files order by id").fetch_all(&mut connection).await.unwrap();
    assert_eq!(left, [growing.0, empty.0]);
}

#[tokio::test]
async fn links_are_followed_and_the_database_itself_comes_along_once() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    fs::create_dir(folder.path().join("disk")).unwrap();
    fs::write(folder.path().join("disk/key.pem"), "key").unwrap();
    std::os::unix::fs::symlink(folder.path().join("disk"), source.data_dir.join("acme")).unwrap();
    let file = folder.path().join("backup");
    back_up(&source, &file).await.unwrap();
    let target = on_sqlite(&folder.path().join("restored"));
    restore(&target, &file).await.unwrap();
    assert_eq!(names(&target.data_dir), ["acme", "password_pepper", "webcall.db"]);
    assert_eq!(fs::read_to_string(target.data_dir.join("acme/key.pem")).unwrap(), "key");
    std::os::unix::fs::symlink(&source.data_dir, source.data_dir.join("circle")).unwrap();
    let error = back_up(&source, &folder.path().join("other")).await.unwrap_err().to_string();
    assert!(error.contains("circle of links"), "{error}");
    assert_eq!(names(folder.path()), ["backup", "disk", "restored", "source"]);
}

#[tokio::test]
async fn files_in_a_bucket_stay_there_and_a_backup_says_how_many_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    let Database::Sqlite(path) = &source.database else { unreachable!() };
    let mut connection = rows::sqlite(path).await;
    let (user, file, pieces) = (Uuid::from_u128(1), Uuid::from_u128(10), [Uuid::from_u128(20), Uuid::from_u128(21)]);
    let sql = "insert into users (id, username, username_folded, password_hash, created_at) values ($1, 'a', 'a', '', 0)";
    sqlx::query(sql).bind(user).execute(&mut connection).await.unwrap();
    let sql = "insert into files (id, room_id, user_id, size_bytes, received_bytes, created_at) values ($1, $1, $2, 8, 8, 0)";
    sqlx::query(sql).bind(file).bind(user).execute(&mut connection).await.unwrap();
    for (number, piece) in pieces.iter().enumerate() {
        let sql = "insert into file_pieces (id, file_id, at_bytes, size_bytes) values ($1, $2, $3, 4)";
        sqlx::query(sql).bind(piece).bind(file).bind(number as i64 * 4).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    // What was begun in the folder before the bucket was set is not taken for the file.
    fs::create_dir_all(source.data_dir.join("files/0a")).unwrap();
    fs::write(source.data_dir.join("files/0a").join(file.to_string()), "torn and torn").unwrap();

    let backup = folder.path().join("backup");
    let saved = back_up(&source, &backup).await.unwrap();
    assert_eq!((saved.left_out, saved.in_bucket), (0, 1));
    let target = on_sqlite(&folder.path().join("restored"));
    restore(&target, &backup).await.unwrap();
    assert!(!target.data_dir.join("files").exists());
    let Database::Sqlite(path) = &target.database else { unreachable!() };
    let mut connection = rows::sqlite(path).await;
    let left: Vec<(Uuid, i64)> =
        sqlx::query_as("select id, at_bytes from file_pieces order by at_bytes").fetch_all(&mut connection).await.unwrap();
    assert_eq!(left, [(pieces[0], 0), (pieces[1], 4)]);
}
