//! Limits of what is asked for end-to-end encryption: what costs storage for ever, what takes something away from others, and what
//! somebody who has stolen a session would try.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use webcall_trust::mls::GroupId;

use super::together::Together;
use super::{Bucket, Keyed};
use crate::error::Error;
use crate::id::{RoomId, UserId};

/// Records that one account publishes: 30 at once, then one a minute. Each stays in everybody's log for ever.
const RECORD: Bucket = Bucket { burst: 30, interval: Duration::from_secs(60) };
/// Uploads of key packages, of up to a hundred each: 60 at once, then one in 10 s. A device needs one when it is new, and few afterwards.
const UPLOAD: Bucket = Bucket { burst: 60, interval: Duration::from_secs(10) };
/// Users whose key packages one account claims: 1,000 at once, which is a room of as many, then one a second.
const CLAIM: Bucket = Bucket { burst: 1_000, interval: Duration::from_secs(1) };
/// Key packages of one user that one other account claims, one of each device: 40 at once, which is as many rooms made with the same people, then
/// one in a quarter of an hour. A device has up to a hundred, makes new ones when it is there, and has a last resort when it is not.
const CLAIM_OF: Bucket = Bucket { burst: 40, interval: Duration::from_secs(900) };
/// Reads of the log: 300 at once, then 5 a second.
const LOG: Bucket = Bucket { burst: 300, interval: Duration::from_millis(200) };
/// Chains of users, with or without the proof that they are in the log: 3,000 at once, which is to learn a room of as many, then 20 a second.
const CHAIN: Bucket = Bucket { burst: 3_000, interval: Duration::from_millis(50) };
/// Commits and new groups of one account: 120 at once, then one a second. Each is verified and sent to everybody in the group.
const COMMIT: Bucket = Bucket { burst: 120, interval: Duration::from_secs(1) };
/// Invitations that one account shows: 60 at once, then one a minute. Each has everybody in the room fetch its list of members and what they show.
const INVITATION: Bucket = Bucket { burst: 60, interval: Duration::from_secs(60) };
/// Kilobytes of commits, with what comes with them, that one account sends into one group: 64 MB at once, and as many a day. In a room of 2,000
/// devices that is thirty commits with their trees at once. They are kept for 90 days.
const COMMIT_KB: Bucket = Bucket { burst: 64 << 10, interval: Duration::from_millis(1_318) };
/// The same into all groups together: 256 MB at once, and as many a day. Whoever is in many large rooms brings a new device into some hundred
/// of them with that, and nobody fills a disk by making rooms.
const COMMIT_KB_OF_ALL: Bucket = Bucket { burst: 256 << 10, interval: Duration::from_micros(329_600) };
/// Messages of the moment in all groups of one room: 128 at once, half of what is kept for signalling while it is behind, then 50 a second: no
/// room pushes out those of the others.
const WHISPER: Bucket = Bucket { burst: 128, interval: Duration::from_millis(20) };
/// Messages to groups and to inboxes: 300 at once, then 10 a second.
const MESSAGE: Bucket = Bucket { burst: 300, interval: Duration::from_millis(100) };
/// Reads of groups and inboxes: 600 at once, which is three for each room that one may be in, then 10 a second.
const READ: Bucket = Bucket { burst: 600, interval: Duration::from_millis(100) };
/// Reads of backups: 2,400 at once, which is all that one user may have and some twice, then 10 a second. A new device reads the archive of each room.
const BACKUP_READ: Bucket = Bucket { burst: 2_400, interval: Duration::from_millis(100) };
/// Writes of backups: 600 at once, which is one for each of 500 rooms when an archive begins, then one a second. Each may be of 128 kB.
const BACKUP_WRITE: Bucket = Bucket { burst: 600, interval: Duration::from_secs(1) };

/// All of them.
pub struct E2eeLimits {
    record: Keyed<UserId>,
    upload: Keyed<UserId>,
    claim: Keyed<UserId>,
    claim_of: Together<(UserId, UserId)>,
    log: Keyed<UserId>,
    chain: Keyed<UserId>,
    commit: Keyed<UserId>,
    invitation: Keyed<UserId>,
    commit_kb: Together<(GroupId, UserId)>,
    commit_kb_of_all: Keyed<UserId>,
    whisper: Keyed<RoomId>,
    message: Keyed<UserId>,
    read: Keyed<UserId>,
    backup_read: Keyed<UserId>,
    backup_write: Keyed<UserId>,
}

impl E2eeLimits {
    pub(super) fn new() -> Self {
        Self {
            record: Keyed::new(&RECORD),
            upload: Keyed::new(&UPLOAD),
            claim: Keyed::new(&CLAIM),
            claim_of: Together::new(&CLAIM_OF),
            log: Keyed::new(&LOG),
            chain: Keyed::new(&CHAIN),
            commit: Keyed::new(&COMMIT),
            invitation: Keyed::new(&INVITATION),
            commit_kb: Together::new(&COMMIT_KB),
            commit_kb_of_all: Keyed::new(&COMMIT_KB_OF_ALL),
            whisper: Keyed::new(&WHISPER),
            message: Keyed::new(&MESSAGE),
            read: Keyed::new(&READ),
            backup_read: Keyed::new(&BACKUP_READ),
            backup_write: Keyed::new(&BACKUP_WRITE),
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

    /// Counts a claim of the key packages of these users: of all or of none.
    pub fn claim(&self, by: UserId, of: &[UserId]) -> Result<(), Error> {
        let users = u32::try_from(of.len()).unwrap_or(u32::MAX);
        let count = || NonZeroU32::new(users).map_or(Ok(()), |users| self.claim.count_many(&by, users));
        self.claim_of.count(of.iter().map(|of| ((by, *of), 1)), Instant::now(), count)
    }

    /// Counts a question about the log.
    pub fn log(&self, user: UserId) -> Result<(), Error> {
        self.log.count(&user)
    }

    /// Counts a chain that is read.
    pub fn chain(&self, user: UserId) -> Result<(), Error> {
        self.chain.count(&user)
    }

    /// Counts a commit or a new group.
    pub fn commit(&self, user: UserId) -> Result<(), Error> {
        self.commit.count(&user)
    }

    /// Counts an invitation that is shown.
    pub fn invitation(&self, user: UserId) -> Result<(), Error> {
        self.invitation.count(&user)
    }

    /// Counts the bytes of a commit, with what comes with it, of somebody who may send into this group.
    pub fn commit_bytes(&self, group: GroupId, user: UserId, size_bytes: usize) -> Result<(), Error> {
        let Some(kilobytes) = NonZeroU32::new(u32::try_from(size_bytes.div_ceil(1_024)).unwrap_or(u32::MAX)) else {
            return Ok(());
        };
        let of_all = || self.commit_kb_of_all.count_many(&user, kilobytes);
        self.commit_kb.count([((group, user), kilobytes.get())], Instant::now(), of_all)
    }

    /// Counts a message of the moment.
    pub fn whisper(&self, room: RoomId) -> Result<(), Error> {
        self.whisper.count(&room)
    }

    /// Counts a message.
    pub fn message(&self, user: UserId) -> Result<(), Error> {
        self.message.count(&user)
    }

    /// Counts a read of a group or an inbox.
    pub fn read(&self, user: UserId) -> Result<(), Error> {
        self.read.count(&user)
    }

    /// Counts a read of a backup.
    pub fn backup_read(&self, user: UserId) -> Result<(), Error> {
        self.backup_read.count(&user)
    }

    /// Counts a write or a deletion of a backup.
    pub fn backup_write(&self, user: UserId) -> Result<(), Error> {
        self.backup_write.count(&user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Count = fn(&E2eeLimits, UserId) -> Result<(), Error>;

    fn user(number: u8) -> UserId {
        UserId::from_bytes([number; 16])
    }

    fn is_limited(counted: &Result<(), Error>) -> bool {
        matches!(counted, Err(Error::RateLimited { .. }))
    }

    #[test]
    fn one_member_sends_no_more_bytes_into_a_group_than_a_day_may_have_and_keeps_nobody_else_from_it() {
        let (limits, group) = (E2eeLimits::new(), GroupId::room([1; 16]));
        for _ in 0..32 {
            limits.commit_bytes(group, user(1), 2 << 20).unwrap();
        }
        assert!(is_limited(&limits.commit_bytes(group, user(1), 2 << 20)));
        limits.commit_bytes(group, user(2), 2 << 20).unwrap();
        limits.commit_bytes(GroupId::room([2; 16]), user(1), 2 << 20).unwrap();
        limits.commit_bytes(group, user(3), 0).unwrap();
    }

    #[test]
    fn one_member_sends_no_more_bytes_into_all_groups_together_than_a_day_may_have() {
        let limits = E2eeLimits::new();
        let sent = |group: u8| limits.commit_bytes(GroupId::room([group; 16]), user(1), 2 << 20).is_ok();
        let passed: usize = (1..=6).map(|group| (0..40).take_while(|_| sent(group)).count()).sum();
        assert_eq!(passed, 4 * 32, "of 32 in each of six groups");
        limits.commit_bytes(GroupId::room([1; 16]), user(2), 2 << 20).unwrap();
    }

    #[test]
    fn no_room_takes_more_than_half_of_what_is_kept_of_messages_of_the_moment() {
        let (limits, room) = (E2eeLimits::new(), RoomId::from_bytes([1; 16]));
        let passed = (0..300).take_while(|_| limits.whisper(room).is_ok()).count();
        assert!((128..256).contains(&passed), "{passed}");
        limits.whisper(RoomId::from_bytes([2; 16])).unwrap();
    }

    #[test]
    fn one_member_takes_a_bounded_part_of_anothers_packages() {
        let limits = E2eeLimits::new();
        let claimed = (0..100).take_while(|_| limits.claim(user(1), &[user(2)]).is_ok()).count();
        assert_eq!(claimed, 40);
        limits.claim(user(3), &[user(2)]).unwrap();
        limits.claim(user(1), &[user(4)]).unwrap();
        limits.claim(user(1), &[]).unwrap();
    }

    #[test]
    fn a_claim_of_several_that_is_refused_for_one_counts_for_none() {
        let limits = E2eeLimits::new();
        for _ in 0..40 {
            limits.claim(user(1), &[user(2)]).unwrap();
        }
        for _ in 0..1_000 {
            assert!(is_limited(&limits.claim(user(1), &[user(3), user(2)])));
        }
        for _ in 0..40 {
            limits.claim(user(1), &[user(3), user(4)]).expect("nothing was counted");
        }
    }

    #[test]
    fn whatever_costs_something_is_limited() {
        let limits = E2eeLimits::new();
        let all: [(Count, u32); 8] = [
            (E2eeLimits::record, RECORD.burst),
            (E2eeLimits::upload, UPLOAD.burst),
            (E2eeLimits::log, LOG.burst),
            (E2eeLimits::commit, COMMIT.burst),
            (E2eeLimits::message, MESSAGE.burst),
            (E2eeLimits::read, READ.burst),
            (E2eeLimits::backup_read, BACKUP_READ.burst),
            (E2eeLimits::backup_write, BACKUP_WRITE.burst),
        ];
        for (nth, (count, burst)) in all.into_iter().enumerate() {
            let passed = (0..burst * 2).take_while(|_| count(&limits, user(1)).is_ok()).count();
            assert!((burst as usize..burst as usize * 2).contains(&passed), "{nth}: {passed}");
            assert!(is_limited(&count(&limits, user(1))), "{nth}");
            count(&limits, user(2)).unwrap();
        }
    }
}
