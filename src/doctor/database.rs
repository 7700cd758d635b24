//! The database: can it be read, and is there room on the disk beside it. Nothing is created or migrated.

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::finding::Finding;
use super::server::{Occupant, Readiness};
use crate::config::Database;
use crate::store;

const CHECK: &str = "database";
const DISK: &str = "disk";
/// Longer than any healthy database takes to let somebody in.
const PATIENCE: Duration = Duration::from_secs(8);
/// Less, and the next write may fail: SQLite's log alone takes 64 MB.
const LEAST_FREE_BYTES: u64 = 100 << 20;
/// Less, and it is time to look for more.
const ENOUGH_FREE_BYTES: u64 = 1 << 30;

/// What came of reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reached {
    /// It can be read.
    Yes,
    /// There is none yet; the first start makes it.
    NotYet,
    /// Why not.
    No(String),
}

/// The database as it is, seen from here and by the server.
pub(super) struct Facts {
    pub(super) reached: Reached,
    pub(super) server_says: Option<String>,
}

/// Reads a little.
pub(super) async fn gather(database: &Database, occupant: &Occupant) -> Facts {
    let reach = async {
        match database {
            Database::Sqlite(file) => store::reach_sqlite(file).await,
            Database::Postgres(options) => store::reach_postgres(options).await.map(|()| true),
        }
    };
    let reached = match timeout(PATIENCE, reach).await {
        Ok(Ok(true)) => Reached::Yes,
        Ok(Ok(false)) => Reached::NotYet,
        Ok(Err(error)) => Reached::No(error.to_string()),
        Err(_) => Reached::No("no answer in time".to_owned()),
    };
    let server_says = match occupant {
        Occupant::Server(Readiness { database, .. }) => Some(database.clone()),
        _ => None,
    };
    Facts { reached, server_says }
}

/// What it means.
pub(super) fn judge(facts: &Facts) -> Finding {
    let unreachable = |why: &str| {
        Finding::fault(CHECK, "database_unreachable", format!("it cannot be read: {why}"))
            .means("the server cannot start, or nobody can sign in")
            .todo("check that the database runs, DATABASE_URL, and that the file belongs to the server's user")
    };
    match (&facts.reached, facts.server_says.as_deref()) {
        (Reached::No(why), _) => unreachable(why),
        (_, Some(word)) if word != "ok" => unreachable("the server says that it is failing"),
        (Reached::Yes, _) => Finding::ok(CHECK, "it can be read"),
        (Reached::NotYet, Some(_)) => {
            Finding::warning(CHECK, "data_folder_differs", "there is none in this data folder, yet the server has one")
                .means("this command looks at another data folder than the server's")
                .todo("give it the server's --data and environment")
        }
        (Reached::NotYet, None) => Finding::note(CHECK, "database_not_yet", "there is none yet; the first start makes it"),
    }
}

/// Free bytes on the disk of the data folder, or of where it will be.
pub(super) fn free_bytes(data_dir: &Path) -> Option<u64> {
    let absolute = std::path::absolute(data_dir).ok()?;
    let existing = absolute.ancestors().find(|folder| folder.exists())?;
    let stat = nix::sys::statvfs::statvfs(existing).ok()?;
    // The types of the two differ from system to system.
    #[allow(clippy::unnecessary_cast)]
    Some((stat.blocks_available() as u64).saturating_mul(stat.fragment_size() as u64))
}

/// What it means.
pub(super) fn judge_disk(free_bytes: Option<u64>) -> Finding {
    let Some(free) = free_bytes else { return Finding::note(DISK, "disk_unknown", "the system does not say what is free") };
    let found = format!("{} MB free for the data folder", free >> 20);
    match free {
        ..LEAST_FREE_BYTES => Finding::fault(DISK, "disk_full", found)
            .means("nothing can be written: nobody can register, sign in or make a room")
            .todo("make room, or move the data folder with --data"),
        LEAST_FREE_BYTES..ENOUGH_FREE_BYTES => {
            Finding::warning(DISK, "disk_low", found).means("it may run full").todo("make room")
        }
        _ => Finding::ok(DISK, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[test]
    fn each_state_of_the_database_has_its_finding() {
        let no = || Reached::No("refused".to_owned());
        for (reached, server_says, severity, code) in [
            (Reached::Yes, None, Severity::Ok, "ok"),
            (Reached::Yes, Some("ok"), Severity::Ok, "ok"),
            (Reached::Yes, Some("failing"), Severity::Fault, "database_unreachable"),
            (no(), Some("ok"), Severity::Fault, "database_unreachable"),
            (no(), None, Severity::Fault, "database_unreachable"),
            (Reached::NotYet, None, Severity::Note, "database_not_yet"),
            (Reached::NotYet, Some("ok"), Severity::Warning, "data_folder_differs"),
        ] {
            let finding = judge(&Facts { reached, server_says: server_says.map(str::to_owned) });
            assert_eq!((finding.severity, finding.code), (severity, code));
        }
    }

    #[test]
    fn a_disk_is_full_low_or_fine() {
        for (free, code) in
            [(None, "disk_unknown"), (Some(1 << 20), "disk_full"), (Some(500 << 20), "disk_low"), (Some(5 << 30), "ok")]
        {
            assert_eq!(judge_disk(free).code, code);
        }
        assert!(free_bytes(Path::new("/nowhere/at/all")).is_some_and(|free| free > 0));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_unreachable_and_a_missing_one_is_left_missing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webcall.db");
        let database = Database::Sqlite(file.clone());
        assert_eq!(gather(&database, &Occupant::Nobody).await.reached, Reached::NotYet);
        assert!(!file.exists());
        std::fs::write(&file, [b'x'; 4096]).unwrap();
        assert!(matches!(gather(&database, &Occupant::Nobody).await.reached, Reached::No(_)));
    }

    #[tokio::test]
    async fn a_database_of_this_server_is_read_without_being_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webcall.db");
        store::Store::open_sqlite(&file).await.unwrap().close().await;
        let before = std::fs::read(&file).unwrap();
        assert_eq!(gather(&Database::Sqlite(file.clone()), &Occupant::Nobody).await.reached, Reached::Yes);
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}
