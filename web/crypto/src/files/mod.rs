//! Files that go with messages, sealed in chunks so that nobody needs the whole of one in memory, and each chunk opens alone.
//!
//! Every file has a random key. Chunk `i` is 256 KiB (the last one may be shorter) under AES-256-GCM with the nonce
//! `0 56 bits | i u32 | 1 if it is the last u8`: the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, "Online
//! Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015), so that no chunk passes at another place and none can be
//! cut off the end. What the server sees of the length is padded by Padmé (Nikitin, Barman, Lueks, Underwood, Hubaux and Ford,
//! "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019): at most 12 % more, and less the larger.
//!
//! Key, digest and true length travel in the message ([`Attachment`]), which commits to them.

mod attachment;
mod layout;
mod refusal;
mod stream;

pub use attachment::{Attachment, MAX_ATTACHMENT_BYTES, MAX_NAME_BYTES, MAX_TYPE_BYTES};
pub use layout::{CHUNK_BYTES, Layout, MAX_FILE_BYTES};
pub use refusal::FileError;
pub use stream::{FileOpener, FileSealer, WholeFile};
