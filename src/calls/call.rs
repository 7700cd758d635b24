//! One room's call: its participants, what each sends, and who is to be told what when that changes. Pure: no lock, no queue, no
//! clock, no media core; [`super::Calls`] does what it says.
//!
//! What a moderator forbade follows a user who leaves and comes back, for as long as somebody is in the call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use webcall_media::{MediaEvent, ParticipantId, Source};

use super::emoji::Emoji;
use super::error::CallError;
use super::event::{CallEvent, Delivery, LeaveReason, MediaState, ParticipantView};
use super::group::Group;
use super::pace::{Pace, Rate};
use super::source::{SourceSet, Sources};
use crate::id::{CallId, UserId};
use crate::role::Role;
use crate::rooms::policy::{Action, can};
use crate::store::{Protection, RoomKind};
use crate::time::Timestamp;

/// Participants in one call on this node; the media core's own limit (`media.max_participants`) is usually lower. Every change is
/// told to everybody, so the cost grows with the square.
pub const MAX_PARTICIPANTS: usize = 2_000;
/// Users that are remembered as forbidden something after they left. The one who left first is forgotten first.
const MAX_REMEMBERED: usize = 256;

/// Reactions of one participant. Applause is a few in a row.
const REACTIONS_OF_ONE: Rate = Rate { burst: 10, per_second: 2 };
/// Reactions in one call. Each goes to everybody, 0.2 ms of the lock on all calls with 2,000 in this one.
const REACTIONS_OF_ALL: Rate = Rate { burst: 100, per_second: 50 };

/// What a moderator does to a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeratorAct {
    /// Switch a source off until allowed again.
    Forbid(Source),
    /// Allow it again.
    Allow(Source),
    /// Lower their hand.
    LowerHand,
    /// Take them out of the call.
    Remove,
}

/// Somebody about to be in the call.
#[derive(Debug, Clone)]
pub(super) struct Newcomer {
    pub(super) user: UserId,
    pub(super) username: String,
    pub(super) role: Role,
    pub(super) muted: SourceSet,
    pub(super) joined_at: Timestamp,
}

#[derive(Debug)]
struct Participant {
    user: UserId,
    username: String,
    role: Role,
    joined_at: Timestamp,
    sources: Sources,
    hand_raised_at: Option<Timestamp>,
    reactions: Pace,
}

/// One room's call.
#[derive(Debug)]
pub(super) struct Call {
    id: CallId,
    protection: Protection,
    group: Option<Group>,
    participants: BTreeMap<ParticipantId, Participant>,
    /// Forbidden sources of users who left.
    remembered: VecDeque<(UserId, SourceSet)>,
    speakers: Vec<ParticipantId>,
    /// None until somebody reacts.
    reactions: Option<Pace>,
}

impl Call {
    /// One that nobody is in yet. Its identifier is unique for ever: keys of its media hang on it.
    pub(super) fn new(id: CallId, protection: Protection) -> Self {
        Self {
            id,
            protection,
            group: None,
            participants: BTreeMap::new(),
            remembered: VecDeque::new(),
            speakers: Vec::new(),
            reactions: None,
        }
    }

    pub(super) fn id(&self) -> CallId {
        self.id
    }

    /// As its room.
    pub(super) fn protection(&self) -> Protection {
        self.protection
    }

    /// None until somebody begins it.
    pub(super) fn group(&self) -> Option<&Group> {
        self.group.as_ref()
    }

    pub(super) fn group_mut(&mut self) -> &mut Option<Group> {
        &mut self.group
    }

    pub(super) fn len(&self) -> usize {
        self.participants.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    /// Whether there is room for one more window of this user.
    pub(super) fn admit(&self, user: UserId, windows_per_user: usize) -> Result<(), CallError> {
        if self.len() >= MAX_PARTICIPANTS {
            return Err(CallError::Full);
        }
        match self.participants_of(user).count() {
            n if n >= windows_per_user => Err(CallError::TooManyWindows),
            _ => Ok(()),
        }
    }

    /// Takes somebody in who was admitted.
    pub(super) fn enter(&mut self, id: ParticipantId, newcomer: Newcomer) -> Vec<Delivery> {
        let Newcomer { user, username, role, muted, joined_at } = newcomer;
        let sources = Sources::new(muted, self.recall(user));
        let (hand_raised_at, reactions) = (None, Pace::new(REACTIONS_OF_ONE, joined_at));
        self.participants.insert(id, Participant { user, username, role, joined_at, sources, hand_raised_at, reactions });
        let mut deliveries: Vec<_> = match self.view(id) {
            Some(view) => {
                let view = Arc::new(view);
                self.others(id).map(|to| Delivery { to, event: CallEvent::Entered(Arc::clone(&view)) }).collect()
            }
            None => Vec::new(),
        };
        if !self.speakers.is_empty() {
            deliveries.push(Delivery { to: id, event: CallEvent::Speakers(self.speakers.clone()) });
        }
        deliveries
    }

    /// Takes somebody out. Whoever did not ask for it is told as well.
    pub(super) fn leave(&mut self, id: ParticipantId, reason: LeaveReason) -> Vec<Delivery> {
        let Some(gone) = self.participants.remove(&id) else { return Vec::new() };
        self.speakers.retain(|speaker| *speaker != id);
        self.remember(gone.user, gone.sources.forbidden());
        let mut deliveries = self.tell_everybody(&CallEvent::Gone { participant: id, reason });
        if is_news_to_the_one_who_left(reason) {
            deliveries.push(Delivery { to: id, event: CallEvent::Removed { reason } });
        }
        deliveries
    }

    /// Notes what a participant offers.
    pub(super) fn offer(&mut self, id: ParticipantId, sources: SourceSet) -> Result<Vec<Delivery>, CallError> {
        let changed = self.participant_mut(id)?.sources.offer(sources);
        Ok(self.changed(id, changed))
    }

    /// A participant switches a source off.
    pub(super) fn mute(&mut self, id: ParticipantId, source: Source) -> Result<Vec<Delivery>, CallError> {
        let changed = self.participant_mut(id)?.sources.mute(source);
        Ok(self.changed(id, changed))
    }

    /// A participant switches a source on.
    pub(super) fn unmute(&mut self, id: ParticipantId, source: Source) -> Result<Vec<Delivery>, CallError> {
        let switched = self.participant_mut(id)?.sources.unmute(source);
        let changed = switched.map_err(|_| CallError::MutedByModerator)?;
        Ok(self.changed(id, changed))
    }

    /// A participant raises their hand. One that is up stays as it is: who waits longest is asked first.
    pub(super) fn raise_hand(&mut self, id: ParticipantId, now: Timestamp) -> Result<Vec<Delivery>, CallError> {
        let participant = self.participant_mut(id)?;
        let is_new = participant.hand_raised_at.is_none();
        participant.hand_raised_at.get_or_insert(now);
        Ok(self.changed(id, is_new))
    }

    /// A participant lowers their hand, or a moderator does.
    pub(super) fn lower_hand(&mut self, id: ParticipantId) -> Result<Vec<Delivery>, CallError> {
        let was_up = self.participant_mut(id)?.hand_raised_at.take().is_some();
        Ok(self.changed(id, was_up))
    }

    /// A participant reacts: everybody sees it, oneself included.
    pub(super) fn react(&mut self, id: ParticipantId, emoji: &Emoji, now: Timestamp) -> Result<Vec<Delivery>, CallError> {
        let of_all = self.reactions.get_or_insert_with(|| Pace::new(REACTIONS_OF_ALL, now));
        let of_one = &mut self.participants.get_mut(&id).ok_or(CallError::NotInCall)?.reactions;
        if !of_one.allows(REACTIONS_OF_ONE, now) || !of_all.allows(REACTIONS_OF_ALL, now) {
            return Err(CallError::RateLimited);
        }
        of_one.spend();
        of_all.spend();
        Ok(self.tell_everybody(&CallEvent::Reaction { participant: id, emoji: emoji.clone() }))
    }

    /// Whether one participant may act on another as a moderator.
    pub(super) fn may_moderate(&self, actor: ParticipantId, target: ParticipantId) -> Result<(), CallError> {
        let actor = self.participants.get(&actor).ok_or(CallError::NotInCall)?;
        let target = self.participants.get(&target).ok_or(CallError::UnknownParticipant)?;
        let action = match actor.user == target.user {
            true => Action::ModerateOwn,
            false => Action::Moderate { of: target.role },
        };
        // In a direct conversation everybody is a member, and members moderate nobody.
        can(RoomKind::Room, actor.role, action).then_some(()).ok_or(CallError::NotAllowed)
    }

    /// A moderator forbids a participant a source.
    pub(super) fn forbid(&mut self, id: ParticipantId, source: Source) -> Result<Vec<Delivery>, CallError> {
        let changed = self.participant_mut(id)?.sources.forbid(source);
        Ok(self.changed(id, changed))
    }

    /// A moderator allows a participant a source again.
    pub(super) fn allow(&mut self, id: ParticipantId, source: Source) -> Result<Vec<Delivery>, CallError> {
        let changed = self.participant_mut(id)?.sources.allow(source);
        Ok(self.changed(id, changed))
    }

    /// A user's standing in the room changed.
    pub(super) fn set_role(&mut self, user: UserId, role: Role) -> Vec<Delivery> {
        let mut changed = Vec::new();
        for (id, participant) in self.participants.iter_mut().filter(|(_, p)| p.user == user && p.role != role) {
            participant.role = role;
            changed.push(*id);
        }
        changed.into_iter().flat_map(|id| self.changed(id, true)).collect()
    }

    /// Passes on what the media core says about one participant. Its loss is not for here: that is a leave.
    pub(super) fn media_event(&self, event: MediaEvent) -> Option<Delivery> {
        let (to, event) = match event {
            MediaEvent::Connected { participant } => (participant, CallEvent::Media(MediaState::Connected)),
            MediaEvent::Disconnected { participant } => (participant, CallEvent::Media(MediaState::Disconnected)),
            MediaEvent::Seats { participant, seats } => (participant, CallEvent::Seats(seats)),
            MediaEvent::Renegotiate { participant } => (participant, CallEvent::Renegotiate),
            MediaEvent::LeftOut { participant, what } => (participant, CallEvent::LeftOut(what)),
            MediaEvent::Speakers { .. } | MediaEvent::Lost { .. } => return None,
        };
        self.participants.contains_key(&to).then_some(Delivery { to, event })
    }

    /// Notes who speaks.
    pub(super) fn set_speakers(&mut self, mut speakers: Vec<ParticipantId>) -> Vec<Delivery> {
        speakers.retain(|speaker| self.participants.contains_key(speaker));
        if self.speakers == speakers {
            return Vec::new();
        }
        self.speakers.clone_from(&speakers);
        self.tell_everybody(&CallEvent::Speakers(speakers))
    }

    /// Everybody in the call, in the order of entering.
    pub(super) fn views(&self) -> Vec<ParticipantView> {
        let mut views: Vec<_> = self.participants.iter().map(|(id, participant)| view(*id, participant)).collect();
        views.sort_by_key(|view| (view.joined_at, view.participant));
        views
    }

    /// Whose window a participant is.
    pub(super) fn user_of(&self, id: ParticipantId) -> Option<UserId> {
        self.participants.get(&id).map(|participant| participant.user)
    }

    pub(super) fn participants_of(&self, user: UserId) -> impl Iterator<Item = ParticipantId> {
        self.participants.iter().filter(move |(_, participant)| participant.user == user).map(|(id, _)| *id)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ParticipantId> {
        self.participants.keys().copied()
    }

    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        self.participants.values().map(|participant| participant.user)
    }

    /// What is switched off, and what of that by a moderator.
    pub(super) fn switches(&self, id: ParticipantId) -> Option<Switches> {
        let sources = &self.participants.get(&id)?.sources;
        Some(Switches { muted: sources.muted(), forbidden: sources.forbidden() })
    }

    fn participant_mut(&mut self, id: ParticipantId) -> Result<&mut Participant, CallError> {
        self.participants.get_mut(&id).ok_or(CallError::NotInCall)
    }

    fn view(&self, id: ParticipantId) -> Option<ParticipantView> {
        self.participants.get(&id).map(|participant| view(id, participant))
    }

    fn others(&self, id: ParticipantId) -> impl Iterator<Item = ParticipantId> {
        self.ids().filter(move |other| *other != id)
    }

    pub(super) fn tell_everybody(&self, event: &CallEvent) -> Vec<Delivery> {
        self.ids().map(|to| Delivery { to, event: event.clone() }).collect()
    }

    fn changed(&self, id: ParticipantId, changed: bool) -> Vec<Delivery> {
        match self.view(id).filter(|_| changed) {
            Some(view) => self.tell_everybody(&CallEvent::Changed(Arc::new(view))),
            None => Vec::new(),
        }
    }

    fn remember(&mut self, user: UserId, forbidden: SourceSet) {
        if forbidden.is_empty() {
            return;
        }
        if self.remembered.len() >= MAX_REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back((user, forbidden));
    }

    /// What the user was forbidden in the windows that they closed; the next window takes it over.
    fn recall(&mut self, user: UserId) -> SourceSet {
        let forbidden = self.remembered.iter().filter(|(who, _)| *who == user).flat_map(|(_, set)| set.iter()).collect();
        self.remembered.retain(|(who, _)| *who != user);
        forbidden
    }
}

/// The switches of one participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switches {
    pub(super) muted: SourceSet,
    pub(super) forbidden: SourceSet,
}

fn view(id: ParticipantId, participant: &Participant) -> ParticipantView {
    ParticipantView {
        participant: id,
        user: participant.user,
        username: participant.username.clone(),
        role: participant.role,
        sources: participant.sources.view(),
        joined_at: participant.joined_at,
        hand_raised_at: participant.hand_raised_at,
    }
}

fn is_news_to_the_one_who_left(reason: LeaveReason) -> bool {
    match reason {
        LeaveReason::Removed | LeaveReason::RoomGone | LeaveReason::MediaLost => true,
        LeaveReason::Left | LeaveReason::TimedOut | LeaveReason::SessionEnded => false,
    }
}

#[cfg(test)]
mod tests;
