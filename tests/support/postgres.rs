//! A PostgreSQL server of the test's own: its programs are looked for where distributions put them, it keeps its files in a
//! temporary folder, and it listens on a Unix socket there and nowhere else. As root, which PostgreSQL refuses, it runs as `postgres`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

/// Where Debian and others put the programs.
const PROGRAM_FOLDERS: &str = "/usr/lib/postgresql";
/// Files in memory.
const MEMORY: &str = "/dev/shm";
/// What the largest tables of a test leave plenty of.
const ENOUGH_BYTES: u64 = 8 << 30;

/// A running server; dropping it stops it.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
}

#[allow(dead_code)] // Each test uses a part of it.
impl Postgres {
    /// Starts a fresh server.
    pub(crate) fn start() -> Self {
        let server = Self { folder: folder(), programs: programs() };
        std::fs::set_permissions(server.folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = server.data();
        let no_sync = "--no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C".split(' ');
        server.run("initdb", no_sync.map(str::to_owned).chain(["-D".to_owned(), data]));
        server.go_on();
        server
    }

    /// Starts it, at first or once it was stopped.
    pub(crate) fn go_on(&self) {
        // Nothing of this survives the test, so nothing needs to reach the disk.
        let (data, socket) = (self.data(), self.folder.path().display());
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories={socket} -c fsync=off -c shared_buffers=16MB -c max_connections=40"
        );
        let log = format!("{socket}/log");
        self.run("pg_ctl", ["-D", &data, "-o", &options, "-l", &log, "-w", "-t", "60", "start"].map(str::to_owned));
    }

    /// Stops it as whoever administers it would: connections are ended, what is committed stays.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", ["-D", &self.data(), "-m", "fast", "-w", "stop"].map(str::to_owned));
    }

    /// Lets it stand still, connections and all: it takes nothing, says nothing and ends nothing.
    pub(crate) fn freeze(&self) {
        // The one that makes the others first, so that no new one is missed.
        self.signal("-STOP", &[self.postmaster()]);
        self.signal("-STOP", &self.backends());
    }

    /// Lets it go on where it stood still.
    pub(crate) fn thaw(&self) {
        let (postmaster, backends) = (self.postmaster(), self.backends());
        self.signal("-CONT", &backends);
        self.signal("-CONT", &[postmaster]);
    }

    fn postmaster(&self) -> String {
        let file = std::fs::read_to_string(Path::new(&self.data()).join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().to_owned()
    }

    fn backends(&self) -> Vec<String> {
        let postmaster = self.postmaster();
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }

    /// One that just ended is not missed.
    fn signal(&self, signal: &str, processes: &[String]) {
        Command::new("kill").arg(signal).args(processes).output().unwrap();
    }

    /// How to reach it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(self.folder.path()).username("postgres").database("postgres")
    }

    /// The same as an address for `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@localhost/postgres?host={}", self.folder.path().display())
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: impl IntoIterator<Item = String>) {
        let path = self.programs.join(program);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
                command
            }
            false => Command::new(path),
        };
        let output = command.args(arguments).current_dir("/").output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(
            output.status.success(),
            "{program} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if Path::new(&self.data()).join("postmaster.pid").exists() {
            self.thaw(); // a test may have failed in between
            self.run("pg_ctl", ["-D", &self.data(), "-m", "immediate", "-w", "stop"].map(str::to_owned));
        }
    }
}

/// The newest version's programs.
fn programs() -> PathBuf {
    let versions =
        std::fs::read_dir(PROGRAM_FOLDERS).unwrap_or_else(|_| panic!("install PostgreSQL: nothing in {PROGRAM_FOLDERS}"));
    let found = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).filter(|bin| bin.join("initdb").exists());
    found.max().unwrap_or_else(|| panic!("install PostgreSQL: no initdb in {PROGRAM_FOLDERS}/*/bin"))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// In memory where there is room: some tests have a database each, which is hundreds of files, and a disk's file system takes most of
/// their time to make and remove them.
fn folder() -> TempDir {
    let free = nix::sys::statvfs::statvfs(MEMORY).map_or(0, |found| found.blocks_available() * found.fragment_size());
    let folder = if free >= ENOUGH_BYTES { tempfile::tempdir_in(MEMORY) } else { tempfile::tempdir() };
    folder.unwrap()
}
