//! What users publish about their keys: one chain of records each, to which only its user appends, and which everybody replays who
//! shares a room with them, or has a room in whose group they were.

use webcall_trust::{Hash, MAX_DEVICES, MAX_RECORD_BYTES, Record, Refusal, UserKeys};

use super::{acquainted, decode, log, named};
use crate::accounts::{self, Principal};
use crate::app::App;
use crate::bus::Hint;
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, RoomId, UserId};
use crate::store::{AppendedRecord, DeviceChange, NewRecord, RecordRow};

/// Records of one user. All are replayed whenever one comes, a tenth of a millisecond each, and sent to everybody who looks: some 170 kB.
const MAX_RECORDS: usize = 500;
/// Beyond that there is still room for revoking every device.
const MAX_RECORDS_WITH_REVOCATIONS: usize = MAX_RECORDS + MAX_DEVICES;

/// All that a user published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// In order; none for who published nothing.
    pub records: Vec<RecordRow>,
    /// That all of them were in the log when it had the size that was asked for; `None` where it was not asked for, or they were not.
    pub proof: Option<Vec<Hash>>,
}

/// The chain of a user with whom the caller shares a room or who was in the group of a room of the caller's, or the caller's own;
/// `user_not_found` for others: what somebody wrote and changed stays readable when they have left. `size`: of a log whose head the caller
/// knows. With the proof in the same answer, to learn who is in a room takes one request for each of them.
pub async fn chain(app: &App, principal: &Principal, user: UserId, size: Option<u64>) -> Result<Chain, Error> {
    app.limits.e2ee.chain(principal.user)?;
    if !app.store.was_in_a_room_of(principal.user, user).await? {
        acquainted(app, principal, user).await?;
    }
    let records = app.store.records(user).await?;
    let proof = match size {
        Some(size) => log::inclusion_in(app, &records, size).await?,
        None => None,
    };
    Ok(Chain { records, proof })
}

/// Appends a record to the caller's own chain. One that replaces the identity needs the account's password: whoever stole a session
/// must not become the user. Returns the record's place in the log.
pub async fn append(app: &App, principal: &Principal, record: &str, password: Option<String>) -> Result<u64, Error> {
    app.limits.e2ee.record(principal.user)?;
    let bytes = decode(record, MAX_RECORD_BYTES)?;
    let record = Record::checked(&bytes)?;
    let before = app.store.records(principal.user).await?;
    let (user, number) = (principal.user, before.len());
    let is_revocation = matches!(record, Record::Revocation(_));
    if number >= if is_revocation { MAX_RECORDS_WITH_REVOCATIONS } else { MAX_RECORDS } {
        return Err(E2eeError::TooManyRecords.into());
    }
    app.checks.run(move || follows(user, &before, &record)).await??;
    if number > 0 && matches!(record, Record::Claim(_)) {
        accounts::confirm_password(app, principal, password.ok_or(Error::WrongPassword)?).await?;
    }
    let certificate;
    let change = match &record {
        Record::Claim(_) => DeviceChange::Clear,
        Record::Device(device) => {
            certificate = device.to_bytes();
            DeviceChange::Add { device: DeviceId::from_bytes(device.statement().device.0), certificate: &certificate }
        }
        Record::Revocation(revocation) => {
            DeviceChange::Remove { device: DeviceId::from_bytes(revocation.statement().device.0), by: principal.session }
        }
    };
    let number = i64::try_from(number).expect("there are not that many");
    match app.store.append_record(&NewRecord { user, number, record: &bytes, change }).await? {
        AppendedRecord::Appended { leaf, ended } => {
            accounts::ended_with_device(app, &ended);
            app.bus.publish(Hint::KeysChanged { user });
            Ok(leaf.unsigned_abs())
        }
        AppendedRecord::Moved => Err(Refusal::OutOfOrder.into()),
    }
}

/// Who is told when somebody published something: the user, and everybody with whom they share a room.
pub async fn acquaintances(app: &App, user: UserId) -> Result<Vec<UserId>, Error> {
    let mut users = app.store.acquaintances(user).await?;
    if !users.contains(&user) {
        users.push(user);
    }
    Ok(users)
}

/// Who has a part in the group of a room; nobody where it is open.
pub async fn members_of_encrypted(app: &App, room: RoomId) -> Result<Vec<UserId>, Error> {
    Ok(app.store.members_of_encrypted(room).await?)
}

/// Whether a record may come after those that are there.
fn follows(user: UserId, before: &[RecordRow], record: &Record) -> Result<(), Refusal> {
    if before.is_empty() {
        return UserKeys::begin(named(user), record).map(drop);
    }
    UserKeys::replay(named(user), before.iter().map(|row| row.record.as_slice()))?.apply(record)
}
