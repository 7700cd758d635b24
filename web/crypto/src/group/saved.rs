//! A group as sealed bytes, and back: all that openmls keeps of it, and what waits for an answer.

use openmls::group::MlsGroup;
use openmls_traits::OpenMlsProvider;
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};
use webcall_trust::mls::GroupId;

use super::{Group, Outgoing, Standing};
use crate::provider::{Entry, Provider};
use crate::state::{self, StateKey, StateName};
use crate::{Device, Fault};

#[derive(TlsSize, TlsSerialize, TlsDeserialize)]
struct Saved {
    standing: Standing,
    outgoing: Option<Outgoing>,
    /// Empty: room for what an earlier version could have had here.
    unused: Vec<[u8; 32]>,
    entries: Vec<Entry>,
}

impl Group {
    /// To be kept after every change, before anything of it is sent. A group that this device has left needs no keeping: [`Fault::NotMember`].
    pub fn save(&mut self, key: &StateKey) -> Result<Vec<u8>, Fault> {
        if self.standing == Standing::Removed {
            return Err(Fault::NotMember);
        }
        let saved = Saved {
            standing: self.standing,
            outgoing: self.outgoing.clone(),
            unused: Vec::new(),
            entries: self.provider.entries(),
        };
        let next = state::next(self.counter)?;
        let sealed = state::seal(key, StateName::Group(self.device, self.id), next, &saved)?;
        self.counter = next;
        Ok(sealed)
    }

    /// `at_least`: the highest [`state::counter`] that was seen of this group.
    pub fn load(key: &StateKey, device: &Device, id: GroupId, sealed: &[u8], at_least: u64) -> Result<Self, Fault> {
        let (counter, saved) = state::open::<Saved>(key, StateName::Group(device.id(), id), sealed, at_least)?;
        let provider = Provider::of(saved.entries);
        let mls = MlsGroup::load(provider.storage(), &id.to_mls()).ok().flatten().ok_or(Fault::DamagedState)?;
        let mut group = Self::of(device, mls, provider, saved.standing, saved.outgoing)?;
        group.counter = counter;
        Ok(group)
    }
}
