//! What servers and clients of end-to-end encryption both check: who a device belongs to, what a user published, what an append-only log
//! of it proves, and what a message of MLS (RFC 9420) may contain. Formats and checks only: no secret but in `sign`, no network, no clock.
//!
//! Called by the server (`src/e2ee`) and by the client's cryptography (`web/crypto`). Every input is hostile: a check answers with a
//! [`Refusal`], whose code is stable.

mod certificate;
mod chain;
mod invitation;
mod key;
mod log;
pub mod mls;
mod refusal;
mod several;
mod signed;

pub use certificate::{Certificate, DeviceCertificate, IdentityClaim, Revocation};
pub use chain::{MAX_DEVICES, MAX_RECORD_BYTES, Record, UserKeys};
pub use invitation::{Acceptance, Invitation};
pub use key::{DeviceId, PublicKey, UserId, is_contributory};
pub use log::{
    Hash, Node, TreeHead, consistency_path, inclusion_path, leaf_hash, nodes_of_append, root, verify_consistency,
    verify_inclusion,
};
pub use refusal::Refusal;
pub use several::{inclusion_of_all, verify_inclusion_of_all};
pub use signed::{Signed, Statement};
