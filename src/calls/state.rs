//! Every call and every participant of this node, and the way of an event to whom it is for. Behind the lock of [`super::Calls`]; knows no
//! media core.

use std::collections::HashMap;

use webcall_media::ParticipantId;

use super::call::{Call, Switches};
use super::error::CallError;
use super::event::{Delivery, LeaveReason};
use super::group::Group;
use super::outbox::Outbox;
use crate::id::{CallId, RoomId};

/// Every call of this node.
#[derive(Default)]
pub(super) struct State {
    pub(super) calls: HashMap<RoomId, Call>,
    /// Of which room each call is.
    pub(super) rooms: HashMap<CallId, RoomId>,
    /// What the groups of all calls take of memory.
    pub(super) group_bytes: usize,
    pub(super) participants: HashMap<ParticipantId, Presence>,
    /// Participants so far; with the key of `Calls::ids` it gives the next identifier.
    pub(super) entered: u64,
}

/// Where a participant is and how to reach them.
pub(super) struct Presence {
    pub(super) room: RoomId,
    pub(super) outbox: Outbox,
}

impl State {
    pub(super) fn call_of(&self, participant: ParticipantId) -> Result<&Call, CallError> {
        let presence = self.participants.get(&participant).ok_or(CallError::NotInCall)?;
        self.calls.get(&presence.room).ok_or(CallError::NotInCall)
    }

    /// A call by its name, and of which room it is.
    pub(super) fn call_named(&self, call: CallId) -> Option<(RoomId, &Call)> {
        let room = *self.rooms.get(&call)?;
        Some((room, self.calls.get(&room)?))
    }

    /// A call by its name, if this participant is in it.
    pub(super) fn call_with(&self, call: CallId, participant: ParticipantId) -> Option<&Call> {
        self.call_named(call).map(|(_, call)| call).filter(|call| call.user_of(participant).is_some())
    }

    pub(super) fn switches_of(&self, participant: ParticipantId) -> Result<Switches, CallError> {
        self.call_of(participant)?.switches(participant).ok_or(CallError::NotInCall)
    }

    /// Changes the call that a participant is in, and tells whom it concerns. Returns whether there was anything to tell.
    pub(super) fn change(
        &mut self,
        participant: ParticipantId,
        change: impl FnOnce(&mut Call) -> Result<Vec<Delivery>, CallError>,
    ) -> Result<bool, CallError> {
        let presence = self.participants.get(&participant).ok_or(CallError::NotInCall)?;
        let call = self.calls.get_mut(&presence.room).ok_or(CallError::NotInCall)?;
        let deliveries = change(call)?;
        let is_news = !deliveries.is_empty();
        self.deliver(deliveries);
        Ok(is_news)
    }

    /// Takes a participant out, and the call away with its last one. Returns whether they were in.
    pub(super) fn depart(&mut self, participant: ParticipantId, reason: LeaveReason) -> bool {
        let Some(room) = self.participants.get(&participant).map(|presence| presence.room) else { return false };
        if let Some(call) = self.calls.get_mut(&room) {
            let deliveries = call.leave(participant, reason);
            let is_over = call.is_empty();
            // Before the presence goes: the one who left may be among those told.
            self.deliver(deliveries);
            if is_over {
                self.end(room);
            }
        }
        self.participants.remove(&participant);
        true
    }

    /// A call is over, and its group with it.
    fn end(&mut self, room: RoomId) {
        let Some(over) = self.calls.remove(&room) else { return };
        self.rooms.remove(&over.id());
        self.group_bytes -= over.group().map_or(0, Group::bytes);
    }

    pub(super) fn deliver(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        for delivery in deliveries {
            if let Some(presence) = self.participants.get(&delivery.to) {
                presence.outbox.push(delivery);
            }
        }
    }
}
