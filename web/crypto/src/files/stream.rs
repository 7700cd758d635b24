//! Sealing and opening, chunk by chunk.

use std::fmt;

use sha2::{Digest, Sha256};
use webcall_trust::Hash;
use zeroize::Zeroizing;

use super::{Attachment, FileError, Layout};
use crate::derive::Purpose;
use crate::{FileKey, gcm};

/// Seals a file from its beginning to its end, once. A sealer that did not come to its end is thrown away together with its key: the file may
/// have been changed since, and another file under the same key would give both away.
pub struct FileSealer {
    key: FileKey,
    layout: Layout,
    next: u32,
    digest: Sha256,
}

impl FileSealer {
    /// A file of this layout, under a key of its own.
    pub fn new(layout: Layout) -> Self {
        Self { key: FileKey::random(), layout, next: 0, digest: Sha256::new() }
    }

    /// The next chunk, whose bytes of the file ([`Layout::content`]) are `content`.
    pub fn seal_next(&mut self, content: &[u8]) -> Result<Vec<u8>, FileError> {
        let (within, padded) = (self.layout.content(self.next)?, self.layout.padded_range(self.next)?);
        if within.end - within.start != content.len() as u64 {
            return Err(FileError::WrongLength);
        }
        let length = usize::try_from(padded.end - padded.start).expect("a chunk at most");
        let mut chunk = Vec::with_capacity(length + gcm::TAG_BYTES);
        chunk.extend_from_slice(content);
        chunk.resize(length, 0);
        self.digest.update(content);
        let nonce = nonce(self.next, &self.layout);
        self.next += 1;
        Ok(gcm::seal(self.key.as_bytes(), &nonce, Purpose::FileChunk.label(), chunk))
    }

    /// After the last chunk: what the message has to say.
    pub fn finish(self, name: String, media_type: String) -> Result<Attachment, FileError> {
        if self.next != self.layout.chunks() {
            return Err(FileError::Incomplete);
        }
        Attachment::new(self.key, self.digest.finalize().into(), self.layout, name, media_type)
    }
}

/// Opens the chunks of one file in any order.
#[derive(Debug, Clone)]
pub struct FileOpener {
    attachment: Attachment,
}

impl FileOpener {
    pub fn new(attachment: Attachment) -> Self {
        Self { attachment }
    }

    /// The bytes of the file ([`Layout::content`]) in what the server has as this chunk ([`Layout::sealed`]).
    pub fn open(&self, chunk: u32, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let layout = self.attachment.layout();
        let (whole, content) = (layout.sealed(chunk)?, layout.content(chunk)?);
        if whole.end - whole.start != sealed.len() as u64 {
            return Err(FileError::WrongLength);
        }
        let key = self.attachment.key().as_bytes();
        let opened = gcm::open(key, &nonce(chunk, &layout), Purpose::FileChunk.label(), sealed);
        let mut opened = opened.ok_or(FileError::Tampered)?;
        let length = usize::try_from(content.end - content.start).expect("a chunk at most");
        if opened[length..].iter().any(|byte| *byte != 0) {
            return Err(FileError::BadPadding);
        }
        opened.truncate(length);
        Ok(opened)
    }
}

/// Opens a file from its beginning to its end and sees that it is the one that the message speaks of.
pub struct WholeFile {
    opener: FileOpener,
    next: u32,
    digest: Sha256,
}

impl WholeFile {
    pub fn new(attachment: Attachment) -> Self {
        Self { opener: FileOpener::new(attachment), next: 0, digest: Sha256::new() }
    }

    pub fn open_next(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let opened = self.opener.open(self.next, sealed)?;
        self.digest.update(&opened);
        self.next += 1;
        Ok(opened)
    }

    /// Only after this answered may what was opened be taken for the file.
    pub fn finish(self) -> Result<(), FileError> {
        let attachment = &self.opener.attachment;
        if self.next != attachment.layout().chunks() {
            return Err(FileError::Incomplete);
        }
        let digest: Hash = self.digest.finalize().into();
        if digest == attachment.digest() { Ok(()) } else { Err(FileError::OtherFile) }
    }
}

impl fmt::Debug for FileSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSealer").field("layout", &self.layout).field("next", &self.next).finish_non_exhaustive()
    }
}

impl fmt::Debug for WholeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeFile").field("next", &self.next).finish_non_exhaustive()
    }
}

/// `0 56 bits | index u32 | last u8`. The key is of one file, so no more is needed.
fn nonce(chunk: u32, layout: &Layout) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[7..11].copy_from_slice(&chunk.to_be_bytes());
    nonce[11] = u8::from(layout.is_last(chunk));
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::CHUNK_BYTES;

    #[test]
    fn a_nonce_says_which_chunk_and_whether_it_is_the_last() {
        let layout = Layout::of(3 * CHUNK_BYTES).unwrap();
        assert_eq!(nonce(1, &layout), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(nonce(2, &layout), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]);
    }

    #[test]
    fn padding_that_is_no_padding_is_refused() {
        let layout = Layout::of(5).unwrap();
        let attachment =
            |size| Attachment::new(FileKey::new([7; 32]), [0; 32], Layout::of(size).unwrap(), String::new(), String::new());
        let sealed = |padding: u8| {
            let plaintext = [&b"bytes"[..], &[padding; 251]].concat();
            gcm::seal(&[7; 32], &nonce(0, &layout), Purpose::FileChunk.label(), plaintext)
        };
        let opener = FileOpener::new(attachment(5).unwrap());
        assert_eq!(opener.open(0, &sealed(0)).as_deref().map(Vec::as_slice), Ok(&b"bytes"[..]));
        assert_eq!(opener.open(0, &sealed(1)), Err(FileError::BadPadding));
    }
}
