//! Where the bytes are: `<data>/files/<2 hex>/<id>`. The seam between files and what holds them: put at an offset, read, delete, list.
//! Nobody else knows paths. Folders and files are the server's user's alone.
//!
//! What counts of a file stands in the database; a crash leaves at most more bytes here than count, and the next append cuts them off.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::id::FileId;

/// A folder of files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Folder {
    root: Arc<Path>,
}

/// A file that bytes are put into.
#[derive(Debug)]
pub(super) struct Appending {
    file: Arc<File>,
    at: u64,
}

/// What opening for appending found.
#[derive(Debug)]
pub(super) enum Opened {
    /// It can go on.
    Ready(Appending),
    /// There are fewer bytes than count: the disk or a backup lost some.
    Shorter {
        /// How many there are.
        len: u64,
    },
}

/// Free space of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) free_bytes: u64,
    pub(super) total_bytes: u64,
}

impl Folder {
    /// The folder at this path; made when the first file comes.
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// Opens a file to go on at `at`; what lies behind is cut off.
    pub(super) async fn append(&self, id: FileId, at: u64) -> io::Result<Opened> {
        let (root, path) = (Arc::clone(&self.root), self.path(id));
        blocking(move || {
            let file = open_or_create(&root, &path)?;
            let len = file.metadata()?.len();
            if len < at {
                return Ok(Opened::Shorter { len });
            }
            if len > at {
                file.set_len(at)?;
            }
            Ok(Opened::Ready(Appending { file: Arc::new(file), at }))
        })
        .await
    }

    /// Opens a file for reading.
    pub(super) async fn read(&self, id: FileId) -> io::Result<Arc<File>> {
        let path = self.path(id);
        blocking(move || File::open(path).map(Arc::new)).await
    }

    /// Deletes a file; one that is not there is deleted.
    pub(super) async fn delete(&self, id: FileId) -> io::Result<()> {
        let path = self.path(id);
        blocking(move || absent_is_fine(std::fs::remove_file(path))).await.map(|_| ())
    }

    /// The files in one of the 256 parts.
    pub(super) async fn part(&self, part: u8) -> io::Result<Vec<FileId>> {
        let folder = self.root.join(format!("{part:02x}"));
        blocking(move || {
            let Some(entries) = absent_is_fine(std::fs::read_dir(folder))? else { return Ok(Vec::new()) };
            let id = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
            Ok(entries.filter_map(id).collect())
        })
        .await
    }

    /// The space of the disk that the folder is on, or will be.
    pub(super) async fn space(&self) -> io::Result<Space> {
        let root = Arc::clone(&self.root);
        blocking(move || {
            let absolute = std::path::absolute(&root)?;
            let existing = absolute.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
            let stat = nix::sys::statvfs::statvfs(existing)?;
            // The types differ from system to system.
            #[allow(clippy::unnecessary_cast)]
            let bytes = |blocks| (blocks as u64).saturating_mul(stat.fragment_size() as u64);
            Ok(Space { free_bytes: bytes(stat.blocks_available()), total_bytes: bytes(stat.blocks()) })
        })
        .await
    }

    /// The part is the identifier's last byte, which is random; its first ones are the time.
    fn path(&self, id: FileId) -> PathBuf {
        self.root.join(format!("{:02x}", id.as_bytes()[15])).join(id.to_string())
    }
}

impl Appending {
    /// How far it is written.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Puts bytes behind what is there, and gives the emptied buffer back.
    pub(super) async fn write(&mut self, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let (file, at, len) = (Arc::clone(&self.file), self.at, bytes.len() as u64);
        let buffer = blocking(move || {
            file.write_all_at(&bytes, at)?;
            bytes.clear();
            Ok(bytes)
        })
        .await?;
        self.at += len;
        Ok(buffer)
    }

    /// Returns when what was written survives a power cut.
    pub(super) async fn sync(&self) -> io::Result<()> {
        let file = Arc::clone(&self.file);
        blocking(move || file.sync_data()).await
    }
}

/// Up to `at_most` bytes from `at`; an error where the file ends.
pub(super) async fn read_at(file: Arc<File>, at: u64, at_most: usize) -> io::Result<Vec<u8>> {
    blocking(move || {
        let mut bytes = vec![0; at_most];
        let len = file.read_at(&mut bytes, at)?;
        if len == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        bytes.truncate(len);
        Ok(bytes)
    })
    .await
}

/// A new file's name survives a power cut only once its folder is synced too.
fn open_or_create(root: &Path, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if let Some(file) = absent_is_fine(options.open(path))? {
        return Ok(file);
    }
    let part = path.parent().unwrap_or(root);
    if !part.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(part)?;
        File::open(root)?.sync_all()?;
    }
    let file = options.create(true).open(path)?;
    File::open(part)?.sync_all()?;
    Ok(file)
}

fn absent_is_fine<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs what waits for the disk where nobody else is kept waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn id() -> FileId {
        FileId::from_bytes([7; 16])
    }

    async fn ready(folder: &Folder, at: u64) -> Appending {
        match folder.append(id(), at).await.unwrap() {
            Opened::Ready(appending) => appending,
            Opened::Shorter { len } => panic!("only {len} bytes"),
        }
    }

    #[tokio::test]
    async fn what_a_crash_left_behind_what_counts_is_cut_off() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(&temporary.path().join("files"));
        let mut appending = ready(&folder, 0).await;
        assert!(appending.write(b"counted".to_vec()).await.unwrap().is_empty());
        appending.write(b" and torn".to_vec()).await.unwrap();
        drop(appending);

        let mut appending = ready(&folder, 7).await;
        assert_eq!(appending.at(), 7);
        appending.write(b".".to_vec()).await.unwrap();
        appending.sync().await.unwrap();
        assert_eq!(std::fs::read(folder.path(id())).unwrap(), b"counted.");
    }

    #[tokio::test]
    async fn a_file_with_fewer_bytes_than_count_says_how_many() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path());
        ready(&folder, 0).await.write(b"four".to_vec()).await.unwrap();
        assert!(matches!(folder.append(id(), 9).await.unwrap(), Opened::Shorter { len: 4 }));
        assert_eq!(std::fs::read(folder.path(id())).unwrap(), b"four");
    }

    #[tokio::test]
    async fn files_and_folders_are_the_server_s_user_s_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("files");
        ready(&Folder::new(&root), 0).await;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&root), mode(&root.join("07"))), (0o700, 0o700));
        assert_eq!(mode(&root.join("07").join(id().to_string())), 0o600);
    }

    #[tokio::test]
    async fn a_deleted_file_is_gone_and_deleting_it_again_is_no_fault() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path());
        ready(&folder, 0).await;
        assert_eq!(folder.part(7).await.unwrap(), [id()]);
        folder.delete(id()).await.unwrap();
        folder.delete(id()).await.unwrap();
        assert_eq!(folder.part(7).await.unwrap(), []);
        assert_eq!(folder.part(8).await.unwrap(), []);
    }
}
