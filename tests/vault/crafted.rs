//! Files that are no backups, no whole ones, or made by somebody who means harm.

use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};
use webcall::vault::VaultError;

use crate::{back_up, names, on_sqlite, restore, set_up};

/// The last entry and the end of an archive.
const TAIL_BYTES: usize = 2_048;

/// An archive of these entries with the right digest at its end.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let append = |tar: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        // By hand: the library refuses names that lead out of the folder.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(0o600);
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, content).unwrap();
    };
    for (name, content) in entries {
        append(&mut tar, name, content);
    }
    let sum = hexadecimal(tar.get_ref());
    append(&mut tar, "sha256", sum.as_bytes());
    tar.into_inner().unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn problem_with(bytes: &[u8], folder: &Path) -> String {
    let (file, target) = (folder.join("file"), on_sqlite(&folder.join("restored")));
    fs::write(&file, bytes).unwrap();
    let error = restore(&target, &file).await.unwrap_err();
    if target.data_dir.exists() {
        assert!(names(&target.data_dir).is_empty(), "{error}");
    }
    assert!(!folder.join("evil").exists());
    error.to_string()
}

#[tokio::test]
async fn what_is_no_backup_or_leads_out_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let manifest: (&str, &[u8]) = ("webcall-backup.json", br#"{"format":1,"version":"0.1.0","made_at_ms":0}"#);
    let newer: (&str, &[u8]) = ("webcall-backup.json", br#"{"format":2,"version":"7.0.0","made_at_ms":0}"#);
    let endless = vec![b' '; 1 << 20];
    for (bytes, expected) in [
        (vec![], "too short"),
        (vec![b'x'; 100_000], "it is none, or was cut off"),
        (archive(&[]), "it is no backup of WebCall"),
        (archive(&[("other.json", manifest.1)]), "it is no backup of WebCall"),
        (archive(&[("webcall-backup.json", &endless)]), "it is no backup of WebCall"),
        (archive(&[newer]), "WebCall 7.0.0"),
        (archive(&[manifest]), "it holds no database"),
        (archive(&[manifest, ("webcall.db", b"no database")]), "not a database"),
        (archive(&[manifest, ("data/../../../evil", b"x")]), "does not belong there"),
        (archive(&[manifest, ("/evil", b"x")]), "does not belong there"),
        (archive(&[manifest, ("webcall.db", b""), ("webcall.db", b"")]), "does not belong there"),
        (archive(&[manifest, ("data/a", b""), ("data/a", b"")]), "File exists"),
    ] {
        let problem = problem_with(&bytes, folder.path()).await;
        assert!(problem.contains(expected), "{problem}, not {expected}");
    }
}

#[tokio::test]
async fn a_link_in_an_archive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    let text = br#"{"format":1,"version":"0.1.0","made_at_ms":0}"#;
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    tar.append_data(&mut header, "webcall-backup.json", text.as_slice()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "data/acme", "/etc").unwrap();
    let sum = hexadecimal(tar.get_ref());
    let mut header = tar::Header::new_gnu();
    header.set_size(64);
    tar.append_data(&mut header, "sha256", sum.as_bytes()).unwrap();
    let problem = problem_with(&tar.into_inner().unwrap(), folder.path()).await;
    assert!(problem.contains("`data/acme` does not belong there"), "{problem}");
}

#[tokio::test]
async fn a_backup_that_was_cut_off_changed_or_holds_a_damaged_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = on_sqlite(&folder.path().join("source"));
    set_up(&source).await;
    back_up(&source, &folder.path().join("backup")).await.unwrap();
    let whole = fs::read(folder.path().join("backup")).unwrap();
    let body = whole.len() - TAIL_BYTES;

    for len in [whole.len() - 1, body, whole.len() / 2] {
        let problem = problem_with(&whole[..len], folder.path()).await;
        assert!(problem.contains("was cut off"), "{problem}");
    }
    let mut changed = whole.clone();
    changed[body / 2] ^= 1;
    let problem = problem_with(&changed, folder.path()).await;
    assert!(problem.contains("changed or damaged"), "{problem}");

    // The disk damaged the database before it was saved: the archive itself is in order.
    let mut damaged = whole.clone();
    damaged[body - 60_000..body - 20_000].fill(0xa5);
    let sum = hexadecimal(&damaged[..body]);
    damaged[body + 512..body + 576].copy_from_slice(sum.as_bytes());
    let problem = problem_with(&damaged, folder.path()).await;
    assert!(problem.contains("damaged") || problem.contains("malformed"), "{problem}");

    fs::write(folder.path().join("file"), &whole).unwrap();
    let target = on_sqlite(&folder.path().join("restored"));
    let refused = restore(&target, &folder.path().join("missing")).await;
    assert!(matches!(refused, Err(VaultError::File { .. })), "{refused:?}");
    restore(&target, &folder.path().join("file")).await.unwrap();
}
