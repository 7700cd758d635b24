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
}

impl Marks {
    /// What is about to be kept.
    pub(super) fn came_to(&mut self, group: &Group) {
        self.state = group.counter();
        if group.standing() == Standing::Member {
            self.group = self.group.max(Some(group.epoch()));
        }
    }

    /// Nothing is done with a state of the group that is older than the newest.
    pub(super) fn go_on_with(self, group: &Group) -> Result<(), Fault> {
        if group.counter() < self.state { Err(Fault::OldState) } else { Ok(()) }
    }

    /// The next message of the log. Whether that is news.
    pub(super) fn read(&mut self, epoch: u64) -> Result<bool, Fault> {
        let before = self.message;
        if before.is_some_and(|newest| newest.saturating_sub(epoch) > MAX_LATE_EPOCHS) {
            return Err(Fault::PastEpoch);
        }
        self.message = before.max(Some(epoch));
        Ok(self.message != before)
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, Fault> {
        let marks = Self::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        if bytes.is_empty() { Ok(marks) } else { Err(Fault::DamagedState) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_an_epoch_that_is_long_over_by_the_logs_order_is_refused() {
        let mut marks = Marks::default();
        assert_eq!([marks.read(3), marks.read(40), marks.read(40)], [Ok(true), Ok(true), Ok(false)]);
        assert_eq!(marks.read(40 - MAX_LATE_EPOCHS), Ok(false), "it was on its way for long");
        assert_eq!(marks.read(40 - MAX_LATE_EPOCHS - 1), Err(Fault::PastEpoch));
        assert_eq!(Marks::from_bytes(&marks.to_bytes()), Ok(marks));
    }
}
