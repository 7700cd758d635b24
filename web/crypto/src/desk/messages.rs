//! Requests about messages.
//!
//! Who wrote: in an epoch that this device came through, the device that it saw at that leaf, and no other. In one whose key it has from the
//! archive it saw nobody, so there the device that the envelope names must be one that its user published under an identity that was
//! accepted; what a device that was revoked since wrote still opens, for history must not vanish. Either way the device itself signed.

use uuid::Uuid;
use webcall_trust::mls::GroupId;
use webcall_trust::{Certificate, DeviceId};

use super::epochs::{Epochs, Seat};
use super::marks::Marks;
use super::sent::SentState;
use super::shelves::{Owner, Shelf};
use super::wire::{Answer, Bytes, Kept, OpenedMessage, SealMessage, TreeHead, WaitingMessage, user_of};
use super::{Desk, Person};
use crate::archive::block_of;
use crate::chat::{ChatError, Content, Draft, Envelope, Expected, Head, MessageId, Opened, RoomId, Thread, Verdict, Writer};
use crate::{EpochKey, Fault, Standing};

impl Desk {
    pub(super) fn open_state(&mut self, name: &str, sealed: Option<&Bytes>) -> Result<Answer, Fault> {
        let owner = Owner { key: &self.key, device: self.device()?.id() };
        match (name.parse()?, sealed) {
            (Shelf::Group(room), Some(sealed)) => self.open_group(room, sealed)?,
            (shelf, sealed) => {
                let sealed = sealed.map(|sealed| sealed.0.as_slice());
                self.shelves.open(owner, shelf, sealed, self.counters.least(name))?;
                sealed.map_or(Ok(()), |sealed| self.counters.read(name, sealed))?;
            }
        }
        Ok(Answer::Done)
    }

    pub(super) fn seal_message(&mut self, message: SealMessage, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let room = RoomId(message.room.into_bytes());
        let id = MessageId(message.id.into_bytes());
        self.nobody_stale(GroupId::room(room.0))?;
        self.nobody_new(message.room)?;
        self.nobody_contradicts(message.room)?;
        let head = self.head_to_send()?;
        let mut sent = self.sent_state(room)?;
        let draft = draft(message, head)?;
        self.begin_epoch(GroupId::room(room.0), keep)?;
        let group = &self.groups.get(&GroupId::room(room.0)).ok_or(Fault::NotOpen)?.group;
        let key = EpochKey::new(*group.chat_key()?);
        let (epoch, device_key) = (group.epoch(), self.device()?.key().signing());
        let envelope = sent.seal(Writer { epoch, leaf: group.leaf(), key: &key, device_key }, id, draft)?;
        self.put(Shelf::Sent(room), sent.to_bytes(), keep)?;
        Ok(Answer::Sealed { epoch, envelope: Bytes(envelope) })
    }

    pub(super) fn sent(&mut self, room: Uuid, id: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let room = RoomId(room.into_bytes());
        let mut sent = self.sent_state(room)?;
        sent.accepted(MessageId(id.into_bytes()))?;
        self.put(Shelf::Sent(room), sent.to_bytes(), keep)?;
        Ok(Answer::Done)
    }

    pub(super) fn unsent(&mut self, room: Uuid, id: Uuid, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let room = RoomId(room.into_bytes());
        let mut sent = self.sent_state(room)?;
        sent.dropped(MessageId(id.into_bytes()))?;
        self.put(Shelf::Sent(room), sent.to_bytes(), keep)?;
        Ok(Answer::Done)
    }

    pub(super) fn waiting(&mut self, room: Uuid) -> Result<Answer, Fault> {
        let sent = self.sent_state(RoomId(room.into_bytes()))?;
        let messages = sent.waiting().iter().map(|of| WaitingMessage {
            id: Uuid::from_bytes(of.id.0),
            epoch: of.epoch,
            envelope: of.envelope.as_slice().into(),
        });
        Ok(Answer::Waiting { messages: messages.collect() })
    }

    /// `waited`: it could not be opened when it was the next of the log. Whether it came in time was found out then, by what its header claims: in
    /// another epoch it never opens.
    pub(super) fn open_message(
        &mut self,
        room: Uuid,
        envelope: &Bytes,
        waited: bool,
        keep: &mut Vec<Kept>,
    ) -> Result<Answer, Fault> {
        let room = RoomId(room.into_bytes());
        let mut marks = self.marks(room)?;
        let (opened, sender) = match self.opened(room, envelope) {
            Err(unknown @ (Fault::UnknownSender | Fault::UnknownEpoch)) if !waited => {
                marks.in_time(Envelope::parse(&envelope.0)?.place().epoch)?;
                return Err(unknown);
            }
            opened => opened?,
        };
        let shelf = Shelf::Thread(room, sender.statement().user, opened.place.device);
        let mut thread = match self.shelves.get(shelf)? {
            Some(bytes) => Thread::from_bytes(bytes).map_err(|_| Fault::DamagedState)?,
            None => Thread::new(room, opened.place.device),
        };
        let verdict = thread.observe(&opened)?;
        if verdict.is_taken() {
            if !waited {
                marks.in_time(opened.place.epoch)?;
            }
            if marks.read(opened.place.epoch) {
                self.put(Shelf::Marks(room), marks.to_bytes(), keep)?;
            }
            self.put(shelf, thread.to_bytes(), keep)?;
        }
        Ok(Answer::Opened(answer(&opened, &sender, Some(verdict))))
    }

    pub(super) fn read_message(&mut self, room: Uuid, envelope: &Bytes) -> Result<Answer, Fault> {
        let (opened, sender) = self.opened(RoomId(room.into_bytes()), envelope)?;
        Ok(Answer::Opened(answer(&opened, &sender, None)))
    }

    fn opened(&mut self, room: RoomId, envelope: &Bytes) -> Result<(Opened, Certificate), Fault> {
        let envelope = Envelope::parse(&envelope.0)?;
        let place = *envelope.place();
        if place.room != room {
            return Err(ChatError::OtherRoom.into());
        }
        let epochs = self.epochs(room, block_of(place.epoch))?;
        let (own, others) = epochs.keys_of(place.epoch).split_first().ok_or(Fault::UnknownEpoch)?;
        let opened = self.opened_by(own, &epochs.seat(place.epoch, place.leaf), &envelope);
        // Who was there in another history of the room, this device does not know.
        others.iter().fold(opened, |opened, key| {
            opened.or_else(|refused| self.opened_by(key, &Seat::Unknown, &envelope).map_err(|_| refused))
        })
    }

    fn opened_by(&self, key: &EpochKey, seat: &Seat, envelope: &Envelope<'_>) -> Result<(Opened, Certificate), Fault> {
        let place = *envelope.place();
        let mut refused = Fault::UnknownSender;
        for sender in self.senders(seat, place.device) {
            match envelope.open(key, &Expected { room: place.room, leaf: place.leaf, certificate: &sender }) {
                Ok(opened) => return Ok((opened, sender)),
                Err(error) => refused = error.into(),
            }
        }
        Err(refused)
    }

    /// Of more than one, whoever signed is the sender: ids of devices are not unique among users.
    fn senders(&self, seat: &Seat, named: DeviceId) -> Vec<Certificate> {
        match *seat {
            Seat::Taken(user, device) => self.directory.ever(device).filter(|of| of.statement().user == user).copied().collect(),
            Seat::Empty => Vec::new(),
            Seat::Unknown => self.directory.ever(named).copied().collect(),
        }
    }

    /// Remembers the key of the epoch that a room's group is in, and who is in it.
    pub(super) fn begin_epoch(&mut self, id: GroupId, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let group = &self.groups.get(&id).ok_or(Fault::NotOpen)?.group;
        if group.standing() != Standing::Member {
            return Ok(());
        }
        let (room, epoch, key) = (RoomId(id.uuid), group.epoch(), EpochKey::new(*group.chat_key()?));
        let mut epochs = self.epochs(room, block_of(epoch))?;
        if epochs.keys_of(epoch).first() == Some(&key) && epochs.seat(epoch, 0) != Seat::Unknown {
            return Ok(());
        }
        let group = &self.groups.get(&id).ok_or(Fault::NotOpen)?.group;
        let present = group.roster().iter().map(|(leaf, of)| (leaf, of.statement().user, of.statement().device));
        epochs.begin(epoch, key, present)?;
        self.put(Shelf::Epochs(room, block_of(epoch)), epochs.to_bytes(), keep)
    }

    pub(super) fn epochs(&mut self, room: RoomId, block: u64) -> Result<Epochs, Fault> {
        self.shelves.get(Shelf::Epochs(room, block))?.map_or_else(|| Ok(Epochs::default()), Epochs::from_bytes)
    }

    pub(super) fn marks(&mut self, room: RoomId) -> Result<Marks, Fault> {
        self.shelves.get(Shelf::Marks(room))?.map_or_else(|| Ok(Marks::default()), Marks::from_bytes)
    }

    fn sent_state(&mut self, room: RoomId) -> Result<SentState, Fault> {
        let device = self.device()?.id();
        self.shelves.get(Shelf::Sent(room))?.map_or_else(|| Ok(SentState::new(room, device)), SentState::from_bytes)
    }

    pub(super) fn put(&mut self, shelf: Shelf, content: Vec<u8>, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let Person::Present { device, .. } = &self.person else { return Err(Fault::NoDevice) };
        self.shelves.put(Owner { key: &self.key, device: device.id() }, shelf, content, keep)
    }
}

fn draft(message: SealMessage, newest: Head) -> Result<Draft, Fault> {
    let seen = message.seen.map_or(Ok([0; 32]), |seen| seen.exactly())?;
    let head = match message.head {
        Some(TreeHead { size, root }) => Head { size, root: root.exactly()? },
        None => newest,
    };
    Ok(Draft { kind: message.kind, at_ms: message.now_ms, seen, head, content: Content::new(message.content.0)? })
}

fn answer(opened: &Opened, sender: &Certificate, verdict: Option<Verdict>) -> OpenedMessage {
    let (place, body) = (&opened.place, &opened.body);
    // The same bytes again may be shown where they were; what else is not taken may not.
    let shown = verdict.is_none_or(|verdict| verdict.is_taken() || verdict == Verdict::Repeated);
    OpenedMessage {
        id: Uuid::from_bytes(place.message.0),
        epoch: place.epoch,
        user: user_of(sender),
        device: place.device.0.into(),
        kind: body.kind,
        at_ms: body.at_ms,
        seen: body.seen.into(),
        head: TreeHead { size: body.head.size, root: body.head.root.into() },
        hash: opened.hash.into(),
        verdict: verdict.map(word),
        content: shown.then(|| body.content.as_bytes().into()),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::First => "first",
        Verdict::Next => "next",
        Verdict::Gap => "gap",
        Verdict::Late => "late",
        Verdict::Fork => "fork",
        Verdict::Repeated => "repeated",
        Verdict::IdReused => "id_reused",
        Verdict::Stale => "stale",
    }
}
