//! What one commit (RFC 9420 §12.4) may change, and who may change it.

use openmls::group::StagedCommit;
use openmls::messages::proposals::{Proposal, ProposalOrRefType};
use openmls::prelude::{LeafNode, Sender};

use super::leaf::{checked_package, leaf, leaf_known};
use super::{GroupId, MAX_ADDED, MAX_LEAVES, Roster, Session};
use crate::{Certificate, PublicKey, Refusal, UserId};

/// What only one side knows: the server its tables, a client the chains of records that it has seen and the identities that it has pinned.
pub trait Knowledge {
    /// Whether its user vouches for this device under the identity by which the user is known here: now, for the server, which takes commits as
    /// they are made. A client also reads a log that may be long past; for it a device counts that was published at some time.
    fn counts(&self, certificate: &Certificate) -> bool;
    /// Whether somebody belongs here who has no leaf: for the group of a call, the members of its room by identity. Nobody, for a room.
    fn belongs(&self, user: UserId, identity: PublicKey) -> bool;
    /// Whether somebody else may take this device out. The server: only if it no longer counts in the room or call. Clients: always, for
    /// the server could stop serving a device anyway.
    fn may_lose(&self, certificate: &Certificate) -> bool;
}

/// What a commit changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who made it.
    pub by: Certificate,
    /// Devices that members added.
    pub added: Vec<Certificate>,
    /// Leaves that are gone after it; for a device that comes anew, its old one.
    pub removed: Vec<(u32, Certificate)>,
    /// The device that came in by itself.
    pub joined: Option<Joined>,
}

/// A device that came in by an external commit (RFC 9420 §12.4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    pub certificate: Certificate,
    pub way: Way,
}

/// What let a device in. The first that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The same device, which had lost its state, in place of its old leaf.
    Resync,
    /// Another device of the same identity has a leaf.
    SameIdentity,
    /// [`Knowledge::belongs`].
    Belongs,
}

/// Whether `staged`, which openmls verified against the group whose roster is `before`, may be. `sender` as openmls gives it.
pub fn commit(staged: &StagedCommit, sender: &Sender, before: &Roster, knows: &impl Knowledge) -> Result<Change, Refusal> {
    let mut proposed = Proposed::read(staged)?;
    let mut sessions = std::mem::take(&mut proposed.sessions);
    unchanged_context(staged)?;
    let change = match sender {
        Sender::Member(index) => of_member(staged, index.u32(), proposed, before, knows)?,
        Sender::NewMemberCommit => {
            sessions.extend(staged.update_path_leaf_node().map(Session::of).transpose()?.flatten());
            from_outside(staged, &proposed, before, knows)?
        }
        Sender::External(_) | Sender::NewMemberProposal => return Err(Refusal::Proposal),
    };
    after(before, &change, &sessions)?;
    Ok(change)
}

/// What all the proposals of a commit ask for together.
struct Proposed {
    added: Vec<Certificate>,
    /// The stays in a call of those who are added.
    sessions: Vec<Session>,
    removed: Vec<u32>,
    outside: bool,
}

impl Proposed {
    fn read(staged: &StagedCommit) -> Result<Self, Refusal> {
        let mut read = Self { added: Vec::new(), sessions: Vec::new(), removed: Vec::new(), outside: false };
        for queued in staged.queued_proposals() {
            // By reference would depend on what else has arrived, and in which order.
            if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
                return Err(Refusal::Proposal);
            }
            read.take(queued.proposal())?;
        }
        Ok(read)
    }

    fn take(&mut self, proposal: &Proposal) -> Result<(), Refusal> {
        match proposal {
            Proposal::Add(add) if self.added.len() < MAX_ADDED => {
                self.added.push(checked_package(add.key_package())?);
                self.sessions.extend(Session::of(add.key_package().leaf_node())?);
            }
            Proposal::Add(_) => return Err(Refusal::TooManyMembers),
            Proposal::Remove(remove) => self.removed.push(remove.removed().u32()),
            Proposal::ExternalInit(_) => self.outside = true,
            // A pre-shared key that others lack would lock them out.
            // An Update is always of somebody else than the committer (RFC 9420 §12.2), so it could only come by reference.
            _ => return Err(Refusal::Proposal),
        }
        Ok(())
    }
}

/// No proposal that is let through changes it; this is the belt to those braces.
fn unchanged_context(staged: &StagedCommit) -> Result<GroupId, Refusal> {
    super::group(staged.group_context())
}

fn of_member(
    staged: &StagedCommit,
    index: u32,
    proposed: Proposed,
    before: &Roster,
    knows: &impl Knowledge,
) -> Result<Change, Refusal> {
    let by = *before.at(index).ok_or(Refusal::UnknownDevice)?;
    if !knows.counts(&by) {
        return Err(Refusal::NotVouched);
    }
    if proposed.outside {
        return Err(Refusal::Proposal);
    }
    if let Some(path) = staged.update_path_leaf_node() {
        same_device(path, &by)?;
        if Session::of(path)? != before.session(index) {
            return Err(Refusal::OtherParticipant);
        }
    }
    if !proposed.added.iter().all(|certificate| knows.counts(certificate)) {
        return Err(Refusal::NotVouched);
    }
    let mut removed = Vec::with_capacity(proposed.removed.len());
    for index in proposed.removed {
        let certificate = *before.at(index).ok_or(Refusal::UnknownDevice)?;
        if certificate.statement().user != by.statement().user && !knows.may_lose(&certificate) {
            return Err(Refusal::StillMember);
        }
        removed.push((index, certificate));
    }
    Ok(Change { by, added: proposed.added, removed, joined: None })
}

/// A new path has a new encryption key and nothing else that is new: neither the device nor its stay in a call.
fn same_device(path: &LeafNode, by: &Certificate) -> Result<(), Refusal> {
    let of = leaf_known(path, by)?;
    if of == *by { Ok(()) } else { Err(Refusal::Credential) }
}

fn from_outside(staged: &StagedCommit, proposed: &Proposed, before: &Roster, knows: &impl Knowledge) -> Result<Change, Refusal> {
    let by = leaf(staged.update_path_leaf_node().ok_or(Refusal::Malformed)?)?;
    if !knows.counts(&by) {
        return Err(Refusal::NotVouched);
    }
    if !proposed.outside || !proposed.added.is_empty() {
        return Err(Refusal::Proposal);
    }
    let old = replaced(&proposed.removed, &by, before)?;
    let way = way_in(&by, old.is_some(), before, knows)?;
    Ok(Change { by, added: Vec::new(), removed: old.into_iter().collect(), joined: Some(Joined { certificate: by, way }) })
}

/// Who comes from outside takes out nothing but the old leaf of the same device.
fn replaced(removed: &[u32], by: &Certificate, before: &Roster) -> Result<Option<(u32, Certificate)>, Refusal> {
    let index = match removed {
        [] => return Ok(None),
        [index] => *index,
        _ => return Err(Refusal::StillMember),
    };
    let old = before.at(index).ok_or(Refusal::UnknownDevice)?;
    if old == by { Ok(Some((index, *old))) } else { Err(Refusal::StillMember) }
}

fn way_in(by: &Certificate, resync: bool, before: &Roster, knows: &impl Knowledge) -> Result<Way, Refusal> {
    let of = by.statement();
    match before.identity_of(of.user) {
        Some(identity) if identity != of.identity => Err(Refusal::IdentityChanged),
        Some(_) if resync => Ok(Way::Resync),
        Some(_) => Ok(Way::SameIdentity),
        None if knows.belongs(of.user, of.identity) => Ok(Way::Belongs),
        None => Err(Refusal::Uninvited),
    }
}

/// `sessions`: of those who come in. A device that comes anew has a stay of its own again, with whatever participant the server gave it.
fn after(before: &Roster, change: &Change, sessions: &[Session]) -> Result<(), Refusal> {
    let stays = |index: u32| !change.removed.iter().any(|(removed, _)| *removed == index);
    let staying = before.iter().filter(|(index, _)| stays(*index)).map(|(_, certificate)| certificate);
    let all: Vec<&Certificate> =
        staying.chain(&change.added).chain(change.joined.as_ref().map(|joined| &joined.certificate)).collect();
    if all.len() > MAX_LEAVES {
        return Err(Refusal::TooManyMembers);
    }
    let staying: Vec<Session> = before.sessions().filter(|(index, _)| stays(*index)).map(|(_, session)| session).collect();
    super::roster::unique(staying.iter().chain(sessions))?;
    super::roster::consistent(all.into_iter())
}
