//! Whom this device knows: each user's chain of records, and the identity that its person accepted. The first one seen is accepted (a
//! safety number tells later whether that was right); another one afterwards is not, until the person says so. Whom the person compared it
//! with is *verified*, and no longer once another identity is published.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tls_codec::{Deserialize as _, TlsDeserialize, TlsSerialize, TlsSize, VLBytes};
use webcall_trust::{Certificate, DeviceId, PublicKey, Record, Refusal, UserId, UserKeys};

use crate::Fault;
use crate::group::Contacts;
use crate::state::{self, StateKey, StateName};

/// Users whose chains are kept at once: all of the largest room, and some.
pub const MAX_USERS: usize = 8_192;

/// A copy costs little: what is known of a user is shared until one of them learns more.
#[derive(Clone, Default)]
pub struct Directory {
    users: BTreeMap<UserId, Rc<Known>>,
    counter: u64,
}

/// Of one user: some hundred devices in the place of others. A server takes about half as many.
pub const MAX_RECORDS: usize = 1_024;

#[derive(Clone)]
struct Known {
    keys: UserKeys,
    /// Identities, in the order in which they were accepted; the last one holds.
    accepted: Vec<PublicKey>,
    records: Vec<Vec<u8>>,
    /// Every device that the records ever vouched for.
    ever: Vec<Certificate>,
    compared: Option<Compared>,
}

/// What the person compared, and under which name they knew whom they compared it with.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
struct Compared {
    identity: PublicKey,
    name: VLBytes,
}

/// Of the name under which somebody was verified: usernames have 32 characters.
pub const MAX_NAME_BYTES: usize = 128;

/// Whether the person compared keys with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified<'a> {
    No,
    /// Under this name.
    As(&'a str),
    /// Under this name, and another identity was published since.
    Lost(&'a str),
}

impl Known {
    fn new(keys: UserKeys, accepted: Vec<PublicKey>, records: Vec<Vec<u8>>, compared: Option<Compared>) -> Self {
        let vouched = |record: &Vec<u8>| match Record::tls_deserialize(&mut record.as_slice()) {
            Ok(Record::Device(certificate)) => Some(certificate),
            _ => None,
        };
        let ever = records.iter().filter_map(vouched).collect();
        Self { keys, accepted, records, ever, compared }
    }
}

/// As it is kept: the records again, from which the keys follow.
#[derive(Debug, TlsSize, TlsSerialize, TlsDeserialize)]
struct SavedUser {
    user: UserId,
    accepted: Vec<PublicKey>,
    records: Vec<VLBytes>,
}

#[derive(TlsSize, TlsSerialize)]
struct Saved {
    users: Vec<SavedUser>,
    compared: Vec<SavedCompared>,
}

#[derive(Debug, TlsSize, TlsSerialize, TlsDeserialize)]
struct SavedCompared {
    user: UserId,
    compared: Compared,
}

impl tls_codec::Deserialize for Saved {
    /// Before people could be verified, nothing stood after the users.
    fn tls_deserialize<R: std::io::Read>(bytes: &mut R) -> Result<Self, tls_codec::Error> {
        let users = Vec::tls_deserialize(bytes)?;
        match Vec::tls_deserialize(bytes) {
            Ok(compared) => Ok(Self { users, compared }),
            Err(tls_codec::Error::EndOfStream) => Ok(Self { users, compared: Vec::new() }),
            Err(error) => Err(error),
        }
    }
}

/// What a user's records have brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    Known,
    /// The identity is another than the one accepted: nothing of this user counts before [`Directory::accept`].
    IdentityChanged(PublicKey),
}

impl Directory {
    /// All records of a user, from the first on. They must go on from those seen before: a chain that was cut or rewritten is
    /// [`Refusal::OutOfOrder`]. No more than [`MAX_RECORDS`].
    pub fn learn(&mut self, user: UserId, records: &[Vec<u8>]) -> Result<Learned, Fault> {
        if records.len() > MAX_RECORDS {
            return Err(Fault::Full);
        }
        let keys = UserKeys::replay(user, records.iter().map(Vec::as_slice))?;
        if self.users.len() >= MAX_USERS && !self.users.contains_key(&user) {
            return Err(Fault::Full);
        }
        let (accepted, compared) = match self.users.get(&user) {
            Some(known) if !records.starts_with(&known.records) => return Err(Refusal::OutOfOrder.into()),
            Some(known) => (known.accepted.clone(), known.compared.clone()),
            // All that they had before are history that is in the log, too: what was written and done under them can be followed.
            None => (identities(records), None),
        };
        let identity = keys.identity();
        let unchanged = accepted.last() == Some(&identity);
        self.users.insert(user, Rc::new(Known::new(keys, accepted, records.to_vec(), compared)));
        Ok(if unchanged { Learned::Known } else { Learned::IdentityChanged(identity) })
    }

    /// The person says that this identity is the user's. Of one that was compared before, nothing is left then.
    pub fn accept(&mut self, user: UserId, identity: PublicKey) -> Result<(), Fault> {
        let known = Rc::make_mut(self.users.get_mut(&user).ok_or(Refusal::OtherUser)?);
        if known.keys.identity() != identity {
            return Err(Refusal::IdentityChanged.into());
        }
        if known.accepted.last() != Some(&identity) {
            known.accepted.push(identity);
        }
        known.compared.take_if(|compared| compared.identity != identity);
        Ok(())
    }

    /// The person has compared this identity with the user, whom they know by this name, of [`MAX_NAME_BYTES`] at most: it is accepted, and
    /// the user verified.
    pub fn verify(&mut self, user: UserId, identity: PublicKey, name: &str) -> Result<(), Fault> {
        if name.len() > MAX_NAME_BYTES {
            return Err(Fault::BadRequest);
        }
        self.accept(user, identity)?;
        let known = Rc::make_mut(self.users.get_mut(&user).ok_or(Refusal::OtherUser)?);
        known.compared = Some(Compared { identity, name: name.as_bytes().into() });
        Ok(())
    }

    pub fn verified(&self, user: UserId) -> Verified<'_> {
        let known = self.users.get(&user);
        let Some((known, compared)) = known.and_then(|known| Some((known, known.compared.as_ref()?))) else {
            return Verified::No;
        };
        let name = std::str::from_utf8(compared.name.as_slice()).unwrap_or_default();
        if compared.identity == known.keys.identity() { Verified::As(name) } else { Verified::Lost(name) }
    }

    /// All of it, sealed: to be kept whenever something was learned or accepted, or the server could show another identity after a reload.
    pub fn save(&mut self, key: &StateKey, device: DeviceId) -> Result<Vec<u8>, Fault> {
        let users = self.users.iter().map(|(user, known)| SavedUser {
            user: *user,
            accepted: known.accepted.clone(),
            records: known.records.iter().map(|record| record.as_slice().into()).collect(),
        });
        let compared =
            |(user, known): (&UserId, &Rc<Known>)| Some(SavedCompared { user: *user, compared: known.compared.clone()? });
        let saved = Saved { users: users.collect(), compared: self.users.iter().filter_map(compared).collect() };
        let next = state::next(self.counter)?;
        let sealed = state::seal(key, StateName::Directory(device), next, &saved)?;
        self.counter = next;
        Ok(sealed)
    }

    #[cfg(test)]
    pub(crate) fn wear_out(&mut self) {
        self.counter = u64::MAX;
    }

    /// `at_least`: the highest [`state::counter`] that was seen of it.
    pub fn load(key: &StateKey, device: DeviceId, sealed: &[u8], at_least: u64) -> Result<Self, Fault> {
        let (counter, saved) = state::open::<Saved>(key, StateName::Directory(device), sealed, at_least)?;
        let mut directory = Self { users: BTreeMap::new(), counter };
        let mut compared: BTreeMap<UserId, Compared> =
            saved.compared.into_iter().map(|each| (each.user, each.compared)).collect();
        for SavedUser { user, accepted, records } in saved.users {
            let records: Vec<Vec<u8>> = records.into_iter().map(Vec::from).collect();
            let keys = UserKeys::replay(user, records.iter().map(Vec::as_slice)).map_err(|_| Fault::DamagedState)?;
            directory.users.insert(user, Rc::new(Known::new(keys, accepted, records, compared.remove(&user))));
        }
        Ok(directory)
    }

    /// The identity that the person accepted last, whatever was published since.
    pub fn accepted(&self, user: UserId) -> Option<PublicKey> {
        self.users.get(&user)?.accepted.last().copied()
    }

    /// All that the user published, as far as it is known here.
    pub fn records(&self, user: UserId) -> &[Vec<u8>] {
        self.users.get(&user).map_or(&[], |known| &known.records)
    }

    pub fn keys(&self, user: UserId) -> Option<&UserKeys> {
        self.users.get(&user).map(|known| &known.keys)
    }

    /// Devices of this name for which their user vouched at any time, under an identity that was accepted: one a user at most
    /// ([`Refusal::DeviceReused`]).
    pub fn ever(&self, device: DeviceId) -> impl Iterator<Item = &Certificate> {
        self.users.values().flat_map(move |known| {
            let is_it =
                move |of: &&Certificate| of.statement().device == device && known.accepted.contains(&of.statement().identity);
            known.ever.iter().filter(is_it)
        })
    }

    /// For the group of a call: who is in its room's group belongs there.
    pub fn in_call<'a>(&'a self, room: &'a BTreeSet<(UserId, PublicKey)>) -> InCall<'a> {
        InCall { directory: self, room }
    }
}

impl Contacts for Directory {
    fn counts(&self, certificate: &Certificate) -> bool {
        let of = certificate.statement();
        self.users
            .get(&of.user)
            .is_some_and(|known| known.accepted.last() == Some(&of.identity) && known.keys.vouches_for(certificate))
    }

    fn published(&self, certificate: &Certificate) -> bool {
        let of = certificate.statement();
        let record = Record::Device(*certificate).to_bytes();
        self.users.get(&of.user).is_some_and(|known| known.accepted.contains(&of.identity) && known.records.contains(&record))
    }

    fn belongs(&self, _: UserId, _: PublicKey) -> bool {
        false
    }
}

/// Those that were claimed, in order: the last is the newest.
fn identities(records: &[Vec<u8>]) -> Vec<PublicKey> {
    let claimed = |record: &Vec<u8>| match Record::tls_deserialize(&mut record.as_slice()) {
        Ok(Record::Claim(claim)) => Some(claim.statement().identity),
        _ => None,
    };
    records.iter().filter_map(claimed).collect()
}

/// The directory, and who is in the room of a call.
pub struct InCall<'a> {
    directory: &'a Directory,
    room: &'a BTreeSet<(UserId, PublicKey)>,
}

impl Contacts for InCall<'_> {
    fn counts(&self, certificate: &Certificate) -> bool {
        self.directory.counts(certificate)
    }

    fn published(&self, certificate: &Certificate) -> bool {
        self.directory.published(certificate)
    }

    fn belongs(&self, user: UserId, identity: PublicKey) -> bool {
        self.room.contains(&(user, identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_before_people_could_be_verified_is_read() {
        #[derive(TlsSize, TlsSerialize)]
        struct Before {
            users: Vec<SavedUser>,
        }
        let user = || SavedUser { user: UserId([7; 16]), accepted: vec![PublicKey([8; 32])], records: vec![vec![9].into()] };
        let key = StateKey::new([1; 32]);
        let name = StateName::Directory(DeviceId([2; 16]));
        let sealed = state::seal(&key, name, 1, &Before { users: vec![user()] }).unwrap();
        let (_, read) = state::open::<Saved>(&key, name, &sealed, 1).unwrap();
        assert_eq!((read.users.len(), read.users[0].user, read.compared.len()), (1, UserId([7; 16]), 0));
    }
}
