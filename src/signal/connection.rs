//! What a connection does with a message: a pure state machine. It knows whether the connection is in a call and what it waits for,
//! says what is to be done as [`Effect`]s, and is told the outcome. It knows no socket, queue, clock, store or media core.
//!
//! Every request is answered exactly once: `welcome`, `joined`, `answer`, `posted`, `page`, `pinned`, `acted`, `ok` or `error` with its number.

use webcall_media::{Offer, ParticipantId, Source, Wish};

use super::asked::{Asked, message_id};
use super::protocol::{ClientFrame, ClientMessage, ServerMessage};
use super::refusal::Refusal;
use super::wire;
use crate::calls::{CallError, CallEvent, Delivery, Emoji, Entered, LeaveReason, ModeratorAct};
use crate::chat::{Draft, Span};
use crate::error::Error;
use crate::id::RoomId;
use crate::rooms::Membership;
use crate::store::EntryRow;

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Send this.
    Send(ServerMessage),
    /// Send this if the client keeps up; it is of the moment.
    SendIfKeepingUp(ServerMessage),
    /// Look up the membership in the room, then say [`Connection::admitted`].
    Admit { attempt: Attempt, room: RoomId },
    /// Enter the call, then say [`Connection::entered`].
    Enter { room: RoomId, standing: Membership, muted: Vec<Source> },
    /// Ask the calls for something that is done at once, then say [`Connection::done`].
    Ask { id: u32, participant: ParticipantId, ask: Ask },
    /// Negotiate, then say [`Connection::answered`].
    Negotiate { participant: ParticipantId, offer: Offer },
    /// Store a message, then say [`Connection::posted`].
    Post { id: u32, room: RoomId, draft: Draft },
    /// Move the read marker, then answer.
    MarkRead { id: u32, room: RoomId, seq: i64 },
    /// Read or change a room's log, then answer.
    AskLog { id: u32, room: RoomId, asked: Asked },
    /// Watch a conversation, or none, then answer.
    Watch { id: u32, room: Option<RoomId> },
    /// Tell those who watch the same conversation that the user types, then answer.
    Typing { id: u32 },
    /// Note whether the user looks elsewhere.
    Away { away: bool },
    /// Leave the call.
    Leave { participant: ParticipantId, reason: LeaveReason },
}

/// Something that the calls do at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Mute(Source),
    Unmute(Source),
    View(Vec<Wish>),
    RaiseHand,
    LowerHand,
    React(Emoji),
    Moderate { target: ParticipantId, act: ModeratorAct },
}

/// Which of the connection's attempts to enter something is about: the answer to one that was given up is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt(u64);

/// A connection after `hello`.
#[derive(Debug)]
pub(super) struct Connection {
    place: Place,
    attempts: u64,
}

#[derive(Debug)]
enum Place {
    /// In no call.
    Outside,
    /// The membership is being looked up.
    Entering { id: u32, attempt: Attempt, room: RoomId, muted: Vec<Source> },
    /// In a call; `offer` is the request that negotiation will answer.
    Inside { participant: ParticipantId, offer: Option<u32> },
}

impl Connection {
    pub(super) fn new() -> Self {
        Self { place: Place::Outside, attempts: 0 }
    }

    /// A message came in.
    pub(super) fn handle(&mut self, frame: ClientFrame) -> Vec<Effect> {
        let id = frame.id;
        let effects = match frame.message {
            ClientMessage::Hello { .. } => Err(Refusal::AlreadyGreeted),
            ClientMessage::Join { room, muted } => self.join(id, &room, &muted),
            ClientMessage::Leave {} => self.leave(id),
            ClientMessage::Offer { sdp, tracks, seats } => {
                wire::offer(sdp, tracks, seats).and_then(|offer| self.offer(id, offer))
            }
            ClientMessage::Mute { source, muted: true } => self.ask(id, Ask::Mute(wire::source(source))),
            ClientMessage::Mute { source, muted: false } => self.ask(id, Ask::Unmute(wire::source(source))),
            ClientMessage::View { wishes } => wire::wishes(wishes).and_then(|wishes| self.ask(id, Ask::View(wishes))),
            ClientMessage::Hand { raised: true } => self.ask(id, Ask::RaiseHand),
            ClientMessage::Hand { raised: false } => self.ask(id, Ask::LowerHand),
            ClientMessage::React { emoji } => wire::emoji(&emoji).and_then(|emoji| self.ask(id, Ask::React(emoji))),
            ClientMessage::Moderate { participant, action } => wire::participant_id(&participant)
                .and_then(|target| self.ask(id, Ask::Moderate { target, act: wire::act(action) })),
            ClientMessage::Post { room, message, body, files } => {
                named(&room).and_then(|room| Ok(vec![Effect::Post { id, room, draft: Draft::parse(&message, &body, &files)? }]))
            }
            ClientMessage::MarkRead { room, seq } => named(&room).map(|room| vec![Effect::MarkRead { id, room, seq }]),
            ClientMessage::History { room, before, after, limit } => {
                asking(id, &room, || Ok(Asked::History(Span { before, after, limit })))
            }
            ClientMessage::Pins { room } => asking(id, &room, || Ok(Asked::Pins)),
            ClientMessage::Delete { room, message } => asking(id, &room, || message_id(&message).map(Asked::Delete)),
            ClientMessage::Pin { room, message } => asking(id, &room, || message_id(&message).map(Asked::Pin)),
            ClientMessage::Unpin { room, message } => asking(id, &room, || message_id(&message).map(Asked::Unpin)),
            ClientMessage::Watch { room } => room.as_deref().map(named).transpose().map(|room| vec![Effect::Watch { id, room }]),
            ClientMessage::Typing {} => Ok(vec![Effect::Typing { id }]),
            ClientMessage::Away { away } => Ok(vec![Effect::Away { away }, ok(id)]),
            ClientMessage::Ping {} => Ok(vec![ok(id)]),
        };
        effects.unwrap_or_else(|refusal| vec![refused(id, &refusal)])
    }

    /// The membership was looked up.
    pub(super) fn admitted(&mut self, of: Attempt, admitted: Result<Membership, Refusal>) -> Vec<Effect> {
        match &mut self.place {
            Place::Entering { id, attempt, room, muted } if *attempt == of => match admitted {
                Ok(standing) => vec![Effect::Enter { room: *room, standing, muted: std::mem::take(muted) }],
                Err(refusal) => {
                    let effects = vec![refused(*id, &refusal)];
                    self.place = Place::Outside;
                    effects
                }
            },
            _ => Vec::new(),
        }
    }

    /// The calls took the connection in, or not.
    pub(super) fn entered(&mut self, entered: Result<Entered, CallError>) -> Vec<Effect> {
        let (id, room) = match &self.place {
            Place::Entering { id, room, .. } => (*id, *room),
            Place::Outside | Place::Inside { .. } => return Vec::new(),
        };
        match entered {
            Ok(Entered { call, protection, participant, participants, group }) => {
                self.place = Place::Inside { participant, offer: None };
                let participants = participants.iter().map(wire::participant).collect();
                let (room, call, participant) = (room.to_string(), call.to_string(), participant.to_string());
                vec![Effect::Send(ServerMessage::Joined {
                    id,
                    room,
                    call,
                    encryption: wire::encryption(protection.encryption),
                    strict: protection.strict,
                    participant,
                    participants,
                    group: group.and_then(wire::group),
                })]
            }
            Err(error) => {
                self.place = Place::Outside;
                vec![refused(id, &error.into())]
            }
        }
    }

    /// The calls did what was asked, or not.
    pub(super) fn done(id: u32, done: Result<(), CallError>) -> Effect {
        match done {
            Ok(()) => ok(id),
            Err(error) => refused(id, &error.into()),
        }
    }

    /// A message was stored, or not.
    pub(super) fn posted(id: u32, posted: Result<EntryRow, Refusal>) -> Effect {
        match posted {
            Ok(entry) => Effect::Send(ServerMessage::Posted { id, entry: entry.into() }),
            Err(refusal) => refused(id, &refusal),
        }
    }

    /// Something outside of calls was done, or not.
    pub(super) fn settled(id: u32, settled: Result<(), Refusal>) -> Effect {
        match settled {
            Ok(()) => ok(id),
            Err(refusal) => refused(id, &refusal),
        }
    }

    /// The negotiation of a participant came to its end.
    pub(super) fn answered(&mut self, of: ParticipantId, answer: Result<String, CallError>) -> Vec<Effect> {
        match &mut self.place {
            Place::Inside { participant, offer } if *participant == of => match (offer.take(), answer) {
                (Some(id), Ok(sdp)) => vec![Effect::Send(ServerMessage::Answer { id, sdp })],
                (Some(id), Err(error)) => vec![refused(id, &error.into())],
                (None, _) => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Something happened in the call. What was meant for an earlier participant of this connection is dropped.
    pub(super) fn event(&mut self, delivery: Delivery) -> Vec<Effect> {
        if self.participant() != Some(delivery.to) {
            return Vec::new();
        }
        let mut effects = Vec::new();
        if matches!(delivery.event, CallEvent::Removed { .. }) {
            effects.extend(self.step_outside());
        }
        effects.push(match delivery.event.is_of_the_moment() {
            true => Effect::SendIfKeepingUp(wire::event(delivery.event)),
            false => Effect::Send(wire::event(delivery.event)),
        });
        effects
    }

    /// The connection ends.
    pub(super) fn end(&mut self, reason: LeaveReason) -> Option<Effect> {
        let participant = self.participant();
        self.place = Place::Outside;
        participant.map(|participant| Effect::Leave { participant, reason })
    }

    /// Oneself in the call, if in one.
    pub(super) fn participant(&self) -> Option<ParticipantId> {
        match self.place {
            Place::Inside { participant, .. } => Some(participant),
            Place::Outside | Place::Entering { .. } => None,
        }
    }

    fn join(&mut self, id: u32, room: &str, muted: &[super::protocol::Source]) -> Result<Vec<Effect>, Refusal> {
        let Place::Outside = self.place else { return Err(Refusal::AlreadyInCall) };
        let room = named(room)?;
        self.attempts += 1;
        let attempt = Attempt(self.attempts);
        let muted = Source::ALL.into_iter().filter(|s| muted.iter().any(|m| wire::source(*m) == *s)).collect();
        self.place = Place::Entering { id, attempt, room, muted };
        Ok(vec![Effect::Admit { attempt, room }])
    }

    fn leave(&mut self, id: u32) -> Result<Vec<Effect>, Refusal> {
        if let Place::Outside = self.place {
            return Err(CallError::NotInCall.into());
        }
        let participant = self.participant();
        let mut effects: Vec<_> = self.step_outside().into_iter().collect();
        effects.extend(participant.map(|participant| Effect::Leave { participant, reason: LeaveReason::Left }));
        effects.push(ok(id));
        Ok(effects)
    }

    fn offer(&mut self, id: u32, new: Offer) -> Result<Vec<Effect>, Refusal> {
        match &mut self.place {
            Place::Inside { offer: Some(_), .. } => Err(Refusal::OfferPending),
            Place::Inside { participant, offer } => {
                *offer = Some(id);
                Ok(vec![Effect::Negotiate { participant: *participant, offer: new }])
            }
            Place::Outside | Place::Entering { .. } => Err(CallError::NotInCall.into()),
        }
    }

    fn ask(&self, id: u32, ask: Ask) -> Result<Vec<Effect>, Refusal> {
        let participant = self.participant().ok_or(CallError::NotInCall)?;
        Ok(vec![Effect::Ask { id, participant, ask }])
    }

    /// Answers what can no longer be answered otherwise.
    fn step_outside(&mut self) -> Option<Effect> {
        let pending = match std::mem::replace(&mut self.place, Place::Outside) {
            Place::Outside => None,
            Place::Entering { id, .. } => Some(id),
            Place::Inside { offer, .. } => offer,
        };
        pending.map(|id| refused(id, &Refusal::Cancelled))
    }
}

fn named(room: &str) -> Result<RoomId, Refusal> {
    wire::room_id(room).ok_or_else(|| Refusal::from(&Error::RoomNotFound))
}

fn asking(id: u32, room: &str, asked: impl FnOnce() -> Result<Asked, Refusal>) -> Result<Vec<Effect>, Refusal> {
    Ok(vec![Effect::AskLog { id, room: named(room)?, asked: asked()? }])
}

fn ok(id: u32) -> Effect {
    Effect::Send(ServerMessage::Ok { id })
}

fn refused(id: u32, refusal: &Refusal) -> Effect {
    Effect::Send(refusal.answer(id))
}

#[cfg(test)]
mod tests;
