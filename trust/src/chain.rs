//! All that a user published, in order: claims of identities, devices, revocations. The server appends to it and everybody replays it with
//! the same function, so that both have the same picture or one of them refuses.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize};

use crate::{Certificate, DeviceId, Hash, IdentityClaim, PublicKey, Refusal, Revocation, Signed, UserId};

/// Devices of a user at once. Each is a leaf in every group of the user's: more would make everybody's commits larger.
pub const MAX_DEVICES: usize = 16;
/// The longest record in bytes: kind, statement, signature.
pub const MAX_RECORD_BYTES: usize = 256;

/// One thing that a user published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
#[repr(u8)]
pub enum Record {
    /// The first of all; a later one replaces the identity, and with it all devices.
    #[tls_codec(discriminant = 1)]
    Claim(Signed<IdentityClaim>),
    #[tls_codec(discriminant = 2)]
    Device(Certificate),
    #[tls_codec(discriminant = 3)]
    Revocation(Signed<Revocation>),
}

impl Record {
    /// Reads all of `bytes` and checks its signature. Whether it fits what came before, [`UserKeys::apply`] says.
    pub fn checked(mut bytes: &[u8]) -> Result<Self, Refusal> {
        let record = Self::tls_deserialize(&mut bytes).map_err(|_| Refusal::Malformed)?;
        if !bytes.is_empty() {
            return Err(Refusal::Malformed);
        }
        match &record {
            Self::Claim(claim) => claim.check()?,
            Self::Device(certificate) => certificate.check()?,
            Self::Revocation(revocation) => revocation.check()?,
        }
        Ok(record)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.tls_serialize_detached().expect("writing to memory, of a fixed size")
    }

    /// What the next record must name as the one before it.
    pub fn hash(&self) -> Hash {
        let mut sha = Sha256::new_with_prefix("WebCall 1 record\0");
        sha.update(self.to_bytes());
        sha.finalize().into()
    }

    /// [`Record::hash`] of what the user published before it.
    pub fn previous(&self) -> Hash {
        match self {
            Self::Claim(claim) => claim.statement().previous,
            Self::Device(certificate) => certificate.statement().previous,
            Self::Revocation(revocation) => revocation.statement().previous,
        }
    }

    pub fn user(&self) -> UserId {
        match self {
            Self::Claim(claim) => claim.statement().user,
            Self::Device(certificate) => certificate.statement().user,
            Self::Revocation(revocation) => revocation.statement().user,
        }
    }
}

/// What holds of a user's keys after the records so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKeys {
    user: UserId,
    identity: PublicKey,
    head: Hash,
    devices: BTreeMap<DeviceId, Certificate>,
    /// Of every device and identity that ever was. A name or key that comes back would make old signatures count again.
    used_names: BTreeSet<DeviceId>,
    used_keys: BTreeSet<PublicKey>,
}

impl UserKeys {
    /// From the first record, which must be a claim.
    pub fn begin(user: UserId, record: &Record) -> Result<Self, Refusal> {
        let Record::Claim(claim) = record else { return Err(Refusal::OutOfOrder) };
        if claim.statement().user != user {
            return Err(Refusal::OtherUser);
        }
        if claim.statement().previous != [0; 32] {
            return Err(Refusal::OutOfOrder);
        }
        let identity = claim.statement().identity;
        Ok(Self {
            user,
            identity,
            head: record.hash(),
            devices: BTreeMap::new(),
            used_names: BTreeSet::new(),
            used_keys: BTreeSet::from([identity]),
        })
    }

    /// All of a user's records, each as [`Record::checked`] reads it; none at all is [`Refusal::OutOfOrder`].
    pub fn replay<'a>(user: UserId, records: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Refusal> {
        let mut records = records.into_iter().map(Record::checked);
        let mut keys = Self::begin(user, &records.next().ok_or(Refusal::OutOfOrder)??)?;
        for record in records {
            keys.apply(&record?)?;
        }
        Ok(keys)
    }

    /// Takes the next record, or refuses it and changes nothing.
    pub fn apply(&mut self, record: &Record) -> Result<(), Refusal> {
        if record.user() != self.user {
            return Err(Refusal::OtherUser);
        }
        if record.previous() != self.head {
            return Err(Refusal::OutOfOrder);
        }
        match record {
            Record::Claim(claim) => self.replace(claim.statement().identity)?,
            Record::Device(certificate) => self.add(certificate)?,
            Record::Revocation(revocation) => self.revoke(revocation.statement())?,
        }
        self.head = record.hash();
        Ok(())
    }

    fn replace(&mut self, identity: PublicKey) -> Result<(), Refusal> {
        if !self.used_keys.insert(identity) {
            return Err(Refusal::OutOfOrder);
        }
        self.identity = identity;
        self.devices.clear();
        Ok(())
    }

    fn add(&mut self, certificate: &Certificate) -> Result<(), Refusal> {
        let of = certificate.statement();
        if of.identity != self.identity {
            return Err(Refusal::OutOfOrder);
        }
        if self.devices.len() >= MAX_DEVICES {
            return Err(Refusal::TooManyDevices);
        }
        if self.used_names.contains(&of.device) || self.used_keys.contains(&of.device_key) {
            return Err(Refusal::DeviceReused);
        }
        self.used_names.insert(of.device);
        self.used_keys.insert(of.device_key);
        self.devices.insert(of.device, *certificate);
        Ok(())
    }

    fn revoke(&mut self, revocation: &Revocation) -> Result<(), Refusal> {
        if revocation.identity != self.identity {
            return Err(Refusal::OutOfOrder);
        }
        self.devices.remove(&revocation.device).map(drop).ok_or(Refusal::UnknownDevice)
    }

    pub fn user(&self) -> UserId {
        self.user
    }

    /// Of the newest record: what the next one must name.
    pub fn head(&self) -> Hash {
        self.head
    }

    pub fn identity(&self) -> PublicKey {
        self.identity
    }

    /// Those that count, by name.
    pub fn devices(&self) -> impl Iterator<Item = &Certificate> {
        self.devices.values()
    }

    pub fn device(&self, device: DeviceId) -> Option<&Certificate> {
        self.devices.get(&device)
    }

    /// Whether this very certificate counts now.
    pub fn vouches_for(&self, certificate: &Certificate) -> bool {
        self.device(certificate.statement().device) == Some(certificate)
    }
}
