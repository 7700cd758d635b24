//! The client's cryptography: MLS groups, sealed messages, the archive of their keys. Plain Rust, tested natively; `js` alone knows that it
//! runs in a browser's worker (`web/e2ee/keys`). No network, no storage: what must be kept is handed out sealed.

pub mod archive;
pub mod chat;
mod derive;
pub mod files;
mod gcm;
mod locked;
mod random;
pub mod safety;
#[cfg(test)]
mod salamander;
mod secret;
pub mod unlock;

pub use secret::{EpochKey, FileKey, MasterKey};
