//! The group of a call: begun, entered and changed by who is in the call, and gone with it. See `calls::group` for where it is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use webcall_media::ParticipantId;
use webcall_trust::Refusal;
use webcall_trust::mls::GroupId;

use super::check::{self, NewGroup, Sent};
use super::in_call::{INVALID_PARTICIPANT, InCall};
use super::{Committed, Info, MAX_PAGE, MAX_PAGE_BYTES, Page, count_bytes, counting, of_room};
use crate::accounts::Principal;
use crate::app::App;
use crate::calls::{CallSeen, GroupNow, GroupRefusal};
use crate::e2ee::{named, unwinding};
use crate::error::{E2eeError, Error};
use crate::id::CallId;
use crate::store::{CommitRow, Encryption};

/// Makes the group of a call that the caller is in, with the one device that made it.
pub(super) async fn create(app: &App, principal: &Principal, new: NewGroup, group_info: Vec<u8>) -> Result<(), Error> {
    let call = CallId::from_bytes(new.id.uuid);
    let seen = app.calls.seen_by(call, principal.user).ok_or(E2eeError::GroupNotFound)?;
    if seen.protection.encryption == Encryption::Open {
        return Err(E2eeError::RoomOpen.into());
    }
    // Before anything is read for it: in a call that many enter at once, most find one.
    if seen.group.is_some() {
        return Err(E2eeError::GroupExists.into());
    }
    let participant = new.session.map(|session| ParticipantId(u64::from_be_bytes(session.participant)));
    let participant = participant.filter(|participant| seen.participants.contains(&(*participant, principal.user)));
    let participant = participant.ok_or(INVALID_PARTICIPANT)?;
    let certificate = new.by.to_bytes();
    let of = counting(&new.by, &certificate);
    if app.store.device_certificate(principal.user, of.device).await?.as_ref() != Some(&certificate) {
        return Err(Refusal::NotVouched.into());
    }
    if let Some(inside) = let_in(app, principal, &seen).await?
        && !inside.contains(&certificate)
    {
        return Err(Refusal::Uninvited.into());
    }
    let now = described(app, new.id, 0, group_info, new.state).await?;
    app.calls.begin_group(call, participant, now).map_err(refused)
}

/// What somebody in the call needs to come into its group.
pub(super) fn info(app: &App, principal: &Principal, id: GroupId) -> Result<Info, Error> {
    let (_, GroupNow { epoch, group_info, tree, .. }) = seen(app, principal, id)?;
    Ok(Info { epoch, group_info: group_info.to_vec(), tree: tree.map(|tree| tree.to_vec()) })
}

/// The commits of a call's group from an epoch on.
pub(super) fn commits(app: &App, principal: &Principal, id: GroupId, from: u64) -> Result<Page, Error> {
    let call = CallId::from_bytes(id.uuid);
    let page = app.calls.commits(call, principal.user, from, MAX_PAGE, MAX_PAGE_BYTES).ok_or(E2eeError::GroupNotFound)?;
    let row = |(epoch, commit): (u64, Arc<[u8]>)| CommitRow { epoch: epoch.cast_signed(), commit_bytes: commit.to_vec() };
    Ok(Page { commits: page.commits.into_iter().map(|one| row((one.epoch, one.commit))).collect(), epoch: page.epoch })
}

/// Takes the group of a call to its next epoch. Whether a device is revoked at the very moment is not looked at once more: whoever is in the
/// call takes it out then.
pub(super) async fn commit(app: &App, principal: &Principal, id: GroupId, made_in: u64, sent: Sent) -> Result<Committed, Error> {
    let (seen, now) = seen(app, principal, id)?;
    count_bytes(app, principal, id, &sent)?;
    if made_in < now.epoch {
        return lost(app, principal, id, made_in, &sent.commit);
    }
    if made_in > now.epoch {
        return Err(super::EARLY);
    }
    let mut certificates = app.store.counting_certificates(seen.room).await?;
    if let Some(inside) = let_in(app, principal, &seen).await? {
        certificates.retain(|certificate| inside.contains(certificate));
    }
    let known = InCall::new(certificates, &seen.participants);
    let user = named(principal.user);
    let (next, sent) = app.checks.run(move || (unwinding(|| check::commit(&now.state, id, &sent, user, known)), sent)).await?;
    let next = next??;
    let participant = next.participant.ok_or(INVALID_PARTICIPANT)?;
    let (commit, call): (Arc<[u8]>, _) = (sent.commit.into(), CallId::from_bytes(id.uuid));
    let then = described(app, id, made_in + 1, sent.group_info, next.state).await?;
    match app.calls.commit(call, participant, Arc::clone(&commit), then) {
        Ok(()) => Ok(Committed::Accepted { epoch: made_in + 1 }),
        Err(GroupRefusal::OtherEpoch) => lost(app, principal, id, made_in, &commit),
        Err(refusal) => Err(refused(refusal)),
    }
}

/// The certificates of those who were let into a strict room: into its call comes nobody else, whoever is a member of it. Nothing where the
/// room is not strict.
async fn let_in(app: &App, principal: &Principal, seen: &CallSeen) -> Result<Option<BTreeSet<Vec<u8>>>, Error> {
    if !seen.protection.strict {
        return Ok(None);
    }
    of_room::leaves(app, principal, seen.room).await.map(Some)
}

/// Where a group is. Its tree is made here, once for all who come in before the next commit.
async fn described(app: &App, id: GroupId, epoch: u64, group_info: Vec<u8>, state: Vec<u8>) -> Result<GroupNow, Error> {
    let make = move || {
        let tree = unwinding(|| check::tree(&state, id, &group_info))??;
        Ok(GroupNow { epoch, group_info: group_info.into(), tree: tree.map(Into::into), state: state.into() })
    };
    app.checks.run(make).await?
}

/// Which commit won an epoch that is over.
fn lost(app: &App, principal: &Principal, id: GroupId, epoch: u64, commit: &[u8]) -> Result<Committed, Error> {
    let call = CallId::from_bytes(id.uuid);
    let page = app.calls.commits(call, principal.user, epoch, 1, MAX_PAGE_BYTES).ok_or(E2eeError::GroupNotFound)?;
    match page.commits.into_iter().find(|one| one.epoch == epoch) {
        Some(winner) if *winner.commit == *commit => Ok(Committed::Accepted { epoch: epoch + 1 }),
        Some(winner) => Ok(Committed::Lost { commit: winner.commit.to_vec() }),
        None => Err(E2eeError::EpochForgotten.into()),
    }
}

/// A call's group, if the caller is in the call.
fn seen(app: &App, principal: &Principal, id: GroupId) -> Result<(CallSeen, GroupNow), Error> {
    let seen = app.calls.seen_by(CallId::from_bytes(id.uuid), principal.user).ok_or(E2eeError::GroupNotFound)?;
    let group = seen.group.clone().ok_or(E2eeError::GroupNotFound)?;
    Ok((seen, group))
}

fn refused(refusal: GroupRefusal) -> Error {
    match refusal {
        GroupRefusal::NotThere => E2eeError::GroupNotFound.into(),
        GroupRefusal::Exists => E2eeError::GroupExists.into(),
        GroupRefusal::OtherEpoch => E2eeError::EpochTaken.into(),
        GroupRefusal::Full => Error::Busy,
    }
}
