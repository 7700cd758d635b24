//! What this device writes to one room: the sender's state of `chat`, and the envelopes that the server has not taken yet. They are kept
//! together, so that after a crash the same bytes are sent again and no id is sealed twice.

use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize, VLBytes};
use webcall_trust::DeviceId;

use crate::Fault;
use crate::chat::{ChatError, Draft, Envelope, MessageId, OwnThread, RoomId, Writer};

/// Envelopes that wait: half a megabyte at most, written anew with each message. Beyond that nothing is sealed ([`Fault::Full`]).
const MAX_WAITING: usize = 32;

pub(super) struct SentState {
    own: OwnThread,
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, TlsSize, TlsSerialize, TlsDeserialize)]
pub(super) struct Waiting {
    pub id: MessageId,
    pub epoch: u64,
    pub envelope: VLBytes,
}

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    own: VLBytes,
    waiting: Vec<Waiting>,
}

impl SentState {
    pub(super) fn new(room: RoomId, device: DeviceId) -> Self {
        Self { own: OwnThread::new(room, device), waiting: Vec::new() }
    }

    /// Takes the place of what waits under the same id from an epoch before.
    pub(super) fn seal(&mut self, at: Writer<'_>, id: MessageId, draft: Draft) -> Result<Vec<u8>, Fault> {
        let others = self.waiting.iter().filter(|waiting| waiting.id != id).count();
        if others >= MAX_WAITING {
            return Err(Fault::Full);
        }
        let envelope = self.own.seal(at, id, draft)?;
        self.waiting.retain(|waiting| waiting.id != id);
        self.waiting.push(Waiting { id, epoch: at.epoch, envelope: envelope.as_slice().into() });
        Ok(envelope)
    }

    /// The server took it: the next message follows it.
    pub(super) fn accepted(&mut self, id: MessageId) -> Result<(), Fault> {
        let waiting = self.dropped(id)?;
        self.own.accepted(&Envelope::parse(waiting.envelope.as_slice())?);
        Ok(())
    }

    pub(super) fn dropped(&mut self, id: MessageId) -> Result<Waiting, Fault> {
        let at = self.waiting.iter().position(|waiting| waiting.id == id).ok_or(Fault::NothingPending)?;
        Ok(self.waiting.remove(at))
    }

    pub(super) fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let saved = Saved { own: self.own.to_bytes().into(), waiting: self.waiting.clone() };
        saved.tls_serialize_detached().expect("writing to memory, of bounded length")
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, Fault> {
        let Saved { own, waiting } = Saved::tls_deserialize(&mut bytes).map_err(|_| Fault::DamagedState)?;
        let own = OwnThread::from_bytes(own.as_slice()).map_err(|_: ChatError| Fault::DamagedState)?;
        if bytes.is_empty() { Ok(Self { own, waiting }) } else { Err(Fault::DamagedState) }
    }
}
