//! The client's cryptography: MLS groups, sealed messages, the archive of their keys. Plain Rust, tested natively; `js` alone knows that it
//! runs in a browser's worker (`web/e2ee/keys`). No network, no storage: what must be kept is handed out sealed.

pub mod archive;
pub mod chat;
mod derive;
pub mod desk;
mod device;
mod directory;
mod fault;
pub mod files;
mod gcm;
mod group;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod js;
mod link;
mod locked;
pub mod log;
mod provider;
mod random;
pub mod safety;
#[cfg(test)]
mod salamander;
mod secret;
pub mod state;
pub mod unlock;

pub use device::{Device, DeviceRequest, Identity, MAX_OWN_RECORDS, MAX_PACKAGES, NewDevice, PackageName};
pub use directory::{Directory, InCall, Learned, MAX_NAME_BYTES, MAX_RECORDS, MAX_USERS, Verified};
pub use fault::Fault;
pub use group::{Changes, Contacts, ExternalJoin, Group, Joined, Outgoing, Processed, Received, Standing};
pub use secret::{EpochKey, FileKey, MasterKey};
pub use state::{StateKey, StateName};
