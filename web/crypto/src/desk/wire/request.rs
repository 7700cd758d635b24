//! All that can be asked.

use serde::Deserialize;
use uuid::Uuid;

use super::{Block, Bytes, External, GroupName, Restore, SealMessage, SecretText, Stay, UnlockSecret};

/// One thing to do. Times are milliseconds since 1970.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The first device of a user, with a new identity.
    First {
        user: Uuid,
        now_ms: u64,
    },
    /// A further device, for which another is to vouch.
    Ask {
        user: Uuid,
    },
    /// The record by which it did.
    Certified {
        record: Bytes,
    },
    /// What was kept, after a reload. `identity` only where this device has it.
    Load {
        device_id: Bytes,
        device: Bytes,
        directory: Bytes,
        identity: Option<Bytes>,
    },
    /// What was kept where there is no device yet: the one that asks, or nothing.
    Resume {
        asking: Option<Bytes>,
    },
    /// Who is here, with the records of the user's chain that this device made or was given.
    Who,
    /// Vouch for the device that asks. `previous`: the newest record's hash; without it, that of the newest that was learned.
    Vouch {
        request: Bytes,
        previous: Option<Bytes>,
        now_ms: u64,
    },
    Revoke {
        device: Bytes,
        previous: Option<Bytes>,
        now_ms: u64,
    },
    /// All records that a user published.
    Learn {
        user: Uuid,
        records: Vec<Bytes>,
    },
    /// The person says that this is the user's identity.
    Accept {
        user: Uuid,
        identity: Bytes,
    },
    KeyPackages {
        count: usize,
        last_resort: bool,
    },
    /// Key packages that nobody may use any more.
    ForgetExpired {
        now_ms: u64,
    },
    Create {
        group: GroupName,
        stay: Option<Stay>,
    },
    Join {
        welcome: Bytes,
    },
    JoinExternal(External),
    Change {
        group: GroupName,
        add: Vec<Bytes>,
        remove: Vec<u32>,
    },
    /// The server took what was sent.
    Accepted {
        group: GroupName,
    },
    /// Another was faster.
    Lost {
        group: GroupName,
    },
    /// The next commit of the server's log. `log_epoch`: of the group, as the server had it when the page asked for the log; commits on earlier
    /// epochs lie in the past, in which their device may have counted.
    Process {
        group: GroupName,
        commit: Bytes,
        log_epoch: Option<u64>,
    },
    /// Leaves it, or throws away what cannot go on.
    Forget {
        group: GroupName,
    },
    Look {
        group: GroupName,
    },
    Say {
        group: GroupName,
        plaintext: Bytes,
    },
    Hear {
        group: GroupName,
        message: Bytes,
    },
    /// The keys of a call's media in this epoch, or else the newest.
    MediaKeys {
        group: GroupName,
        epoch: Option<u64>,
    },
    /// A state that an outcome said it needs; `sealed` is null where nothing is kept under this name.
    OpenState {
        name: String,
        sealed: Option<Bytes>,
    },
    /// Seals a message in the newest epoch of the room's group.
    SealMessage(SealMessage),
    /// The server took it.
    Sent {
        room: Uuid,
        id: Uuid,
    },
    /// It will never be sent.
    Unsent {
        room: Uuid,
        id: Uuid,
    },
    /// What was sealed and neither sent nor given up.
    Waiting {
        room: Uuid,
    },
    /// The next message of the room's log.
    OpenMessage {
        room: Uuid,
        envelope: Bytes,
    },
    /// A message that lies further back: opened, and not judged by its place in the log.
    ReadMessage {
        room: Uuid,
        envelope: Bytes,
    },
    /// What two people compare.
    SafetyNumber {
        user: Uuid,
    },
    /// What was scanned from the user's screen.
    CheckQr {
        user: Uuid,
        bytes: Bytes,
    },
    CallEmoji {
        group: GroupName,
    },
    /// Makes the master key.
    BackupBegin,
    AddRecoveryCode,
    /// In NFKC, which the page makes.
    AddPassphrase {
        passphrase: SecretText,
    },
    /// Two steps, since the passkey is to be asked with a salt that is made here.
    BeginPasskey {
        credential: Bytes,
    },
    AddPasskey {
        output: Bytes,
    },
    RemoveUnlocker {
        unlocker: Bytes,
    },
    /// What the server is to keep.
    Unlockers,
    /// What another device of the user gave the server to keep.
    TakeUnlockers {
        blob: Bytes,
    },
    /// By what a blob can be opened.
    Ways {
        blob: Bytes,
    },
    Restore(Restore),
    Unlock {
        blob: Bytes,
        secret: UnlockSecret,
    },
    /// What a device that is vouched for needs to vouch for others: for the request that the person confirms.
    HandOver {
        request: Bytes,
    },
    /// What another device of the user handed over to this one.
    TakeHandover {
        handover: Bytes,
    },
    SealSegment(Block),
    TakeSegment {
        of: Block,
        sealed: Bytes,
    },
}
