//! Why a device or a group could not do something.

use webcall_trust::Refusal;

use crate::archive::ArchiveError;
use crate::chat::ChatError;
use crate::safety::SafetyError;
use crate::unlock::UnlockError;

/// The text of [`Fault::code`] is stable: the page's worker answers with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Message(#[from] ChatError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    #[error(transparent)]
    Safety(#[from] SafetyError),
    #[error("the sealed state is damaged, of something else, or the key is another")]
    DamagedState,
    #[error("the sealed state is older than the newest one that was seen")]
    OldState,
    #[error("the state is of a later version of this program")]
    UnknownVersion,
    #[error("the message is of another group")]
    OtherGroup,
    #[error("the message is of an epoch that is over")]
    PastEpoch,
    #[error("commits between this group's epoch and the message's are missing")]
    MissingCommits,
    #[error("the commit does not verify, or its secrets are not what it says: to be reported, and the group joined anew")]
    BadCommit,
    #[error("the commit adds by a key package that has expired since: nothing to report, but the group is to be joined anew")]
    ExpiredCommit,
    #[error("the message does not open")]
    BadMessage,
    #[error("the message is one's own")]
    OwnMessage,
    #[error("the welcome is for no key package of this device, or does not verify")]
    BadWelcome,
    #[error("the group's description does not verify, or has no tree")]
    BadGroupInfo,
    #[error("a commit waits for the server's answer")]
    Pending,
    #[error("no commit waits for an answer")]
    NothingPending,
    #[error("somebody else was faster: the group is to be joined anew")]
    JoinAgain,
    #[error("this device is not, or no longer, in the group")]
    NotMember,
    #[error("groups of this kind give no such key")]
    WrongKind,
    #[error("there is no room for more of these")]
    Full,
    #[error("no such key package")]
    UnknownPackage,
    #[error("the certificate is of another device or identity")]
    OtherDevice,
    #[error("that is no request, or something in it has the wrong size")]
    BadRequest,
    #[error("there is no device at this desk yet")]
    NoDevice,
    #[error("this device does not have its user's identity key")]
    NoIdentity,
    #[error("the group is not open: what was kept of it is to be opened first")]
    NotOpen,
    #[error("this device has no key of the message's epoch")]
    UnknownEpoch,
    #[error("nobody who is known here can have written it")]
    UnknownSender,
    #[error("somebody who no longer counts is in the group: a commit is to take them out first")]
    StaleMembers,
    #[error("somebody came into the strict room of whom the person was not told yet")]
    Newcomers,
    #[error("the room is strict, and the group that is shown for it does not say so")]
    NotStrict,
    #[error("a group of this room is kept already, or was: it is gone on with, not begun anew")]
    KnownGroup,
    #[error("the device that made the commit was revoked, or its user's identity replaced")]
    RevokedDevice,
    #[error("nothing was learned of this user yet")]
    UnknownUser,
    #[error("there is no master key on this device yet")]
    NoMasterKey,
    #[error("that is no backup, or of a version that is not known")]
    BadBackup,
    #[error("no proof that the records are in the log of keys")]
    NotLogged,
    #[error("the server's head of the log is none, or its signature is not of its key")]
    BadHead,
    #[error("the proof leads to another head of the log than the one that is known here by now: to be asked for again")]
    OldProof,
    #[error("the log of keys was contradicted, and the person has not decided to go on")]
    SplitView,
    #[error("the system gives no random bytes")]
    Entropy,
    #[error("the library of the protocol failed where it should not")]
    Library,
}

impl Fault {
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Message(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Unlock(error) => error.code(),
            Self::Safety(error) => error.code(),
            Self::DamagedState => "damaged_state",
            Self::OldState => "old_state",
            Self::UnknownVersion => "unknown_version",
            Self::OtherGroup => "other_group",
            Self::PastEpoch => "past_epoch",
            Self::MissingCommits => "missing_commits",
            Self::BadCommit => "bad_commit",
            Self::ExpiredCommit => "expired_commit",
            Self::BadMessage => "bad_message",
            Self::OwnMessage => "own_message",
            Self::BadWelcome => "bad_welcome",
            Self::BadGroupInfo => "bad_group_info",
            Self::Pending => "pending",
            Self::NothingPending => "nothing_pending",
            Self::JoinAgain => "join_again",
            Self::NotMember => "not_member",
            Self::WrongKind => "wrong_kind",
            Self::Full => "full",
            Self::UnknownPackage => "unknown_package",
            Self::OtherDevice => "other_device",
            Self::BadRequest => "bad_request",
            Self::NoDevice => "no_device",
            Self::NoIdentity => "no_identity",
            Self::NotOpen => "not_open",
            Self::UnknownEpoch => "unknown_epoch",
            Self::UnknownSender => "unknown_sender",
            Self::StaleMembers => "stale_members",
            Self::Newcomers => "newcomers",
            Self::NotStrict => "not_strict",
            Self::KnownGroup => "known_group",
            Self::RevokedDevice => "revoked_device",
            Self::UnknownUser => "unknown_user",
            Self::NoMasterKey => "no_master_key",
            Self::BadBackup => "bad_backup",
            Self::NotLogged => "not_logged",
            Self::BadHead => "bad_head",
            Self::OldProof => "old_proof",
            Self::SplitView => "split_view",
            Self::Entropy => "entropy",
            Self::Library => "library",
        }
    }
}
