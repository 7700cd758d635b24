//! Users with devices, and a delivery service that does what the server does: it checks with what it can see, orders commits, one an epoch,
//! and hands out welcomes and the newest description of the group.

#![allow(dead_code, reason = "each file of tests uses a part")]

pub(crate) mod raw;

use std::collections::{BTreeMap, BTreeSet};

use openmls::group::PublicGroup;
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{ProcessedMessageContent, ProposalStore};
use openmls_rust_crypto::{MemoryStorage, RustCrypto};
use webcall_crypto::{Changes, Device, Directory, ExternalJoin, Group, Identity, NewDevice, Outgoing, Processed};
use webcall_trust::mls::{self, GroupId, Knowledge, Roster};
use webcall_trust::{Certificate, PublicKey, Record, Refusal, UserId, UserKeys};

pub(crate) const NOW_MS: u64 = 1_800_000_000_000;
pub(crate) const ROOM: [u8; 16] = [7; 16];

pub(crate) fn room() -> GroupId {
    GroupId::room(ROOM)
}

pub(crate) fn call() -> GroupId {
    GroupId::call([8; 16])
}

/// A user with all that they published.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) identity: Identity,
    pub(crate) records: Vec<Vec<u8>>,
}

impl User {
    pub(crate) fn new(number: u8) -> (Self, Device) {
        let id = UserId([number; 16]);
        let (identity, device, records) = Device::first(id, NOW_MS).expect("its own request");
        (Self { id, identity, records: records.iter().map(Record::to_bytes).collect() }, device)
    }

    pub(crate) fn keys(&self) -> UserKeys {
        UserKeys::replay(self.id, self.records.iter().map(Vec::as_slice)).expect("what was published fits")
    }

    pub(crate) fn publish(&mut self, record: Record) {
        self.records.push(record.to_bytes());
    }

    pub(crate) fn further_device(&mut self) -> Device {
        let new = asks(self.id);
        let record = self.identity.vouch(self.id, new.request(), self.keys().head(), NOW_MS).expect("an own request");
        self.publish(record);
        new.certified(record).expect("the certificate for it")
    }

    pub(crate) fn revoke(&mut self, device: &Device) {
        let record = self.identity.revoke(self.id, device.id(), self.keys().head(), NOW_MS);
        self.publish(record);
    }
}

/// A device that asks to be vouched for.
pub(crate) fn asks(user: UserId) -> NewDevice {
    NewDevice::generate(user).expect("a key of its own")
}

pub(crate) fn users(count: u8) -> (Vec<User>, Vec<Device>) {
    (1..=count).map(User::new).unzip()
}

pub(crate) fn directory<'a>(users: impl IntoIterator<Item = &'a User>) -> Directory {
    let mut directory = Directory::default();
    for user in users {
        directory.learn(user.id, &user.records).expect("what was published fits");
    }
    directory
}

/// What the server knows.
#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) counting: BTreeMap<UserId, UserKeys>,
    pub(crate) in_room: BTreeSet<(UserId, PublicKey)>,
    pub(crate) put_out: BTreeSet<UserId>,
}

impl Tables {
    pub(crate) fn of<'a>(users: impl IntoIterator<Item = &'a User>) -> Self {
        Self { counting: users.into_iter().map(|user| (user.id, user.keys())).collect(), ..Self::default() }
    }
}

impl Tables {
    /// All users that there are, by identity.
    pub(crate) fn everybody(&self) -> BTreeSet<(UserId, PublicKey)> {
        self.counting.iter().map(|(user, keys)| (*user, keys.identity())).collect()
    }
}

impl Knowledge for Tables {
    fn counts(&self, certificate: &Certificate) -> bool {
        let user = certificate.statement().user;
        !self.put_out.contains(&user) && self.counting.get(&user).is_some_and(|keys| keys.vouches_for(certificate))
    }
    fn belongs(&self, user: UserId, identity: PublicKey) -> bool {
        self.in_room.contains(&(user, identity))
    }
    fn may_lose(&self, certificate: &Certificate) -> bool {
        !self.counts(certificate)
    }
}

pub(crate) enum Answer {
    Taken,
    /// Another commit stands in the log for that epoch.
    Late(Vec<u8>),
}

pub(crate) struct Server {
    pub(crate) group: PublicGroup,
    storage: MemoryStorage,
    roster: Roster,
    pub(crate) group_info: Vec<u8>,
    pub(crate) log: Vec<Vec<u8>>,
    /// The epoch of the first commit in the log.
    first: u64,
}

impl Server {
    pub(crate) fn create(new: &Outgoing) -> Self {
        Self::from_info(new.group_info.as_slice())
    }

    /// A server that starts to follow at any epoch.
    pub(crate) fn from_info(group_info: &[u8]) -> Self {
        let (_, info) = mls::group_info(group_info).expect("a group info");
        let tree = info.extensions().ratchet_tree().expect("a tree").ratchet_tree().clone();
        let storage = MemoryStorage::default();
        let (group, _) = PublicGroup::from_external(&RustCrypto::default(), &storage, tree, info, ProposalStore::new())
            .expect("a sound group");
        let roster = Roster::of(&group).expect("sound leaves");
        let first = group.group_context().epoch().as_u64();
        Self { group, storage, roster, group_info: group_info.to_vec(), log: Vec::new(), first }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.group.group_context().epoch().as_u64()
    }

    pub(crate) fn post(&mut self, sent: &Outgoing, tables: &Tables) -> Result<Answer, Refusal> {
        let commit = sent.commit.as_ref().expect("a commit").as_slice();
        if let Some(winner) =
            sent.epoch.checked_sub(self.first).and_then(|index| self.log.get(usize::try_from(index).expect("small")))
        {
            return Ok(Answer::Late(winner.clone()));
        }
        self.take(commit, tables)?;
        self.group_info = sent.group_info.as_slice().to_vec();
        Ok(Answer::Taken)
    }

    pub(crate) fn take(&mut self, commit: &[u8], tables: &Tables) -> Result<mls::Change, Refusal> {
        let (_, message) = mls::handshake(commit)?;
        let processed = self.group.process_message(&RustCrypto::default(), message).map_err(|_| Refusal::Malformed)?;
        let sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(Refusal::Proposal);
        };
        let change = mls::commit(&staged, &sender, &self.roster, tables)?;
        self.group.merge_commit(&self.storage, *staged).expect("memory");
        self.roster = self.roster.next(&self.group).expect("what the rules let through");
        self.log.push(commit.to_vec());
        Ok(change)
    }

    pub(crate) fn since(&self, epoch: u64) -> &[Vec<u8>] {
        let from = usize::try_from(epoch.saturating_sub(self.first)).expect("small");
        self.log.get(from..).unwrap_or_default()
    }

    pub(crate) fn tree(&self) -> Vec<u8> {
        self.group.export_ratchet_tree().tls_serialize_detached().expect("memory")
    }
}

/// A room of these devices, all added by the first one in one commit.
pub(crate) struct Party {
    pub(crate) server: Server,
    pub(crate) tables: Tables,
    pub(crate) directory: Directory,
    pub(crate) groups: Vec<Group>,
}

pub(crate) fn party(id: GroupId, users: &[User], devices: &mut [Device]) -> Party {
    let (directory, tables) = (directory(users), Tables::of(users));
    let (first, others) = devices.split_first_mut().expect("somebody");
    let mut founder = Group::create(first, id).expect("a group");
    let mut server = Server::create(founder.outgoing().expect("to be told"));
    founder.accepted().expect("the server has it");
    let mut groups = vec![founder];
    if !others.is_empty() {
        let packages: Vec<_> = others.iter_mut().map(|device| device.make_key_packages(1).expect("room").remove(0)).collect();
        let welcome = commit(&mut groups[0], first, &mut server, &tables, &directory, Changes { add: &packages, remove: &[] });
        let welcome = welcome.expect("a welcome");
        groups.extend(others.iter_mut().map(|device| join(device, &welcome, &directory)));
    }
    Party { server, tables, directory, groups }
}

pub(crate) fn join(device: &mut Device, welcome: &[u8], directory: &Directory) -> Group {
    let joined = Group::join(device, welcome, directory).expect("a welcome for it");
    device.used(joined.package);
    joined.group
}

/// Changes, sends, and takes the answer, which must be yes; the welcome if there is one.
pub(crate) fn commit(
    group: &mut Group,
    device: &Device,
    server: &mut Server,
    tables: &Tables,
    directory: &Directory,
    changes: Changes<'_>,
) -> Option<Vec<u8>> {
    group.change(device, changes, &directory.in_call(&tables.everybody())).expect("a sound change");
    let sent = group.outgoing().expect("to be sent").clone();
    assert!(matches!(server.post(&sent, tables), Ok(Answer::Taken)), "the server takes it");
    group.accepted().expect("it was sent");
    sent.welcome.map(|welcome| welcome.as_slice().to_vec())
}

pub(crate) fn external<'a>(server: &'a Server, tree: &'a [u8], id: GroupId) -> ExternalJoin<'a> {
    ExternalJoin { group: id, group_info: &server.group_info, tree: Some(tree), session: None, at_least_epoch: 0 }
}

impl Party {
    /// All process what they have missed.
    pub(crate) fn catch_up(&mut self) {
        for group in &mut self.groups {
            catch_up(group, &self.server, &self.directory);
        }
    }

    /// All of the party's own groups, at the server's epoch.
    pub(crate) fn assert_agreed(&self) {
        let first = self.groups[0].epoch_authenticator().expect("a member");
        for group in &self.groups {
            assert_eq!(group.epoch_authenticator().expect("a member"), first);
            assert_eq!(group.epoch(), self.server.epoch());
            assert_eq!(group.roster(), self.groups[0].roster());
        }
    }
}

pub(crate) fn catch_up(group: &mut Group, server: &Server, directory: &Directory) {
    for commit in server.since(group.next_in_log()).to_vec() {
        match group.follow(&commit, directory).expect("what the server took") {
            Processed::Removed(_) => return,
            Processed::Ours | Processed::Changed(_) => {}
        }
    }
}
