//! Key packages (RFC 9420 §10): what a device leaves here so that others can add it while it is away. Only packages of devices that count
//! are taken, each once; they are given to those who share a room with the user, each once.

use std::time::Duration;

use openmls::prelude::KeyPackage;
use ring::digest::{SHA256, digest};
use webcall_trust::mls::{self, MAX_KEY_PACKAGE_BYTES};
use webcall_trust::{Certificate, Refusal};

use super::{acquainted, decode};
use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::{E2eeError, Error};
use crate::id::{DeviceId, UserId};
use crate::store::{AddedPackages, ClaimedPackage, NewPackages, PackageLimits, PackageRow, Stock};
use crate::time::Timestamp;

/// One-time packages in one upload.
const MAX_UPLOADED: usize = 100;
/// One-time packages of a device that wait, and rows of it with those that were given out and have not expired: fifty new ones a day.
const LIMITS: PackageLimits = PackageLimits { in_stock: 100, kept: 9_200 };
/// How long a package is still good when it is given out or a commit adds it: whoever was away reads the commit as long as it is kept, and verifies
/// the package by their clock. One that is good for less waits no more, and its device leaves another; a device that was away for longer than is
/// left of the longest life cannot be added.
pub(super) const LEAST_LIFE: Duration = super::sweep::LIFE;
/// Users in one claim. Each has as many packages as devices, 16 at most, of some 700 characters.
const MAX_CLAIMED_USERS: usize = 100;

/// What a device uploads, as base64url.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// To be given out once each.
    pub one_time: Vec<String>,
    /// Takes the place of the last resort that is there.
    pub last_resort: Option<String>,
}

/// Adds packages of the caller's own device: all or none. Returns what it has then.
pub async fn upload(app: &App, principal: &Principal, device: DeviceId, upload: Upload) -> Result<Stock, Error> {
    app.limits.e2ee.upload(principal.user)?;
    let user = principal.user;
    if upload.one_time.len() > MAX_UPLOADED {
        return Err(E2eeError::TooManyKeyPackages.into());
    }
    let until = app.clock.now().plus(LEAST_LIFE);
    let certificate = app.store.device_certificate(user, device).await?.ok_or(Refusal::UnknownDevice)?;
    let read = |text: &String| decode(text, MAX_KEY_PACKAGE_BYTES);
    let one_time = upload.one_time.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let last_resort = upload.last_resort.as_ref().map(read).transpose()?;
    let (one_time, last_resort) = app
        .checks
        .run(move || {
            let one_time =
                one_time.into_iter().map(|bytes| checked(bytes, &certificate, (false, until))).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, Refusal>((one_time, last_resort.map(|bytes| checked(bytes, &certificate, (true, until))).transpose()?))
        })
        .await??;
    let new = NewPackages { user, device, one_time: &one_time, last_resort: last_resort.as_ref() };
    let before = stock(app, principal, device).await?;
    match app.store.add_key_packages(&new, LIMITS, until).await? {
        AddedPackages::Added => {
            // It can be added now: whoever tried in vain tries again.
            if before.one_time == 0 && !before.last_resort {
                app.bus.publish(Hint::KeysChanged { user });
            }
            stock(app, principal, device).await
        }
        AddedPackages::NoSuchDevice => Err(Refusal::UnknownDevice.into()),
        AddedPackages::Reused => Err(E2eeError::KeyPackageReused.into()),
        AddedPackages::TooMany => Err(E2eeError::TooManyKeyPackages.into()),
    }
}

/// What the caller's own device has left. Whoever asks speaks for it: the session ends with the device.
pub async fn stock(app: &App, principal: &Principal, device: DeviceId) -> Result<Stock, Error> {
    app.limits.e2ee.read(principal.user)?;
    if !app.store.speaks_through(principal.session, device).await? {
        app.store.add_device_of_session(principal.session, device).await?;
    }
    Ok(app.store.key_package_stock(principal.user, device, app.clock.now().plus(LEAST_LIFE)).await?)
}

/// One package of each device of each of these users that has one, for adding them to a group.
pub async fn claim(app: &App, principal: &Principal, users: &[UserId]) -> Result<Vec<ClaimedPackage>, Error> {
    if users.len() > MAX_CLAIMED_USERS {
        return Err(Error::Invalid { code: "invalid_users", detail: "at most 100 users at once" });
    }
    // All before the first: a refusal costs nobody a package, and the caller no part of what they may claim.
    for user in users {
        acquainted(app, principal, *user).await?;
    }
    app.limits.e2ee.claim(principal.user, users)?;
    Ok(app.store.claim_key_packages(users, app.clock.now().plus(LEAST_LIFE)).await?)
}

/// A package that is well-formed, of this very device, good for a while, and marked as what it is given as: one that says of itself that it is the last
/// resort would be kept by its device after its use.
fn checked(package: Vec<u8>, certificate: &[u8], (is_last_resort, until): (bool, Timestamp)) -> Result<PackageRow, Refusal> {
    let (read, by) = super::unwinding(|| mls::key_package(&package))??;
    if Certificate::to_bytes(&by) != certificate {
        return Err(Refusal::NotVouched);
    }
    if read.last_resort() != is_last_resort {
        return Err(Refusal::KeyPackage);
    }
    if expiry(&read) <= until {
        return Err(Refusal::Lifetime);
    }
    // Of what must not be used twice: the same key signed again is the same package.
    let hash = digest(&SHA256, read.hpke_init_key().as_slice()).as_ref().try_into().expect("SHA-256 gives 32 bytes");
    Ok(PackageRow { hash, expires_at: expiry(&read), package })
}

/// Until when it may be used; its lifetime was checked.
fn expiry(package: &KeyPackage) -> Timestamp {
    let seconds = i64::try_from(package.life_time().not_after()).unwrap_or(i64::MAX / 1_000);
    Timestamp::from_millis(seconds.saturating_mul(1_000))
}
