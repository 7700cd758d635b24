//! What is refused, and that it leaves everything as it was.

use std::fs;

use tokio_util::sync::CancellationToken;
use webcall::store::{Store, StoreError, transfer};
use webcall::vault::{self, Lock, VaultError};

use crate::postgres::Postgres;
use crate::{NOW, another_database, back_up, names, on_postgres, on_sqlite, restore, rows, set_up};

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_saved_into_what_it_saves() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    let missing = back_up(&source, &folder.path().join("backup")).await;
    assert!(matches!(missing, Err(VaultError::NoDatabase(_))), "{missing:?}");
    set_up(&source).await;
    let file = folder.path().join("backup");
    fs::write(&file, "dear").unwrap();
    assert!(matches!(back_up(&source, &file).await, Err(VaultError::Exists(_))));
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear");
    assert!(matches!(back_up(&source, &source.data_dir.join("backup")).await, Err(VaultError::InsideFolder(_))));
    assert_eq!(names(folder.path()), ["backup", "source"]);
}

#[tokio::test]
async fn a_backup_goes_on_after_one_that_was_killed_and_not_beside_one_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    let (file, partial) = (folder.path().join("backup"), folder.path().join("backup.partial"));
    fs::write(&partial, vec![1; 1 << 20]).unwrap();
    fs::write(folder.path().join("backup.partial.db"), "half a database").unwrap();
    let running = fs::File::open(&partial).unwrap();
    running.lock().unwrap();
    assert!(matches!(back_up(&source, &file).await, Err(VaultError::BeingWritten(_))));
    assert!(partial.exists(), "the other one goes on");
    drop(running);
    back_up(&source, &file).await.unwrap();
    assert_eq!(names(folder.path()), ["backup", "source"]);
    restore(&on_sqlite(&folder.path().join("restored")), &file).await.unwrap();
}

#[tokio::test]
async fn an_interrupted_backup_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    // So much that it is never done; the file has no blocks.
    fs::File::create(source.data_dir.join("endless")).unwrap().set_len(1 << 40).unwrap();
    let (stop, partial) = (CancellationToken::new(), folder.path().join("backup.partial"));
    let interrupting = {
        let stop = stop.clone();
        std::thread::spawn(move || {
            while fs::metadata(&partial).map_or(0, |facts| facts.len()) < 1 << 20 {
                std::thread::yield_now();
            }
            stop.cancel();
        })
    };
    let outcome = vault::back_up(&source, &folder.path().join("backup"), NOW, &stop).await;
    interrupting.join().unwrap();
    assert!(matches!(outcome, Err(VaultError::Interrupted)), "{outcome:?}");
    assert_eq!(names(folder.path()), ["source"]);
}

#[tokio::test]
async fn an_interrupted_restore_leaves_an_empty_folder_and_an_empty_database() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    // So much that unpacking it is not over when it has been seen to begin.
    fs::File::create(source.data_dir.join("large")).unwrap().set_len(64 << 20).unwrap();
    let file = folder.path().join("backup");
    back_up(&source, &file).await.unwrap();
    for target in [on_sqlite(&folder.path().join("restored")), on_postgres(server.options(), &folder.path().join("restored2"))] {
        let (stop, begun) = (CancellationToken::new(), target.data_dir.join("restoring"));
        let interrupting = {
            let stop = stop.clone();
            std::thread::spawn(move || {
                while !begun.exists() {
                    std::thread::yield_now();
                }
                stop.cancel();
            })
        };
        let outcome = vault::restore(&target, &file, &stop).await;
        interrupting.join().unwrap();
        assert!(matches!(outcome, Err(VaultError::Interrupted)), "{outcome:?}");
        assert!(names(&target.data_dir).is_empty(), "{:?}", names(&target.data_dir));
        restore(&target, &file).await.unwrap();
    }
}

#[tokio::test]
async fn an_interrupted_migration_leaves_an_empty_database() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(folder.path());
    set_up(&source).await;
    rows::fill(&source.database).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let outcome = vault::migrate(&source, &server.options(), &stop).await;
    assert!(matches!(outcome, Err(VaultError::Interrupted)), "{outcome:?}");
    vault::migrate(&source, &server.options(), &CancellationToken::new()).await.unwrap();
}

#[tokio::test]
async fn a_copy_that_is_not_committed_was_never_there() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(folder.path());
    set_up(&source).await;
    rows::fill(&source.database).await;
    drop(transfer::copy_to_postgres(&folder.path().join("webcall.db"), &server.options()).await.unwrap());
    transfer::refuse_occupied_postgres(&server.options()).await.unwrap();
}

#[tokio::test]
async fn what_is_not_empty_is_not_restored_into() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    rows::fill(&source.database).await;
    let expected = rows::all(&source.database).await;
    let file = folder.path().join("backup");
    back_up(&source, &file).await.unwrap();

    let refused = restore(&source, &file).await;
    assert!(matches!(refused, Err(VaultError::NotEmpty { .. })), "{refused:?}");
    rows::assert_same(&rows::all(&source.database).await, &expected);

    let occupied = on_postgres(server.options(), &folder.path().join("restored"));
    vault::migrate(&source, &server.options(), &CancellationToken::new()).await.unwrap();
    let refused = restore(&occupied, &file).await;
    assert!(matches!(refused, Err(VaultError::Store(StoreError::NotEmpty { table: "users" }))), "{refused:?}");
    assert!(names(&occupied.data_dir).is_empty());
    let again = vault::migrate(&source, &server.options(), &CancellationToken::new()).await;
    assert!(matches!(again, Err(VaultError::Store(StoreError::NotEmpty { .. }))), "{again:?}");
    rows::assert_same(&rows::all(&occupied.database).await, &expected);
}

#[tokio::test]
async fn a_folder_in_use_is_neither_restored_into_nor_migrated() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    let file = folder.path().join("backup");
    let serving = Lock::share(&source).unwrap().unwrap();
    back_up(&source, &file).await.unwrap();
    let migrated = vault::migrate(&source, &server.options(), &CancellationToken::new()).await;
    assert!(matches!(migrated, Err(VaultError::InUse(_))), "{migrated:?}");
    assert!(matches!(restore(&source, &file).await, Err(VaultError::InUse(_))));
    drop(serving);
    vault::migrate(&source, &server.options(), &CancellationToken::new()).await.unwrap();
    let there = on_postgres(server.options(), &source.data_dir);
    let again = vault::migrate(&there, &another_database(&server, "other").await, &CancellationToken::new()).await;
    assert!(matches!(again, Err(VaultError::OnPostgres)), "{again:?}");
}

#[tokio::test]
async fn a_database_with_the_tables_of_another_version_is_not_read() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_postgres(server.options(), &folder.path().join("source"));
    let file = folder.path().join("backup");
    let empty = back_up(&source, &file).await;
    assert!(matches!(empty, Err(VaultError::Store(StoreError::OtherSchema))), "{empty:?}");
    assert!(!file.exists());
    // A restore makes the tables that are missing.
    Store::open(&source.database).await.unwrap().close().await;
}
