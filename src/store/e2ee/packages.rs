//! Key packages: what a device leaves at the server, so that others can add it to groups while it is away. One-time ones are given out
//! once, also to two who ask at the same moment; the last resort again and again.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{DeviceId, UserId};
use crate::time::Timestamp;

/// Locks the device's row, which who claims does not need.
const HOLD_DEVICE: &str = "update e2ee_devices set certificate = certificate where user_id = $1 and device_id = $2";
const COUNT_STOCK: &str = "select count(*) from e2ee_key_packages \
                           where user_id = $1 and device_id = $2 and last_resort = $3 and expires_at > $4 and package is not null";
const COUNT_KEPT: &str = "select count(*) from e2ee_key_packages where user_id = $1 and device_id = $2";
const INSERT: &str = "insert into e2ee_key_packages (hash, user_id, device_id, last_resort, package, expires_at) \
                      values ($1, $2, $3, $4, $5, $6) on conflict (hash) do nothing";
const FIND: &str = "select hash, package from e2ee_key_packages \
                    where user_id = $1 and device_id = $2 and last_resort = $3 and expires_at > $4 and package is not null \
                    order by expires_at limit 1";
const TAKE: &str = "update e2ee_key_packages set package = null where hash = $1 and package is not null";

/// A package, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
    /// Its bytes.
    pub package: Vec<u8>,
    /// When it is no longer valid.
    pub expires_at: Timestamp,
}

/// Packages of a device.
#[derive(Clone, Copy, Debug)]
pub struct NewPackages<'a> {
    /// Whose.
    pub user: UserId,
    /// Of which device.
    pub device: DeviceId,
    /// To be given out once each.
    pub one_time: &'a [PackageRow],
    /// Takes the place of the one before.
    pub last_resort: Option<&'a PackageRow>,
}

/// The most of a device.
#[derive(Clone, Copy, Debug)]
pub struct PackageLimits {
    /// That can be given out.
    pub in_stock: i64,
    /// With those that were given out and have not expired.
    pub kept: i64,
}

/// What became of new packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedPackages {
    /// All are there.
    Added,
    /// The device does not count; nothing was added.
    NoSuchDevice,
    /// One was there before; nothing was added.
    Reused,
    /// There would be too many; nothing was added.
    TooMany,
}

/// What a device has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// To be given out once each.
    pub one_time: i64,
    /// Whether there is a last resort.
    pub last_resort: bool,
}

/// A package that was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedPackage {
    /// Whose.
    pub user: UserId,
    /// Of which device.
    pub device: DeviceId,
    /// Its bytes.
    pub package: Vec<u8>,
    /// Whether it is given out again.
    pub is_last_resort: bool,
}

#[derive(FromRow)]
struct Found {
    hash: Vec<u8>,
    package: Vec<u8>,
}

impl Store {
    /// Adds packages of a device that counts: all or none.
    pub async fn add_key_packages(&self, new: &NewPackages<'_>, limits: PackageLimits, now: Timestamp) -> Result<AddedPackages> {
        let (user, device) = (new.user, new.device);
        in_transaction!(self, tx => {
            if sqlx::query::<Db>(HOLD_DEVICE).bind(user).bind(device).execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(AddedPackages::NoSuchDevice);
            }
            if new.last_resort.is_some() {
                let sql = "delete from e2ee_key_packages where user_id = $1 and device_id = $2 and last_resort = $3";
                sqlx::query::<Db>(sql).bind(user).bind(device).bind(true).execute(&mut *tx).await?;
            }
            let packages = new.one_time.iter().map(|package| (false, package));
            for (is_last_resort, package) in packages.chain(new.last_resort.map(|package| (true, package))) {
                let added = sqlx::query::<Db>(INSERT)
                    .bind(&package.hash[..])
                    .bind(user)
                    .bind(device)
                    .bind(is_last_resort)
                    .bind(&package.package)
                    .bind(package.expires_at)
                    .execute(&mut *tx)
                    .await?;
                if added.rows_affected() == 0 {
                    tx.rollback().await?;
                    return Ok(AddedPackages::Reused);
                }
            }
            let (in_stock,): (i64,) =
                sqlx::query_as::<Db, _>(COUNT_STOCK).bind(user).bind(device).bind(false).bind(now).fetch_one(&mut *tx).await?;
            let (kept,): (i64,) = sqlx::query_as::<Db, _>(COUNT_KEPT).bind(user).bind(device).fetch_one(&mut *tx).await?;
            if in_stock > limits.in_stock || kept > limits.kept {
                tx.rollback().await?;
                return Ok(AddedPackages::TooMany);
            }
            tx.commit().await?;
        });
        Ok(AddedPackages::Added)
    }

    /// What a device has left.
    pub async fn key_package_stock(&self, user: UserId, device: DeviceId, now: Timestamp) -> Result<Stock> {
        let count = async |last_resort: bool| -> Result<i64> {
            let (count,): (i64,) = on_reader!(self, pool => {
                sqlx::query_as::<Db, _>(COUNT_STOCK).bind(user).bind(device).bind(last_resort).bind(now).fetch_one(pool).await?
            });
            Ok(count)
        };
        Ok(Stock { one_time: count(false).await?, last_resort: count(true).await? > 0 })
    }

    /// One package of each device of these users that counts and has one; a one-time one is given to nobody else. All or none.
    pub async fn claim_key_packages(&self, users: &[UserId], now: Timestamp) -> Result<Vec<ClaimedPackage>> {
        let mut users = users.to_vec();
        // In one order, so that no two who claim wait for one another.
        users.sort_unstable();
        users.dedup();
        let mut claimed = Vec::with_capacity(users.len());
        in_transaction!(self, tx => {
            for user in users {
                let sql = "select device_id from e2ee_devices where user_id = $1 order by device_id";
                let devices: Vec<(DeviceId,)> = sqlx::query_as::<Db, _>(sql).bind(user).fetch_all(&mut *tx).await?;
                for (device,) in devices {
                    let mut is_last_resort = false;
                    // Whoever is second finds it taken and takes the next: no more often than there are packages.
                    let package = loop {
                        let find = sqlx::query_as::<Db, Found>(FIND).bind(user).bind(device).bind(is_last_resort).bind(now);
                        match find.fetch_optional(&mut *tx).await? {
                            Some(found) if is_last_resort => break Some(found.package),
                            Some(Found { hash, package }) => {
                                if sqlx::query::<Db>(TAKE).bind(&hash).execute(&mut *tx).await?.rows_affected() == 1 {
                                    break Some(package);
                                }
                            }
                            None if is_last_resort => break None,
                            None => is_last_resort = true,
                        }
                    };
                    claimed.extend(package.map(|package| ClaimedPackage { user, device, package, is_last_resort }));
                }
            }
            tx.commit().await?;
        });
        Ok(claimed)
    }

    /// Removes what has expired, given out or not, `limit` at most. Returns how many.
    pub async fn forget_key_packages(&self, now: Timestamp, limit: i64) -> Result<u64> {
        let sql = "delete from e2ee_key_packages where hash in \
                   (select hash from e2ee_key_packages where expires_at <= $1 order by expires_at limit $2)";
        Ok(on_writer!(self, pool => sqlx::query::<Db>(sql).bind(now).bind(limit).execute(pool).await?.rows_affected()))
    }
}
