//! How far this device has come in a room, which outlives its group there: a welcome that is shown again, or a sealed state that was put back,
//! must not bring an epoch back that is over, whose keys those have who were put out since.

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};

use crate::{Fault, Group, Standing};

/// By how many epochs a message may be older than the newest one before it in the room's log. Who was put out of the room has the keys of
/// epochs that are over, and the server may put what they write with those at the end of the log. What waited longer with who
/// wrote it is to be sealed again.
pub(super) const MAX_LATE_EPOCHS: u64 = 32;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub(super) struct Marks {
    /// The newest epoch in which this device was a member.
    pub group: Option<u64>,
    /// The counter of the group's newest sealed state.
    pub state: u64,
    /// The newest epoch of a message, as far as the room's log was read in its order.
    message: Option<u64>,
    strictness: Strictness,
}

/// What is known of a room by the groups in which this device was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
#[repr(u8)]
enum Strictness {
    #[default]
    Unknown = 0,
    Strict = 1,
    /// Strict, and this device came into the group by itself, or by a welcome, after it had been in it before.
    Returned = 2,
}

impl Marks {
    /// What is about to be kept.
    pub(super) fn came_to(&mut self, group: &Group) {
        self.state = group.counter();
        if group.standing() == Standing::Member {
            self.group = self.group.max(Some(group.epoch()));
        }
        if group.is_strict() && self.strictness == Strictness::Unknown {
            self.strictness = Strictness::Strict;
        }
    }

    /// Whether the room is strict, whatever is shown of it now.
    pub(super) fn is_strict(self) -> bool {
        self.strictness != Strictness::Unknown
    }

    /// Whether this device was out of the group since the person saw who is in it: who came then, no commit said.
    pub(super) fn has_returned(self) -> bool {
        self.strictness == Strictness::Returned
    }

    /// Comes into a group, in place of the one that it followed if there was one. A room that was strict stays so; `known`: it is, as is known elsewhere.
    pub(super) fn enters(&mut self, is_strict: bool, known: bool) -> Result<(), Fault> {
        if (known || self.is_strict()) && !is_strict {
            return Err(Fault::NotStrict);
        }
        if is_strict && self.group.is_some() {
            self.strictness = Strictness::Returned;
        }
        Ok(())
    }

    /// The person has seen who is there.
    pub(super) fn is_back(&mut self) {
        if self.has_returned() {
            self.strictness = Strictness::Strict;
        }
    }

    /// The person goes on from an older state of the server's, as after a backup was restored.
    pub(super) fn goes_back(&mut self, epoch: u64) {
        self.group = self.group.map(|newest| newest.min(epoch));
        self.message = self.message.map(|newest| newest.min(epoch));
    }

    /// Nothing is done with a state of the group that is older than the newest.
    pub(super) fn go_on_with(self, group: &Group) -> Result<(), Fault> {
        if group.counter() < self.state { Err(Fault::OldState) } else { Ok(()) }
    }

    /// Whether the next message of the log may be of this epoch.
    pub(super) fn in_time(self, epoch: u64) -> Result<(), Fault> {
        let is_over = self.message.is_some_and(|newest| newest.saturating_sub(epoch) > MAX_LATE_EPOCHS);
        if is_over { Err(Fault::PastEpoch) } else { Ok(()) }
    }

    /// A message of the log. Whether its epoch is news.
    pub(super) fn read(&mut self, epoch: u64) -> bool {
        let before = self.message;
        self.message = before.max(Some(epoch));
        self.message != before
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    /// Those from before there were strict groups say nothing of it.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let read = |mut bytes: &[u8]| Self::tls_deserialize(&mut bytes).ok().filter(|_| bytes.is_empty());
        let older = || read(&[bytes, &[Strictness::Unknown as u8]].concat());
        read(bytes).or_else(older).ok_or(Fault::DamagedState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_an_epoch_that_is_long_over_by_the_logs_order_is_refused() {
        let mut marks = Marks::default();
        assert_eq!([marks.read(3), marks.read(40), marks.read(40), marks.read(9)], [true, true, false, false]);
        assert_eq!(marks.in_time(40 - MAX_LATE_EPOCHS), Ok(()), "it was on its way for long");
        assert_eq!(marks.in_time(40 - MAX_LATE_EPOCHS - 1), Err(Fault::PastEpoch));
        assert_eq!(Marks::from_bytes(&marks.to_bytes()), Ok(marks));
    }

    #[test]
    fn t2_a_room_that_was_strict_stays_so_and_marks_from_before_say_nothing_of_it() {
        let mut marks = Marks { group: Some(7), ..Marks::default() };
        let older = marks.to_bytes();
        assert_eq!(Marks::from_bytes(&older[..older.len() - 1]), Ok(marks));
        assert_eq!(Marks::from_bytes(&[older.as_slice(), &[0]].concat()), Err(Fault::DamagedState));
        assert_eq!((marks.enters(false, false), marks.is_strict()), (Ok(()), false));
        assert_eq!(marks.enters(false, true), Err(Fault::NotStrict));
        assert_eq!((marks.enters(true, false), marks.has_returned()), (Ok(()), true));
        assert_eq!(Marks::from_bytes(&marks.to_bytes()), Ok(marks));
        marks.is_back();
        assert_eq!((marks.is_strict(), marks.has_returned(), marks.enters(false, false)), (true, false, Err(Fault::NotStrict)));
    }
}
