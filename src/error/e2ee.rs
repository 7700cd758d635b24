//! What end-to-end encryption answers besides the refusals that clients have, too.

use thiserror::Error;

/// What is there already, not there, or too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum E2eeError {
    /// The user has published as many records as they may.
    #[error("you have published as many records as you may")]
    TooManyRecords,
    /// A key package was left before.
    #[error("a key package was left before: each is used once")]
    KeyPackageReused,
    /// The device would have more key packages than it may.
    #[error("a device has at most 100 key packages here, and leaves some 50 a day for long")]
    TooManyKeyPackages,
    /// No such group, or the user is not a member of its room: never told apart.
    #[error("there is no such group, or you are not a member of its room")]
    GroupNotFound,
    /// The room is not encrypted.
    #[error("the room is not encrypted, and never will be")]
    RoomOpen,
    /// The room has a group.
    #[error("the room has a group already: come into it")]
    GroupExists,
    /// Another commit won the epoch.
    #[error("another commit won this epoch")]
    EpochTaken,
    /// The epoch is over and its commit no longer kept.
    #[error("this epoch is long over: come into the group anew")]
    EpochForgotten,
    /// As much waits for the device as may.
    #[error("too much waits for this device already")]
    InboxFull,
    /// Nothing of this user's with this identifier waits.
    #[error("nothing with this identifier waits for a device of yours")]
    InboxItemNotFound,
    /// No backup of this user in this slot.
    #[error("there is no backup in this slot")]
    BackupNotFound,
    /// Another version of the backup is there.
    #[error("another version of this backup is there: fetch it first")]
    BackupChanged,
    /// The user has as many slots, or as many bytes in them, as they may.
    #[error("you have as many backups as you may have")]
    TooManyBackups,
}

impl E2eeError {
    /// The stable code that programs go by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooManyRecords => "too_many_records",
            Self::KeyPackageReused => "key_package_reused",
            Self::TooManyKeyPackages => "too_many_key_packages",
            Self::GroupNotFound => "group_not_found",
            Self::RoomOpen => "room_open",
            Self::GroupExists => "group_exists",
            Self::EpochTaken => "epoch_taken",
            Self::EpochForgotten => "epoch_forgotten",
            Self::InboxFull => "inbox_full",
            Self::InboxItemNotFound => "inbox_item_not_found",
            Self::BackupNotFound => "backup_not_found",
            Self::BackupChanged => "backup_changed",
            Self::TooManyBackups => "too_many_backups",
        }
    }
}
