//! Files that are not there until they are whole: written under another name, synced, and then given theirs, unless there is one of that
//! name by then. A draft that is dropped is removed; one that a killed process left is written over by the next.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::lock::{beside, lock_alone};
use super::{Result, VaultError, at};

/// What a draft is called: the name that it will have, and this.
const SUFFIX: &str = ".partial";
/// What SQLite may leave beside a file that it works on.
const SQLITE_SUFFIXES: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// A file in the making.
pub(super) struct Draft {
    path: PathBuf,
    target: PathBuf,
    file: File,
}

impl Draft {
    /// Begins a file that will be called `target`.
    pub(super) fn begin(target: &Path) -> Result<Self> {
        refuse_existing(target)?;
        let path = beside(target, SUFFIX);
        // No link is followed: the name can be guessed, and the folder may be everybody's.
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(&path)
            .map_err(at(&path))?;
        lock_alone(&file).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => VaultError::BeingWritten(target.to_owned()),
            _ => at(&path)(error),
        })?;
        file.set_len(0).map_err(at(&path))?;
        Ok(Self { path, target: target.to_owned(), file })
    }

    /// The file, open for reading and writing.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The place of a database that is needed meanwhile, beside the draft, because there is room there.
    pub(super) fn database(&self) -> Result<DraftDatabase> {
        DraftDatabase::begin(beside(&self.path, ".db"))
    }

    /// Gives it its name for good.
    pub(super) fn publish(self) -> Result<()> {
        self.file.sync_all().map_err(at(&self.path))?;
        publish(&self.path, &self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Published, it is gone from here already.
        let _ = fs::remove_file(&self.path);
    }
}

/// A SQLite file in the making.
pub(super) struct DraftDatabase {
    path: PathBuf,
}

impl DraftDatabase {
    /// Begins one at this path, where only another draft may have been.
    pub(super) fn begin(path: PathBuf) -> Result<Self> {
        let draft = Self { path };
        draft.remove();
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.path).map_err(at(&draft.path))?;
        Ok(draft)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it the file of this name, for good.
    pub(super) fn publish_as(self, target: &Path) -> Result<()> {
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(at(&self.path))?;
        publish(&self.path, target)
    }

    fn remove(&self) {
        for suffix in SQLITE_SUFFIXES {
            // Most of them never were.
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }
}

impl Drop for DraftDatabase {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Refuses a name that is taken, also by a link that leads nowhere.
pub(super) fn refuse_existing(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(VaultError::Exists(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error)),
    }
}

/// Makes the names in a folder last.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// A second name, because giving one never overwrites, which moving does; then the first goes.
fn publish(path: &Path, target: &Path) -> Result<()> {
    match fs::hard_link(path, target) {
        Ok(()) => fs::remove_file(path).map_err(at(path))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(VaultError::Exists(target.to_owned())),
        // A file system that knows one name for a file.
        Err(_) => {
            refuse_existing(target)?;
            fs::rename(path, target).map_err(at(target))?;
        }
    }
    target.parent().map_or(Ok(()), sync_folder)
}

/// Reads exactly as many bytes as were announced: fewer are an error, more are left.
pub(super) struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R> Exactly<R> {
    pub(super) fn new(inner: R, len: u64) -> Self {
        Self { inner, left: len }
    }
}

impl<R: io::Read> io::Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "it became shorter while it was read"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
