//! What is kept for end-to-end encryption: what users published about their keys and the log of it, key packages, groups with their
//! commits, what waits for a device, sealed backups. Public keys and sealed bytes only; what they mean is decided by `e2ee`.

mod backups;
mod commits;
mod groups;
mod inbox;
mod log;
mod packages;
mod records;

pub use backups::{BackupBounds, BackupName, BackupRow, NewBackup, StoredBackup};
pub use commits::{AddedCommit, CommitLimits, CommitRow, NewCommit};
pub use groups::{AddedGroup, Counting, GroupPlace, GroupRow, NewGroup};
pub use inbox::{AddedToInbox, InboxLimits, InboxOf, InboxRow, NewInboxMessage};
pub use packages::{AddedPackages, ClaimedPackage, NewPackages, PackageLimits, PackageRow, Stock};
pub use records::{AppendedRecord, DeviceChange, NewRecord, RecordRow};

use super::{Result, Store, StoreError, chunks, in_transaction, on_reader, on_writer};
