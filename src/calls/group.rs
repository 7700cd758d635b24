//! The MLS group (RFC 9420) of a call, as bytes: where it is, and its last commits. Pure; what the bytes mean is decided by `e2ee`.
//!
//! It is kept in memory, in the call itself, and not in the database. It must end when the call does, and both end together here, in a crash
//! as well: nothing has to be swept, and no group outlives the participants whose media it seals. Who may commit is who is in the call, and
//! that is known behind the same lock. Clients keep theirs in memory, too, and join the next call anew.

use std::collections::VecDeque;
use std::sync::Arc;

/// Commits kept of one group, for who is a little behind. Whoever lacks an older one comes in anew, which costs one commit more.
pub(super) const MAX_COMMITS: usize = 1_024;
/// Bytes of those. A commit in a call of 2,000 has some 3 kB.
pub(super) const MAX_COMMITS_BYTES: usize = 4 << 20;

/// Where a group is. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupNow {
    /// In which the next commit is made.
    pub epoch: u64,
    /// For who comes in, signed by who made the last commit.
    pub group_info: Arc<[u8]>,
    /// The ratchet tree, for the same; nothing where it is in the GroupInfo.
    pub tree: Option<Arc<[u8]>>,
    /// What the server knows of it.
    pub state: Arc<[u8]>,
}

impl GroupNow {
    /// What it takes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.group_info.len() + self.tree.as_ref().map_or(0, |tree| tree.len()) + self.state.len()
    }
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOfCall {
    /// In which it was made.
    pub epoch: u64,
    /// Its bytes.
    pub commit: Arc<[u8]>,
}

/// The group of a call.
#[derive(Debug)]
pub(super) struct Group {
    now: GroupNow,
    commits: VecDeque<CommitOfCall>,
    commits_bytes: usize,
}

impl Group {
    pub(super) fn new(now: GroupNow) -> Self {
        Self { now, commits: VecDeque::new(), commits_bytes: 0 }
    }

    pub(super) fn now(&self) -> &GroupNow {
        &self.now
    }

    /// What it takes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.now.bytes() + self.commits_bytes
    }

    /// Goes on to `next` by a commit made in this epoch.
    pub(super) fn go_on(&mut self, commit: Arc<[u8]>, next: GroupNow) {
        self.commits_bytes += commit.len();
        self.commits.push_back(CommitOfCall { epoch: self.now.epoch, commit });
        self.now = next;
        while self.commits.len() > MAX_COMMITS || self.commits_bytes > MAX_COMMITS_BYTES {
            let Some(oldest) = self.commits.pop_front() else { return };
            self.commits_bytes -= oldest.commit.len();
        }
    }

    /// The commits that are kept from an epoch on: at most `limit`, and not more than fit `max_bytes`, but one if there is one.
    pub(super) fn commits(&self, from: u64, limit: usize, max_bytes: usize) -> Vec<CommitOfCall> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        for commit in self.commits.iter().filter(|commit| commit.epoch >= from).take(limit) {
            bytes += commit.commit.len();
            if bytes > max_bytes && !some.is_empty() {
                break;
            }
            some.push(commit.clone());
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64) -> GroupNow {
        GroupNow {
            epoch,
            group_info: [1; 10].as_slice().into(),
            tree: Some([3; 7].as_slice().into()),
            state: [2; 20].as_slice().into(),
        }
    }

    fn epochs(commits: &[CommitOfCall]) -> Vec<u64> {
        commits.iter().map(|commit| commit.epoch).collect()
    }

    #[test]
    fn a_group_keeps_its_last_commits_and_no_more_of_them_than_allowed() {
        let mut group = Group::new(at(0));
        for epoch in 1..=(MAX_COMMITS as u64 + 2) {
            group.go_on([3; 5].as_slice().into(), at(epoch));
        }
        assert_eq!((group.now().epoch, group.commits.len()), (MAX_COMMITS as u64 + 2, MAX_COMMITS));
        assert_eq!(group.bytes(), 37 + 5 * MAX_COMMITS);
        assert_eq!(epochs(&group.commits(0, 3, 100)), [2, 3, 4], "the oldest are gone");
        assert_eq!(epochs(&group.commits(10, 100, 12)), [10, 11]);
        assert_eq!(epochs(&group.commits(10, 100, 1)), [10], "one, however large");
        assert_eq!(epochs(&group.commits(MAX_COMMITS as u64 + 2, 100, 100)), [0; 0]);
    }

    #[test]
    fn large_commits_are_kept_in_smaller_number() {
        let mut group = Group::new(at(0));
        for epoch in 1..=4 {
            group.go_on(vec![0; MAX_COMMITS_BYTES / 2].into(), at(epoch));
        }
        assert_eq!(epochs(&group.commits(0, 100, usize::MAX)), [2, 3]);
        assert_eq!(group.bytes(), 37 + MAX_COMMITS_BYTES);
    }
}
