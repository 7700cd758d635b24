//! Groups of MLS (RFC 9420): the server orders their commits, one for each epoch, and passes on none that clients would refuse. It knows
//! who is in a group, as it knows who is in the room, and no key of it: it works on public groups only.

mod check;
mod state;

use webcall_trust::mls::{GroupId, GroupKind, MAX_HANDSHAKE_BYTES};
use webcall_trust::{Certificate, Refusal};

use self::check::{Counting, Sent};
use super::{decode, named, unwinding};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, RoomId, UserId};
use crate::rooms;
use crate::store::{self, AddedCommit, AddedGroup, CommitRow, Encryption, GroupRow};

/// A GroupInfo has some 400 bytes; with the tree of a thousand devices as many times more.
const MAX_GROUP_INFO_BYTES: usize = MAX_HANDSHAKE_BYTES;
/// The GroupInfo with its tree, or the tree, of a group of one.
const MAX_FIRST_BYTES: usize = 8 << 10;
/// The bytes of commits in one page, and how many.
const MAX_PAGE_BYTES: usize = 512 << 10;
const MAX_PAGE: i64 = 100;
/// Welcomes that wait for one device. A user is in 200 rooms at the most.
const MAX_WELCOMES: i64 = 200;

/// What a client sends to change a group, as base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRequest {
    /// In which it was made.
    pub epoch: u64,
    /// A commit.
    pub commit: String,
    /// For those whom it adds.
    pub welcome: Option<String>,
    /// Of the next epoch.
    pub group_info: String,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The group is in this epoch now.
    Accepted {
        /// The next one.
        epoch: u64,
    },
    /// Another commit won this epoch.
    Lost {
        /// The winner.
        commit: Vec<u8>,
    },
}

/// What somebody needs to come into a group by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// In which the group is.
    pub epoch: u64,
    /// Signed by who made the last commit.
    pub group_info: Vec<u8>,
    /// The ratchet tree, unless it is in the GroupInfo.
    pub tree: Option<Vec<u8>>,
}

/// Part of a group's commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In order.
    pub commits: Vec<CommitRow>,
    /// In which the group is.
    pub epoch: u64,
}

/// A group's identifier in a path; `group_not_found` for what is none.
pub fn group_id(text: &str) -> Result<GroupId, Error> {
    let bytes = decode(text, 17).map_err(|_| E2eeError::GroupNotFound)?;
    GroupId::from_bytes(&bytes).map_err(|_| E2eeError::GroupNotFound.into())
}

/// Makes the group of a room of the caller's, with the one device that made it.
pub async fn create_group(app: &App, principal: &Principal, group_info: &str, tree: Option<&str>) -> Result<GroupId, Error> {
    app.limits.e2ee.commit(principal.user)?;
    let group_info = decode(group_info, MAX_FIRST_BYTES)?;
    let tree = tree.map(|tree| decode(tree, MAX_FIRST_BYTES)).transpose()?;
    let (new, group_info) =
        app.checks.run(move || (unwinding(|| check::new_group(&group_info, tree.as_deref())), group_info)).await?;
    let new = new??;
    if new.id.kind != GroupKind::Room {
        return Err(Error::Invalid { code: "invalid_group", detail: "groups of rooms only" });
    }
    let room = RoomId::from_bytes(new.id.uuid);
    if rooms::membership(app, principal, room).await?.encryption == Encryption::Open {
        return Err(E2eeError::RoomOpen.into());
    }
    if new.by.statement().user != named(principal.user) {
        return Err(Refusal::OtherUser.into());
    }
    let (certificate, id, created_at) = (new.by.to_bytes(), new.id.to_bytes(), app.clock.now());
    let by = counting(&new.by, &certificate);
    let group = store::NewGroup { id: &id, room, by, group_info: &group_info, state: &new.state, created_at };
    match app.store.add_group(&group).await? {
        AddedGroup::Added => {
            app.bus.publish(Hint::Committed { group: new.id, room, epoch: 0 });
            Ok(new.id)
        }
        AddedGroup::Exists => Err(E2eeError::GroupExists.into()),
        AddedGroup::NotCounting => Err(Refusal::NotVouched.into()),
    }
}

/// What a member of the room needs to come into its group by an external commit.
pub async fn group_info(app: &App, principal: &Principal, id: GroupId) -> Result<Info, Error> {
    app.limits.e2ee.read(principal.user)?;
    let GroupRow { epoch, group_info, state, .. } = group(app, principal, id).await?;
    let (tree, group_info) = app.checks.run(move || (unwinding(|| check::tree(&state, id, &group_info)), group_info)).await?;
    let tree = tree??;
    Ok(Info { epoch: epoch.unsigned_abs(), group_info, tree })
}

/// The commits of a group from an epoch on. The first may be a later one, when older ones are no longer kept.
pub async fn commits(app: &App, principal: &Principal, id: GroupId, from: u64) -> Result<Page, Error> {
    app.limits.e2ee.read(principal.user)?;
    let row = group(app, principal, id).await?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let commits = app.store.commits(&id.to_bytes(), from, MAX_PAGE, MAX_PAGE_BYTES).await?;
    Ok(Page { commits, epoch: row.epoch.unsigned_abs() })
}

/// Takes a group to its next epoch, if this is the first valid commit of its epoch. Sent again, the same one is accepted again.
pub async fn commit(app: &App, principal: &Principal, id: GroupId, request: CommitRequest) -> Result<Committed, Error> {
    app.limits.e2ee.commit(principal.user)?;
    let sent = Sent {
        commit: decode(&request.commit, MAX_HANDSHAKE_BYTES)?,
        welcome: request.welcome.map(|welcome| decode(&welcome, MAX_HANDSHAKE_BYTES)).transpose()?,
        group_info: decode(&request.group_info, MAX_GROUP_INFO_BYTES)?,
    };
    let GroupRow { room_id: room, epoch, state, .. } = group(app, principal, id).await?;
    let made_in = i64::try_from(request.epoch).unwrap_or(i64::MAX);
    if made_in < epoch {
        return lost(app, id, made_in, &sent.commit).await;
    }
    if made_in > epoch {
        return Err(Error::Invalid { code: "invalid_epoch", detail: "the group is not in this epoch yet" });
    }
    let counting_certificates = Counting::new(app.store.counting_certificates(room).await?);
    let user = named(principal.user);
    let (next, sent) =
        app.checks.run(move || (unwinding(|| check::commit(&state, id, &sent, user, &counting_certificates)), sent)).await?;
    let next = next??;
    let (by, added) = (next.change.by.to_bytes(), next.change.added.iter().map(Certificate::to_bytes).collect::<Vec<_>>());
    let added: Vec<_> = next.change.added.iter().zip(&added).map(|(of, bytes)| counting(of, bytes)).collect();
    let new = store::NewCommit {
        group: &id.to_bytes(),
        room,
        epoch,
        commit: &sent.commit,
        welcome: sent.welcome.as_deref(),
        group_info: &sent.group_info,
        state: &next.state,
        by: counting(&next.change.by, &by),
        added: &added,
        max_welcomes: MAX_WELCOMES,
        at: app.clock.now(),
    };
    match app.store.add_commit(&new).await? {
        AddedCommit::Added => {
            app.bus.publish(Hint::Committed { group: id, room, epoch: epoch + 1 });
            for device in &added {
                app.bus.publish(Hint::InboxFilled { user: device.user, device: device.device });
            }
            Ok(Committed::Accepted { epoch: request.epoch + 1 })
        }
        AddedCommit::OtherEpoch => lost(app, id, epoch, &sent.commit).await,
        AddedCommit::NotCounting => Err(Refusal::NotVouched.into()),
    }
}

/// Which commit won an epoch that is over.
async fn lost(app: &App, id: GroupId, epoch: i64, commit: &[u8]) -> Result<Committed, Error> {
    let winner = app.store.commits(&id.to_bytes(), epoch, 1, MAX_PAGE_BYTES).await?.into_iter().find(|row| row.epoch == epoch);
    match winner {
        Some(winner) if winner.commit_bytes == commit => Ok(Committed::Accepted { epoch: epoch.unsigned_abs() + 1 }),
        Some(winner) => Ok(Committed::Lost { commit: winner.commit_bytes }),
        // Gone since, or no longer kept: whoever asks is far behind and comes in anew.
        None => Err(E2eeError::EpochForgotten.into()),
    }
}

/// A group, if the caller is a member of its room.
pub(super) async fn group(app: &App, principal: &Principal, id: GroupId) -> Result<GroupRow, Error> {
    app.store.group(&id.to_bytes(), principal.user).await?.ok_or(E2eeError::GroupNotFound.into())
}

fn counting<'a>(certificate: &Certificate, bytes: &'a [u8]) -> store::Counting<'a> {
    let of = certificate.statement();
    let (user, device) = (UserId::from_bytes(of.user.0), DeviceId::from_bytes(of.device.0));
    store::Counting { user, device, certificate: bytes }
}
