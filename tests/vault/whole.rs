//! A whole installation, there and back: each row and each file is compared.

use std::path::Path;

use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use webcall::config::Database;
use webcall::store::Store;
use webcall::vault::{self, Installation};

use crate::postgres::Postgres;
use crate::{another_database, back_up, names, on_postgres, on_sqlite, restore, rows, set_up};

/// An installation with rows in every table, files, secrets and a certificate.
async fn filled(installation: &Installation) -> rows::Rows {
    set_up(installation).await;
    rows::fill(&installation.database).await;
    let folder = &installation.data_dir;
    std::fs::create_dir(folder.join("acme")).unwrap();
    std::fs::write(folder.join("acme/certificate-1.pem"), "certificate").unwrap();
    for row in (0..rows::ROWS).filter(|row| rows::received(*row) > 0) {
        let (id, shard) = (rows::id(row).to_string(), folder.join("files").join(format!("{:02x}", row % 256)));
        std::fs::create_dir_all(&shard).unwrap();
        std::fs::write(shard.join(id), content(row)).unwrap();
    }
    rows::all(&installation.database).await
}

fn content(row: usize) -> Vec<u8> {
    (0..rows::received(row)).map(|byte| (byte * 7 + row) as u8).collect()
}

/// Fails unless an installation is the filled one.
async fn assert_is(installation: &Installation, expected: &rows::Rows) {
    // As a start does.
    Store::open(&installation.database).await.unwrap().close().await;
    rows::assert_same(&rows::all(&installation.database).await, expected);
    let folder = &installation.data_dir;
    assert_eq!(std::fs::read_to_string(folder.join("password_pepper")).unwrap(), "pepper");
    assert_eq!(std::fs::read_to_string(folder.join("acme/certificate-1.pem")).unwrap(), "certificate");
    for row in (0..rows::ROWS).filter(|row| rows::received(*row) > 0) {
        let path = folder.join("files").join(format!("{:02x}", row % 256)).join(rows::id(row).to_string());
        assert_eq!(std::fs::read(path).unwrap(), content(row));
    }
}

fn assert_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", entry.path().display());
    }
}

#[tokio::test]
async fn a_backup_of_sqlite_restores_every_row_and_file_on_both_databases() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(&folder.path().join("source"));
    let expected = filled(&source).await;
    let file = folder.path().join("backup");
    assert_eq!(back_up(&source, &file).await.unwrap().left_out, 0);
    assert_eq!(names(folder.path()), ["backup", "source"], "nothing else stays behind");
    for target in [
        on_sqlite(&folder.path().join("restored")),
        Installation {
            database: Database::Sqlite(folder.path().join("elsewhere/other.db")),
            data_dir: folder.path().join("restored2"),
        },
        on_postgres(server.options(), &folder.path().join("restored3")),
    ] {
        restore(&target, &file).await.unwrap();
        assert_is(&target, &expected).await;
        assert_private(&target.data_dir);
        assert!(!target.data_dir.join("restoring").exists());
    }
    rows::assert_same(&rows::all(&source.database).await, &expected);
}

#[tokio::test]
async fn a_backup_of_postgresql_restores_every_row_and_file_on_both_databases() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_postgres(server.options(), &folder.path().join("source"));
    let expected = filled(&source).await;
    let file = folder.path().join("backup");
    assert_eq!(back_up(&source, &file).await.unwrap().left_out, 0);
    for target in [
        on_sqlite(&folder.path().join("restored")),
        on_postgres(another_database(&server, "other").await, &folder.path().join("restored2")),
    ] {
        restore(&target, &file).await.unwrap();
        assert_is(&target, &expected).await;
    }
}

#[tokio::test]
async fn an_installation_that_migrates_to_postgresql_keeps_every_row_and_its_data_folder() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(folder.path());
    let expected = filled(&source).await;
    let copied = vault::migrate(&source, &server.options(), &CancellationToken::new()).await.unwrap();
    assert_eq!(copied, expected.iter().map(|(_, rows)| rows.len() as u64).sum::<u64>());
    assert_is(&on_postgres(server.options(), folder.path()), &expected).await;
    rows::assert_same(&rows::all(&source.database).await, &expected);
}

#[tokio::test]
async fn a_backup_is_of_one_moment_and_waits_for_nobody_who_writes() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let insert = "insert into turn_keys (name, key_hash, created_at) values ('unfinished', $1, 0)";
    let on_both = [on_sqlite(&folder.path().join("source")), on_postgres(server.options(), &folder.path().join("source2"))];
    for (number, source) in on_both.iter().enumerate() {
        let expected = filled(source).await;
        let (file, target) = (folder.path().join(format!("b{number}")), on_sqlite(&folder.path().join(format!("r{number}"))));
        match &source.database {
            Database::Sqlite(path) => {
                let mut writer = rows::sqlite(path).await;
                sqlx::query("begin immediate").execute(&mut writer).await.unwrap();
                sqlx::query(insert).bind([1_u8].as_slice()).execute(&mut writer).await.unwrap();
                back_up(source, &file).await.unwrap();
                sqlx::query("commit").execute(&mut writer).await.unwrap();
            }
            Database::Postgres(options) => {
                let mut writer = PgConnection::connect_with(options).await.unwrap();
                sqlx::query("begin").execute(&mut writer).await.unwrap();
                sqlx::query(insert).bind([1_u8].as_slice()).execute(&mut writer).await.unwrap();
                back_up(source, &file).await.unwrap();
                sqlx::query("commit").execute(&mut writer).await.unwrap();
            }
        }
        restore(&target, &file).await.unwrap();
        assert_is(&target, &expected).await;
    }
}
