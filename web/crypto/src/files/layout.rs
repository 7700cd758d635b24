//! Where what lies in a sealed file: follows from the file's length alone.

use std::ops::Range;

use super::FileError;
use crate::gcm;

/// Of a whole chunk, before it is sealed. Larger would make a range or a retry dearer, smaller the tags and calls.
pub const CHUNK_BYTES: u64 = 256 << 10;
/// Four million chunks: far from where the nonce's index ends, and more than any server of ours takes.
pub const MAX_FILE_BYTES: u64 = 1 << 40;
/// Of nothing too there is something to send.
const MIN_PADDED_BYTES: u64 = 256;
const TAG_BYTES: u64 = gcm::TAG_BYTES as u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    size: u64,
    padded: u64,
}

impl Layout {
    /// Of a file of `size_bytes`.
    pub fn of(size_bytes: u64) -> Result<Self, FileError> {
        if size_bytes > MAX_FILE_BYTES {
            return Err(FileError::TooLong);
        }
        Ok(Self { size: size_bytes, padded: padme(size_bytes.max(MIN_PADDED_BYTES)) })
    }

    pub fn size_bytes(&self) -> u64 {
        self.size
    }

    pub fn chunks(&self) -> u32 {
        u32::try_from(self.padded.div_ceil(CHUNK_BYTES)).expect("the longest file has four million")
    }

    /// How long the whole is on the server.
    pub fn sealed_bytes(&self) -> u64 {
        self.padded + u64::from(self.chunks()) * TAG_BYTES
    }

    /// Which chunk has this byte of the file; `None` behind its end.
    pub fn chunk_of(&self, byte: u64) -> Option<u32> {
        if byte < self.size { u32::try_from(byte / CHUNK_BYTES).ok() } else { None }
    }

    /// Which bytes of the file are in a chunk. Empty for chunks that are padding only.
    pub fn content(&self, chunk: u32) -> Result<Range<u64>, FileError> {
        let padded = self.padded_range(chunk)?;
        Ok(padded.start.min(self.size)..padded.end.min(self.size))
    }

    /// Which bytes of what the server has are a chunk.
    pub fn sealed(&self, chunk: u32) -> Result<Range<u64>, FileError> {
        let padded = self.padded_range(chunk)?;
        let start = u64::from(chunk) * (CHUNK_BYTES + TAG_BYTES);
        Ok(start..start + (padded.end - padded.start) + TAG_BYTES)
    }

    /// Of the file with its padding.
    pub(super) fn padded_range(&self, chunk: u32) -> Result<Range<u64>, FileError> {
        if chunk >= self.chunks() {
            return Err(FileError::NoSuchChunk);
        }
        let start = u64::from(chunk) * CHUNK_BYTES;
        Ok(start..(start + CHUNK_BYTES).min(self.padded))
    }

    pub(super) fn is_last(&self, chunk: u32) -> bool {
        chunk + 1 == self.chunks()
    }
}

/// The padded length of at least 2 bytes: rounded up until, as a floating-point number in binary, its mantissa is no longer than its exponent.
fn padme(length: u64) -> u64 {
    let exponent = length.ilog2();
    let mantissa = exponent.ilog2() + 1;
    let mask = (1 << (exponent - mantissa)) - 1;
    (length + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_padded_as_the_paper_says() {
        // 9 is 1.001 times two to the power of 11: three digits and an exponent of two.
        assert_eq!([2, 7, 8, 9, 10, 11].map(padme), [2, 7, 8, 10, 10, 12]);
        for length in (MIN_PADDED_BYTES..5_000).chain([1 << 20, (1 << 20) + 1, (1 << 30) + 12_345, MAX_FILE_BYTES - 1]) {
            let padded = padme(length);
            assert!(padded >= length && (padded - length) * 100 <= length * 12, "{length}");
            assert_eq!(padme(padded), padded, "a padded length stays");
        }
    }

    #[test]
    fn chunks_follow_each_other_and_hold_all_of_the_file_once() {
        for size in [0, 1, 256, 257, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 10 * CHUNK_BYTES + 77, 1 << 33] {
            let layout = Layout::of(size).unwrap();
            let (mut content_end, mut sealed_end) = (0, 0);
            for chunk in 0..layout.chunks() {
                let (content, sealed) = (layout.content(chunk).unwrap(), layout.sealed(chunk).unwrap());
                assert_eq!((content.start, sealed.start), (content_end, sealed_end), "{size}, chunk {chunk}");
                if !content.is_empty() {
                    assert_eq!((layout.chunk_of(content.start), layout.chunk_of(content.end - 1)), (Some(chunk), Some(chunk)));
                }
                (content_end, sealed_end) = (content.end, sealed.end);
            }
            assert_eq!((content_end, sealed_end), (size, layout.sealed_bytes()), "{size}");
            assert_eq!(layout.chunk_of(size), None);
            assert_eq!(layout.sealed(layout.chunks()), Err(FileError::NoSuchChunk));
        }
        assert!(Layout::of(MAX_FILE_BYTES).is_ok());
        assert_eq!(Layout::of(MAX_FILE_BYTES + 1), Err(FileError::TooLong));
    }
}
