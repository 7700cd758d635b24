//! How a user comes to the master key on a new device: by a recovery code, a passphrase, or a passkey. Each is an *unlocker*, a copy of the
//! master key sealed so that only that secret opens it, kept with the server.
//!
//! One unlocker is none: a passkey is deleted in passing, a passphrase forgotten. [`Unlockers::is_backed_up`] wants two. The server has
//! the sealed copies, so a passphrase is only as good as it is hard to guess; Argon2id makes each guess dear. Taking an unlocker
//! away does not change the master key: who kept the sealed copy and learns its secret later still opens it.

mod passkey;
mod passphrase;
mod recovery;
mod refusal;
mod set;
mod unlocker;

pub use passkey::{MAX_CREDENTIAL_BYTES, Passkey, PrfOutput};
pub use passphrase::{Effort, MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARS, Passphrase};
pub use recovery::RecoveryCode;
pub use refusal::UnlockError;
pub use set::{ENOUGH, MAX_COST_KIB, MAX_PASSPHRASES, MAX_UNLOCKERS, Unlockers, affordable};
pub use unlocker::{MAX_UNLOCKER_BYTES, Secret, Unlocker, UnlockerId, Way};
