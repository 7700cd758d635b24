//! All that can be asked.

use serde::Deserialize;
use uuid::Uuid;

use super::{
    Block, Bytes, External, GroupName, LoggedAt, Restore, SealMessage, SecretText, Shows, Stay, TreeHead, UnlockSecret, WayTo,
};

/// One thing to do. Times are milliseconds since 1970.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The first device of a user, with a new identity.
    First {
        user: Uuid,
        now_ms: u64,
    },
    /// For a user who has neither a device nor a way back left. `records`: all that the user published.
    BeginAnew {
        user: Uuid,
        records: Vec<Bytes>,
        now_ms: u64,
    },
    /// A device whose records cannot be published. `records`: all that its user published.
    StepBack {
        records: Vec<Bytes>,
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
    /// All records that a user published. `proof`: that they are in the log; needed as soon as a head of it was taken.
    Learn {
        user: Uuid,
        records: Vec<Bytes>,
        proof: Option<LoggedAt>,
    },
    /// The person says that this is the user's identity.
    Accept {
        user: Uuid,
        identity: Bytes,
    },
    /// The person has compared this identity with the user, whom they know by this name.
    Verify {
        user: Uuid,
        identity: Bytes,
        name: String,
    },
    /// Devices of one's own that came without this one's doing, and of which the person does not know yet.
    NewDevices,
    SawDevices {
        devices: Vec<Bytes>,
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
        /// Of a room: whether it is strict.
        #[serde(default)]
        strict: bool,
    },
    Join {
        welcome: Bytes,
        /// What it must lead to, as the server has it.
        #[serde(default)]
        group: Option<GroupName>,
        #[serde(default)]
        epoch: Option<u64>,
        /// The commit that it came with, as the server has it.
        #[serde(default)]
        commit: Option<Bytes>,
        /// The room is known to be strict.
        #[serde(default)]
        strict: bool,
    },
    JoinExternal(External),
    /// `add`: key packages as the server handed them out for `users`.
    Change {
        group: GroupName,
        add: Vec<Bytes>,
        users: Vec<Uuid>,
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
    /// Whether this commit led into the epoch in which the group is here.
    BeganWith {
        group: GroupName,
        commit: Bytes,
    },
    /// The person goes on from an epoch of a room's group that is before the one here: what is kept of it is thrown away.
    GoBack {
        room: Uuid,
        epoch: u64,
    },
    /// Leaves it, or throws away what cannot go on.
    Forget {
        group: GroupName,
    },
    /// After `bad_commit`, before the group is forgotten.
    Culprit {
        group: GroupName,
    },
    /// After `not_vouched` for a commit, or for this welcome: whose records to fetch.
    Strangers {
        group: GroupName,
        welcome: Option<Bytes>,
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
    /// Runs all that joining a call of this room runs, so that joining does not wait for its compilation.
    Rehearse {
        room: Uuid,
    },
    /// The keys of a call's media in this epoch, or else the newest.
    MediaKeys {
        group: GroupName,
        epoch: Option<u64>,
    },
    /// What opens a message of the newest epoch of a room where nothing else of this runs: for notices of new messages.
    NoticeKeys {
        room: Uuid,
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
    /// One that could not be opened when it was the next.
    OpenWaited {
        room: Uuid,
        envelope: Bytes,
    },
    /// A message that lies further back: opened, and not judged by its place in the log.
    ReadMessage {
        room: Uuid,
        envelope: Bytes,
    },
    /// What is known of the log of everybody's keys.
    Log,
    /// What the server says of it; `from`: the size of the newest head here, 0 for none; `path`: between both, empty where the server gave none.
    TakeHead {
        head: Bytes,
        from: u64,
        path: Vec<Bytes>,
    },
    /// What a device was shown of it, by its message. `way`: from there to a head here, once the server was asked.
    HearHead {
        user: Uuid,
        device: Bytes,
        head: TreeHead,
        way: Option<WayTo>,
    },
    /// The person goes on with a log that was contradicted.
    AcceptLog,
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
    /// The squares of a QR code.
    Qr {
        text: String,
    },
    /// Who came into the room's group since the person was last told of somebody; at the first time nobody.
    Newcomers {
        room: Uuid,
    },
    /// This device is about to come into a room that is not strict: whom the person is shown there.
    Meets {
        room: Uuid,
        users: Vec<Uuid>,
    },
    /// The person knows that these users are in the room's group.
    Greeted {
        room: Uuid,
        users: Vec<Uuid>,
    },
    /// What stands in this device's link to the room, beside the code that the server gave it.
    Link {
        room: Uuid,
        code: String,
    },
    /// What this device's user shows to be let in where a link with this secret leads.
    ShowLink {
        secret: Bytes,
    },
    /// Others who were in the room's group at any time since this device is.
    Ever {
        room: Uuid,
    },
    /// Which of these users were given a link by somebody inside, and were not inside before, while the room had this code.
    Invited {
        room: Uuid,
        code: String,
        shows: Vec<Shows>,
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
    /// `now_ms` by this device's clock.
    SealSegment {
        of: Block,
        now_ms: u64,
    },
    TakeSegment {
        of: Block,
        sealed: Bytes,
    },
}
