//! How far this device has come in a room, which outlives its group there: a welcome that is shown again, or a sealed state that was put back,
//! must not bring an epoch back that is over, whose keys those have who were put out since.

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};

use crate::Fault;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub(super) struct Marks {
    /// The newest epoch in which this device was a member.
    pub group: Option<u64>,
}

impl Marks {
    /// Whether that is news.
    pub(super) fn came_to(&mut self, epoch: u64) -> bool {
        let before = self.group;
        self.group = before.max(Some(epoch));
        self.group != before
    }

    /// A member's group that was here before.
    pub(super) fn go_on_at(self, epoch: u64) -> Result<(), Fault> {
        if self.group.is_some_and(|newest| epoch < newest) { Err(Fault::OldState) } else { Ok(()) }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, Fault> {
        let marks = Self::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        if bytes.is_empty() { Ok(marks) } else { Err(Fault::DamagedState) }
    }
}
