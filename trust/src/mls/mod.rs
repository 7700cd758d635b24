//! What a message of MLS (RFC 9420) may contain here, beyond what the RFC allows. The server checks every handshake with these rules before it
//! passes it on, and every client checks it again, so that neither a server nor a member can bring in whom the others would not let in.
//! Pure functions over openmls's types; what only one side knows comes in as [`Knowledge`].
//!
//! openmls has verified before these rules look: signatures of key packages, leaves and commits, parent hashes, that keys are used once.

mod commit;
mod group_id;
mod leaf;
mod parse;
mod roster;
mod session;
mod strict;

use openmls::prelude::{Capabilities, Ciphersuite, CredentialType, ExtensionType, ProtocolVersion};

pub use commit::{Change, Joined, Knowledge, Way, commit};
pub use group_id::{GroupId, GroupKind};
pub use leaf::{key_package, leaf};
pub use parse::{application, group_info, handshake, tree, welcome};
pub use roster::{Roster, group};
pub use session::Session;
pub use strict::{is_strict, strict};

/// The only one. Another would need another length of every key, and a way to agree on it.
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
/// From when to when a key package may be good, in seconds: half a year, and two days for clocks that are wrong. Who was away reads by their
/// clock the commits that added one, so it is good for long after its use; longer than this, and a stolen one opens more welcomes.
pub const MAX_LIFETIME_S: u64 = 184 * 86_400;
/// Leaves of a group. The number of a leaf has 12 bits in the key ids of a call's media.
pub const MAX_LEAVES: usize = 4_096;
/// Devices that one commit adds. More come by several commits; a welcome for more would be a burden to all of them.
pub const MAX_ADDED: usize = 256;
/// A key package has about 500 bytes, most of them its certificate.
pub const MAX_KEY_PACKAGE_BYTES: usize = 2_048;
/// A commit with [`MAX_ADDED`] key packages, and a path to some thousand leaves.
pub const MAX_HANDSHAKE_BYTES: usize = 512 * 1024;
/// A tree of [`MAX_LEAVES`] leaves, each with its certificate and a parent's key, and what carries it: group infos, welcomes.
pub const MAX_TREE_BYTES: usize = 4 * 1024 * 1024;
/// What members tell each other in a group (keys of archives, hellos of calls); chat and files go other ways.
pub const MAX_APPLICATION_BYTES: usize = 64 * 1024;
/// How many versions, suites, extensions and proposals a leaf may say to know. More than ours are allowed (RFC 9420 §13.5), a list
/// without end is not.
pub const MAX_CAPABILITIES: usize = 32;

/// What every leaf of ours says to know.
pub fn capabilities() -> Capabilities {
    knowing(&[ExtensionType::LastResort, strict::TYPE])
}

/// What every leaf must know: devices from before there were strict groups come into all others.
fn least_capabilities() -> Capabilities {
    knowing(&[ExtensionType::LastResort])
}

fn knowing(extensions: &[ExtensionType]) -> Capabilities {
    let (versions, credentials) = ([ProtocolVersion::Mls10], [CredentialType::Basic]);
    Capabilities::new(Some(&versions), Some(&[SUITE]), Some(extensions), Some(&[]), Some(&credentials))
}
