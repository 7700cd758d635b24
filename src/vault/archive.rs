//! The form of a backup: a tar archive that any `tar` unpacks.
//!
//! ```text
//! webcall-backup.json   what this is, by which version, when
//! data/…                the data folder, without the database
//! webcall.db            the rows, as a SQLite file
//! sha256                of every byte before this entry, in hexadecimal
//! ```
//!
//! The last entry has a fixed size, so that a file that was cut off or changed is refused before anything is unpacked.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::draft::Exactly;
use super::{DATABASE_NAME, Result, VaultError, at};
use crate::time::Timestamp;

/// The first entry.
const MANIFEST_NAME: &str = "webcall-backup.json";
/// The last one.
const DIGEST_NAME: &str = "sha256";
/// Below this are the files of the data folder.
const FOLDER_NAME: &str = "data";
/// The last entry and the end of the archive: a header, a block with the digest, two empty blocks.
const TAIL_BYTES: u64 = 4 * 512;
/// The form that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// A manifest is far smaller; what is larger is none.
const MAX_MANIFEST_BYTES: u64 = 4_096;
/// Read and written at once. Larger is not faster; it is also how long an interruption waits.
const BUFFER_BYTES: usize = 256 << 10;

/// What a backup says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// Of the WebCall that wrote it.
    version: String,
    made_at_ms: i64,
}

/// An archive in the making.
pub(super) struct Writer<'a> {
    tar: tar::Builder<Hashing<BufWriter<&'a File>>>,
    stop: CancellationToken,
    now: Timestamp,
}

impl<'a> Writer<'a> {
    /// Begins one in an empty file.
    pub(super) fn begin(file: &'a File, now: Timestamp, stop: &CancellationToken) -> io::Result<Self> {
        let out = Hashing { inner: BufWriter::with_capacity(BUFFER_BYTES, file), context: Context::new(&SHA256) };
        let mut writer = Self { tar: tar::Builder::new(out), stop: stop.clone(), now };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let manifest = Manifest { format: FORMAT, version, made_at_ms: now.as_millis() };
        let text = serde_json::to_vec(&manifest)?;
        writer.add(Path::new(MANIFEST_NAME), text.len() as u64, text.as_slice())?;
        Ok(writer)
    }

    /// Adds the first `len` bytes of a file of the data folder; `name` is its path there.
    pub(super) fn add_file(&mut self, name: &Path, len: u64, content: impl Read) -> io::Result<()> {
        self.add(&Path::new(FOLDER_NAME).join(name), len, content)
    }

    /// Adds the database.
    pub(super) fn add_database(&mut self, file: &Path) -> io::Result<()> {
        let file = File::open(file)?;
        self.add(Path::new(DATABASE_NAME), file.metadata()?.len(), &file)
    }

    /// Ends it. The file is not synced yet.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let digest = hexadecimal(&self.tar.get_ref().context);
        self.add(Path::new(DIGEST_NAME), digest.len() as u64, digest.as_bytes())?;
        self.tar.into_inner()?.inner.flush()
    }

    fn add(&mut self, name: &Path, len: u64, content: impl Read) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(len);
        header.set_mtime(self.now.as_millis().max(0).unsigned_abs() / 1_000);
        let content = Stoppable { inner: Exactly::new(content, len), stop: self.stop.clone() };
        self.tar.append_data(&mut header, name, content)
    }
}

/// Reads a whole backup and compares it with its digest.
pub(super) fn verify(path: &Path, stop: &CancellationToken) -> Result<()> {
    let no_backup = |problem: &str| VaultError::NoBackup { file: path.to_owned(), problem: problem.to_owned() };
    let mut file = File::open(path).map_err(at(path))?;
    let len = file.metadata().map_err(at(path))?.len();
    let Some(body) = len.checked_sub(TAIL_BYTES) else { return Err(no_backup("it is too short for a backup of WebCall")) };
    let mut hashing = Hashing { inner: io::sink(), context: Context::new(&SHA256) };
    let mut reading = Stoppable { inner: (&mut file).take(body), stop: stop.clone() };
    copy(&mut reading, &mut hashing).map_err(at(path))?;
    let mut tail = [0; TAIL_BYTES as usize];
    file.seek(SeekFrom::Start(body)).and_then(|_| file.read_exact(&mut tail)).map_err(at(path))?;
    let (header, content) = tail.split_at(512);
    let name = header.split(|byte| *byte == 0).next().unwrap_or_default();
    let digest = hexadecimal(&hashing.context);
    if name != DIGEST_NAME.as_bytes() {
        return Err(no_backup("it does not end as a backup of WebCall does: it is none, or was cut off"));
    }
    if &content[..digest.len()] != digest.as_bytes() {
        return Err(no_backup("it was changed or damaged since it was written"));
    }
    Ok(())
}

/// Unpacks a backup that was verified: the database to `database`, which is an empty file, the data folder's files into `folder`.
pub(super) fn unpack(path: &Path, (database, folder): (&Path, &Path), stop: &CancellationToken) -> Result<()> {
    let no_backup = |problem: &str| VaultError::NoBackup { file: path.to_owned(), problem: problem.to_owned() };
    let file = File::open(path).map_err(at(path))?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(BUFFER_BYTES, file));
    let mut entries = archive.entries().map_err(at(path))?;
    let first = entries.next().ok_or_else(|| no_backup("it is empty"))?.map_err(at(path))?;
    read_manifest(first).map_err(|problem| no_backup(&problem))?;
    let mut has_database = false;
    for entry in entries {
        let entry = entry.map_err(at(path))?;
        let name = entry.path().map_err(at(path))?.into_owned();
        let target = match inner_path(&name) {
            _ if entry.header().entry_type() != tar::EntryType::Regular => None,
            Some(inside) => Some(folder.join(inside)),
            None if name == Path::new(DATABASE_NAME) && !has_database => {
                has_database = true;
                Some(database.to_owned())
            }
            None if name == Path::new(DIGEST_NAME) => continue,
            None => None,
        };
        let target = target.ok_or_else(|| no_backup(&format!("`{}` does not belong there", name.display())))?;
        write_out(entry, &target, target == database, stop)?;
    }
    if has_database { Ok(()) } else { Err(no_backup("it holds no database")) }
}

fn read_manifest(entry: tar::Entry<'_, impl Read>) -> std::result::Result<(), String> {
    let is_manifest = entry.path().is_ok_and(|path| path == Path::new(MANIFEST_NAME));
    let manifest: Option<Manifest> = serde_json::from_reader(entry.take(MAX_MANIFEST_BYTES)).ok().filter(|_| is_manifest);
    match manifest {
        Some(Manifest { format: FORMAT, .. }) => Ok(()),
        Some(Manifest { version, .. }) => {
            Err(format!("it was written by WebCall {version}, whose backups this version cannot read"))
        }
        None => Err("it is no backup of WebCall".to_owned()),
    }
}

/// The path in the data folder of an entry's name; `None` when it is no such entry, or leads out of the folder.
fn inner_path(name: &Path) -> Option<PathBuf> {
    let inside = name.strip_prefix(FOLDER_NAME).ok()?;
    let is_plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
    (is_plain && inside.components().next().is_some()).then(|| inside.to_owned())
}

fn write_out(content: impl Read, target: &Path, is_there: bool, stop: &CancellationToken) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = target.parent() {
        super::lock::make_private(folder).map_err(at(folder))?;
    }
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(!is_there).mode(0o600).open(target);
    let mut file = opened.map_err(at(target))?;
    let mut content = Stoppable { inner: content, stop: stop.clone() };
    copy(&mut content, &mut file).and_then(|()| file.sync_all()).map_err(at(target))
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
    }
}

fn hexadecimal(context: &Context) -> String {
    context.clone().finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Passes bytes on and counts them into a digest.
struct Hashing<W> {
    inner: W,
    context: Context,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.context.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Fails once this is interrupted. Not with `Interrupted`, which means that one shall try again.
struct Stoppable<R> {
    inner: R,
    stop: CancellationToken,
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other(Stopped));
        }
        self.inner.read(buffer)
    }
}

/// What [`Stoppable`] fails with.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Stopped;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_inside_the_data_folder_are_unpacked_there() {
        assert_eq!(inner_path(Path::new("data/acme/a.pem")), Some("acme/a.pem".into()));
        for name in ["data", "data/../x", "data/a/../../x", "/data/x", "x", "webcall.db", "../data/x"] {
            assert_eq!(inner_path(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn every_changed_or_missing_byte_that_is_read_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, stop) = (folder.path().join("backup"), CancellationToken::new());
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        let mut writer = Writer::begin(&file, Timestamp::from_millis(1_790_000_000_000), &stop).unwrap();
        writer.add_file(Path::new("secret"), 3, b"key and more".as_slice()).unwrap();
        writer.finish().unwrap();
        verify(&path, &stop).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let body = whole.len() - TAIL_BYTES as usize;
        for position in (0..body).step_by(97).chain([body - 1, body, body + 512, body + 575]) {
            let mut changed = whole.clone();
            changed[position] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(verify(&path, &stop).is_err(), "{position}");
        }
        for len in [0, 1, 512, 2_047, 2_048, body, whole.len() - 512, whole.len() - 1] {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert!(verify(&path, &stop).is_err(), "{len}");
        }
    }
}
