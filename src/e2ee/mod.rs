//! The server's half of end-to-end encryption: it keeps what users publish about their keys, the log that proves nobody is shown
//! something else, key packages and sealed backups; it orders the commits of groups and passes welcomes and messages on. The use-cases; HTTP calls them. What is well-formed and may follow what is decided
//! by `webcall_trust`, as in the client.
//!
//! It holds no secret of any user: public keys and sealed bytes come in, the same go out. A refusal of `webcall_trust` goes out with its
//! own code.

mod backups;
mod checks;
mod groups;
mod inbox;
mod keys;
mod log;
mod packages;
mod sweep;
mod whisper;

pub use backups::{Backup, MAX_BACKUP_BYTES, NamedBackup, SlotName, backup, backups, delete_backup, put_backup};
pub use checks::Checks;
pub use groups::{CommitRequest, Committed, Info, Page, commit, commits, create_group, group_id, group_info};
pub use inbox::{Waiting, inbox, leave_message, remove_from_inbox};
pub use keys::{Chain, acquaintances, append, chain, members_of_encrypted};
pub use log::{Consistency, Head, Inclusion, LogKey, consistency, head, inclusion};
pub use packages::{Upload, claim, stock, upload};
pub use sweep::sweep;
pub use whisper::{Listening, Whisper, Whispers, whisper};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use checks::unwinding;

use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::UserId;

/// Bytes of a request, which has them as base64url without padding; at most `max` of them and not none.
pub fn decode(text: &str, max: usize) -> Result<Vec<u8>, Error> {
    // Four characters are three bytes: what cannot fit is not decoded.
    let bytes = Some(text)
        .filter(|text| text.len() <= max.saturating_mul(4).div_ceil(3))
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= max).ok_or(Error::Invalid {
        code: "invalid_bytes",
        detail: "bytes are written as base64url without padding, and there are not too many or none",
    })
}

/// Bytes for an answer.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Refuses who has no room in common with a user, as if there were no such user.
async fn acquainted(app: &App, principal: &Principal, user: UserId) -> Result<(), Error> {
    if user == principal.user || app.store.share_a_room(principal.user, user).await? { Ok(()) } else { Err(Error::UserNotFound) }
}

/// The same user, as `webcall_trust` names them.
fn named(user: UserId) -> webcall_trust::UserId {
    webcall_trust::UserId(*user.as_bytes())
}
