//! All calls of this node behind one lock: asks the media core, changes the state (`state.rs`), delivers the events. The lock is held
//! for a few map operations and never across an await; the media core's synchronous functions only queue.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use webcall_media::{Media, MediaEvent, Offer, ParticipantId, Source, Wish};

use super::call::{Call, ModeratorAct, Newcomer};
use super::emoji::Emoji;
use super::error::CallError;
use super::event::{LeaveReason, ParticipantView};
use super::group::{Group, GroupNow};
use super::outbox::Outbox;
use super::source::SourceSet;
use super::state::{Presence, State};
use crate::id::{CallId, RoomId, UserId};
use crate::role::Role;
use crate::store::Protection;
use crate::time::Timestamp;

/// All calls of this node. Cheap to clone; all clones are the same calls.
#[derive(Clone)]
pub struct Calls {
    media: Media,
    /// Windows that one user may have in one call.
    windows_per_user: usize,
    state: Arc<Mutex<State>>,
    /// Keyed by the system's random numbers at start.
    ids: RandomState,
}

/// Somebody who wants to enter; their membership was checked.
#[derive(Debug)]
pub struct Entry {
    /// The room.
    pub room: RoomId,
    /// What keeps it from the server.
    pub protection: Protection,
    /// Whose window it is.
    pub user: UserId,
    /// The user's name.
    pub username: String,
    /// The user's standing in the room.
    pub role: Role,
    /// What is switched off on entering.
    pub muted: Vec<Source>,
    /// Now.
    pub now: Timestamp,
    /// Where events go.
    pub outbox: Outbox,
}

/// A moderator's act that changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moderated {
    /// In which room's call.
    pub room: RoomId,
    /// Whom it was done to.
    pub user: UserId,
}

/// A call that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Which: another one than any before or after it.
    pub call: CallId,
    /// How many are in it.
    pub participants: usize,
}

/// What somebody who entered needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entered {
    /// Which call: the same for everybody in it, from the first who entered to the last who leaves.
    pub call: CallId,
    /// What keeps its room from the server.
    pub protection: Protection,
    /// Oneself.
    pub participant: ParticipantId,
    /// Everybody in the call, oneself included, in the order of entering.
    pub participants: Vec<ParticipantView>,
    /// Where its group is; nothing while it has none.
    pub group: Option<GroupNow>,
}

impl Calls {
    /// No calls yet.
    pub fn new(media: Media, windows_per_user: usize) -> Self {
        Self { media, windows_per_user, state: Arc::default(), ids: RandomState::new() }
    }

    /// The call of a room, if there is one.
    pub fn running(&self, room: RoomId) -> Option<Running> {
        self.lock().calls.get(&room).map(|call| Running { call: call.id(), participants: call.len() })
    }

    /// How many participants are in the call of a room.
    pub fn in_call(&self, room: RoomId) -> usize {
        self.running(room).map_or(0, |running| running.participants)
    }

    /// How many calls and how many participants there are, for the metrics page.
    pub fn totals(&self) -> (usize, usize) {
        let state = self.lock();
        (state.calls.len(), state.participants.len())
    }

    /// Every user in every call, for checking them against the store.
    pub fn presences(&self) -> Vec<(RoomId, UserId)> {
        let state = self.lock();
        let mut presences: Vec<_> = state.calls.iter().flat_map(|(room, call)| call.users().map(|user| (*room, user))).collect();
        presences.sort_unstable();
        presences.dedup();
        presences
    }

    /// Puts somebody into the call of a room.
    pub fn enter(&self, entry: Entry) -> Result<Entered, CallError> {
        let Entry { room, protection, user, username, role, muted, now, outbox } = entry;
        let mut state = self.lock();
        if let Some(call) = state.calls.get(&room) {
            call.admit(user, self.windows_per_user)?;
        }
        let participant = self.unused_id(&mut state);
        let place = webcall_media::RoomId(room.as_u128());
        let joined =
            if protection.strict { self.media.join_strict(place, participant) } else { self.media.join(place, participant) };
        joined?;
        let newcomer = Newcomer { user, username, role, muted: muted.into_iter().collect(), joined_at: now };
        let call = state.calls.entry(room).or_insert_with(|| Call::new(CallId::new(now), protection));
        let deliveries = call.enter(participant, newcomer);
        let entered = Entered {
            call: call.id(),
            protection: call.protection(),
            participant,
            participants: call.views(),
            group: call.group().map(Group::now).cloned(),
        };
        state.rooms.insert(entered.call, room);
        state.participants.insert(participant, Presence { room, outbox });
        state.deliver(deliveries);
        if let Err(error) = self.apply_switches(&state, participant) {
            state.depart(participant, LeaveReason::Left);
            self.media.leave(participant);
            return Err(error);
        }
        Ok(entered)
    }

    /// Takes somebody out of their call. Whoever is in none is already out.
    pub fn leave(&self, participant: ParticipantId, reason: LeaveReason) {
        let mut state = self.lock();
        if state.depart(participant, reason) {
            self.media.leave(participant);
        }
    }

    /// Answers an offer and tells the others what is offered.
    pub async fn negotiate(&self, participant: ParticipantId, offer: Offer) -> Result<String, CallError> {
        let sources: SourceSet = offer.tracks.iter().map(|track| track.source).collect();
        if !self.lock().participants.contains_key(&participant) {
            return Err(CallError::NotInCall);
        }
        let answer = self.media.negotiate(participant, offer).await?;
        let mut state = self.lock();
        // Once more: the tracks exist only now.
        self.apply_switches(&state, participant)?;
        state.change(participant, |call| call.offer(participant, sources))?;
        Ok(answer)
    }

    /// Says how large somebody shows which feeds.
    pub fn set_wishes(&self, participant: ParticipantId, wishes: Vec<Wish>) -> Result<(), CallError> {
        Ok(self.media.set_wishes(participant, wishes)?)
    }

    /// Somebody switches a source of theirs off.
    pub fn mute(&self, participant: ParticipantId, source: Source) -> Result<(), CallError> {
        let mut state = self.lock();
        self.media.set_muted(participant, source, true)?;
        state.change(participant, |call| call.mute(participant, source)).map(|_| ())
    }

    /// Somebody switches a source of theirs on.
    pub fn unmute(&self, participant: ParticipantId, source: Source) -> Result<(), CallError> {
        let mut state = self.lock();
        if state.switches_of(participant)?.forbidden.contains(source) {
            return Err(CallError::MutedByModerator);
        }
        self.media.set_muted(participant, source, false)?;
        state.change(participant, |call| call.unmute(participant, source)).map(|_| ())
    }

    /// Somebody raises their hand.
    pub fn raise_hand(&self, participant: ParticipantId, now: Timestamp) -> Result<(), CallError> {
        self.lock().change(participant, |call| call.raise_hand(participant, now)).map(|_| ())
    }

    /// Somebody lowers their hand.
    pub fn lower_hand(&self, participant: ParticipantId) -> Result<(), CallError> {
        self.lock().change(participant, |call| call.lower_hand(participant)).map(|_| ())
    }

    /// Somebody reacts.
    pub fn react(&self, participant: ParticipantId, emoji: &Emoji, now: Timestamp) -> Result<(), CallError> {
        self.lock().change(participant, |call| call.react(participant, emoji, now)).map(|_| ())
    }

    /// One participant acts on another as a moderator. What is forbidden is not forwarded from here on. Returns nothing when all was so
    /// already.
    pub fn moderate(
        &self,
        actor: ParticipantId,
        target: ParticipantId,
        act: ModeratorAct,
    ) -> Result<Option<Moderated>, CallError> {
        let mut state = self.lock();
        let call = state.call_of(actor)?;
        call.may_moderate(actor, target)?;
        let user = call.user_of(target).ok_or(CallError::UnknownParticipant)?;
        let room = state.participants.get(&actor).ok_or(CallError::NotInCall)?.room;
        let is_news = self.act(&mut state, target, act)?;
        Ok(is_news.then_some(Moderated { room, user }))
    }

    /// Returns whether anything changed.
    fn act(&self, state: &mut State, target: ParticipantId, act: ModeratorAct) -> Result<bool, CallError> {
        match act {
            ModeratorAct::Forbid(source) => {
                self.media.set_forbidden(target, source, true)?;
                // Only a hint: nothing is forwarded either way.
                let _ = self.media.set_muted(target, source, true);
                state.change(target, |call| call.forbid(target, source))
            }
            ModeratorAct::Allow(source) => {
                self.media.set_forbidden(target, source, false)?;
                state.change(target, |call| call.allow(target, source))
            }
            ModeratorAct::LowerHand => state.change(target, |call| call.lower_hand(target)),
            ModeratorAct::Remove => {
                let was_in = state.depart(target, LeaveReason::Removed);
                self.media.leave(target);
                Ok(was_in)
            }
        }
    }

    /// A room was deleted: its call ends.
    pub fn room_gone(&self, room: RoomId) {
        let mut state = self.lock();
        let gone: Vec<_> = state.calls.get(&room).into_iter().flat_map(Call::ids).collect();
        self.turn_out(&mut state, gone);
    }

    /// A user is no longer a member of a room.
    pub fn member_gone(&self, room: RoomId, user: UserId) {
        let mut state = self.lock();
        let gone: Vec<_> = state.calls.get(&room).into_iter().flat_map(|call| call.participants_of(user)).collect();
        self.turn_out(&mut state, gone);
    }

    /// The role of a member changed.
    pub fn set_role(&self, room: RoomId, user: UserId, role: Role) {
        let mut state = self.lock();
        let deliveries = state.calls.get_mut(&room).map(|call| call.set_role(user, role));
        state.deliver(deliveries.unwrap_or_default());
    }

    /// Passes on what the media core tells, until it is gone.
    pub async fn run(self, mut events: mpsc::Receiver<MediaEvent>) {
        while let Some(event) = events.recv().await {
            self.media_event(event);
        }
    }

    /// Passes on one thing that the media core tells.
    pub fn media_event(&self, event: MediaEvent) {
        let mut state = self.lock();
        match event {
            MediaEvent::Lost { participant } => {
                if state.depart(participant, LeaveReason::MediaLost) {
                    self.media.leave(participant);
                }
            }
            MediaEvent::Speakers { room, speakers } => {
                let room = RoomId::from_bytes(room.0.to_be_bytes());
                let deliveries = state.calls.get_mut(&room).map(|call| call.set_speakers(speakers));
                state.deliver(deliveries.unwrap_or_default());
            }
            MediaEvent::Connected { participant }
            | MediaEvent::Disconnected { participant }
            | MediaEvent::Seats { participant, .. }
            | MediaEvent::Renegotiate { participant }
            | MediaEvent::LeftOut { participant, .. } => {
                let delivery = state.call_of(participant).ok().and_then(|call| call.media_event(event));
                state.deliver(delivery);
            }
        }
    }

    fn turn_out(&self, state: &mut State, gone: Vec<ParticipantId>) {
        for participant in gone {
            state.depart(participant, LeaveReason::RoomGone);
            self.media.leave(participant);
        }
    }

    /// Tells the media core what is switched off and forbidden.
    fn apply_switches(&self, state: &State, participant: ParticipantId) -> Result<(), CallError> {
        let switches = state.switches_of(participant)?;
        for source in switches.forbidden.iter() {
            self.media.set_forbidden(participant, source, true)?;
        }
        for source in switches.muted.iter() {
            self.media.set_muted(participant, source, true)?;
        }
        Ok(())
    }

    /// An identifier nobody has. Not a secret: it only must not repeat or be guessed to mean anything.
    fn unused_id(&self, state: &mut State) -> ParticipantId {
        loop {
            state.entered += 1;
            let mut hasher = self.ids.build_hasher();
            hasher.write_u64(state.entered);
            let id = ParticipantId(hasher.finish());
            if !state.participants.contains_key(&id) {
                return id;
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst one call askew; that must not end all the others.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
