//! Limits of what is asked for end-to-end encryption: what costs storage for ever, what takes something away from others, and what
//! somebody who has stolen a session would try.

use std::time::Duration;

use super::{Bucket, Keyed};
use crate::error::Error;
use crate::id::UserId;

/// Records that one account publishes: 30 at once, then one a minute. Each stays in everybody's log for ever.
const RECORD: Bucket = Bucket { burst: 30, interval: Duration::from_secs(60) };
/// Uploads of key packages, of up to a hundred each: 60 at once, then one in 10 s. A device needs one when it is new, and few afterwards.
const UPLOAD: Bucket = Bucket { burst: 60, interval: Duration::from_secs(10) };
/// Users whose key packages one account claims: 1,000 at once, which is a room of as many, then one a second.
const CLAIM: Bucket = Bucket { burst: 1_000, interval: Duration::from_secs(1) };
/// Key packages of one user that one other account claims: 10 at once, then one in 5 minutes. A device has a hundred, so that no single
/// member brings another's down to the last resort.
const CLAIM_OF: Bucket = Bucket { burst: 10, interval: Duration::from_secs(300) };
/// Reads of the log: 300 at once, then 5 a second.
const LOG: Bucket = Bucket { burst: 300, interval: Duration::from_millis(200) };
/// Commits and new groups of one account: 120 at once, then one a second. Each is verified and sent to everybody in the group.
const COMMIT: Bucket = Bucket { burst: 120, interval: Duration::from_secs(1) };
/// Messages to groups and to inboxes: 300 at once, then 10 a second.
const MESSAGE: Bucket = Bucket { burst: 300, interval: Duration::from_millis(100) };
/// Reads of groups and inboxes: 600 at once, which is three for each room that one may be in, then 10 a second.
const READ: Bucket = Bucket { burst: 600, interval: Duration::from_millis(100) };
/// Writes and reads of backups: 120 at once, then one a second.
const BACKUP: Bucket = Bucket { burst: 120, interval: Duration::from_secs(1) };

/// All of them.
pub struct E2eeLimits {
    record: Keyed<UserId>,
    upload: Keyed<UserId>,
    claim: Keyed<UserId>,
    claim_of: Keyed<(UserId, UserId)>,
    log: Keyed<UserId>,
    commit: Keyed<UserId>,
    message: Keyed<UserId>,
    read: Keyed<UserId>,
    backup: Keyed<UserId>,
}

impl E2eeLimits {
    pub(super) fn new() -> Self {
        Self {
            record: Keyed::new(&RECORD),
            upload: Keyed::new(&UPLOAD),
            claim: Keyed::new(&CLAIM),
            claim_of: Keyed::new(&CLAIM_OF),
            log: Keyed::new(&LOG),
            commit: Keyed::new(&COMMIT),
            message: Keyed::new(&MESSAGE),
            read: Keyed::new(&READ),
            backup: Keyed::new(&BACKUP),
        }
    }

    /// Counts a record.
    pub fn record(&self, user: UserId) -> Result<(), Error> {
        self.record.count(&user)
    }

    /// Counts an upload of key packages.
    pub fn upload(&self, user: UserId) -> Result<(), Error> {
        self.upload.count(&user)
    }

    /// Counts a claim of one user's key packages.
    pub fn claim(&self, by: UserId, of: UserId) -> Result<(), Error> {
        self.claim.count(&by)?;
        self.claim_of.count(&(by, of))
    }

    /// Counts a question about the log.
    pub fn log(&self, user: UserId) -> Result<(), Error> {
        self.log.count(&user)
    }

    /// Counts a commit or a new group.
    pub fn commit(&self, user: UserId) -> Result<(), Error> {
        self.commit.count(&user)
    }

    /// Counts a message.
    pub fn message(&self, user: UserId) -> Result<(), Error> {
        self.message.count(&user)
    }

    /// Counts a read of a group or an inbox.
    pub fn read(&self, user: UserId) -> Result<(), Error> {
        self.read.count(&user)
    }

    /// Counts a write or a read of a backup.
    pub fn backup(&self, user: UserId) -> Result<(), Error> {
        self.backup.count(&user)
    }
}
