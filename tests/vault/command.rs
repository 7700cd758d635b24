//! The three commands as whoever runs them sees them.

use std::path::Path;
use std::process::{Command, Output};

use crate::postgres::Postgres;
use crate::{names, on_postgres, on_sqlite, rows, set_up};

/// Runs `webcall` in a folder, with this database.
fn webcall(folder: &Path, database_url: Option<&str>, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webcall"));
    command.current_dir(folder).env_clear().args(words);
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    command.output().unwrap()
}

/// The address of a server of the test.
pub(crate) fn url(server: &Postgres) -> String {
    let options = server.options();
    let socket = options.get_socket().unwrap().display().to_string().replace('/', "%2F");
    format!("postgres://postgres@{socket}/postgres")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn an_installation_is_backed_up_restored_and_migrated_from_the_command_line() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Postgres::start());
    let source = on_sqlite(&folder.path().join("data"));
    set_up(&source).await;
    rows::fill(&source.database).await;
    let mut expected = rows::all(&source.database).await;

    // The rows of these files have no bytes.
    let output = webcall(folder.path(), None, &["backup", "today"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("today is written"), "{}", said(&output));
    let lost = (0..rows::ROWS).filter(|row| rows::received(*row) > 0).count();
    assert!(said(&output).contains(&format!("\n{lost} shared files are not in it")), "{}", said(&output));
    let output = webcall(folder.path(), None, &["backup", "today"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("webcall backup: today is there already"), "{}", said(&output));

    let output = webcall(folder.path(), None, &["migrate-to", &url(&server)]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("Set DATABASE_URL"), "{}", said(&output));
    rows::assert_same(&rows::all(&on_postgres(server.options(), folder.path()).database).await, &expected);

    let other = Postgres::start();
    let output = webcall(folder.path(), Some(&url(&other)), &["restore", "today", "--data", "restored"]);
    assert!(output.status.success(), "{}", said(&output));
    let found = rows::all(&on_postgres(other.options(), folder.path()).database).await;
    let files = expected.iter_mut().find(|(table, _)| *table == "files").unwrap();
    files.1.retain(|row| row.contains(&rows::Value::Integer(0)));
    assert_eq!(found.iter().find(|(table, _)| *table == "files").unwrap().1.len(), rows::ROWS - lost);
    assert_eq!(names(&folder.path().join("restored")), ["password_pepper"]);
    assert_eq!(names(folder.path()), ["data", "restored", "today"]);
}

#[test]
fn a_wrong_word_is_said_and_no_password_with_it() {
    let folder = tempfile::tempdir().unwrap();
    for (words, expected) in [
        (&["backup"][..], "webcall backup: backup needs a file"),
        (&["restore", "a", "b"], "webcall restore: unknown argument `b`"),
        (&["restore", "missing"], "missing: No such file"),
        (&["migrate-to", "mysql://me:hush@host/db"], "needs an address like postgres://"),
        (&["migrate-to", "postgres://me:hush@127.0.0.1:9/db"], "there is no database at data/webcall.db"),
        (&["backup", "x"], "there is no database at data/webcall.db"),
    ] {
        let output = webcall(folder.path(), None, words);
        assert!(!output.status.success(), "{words:?}");
        let said = said(&output);
        assert!(said.contains(expected) && !said.contains("hush"), "{words:?}: {said}");
    }
    assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    let help = webcall(folder.path(), None, &["backup", "--help"]);
    assert!(help.status.success() && said(&help).contains("webcall restore FILE"));
}
