//! The group of a room: in the database, as long as the room is there.

use std::collections::BTreeSet;

use webcall_trust::mls::GroupId;
use webcall_trust::{Certificate, Refusal};

use super::check::{self, Counting, NewGroup, Sent};
use super::{Committed, Info, MAX_PAGE, MAX_PAGE_BYTES, Page, count_bytes, counting};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::e2ee::packages::LEAST_LIFE;
use crate::e2ee::{named, unwinding};
use crate::error::{E2eeError, Error};
use crate::id::{HistoryId, RoomId};
use crate::role::Role;
use crate::rooms;
use crate::store::{self, AddedCommit, AddedGroup, CommitLimits, Encryption, GroupPlace, GroupRow, RoomKind};

/// Groups whose welcomes wait for one device: as many as the rooms that a user may have asked for, so that none of those is pushed out. A
/// commit and its welcomes have some kilobytes in most rooms: 256 MiB are tens of thousands of them, and some hundred in one of 2,000 devices.
const LIMITS: CommitLimits = CommitLimits { welcomes: rooms::MAX_ROOMS_PER_USER, kept_bytes: 256 << 20 };

/// Whether a room is strict stands in its group, so that no newcomer depends on the server's word for it.
const OTHER_STRICTNESS: Error =
    Error::Invalid { code: "other_strictness", detail: "the group of a strict room says so in its context, and no other does" };

/// Makes the group of a room of the caller's.
pub(super) async fn create(app: &App, principal: &Principal, new: NewGroup, group_info: &[u8]) -> Result<(), Error> {
    let room = RoomId::from_bytes(new.id.uuid);
    let row = app.store.room_of(room, principal.user).await?.ok_or(Error::RoomNotFound)?;
    if row.encryption == Encryption::Open {
        return Err(E2eeError::RoomOpen.into());
    }
    if new.is_strict != row.strict {
        return Err(OTHER_STRICTNESS);
    }
    // Whoever makes it is inside, and lets others in; in a direct conversation all are alike.
    if row.strict && row.kind == RoomKind::Room && row.role != Role::Owner {
        return Err(Error::NotAllowed);
    }
    let (certificate, id, created_at) = (new.by.to_bytes(), new.id.to_bytes(), app.clock.now());
    let by = counting(&new.by, &certificate);
    let history = HistoryId::new(created_at);
    let group = store::NewGroup { id: &id, room, history, by, group_info, state: &new.state, created_at };
    let added = match app.store.add_group(&group).await? {
        AddedGroup::Exists => replace(app, principal, new.id, &group).await?,
        added => added,
    };
    match added {
        AddedGroup::Added => {
            app.bus.publish(Hint::Committed { group: new.id, room, epoch: 0 });
            Ok(())
        }
        AddedGroup::Exists => Err(E2eeError::GroupExists.into()),
        AddedGroup::NotCounting => Err(Refusal::NotVouched.into()),
    }
}

/// Puts a group in the place of one in which no leaf counts any more: all its members lost their devices or left, so that nobody can come
/// into it, and the room would be without for ever.
async fn replace(app: &App, principal: &Principal, id: GroupId, new: &store::NewGroup<'_>) -> Result<AddedGroup, Error> {
    let GroupRow { room_id, history_id, epoch, state, .. } = group(app, principal, id).await?;
    let leaves = app.checks.run(move || unwinding(|| check::leaves(&state, id))).await???;
    Ok(app.store.replace_group(new, GroupPlace { room_id, history_id, epoch }, &leaves).await?)
}

/// The certificates of all who are in the group of a room of the caller's; of nobody where there is none.
pub(super) async fn leaves(app: &App, principal: &Principal, room: RoomId) -> Result<BTreeSet<Vec<u8>>, Error> {
    let id = GroupId::room(*room.as_bytes());
    let Some(GroupRow { state, .. }) = app.store.group(&id.to_bytes(), principal.user).await? else { return Ok(BTreeSet::new()) };
    app.checks.run(move || unwinding(|| check::leaves(&state, id))).await??
}

/// What a member of the room needs to come into its group.
pub(super) async fn info(app: &App, principal: &Principal, id: GroupId) -> Result<Info, Error> {
    let GroupRow { epoch, group_info, state, .. } = group(app, principal, id).await?;
    let (tree, group_info) = app.checks.run(move || (unwinding(|| check::tree(&state, id, &group_info)), group_info)).await?;
    let tree = tree??;
    Ok(Info { epoch: epoch.unsigned_abs(), group_info, tree })
}

/// The commits of a room's group from an epoch on.
pub(super) async fn commits(app: &App, principal: &Principal, id: GroupId, from: u64) -> Result<Page, Error> {
    let row = place(app, principal, id).await?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let commits = app.store.commits(row.history_id, from, MAX_PAGE as i64, MAX_PAGE_BYTES).await?;
    Ok(Page { commits, epoch: row.epoch.unsigned_abs() })
}

/// Takes the group of a room to its next epoch.
pub(super) async fn commit(app: &App, principal: &Principal, id: GroupId, made_in: u64, sent: Sent) -> Result<Committed, Error> {
    let GroupRow { room_id: room, history_id: history, epoch, state, .. } = group(app, principal, id).await?;
    let made_in = i64::try_from(made_in).unwrap_or(i64::MAX);
    if made_in < epoch {
        return lost(app, history, made_in, &sent.commit).await;
    }
    count_bytes(app, principal, id, &sent)?;
    if made_in > epoch {
        return Err(super::EARLY);
    }
    let now = app.clock.now();
    let known = Counting::new(app.store.counting_certificates(room).await?).adding(now.plus(LEAST_LIFE));
    let user = named(principal.user);
    let (next, sent) = app.checks.run(move || (unwinding(|| check::commit(&state, id, &sent, user, known)), sent)).await?;
    let next = next??;
    let (by, added) = (next.change.by.to_bytes(), next.change.added.iter().map(Certificate::to_bytes).collect::<Vec<_>>());
    let added: Vec<_> = next.change.added.iter().zip(&added).map(|(of, bytes)| counting(of, bytes)).collect();
    let new = store::NewCommit {
        room,
        history,
        epoch,
        commit: &sent.commit,
        welcome: sent.welcome.as_deref(),
        group_info: &sent.group_info,
        state: &next.state,
        by: counting(&next.change.by, &by),
        added: &added,
        limits: LIMITS,
        at: now,
    };
    match app.store.add_commit(&new).await? {
        AddedCommit::Added => {
            app.bus.publish(Hint::Committed { group: id, room, epoch: epoch + 1 });
            if !added.is_empty() {
                let devices = added.iter().map(|device| (device.user, device.device)).collect();
                app.bus.publish(Hint::InboxFilled { devices });
            }
            Ok(Committed::Accepted { epoch: (epoch + 1).unsigned_abs() })
        }
        AddedCommit::OtherEpoch => lost(app, history, epoch, &sent.commit).await,
        AddedCommit::NotCounting => Err(Refusal::NotVouched.into()),
    }
}

/// Which commit won an epoch that is over.
async fn lost(app: &App, history: HistoryId, epoch: i64, commit: &[u8]) -> Result<Committed, Error> {
    let winner = app.store.commits(history, epoch, 1, MAX_PAGE_BYTES).await?.into_iter().find(|row| row.epoch == epoch);
    match winner {
        Some(winner) if winner.commit_bytes == commit => Ok(Committed::Accepted { epoch: epoch.unsigned_abs() + 1 }),
        Some(winner) => Ok(Committed::Lost { commit: winner.commit_bytes }),
        // Gone since, or no longer kept: whoever asks is far behind and comes in anew.
        None => Err(E2eeError::EpochForgotten.into()),
    }
}

/// A group, if the caller is a member of its room.
async fn group(app: &App, principal: &Principal, id: GroupId) -> Result<GroupRow, Error> {
    app.store.group(&id.to_bytes(), principal.user).await?.ok_or(E2eeError::GroupNotFound.into())
}

/// Where a group is, if the caller is a member of its room.
pub(in crate::e2ee) async fn place(app: &App, principal: &Principal, id: GroupId) -> Result<GroupPlace, Error> {
    app.store.group_place(&id.to_bytes(), principal.user).await?.ok_or(E2eeError::GroupNotFound.into())
}
