//! Groups of MLS (RFC 9420): the server orders their commits, one for each epoch, and passes on none that clients would refuse. It knows
//! who is in a group, as it knows who is in the room, and no key of it: it works on public groups only. Groups of rooms are in the database,
//! those of calls in memory beside the call.

mod check;
mod in_call;
mod of_call;
mod of_room;
mod state;

use webcall_trust::mls::{GroupId, GroupKind, MAX_HANDSHAKE_BYTES};
use webcall_trust::{Certificate, Refusal};

use self::check::Sent;
pub(super) use self::of_room::place;
use super::{decode, named, unwinding};
use crate::accounts::Principal;
use crate::app::App;
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, UserId};
use crate::store::{self, CommitRow};

/// A GroupInfo has some 400 bytes, and a welcome some 80 for each whom it is for; with the tree half a kilobyte more for each device. So a room
/// of 1,000 members with four devices each has its welcomes, though none can have more leaves than [`webcall_trust::mls::MAX_LEAVES`].
const MAX_WITH_TREE_BYTES: usize = 2 << 20;
/// The GroupInfo with its tree, or the tree, of a group of one.
const MAX_FIRST_BYTES: usize = 8 << 10;
/// The bytes of commits in one page, and how many.
const MAX_PAGE_BYTES: usize = 512 << 10;
const MAX_PAGE: usize = 100;

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

/// Not yet: the commit before it has not come.
const EARLY: Error = Error::Invalid { code: "invalid_epoch", detail: "the group is not in this epoch yet" };

/// Makes the group of a room of the caller's, or of a call that they are in, with the one device that made it.
pub async fn create_group(app: &App, principal: &Principal, group_info: &str, tree: Option<&str>) -> Result<GroupId, Error> {
    app.limits.e2ee.commit(principal.user)?;
    let group_info = decode(group_info, MAX_FIRST_BYTES)?;
    let tree = tree.map(|tree| decode(tree, MAX_FIRST_BYTES)).transpose()?;
    let (new, group_info) =
        app.checks.run(move || (unwinding(|| check::new_group(&group_info, tree.as_deref())), group_info)).await?;
    let (new, user) = (new??, named(principal.user));
    let (id, is_own) = (new.id, new.by.statement().user == user);
    match id.kind {
        GroupKind::Room if is_own => of_room::create(app, principal, new, &group_info).await?,
        GroupKind::Call if is_own => of_call::create(app, principal, new, group_info).await?,
        GroupKind::Room | GroupKind::Call => return Err(Refusal::OtherUser.into()),
    }
    Ok(id)
}

/// What a member of the room, or who is in the call, needs to come into its group by an external commit.
pub async fn group_info(app: &App, principal: &Principal, id: GroupId) -> Result<Info, Error> {
    app.limits.e2ee.read(principal.user)?;
    match id.kind {
        GroupKind::Room => of_room::info(app, principal, id).await,
        GroupKind::Call => of_call::info(app, principal, id),
    }
}

/// The commits of a group from an epoch on. The first may be a later one, when older ones are no longer kept.
pub async fn commits(app: &App, principal: &Principal, id: GroupId, from: u64) -> Result<Page, Error> {
    app.limits.e2ee.read(principal.user)?;
    match id.kind {
        GroupKind::Room => of_room::commits(app, principal, id, from).await,
        GroupKind::Call => of_call::commits(app, principal, id, from),
    }
}

/// Takes a group to its next epoch, if this is the first valid commit of its epoch. Sent again, the same one is accepted again.
pub async fn commit(app: &App, principal: &Principal, id: GroupId, request: CommitRequest) -> Result<Committed, Error> {
    app.limits.e2ee.commit(principal.user)?;
    let sent = Sent {
        commit: decode(&request.commit, MAX_HANDSHAKE_BYTES)?,
        welcome: request.welcome.map(|welcome| decode(&welcome, MAX_WITH_TREE_BYTES)).transpose()?,
        group_info: decode(&request.group_info, MAX_WITH_TREE_BYTES)?,
    };
    match id.kind {
        GroupKind::Room => of_room::commit(app, principal, id, request.epoch, sent).await,
        GroupKind::Call => of_call::commit(app, principal, id, request.epoch, sent).await,
    }
}

/// Counts what somebody sends who may: whoever may not does not fill the limiter with groups that they made up.
fn count_bytes(app: &App, principal: &Principal, id: GroupId, sent: &Sent) -> Result<(), Error> {
    let size_bytes = sent.commit.len() + sent.welcome.as_ref().map_or(0, Vec::len) + sent.group_info.len();
    app.limits.e2ee.commit_bytes(id, principal.user, size_bytes)
}

fn counting<'a>(certificate: &Certificate, bytes: &'a [u8]) -> store::Counting<'a> {
    let of = certificate.statement();
    let (user, device) = (UserId::from_bytes(of.user.0), DeviceId::from_bytes(of.device.0));
    store::Counting { user, device, certificate: bytes }
}
