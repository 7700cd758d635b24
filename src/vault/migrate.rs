//! `webcall migrate-to`: the rows of an installation on SQLite, in PostgreSQL. Secrets, certificates and files stay in the data folder,
//! where the server looks for them whichever database it has. The SQLite file stays too, as it was.

use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

use super::{Installation, Lock, Result, VaultError, or_stopped, unless_stopped};
use crate::config::Database;
use crate::store::{Store, transfer};

/// Copies all rows to PostgreSQL, whose tables must be empty or missing; how many.
pub async fn migrate(installation: &Installation, target: &PgConnectOptions, stop: &CancellationToken) -> Result<u64> {
    let Database::Sqlite(source) = &installation.database else { return Err(VaultError::OnPostgres) };
    if !source.exists() {
        return Err(VaultError::NoDatabase(source.clone()));
    }
    let _lock = Lock::alone(&installation.data_dir)?;
    or_stopped(stop, transfer::refuse_occupied_postgres(target)).await?;
    // As the start of this version's server would: brings the tables up to date.
    Store::open_sqlite(source).await?.close().await;
    let pending = or_stopped(stop, transfer::copy_to_postgres(source, target)).await?;
    unless_stopped(stop)?;
    Ok(pending.commit().await?)
}
