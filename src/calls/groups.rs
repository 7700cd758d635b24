//! The groups of running calls: begun and changed only by who is in the call, behind the lock that knows who that is.

use std::sync::Arc;

use webcall_media::ParticipantId;

use super::event::CallEvent;
use super::group::{CommitOfCall, Group, GroupNow};
use super::owner::Calls;
use super::state::State;
use crate::id::{CallId, RoomId, UserId};
use crate::store::Protection;

/// Memory of all groups of this node together. A group in a call of ten takes some 100 kB, and one of 2,000 some 20 MB; beyond this nobody
/// begins a group or changes one until others have ended.
const MAX_BYTES: usize = 512 << 20;

/// A running call, as one of those in it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSeen {
    /// Of which room.
    pub room: RoomId,
    /// How that room is protected.
    pub protection: Protection,
    /// Everybody in it.
    pub participants: Vec<(ParticipantId, UserId)>,
    /// Where its group is; nothing while it has none.
    pub group: Option<GroupNow>,
}

/// Part of a group's commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitsOfCall {
    /// In order.
    pub commits: Vec<CommitOfCall>,
    /// In which the group is.
    pub epoch: u64,
}

/// Why a group was not begun or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupRefusal {
    /// There is no such call or no group of it, or the participant is no longer in it: never told apart.
    NotThere,
    /// The call has a group already.
    Exists,
    /// The group is in another epoch.
    OtherEpoch,
    /// All groups together have as many bytes as they may.
    Full,
}

impl Calls {
    /// A running call, if the user is in it.
    pub fn seen_by(&self, call: CallId, user: UserId) -> Option<CallSeen> {
        let state = self.lock();
        let (room, call) = state.call_named(call).filter(|(_, call)| call.users().any(|one| one == user))?;
        let participants = call.ids().zip(call.users()).collect();
        Some(CallSeen { room, protection: call.protection(), participants, group: call.group().map(Group::now).cloned() })
    }

    /// Gives a call its group, made by a participant who is in it.
    pub fn begin_group(&self, call: CallId, by: ParticipantId, now: GroupNow) -> Result<(), GroupRefusal> {
        let (mut state, epoch) = (self.lock(), now.epoch);
        let of = state.call_with(call, by).ok_or(GroupRefusal::NotThere)?;
        if of.group().is_some() {
            return Err(GroupRefusal::Exists);
        }
        let group = Group::new(now);
        state.admit_bytes(0, group.bytes())?;
        state.change_group(call, epoch, |slot| *slot = Some(group));
        Ok(())
    }

    /// Takes the group of a call to its next epoch, by a commit of a participant who is in it.
    pub fn commit(&self, call: CallId, by: ParticipantId, commit: Arc<[u8]>, next: GroupNow) -> Result<(), GroupRefusal> {
        let (mut state, epoch) = (self.lock(), next.epoch);
        let group = state.call_with(call, by).and_then(|call| call.group()).ok_or(GroupRefusal::NotThere)?;
        if group.now().epoch + 1 != epoch {
            return Err(GroupRefusal::OtherEpoch);
        }
        state.admit_bytes(group.now().bytes(), next.bytes() + commit.len())?;
        state.change_group(call, epoch, |slot| {
            if let Some(group) = slot {
                group.go_on(commit, next);
            }
        });
        Ok(())
    }

    /// The commits of a call's group from an epoch on, if the user is in the call: at most `limit`, and not more than fit `max_bytes`, but one
    /// if there is one.
    pub fn commits(&self, call: CallId, user: UserId, from: u64, limit: usize, max_bytes: usize) -> Option<CommitsOfCall> {
        let state = self.lock();
        let (_, call) = state.call_named(call).filter(|(_, call)| call.users().any(|one| one == user))?;
        let group = call.group()?;
        Some(CommitsOfCall { commits: group.commits(from, limit, max_bytes), epoch: group.now().epoch })
    }
}

impl State {
    /// Whether a group of so many bytes may become so much larger.
    fn admit_bytes(&self, before: usize, after: usize) -> Result<(), GroupRefusal> {
        let fits = after <= before || self.group_bytes + (after - before) <= MAX_BYTES;
        if fits { Ok(()) } else { Err(GroupRefusal::Full) }
    }

    /// Changes the group of a call that is there, and tells everybody in it in which epoch it is.
    fn change_group(&mut self, call: CallId, epoch: u64, change: impl FnOnce(&mut Option<Group>)) {
        let Some(of) = self.rooms.get(&call).and_then(|room| self.calls.get_mut(room)) else { return };
        let before = of.group().map_or(0, Group::bytes);
        change(of.group_mut());
        let after = of.group().map_or(0, Group::bytes);
        let deliveries = of.tell_everybody(&CallEvent::Committed { call, epoch });
        self.group_bytes = self.group_bytes + after - before;
        self.deliver(deliveries);
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{Call, Newcomer};
    use super::super::event::LeaveReason;
    use super::super::outbox::outbox;
    use super::super::source::SourceSet;
    use super::super::state::Presence;
    use super::*;
    use crate::role::Role;
    use crate::store::Encryption;
    use crate::time::Timestamp;

    const CALL: CallId = CallId::from_bytes([1; 16]);
    const ROOM: RoomId = RoomId::from_bytes([2; 16]);
    const ANN: ParticipantId = ParticipantId(1);

    fn now(epoch: u64, bytes: usize) -> GroupNow {
        GroupNow { epoch, group_info: vec![0; bytes].into(), tree: None, state: [0; 10].as_slice().into() }
    }

    /// Ann alone in a call.
    fn state() -> State {
        let mut state = State::default();
        let (user, joined_at) = (UserId::from_bytes([3; 16]), Timestamp::from_millis(1));
        let mut call = Call::new(CALL, Encryption::Mls.into());
        let muted = SourceSet::default();
        call.enter(ANN, Newcomer { user, username: "ann".to_owned(), role: Role::Owner, muted, joined_at });
        state.calls.insert(ROOM, call);
        state.rooms.insert(CALL, ROOM);
        state.participants.insert(ANN, Presence { room: ROOM, outbox: outbox().0 });
        state
    }

    #[test]
    fn the_bytes_of_a_group_count_until_its_call_ends() {
        let mut state = state();
        state.change_group(CALL, 0, |slot| *slot = Some(Group::new(now(0, 100))));
        assert_eq!(state.group_bytes, 110);
        state.change_group(CALL, 1, |slot| {
            if let Some(group) = slot {
                group.go_on([0; 5].as_slice().into(), now(1, 50));
            }
        });
        assert_eq!(state.group_bytes, 65);
        assert!(state.depart(ANN, LeaveReason::Left));
        assert_eq!((state.group_bytes, state.rooms.len(), state.calls.len()), (0, 0, 0));
    }

    #[test]
    fn groups_grow_no_further_than_all_of_them_may_and_shrink_always() {
        let mut state = state();
        state.group_bytes = MAX_BYTES - 10;
        assert_eq!(state.admit_bytes(0, 10), Ok(()));
        assert_eq!(state.admit_bytes(0, 11), Err(GroupRefusal::Full));
        assert_eq!(state.admit_bytes(5, 16), Err(GroupRefusal::Full));
        assert_eq!(state.admit_bytes(20, 5), Ok(()));
    }
}
