//! What browsers found out on `/diagnostics`: adding a report within limits, listing, sweeping out the old ones.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader, on_writer};
use crate::id::{ReportId, UserId};
use crate::time::Timestamp;

/// A report to add.
#[derive(Clone, Debug)]
pub struct NewReport<'a> {
    /// The identifier.
    pub id: ReportId,
    /// Whose browser it was.
    pub user: UserId,
    /// When it came.
    pub created_at: Timestamp,
    /// The browser's name and version, as the page says.
    pub browser: &'a str,
    /// The verdict's code.
    pub verdict: &'a str,
    /// The steps as JSON.
    pub steps: &'a str,
}

/// How many reports there may be.
#[derive(Clone, Copy, Debug)]
pub struct ReportLimits {
    /// Reports of one user since `since`.
    pub of_user: i64,
    /// From when on a user's reports count.
    pub since: Timestamp,
    /// Reports of everybody that are kept; the oldest go first.
    pub kept: i64,
}

/// What became of a new report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedReport {
    /// It is kept.
    Added,
    /// The user has as many as allowed, the first of them from then; nothing was added.
    TooMany {
        /// When the oldest one that counts came.
        oldest: Timestamp,
    },
}

/// A stored report and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ReportRow {
    /// The identifier.
    pub id: ReportId,
    /// The user's name.
    pub username: String,
    /// When it came.
    pub created_at: Timestamp,
    /// The browser's name and version.
    pub browser: String,
    /// The verdict's code.
    pub verdict: String,
    /// The steps as JSON.
    pub steps: String,
}

impl Store {
    /// Adds a report, unless its user has sent as many as allowed lately, and lets the oldest ones go.
    pub async fn add_report(&self, report: &NewReport<'_>, limits: &ReportLimits) -> Result<AddedReport> {
        in_transaction!(self, tx => {
            let (count, oldest): (i64, Option<Timestamp>) = sqlx::query_as::<Db, _>(
                "select count(*), min(created_at) from diagnostic_reports where user_id = $1 and created_at > $2",
            )
            .bind(report.user)
            .bind(limits.since)
            .fetch_one(&mut *tx)
            .await?;
            if let Some(oldest) = oldest.filter(|_| count >= limits.of_user) {
                tx.rollback().await?;
                return Ok(AddedReport::TooMany { oldest });
            }
            sqlx::query::<Db>(
                "insert into diagnostic_reports (id, user_id, created_at, browser, verdict, steps) values ($1, $2, $3, $4, $5, $6)",
            )
            .bind(report.id)
            .bind(report.user)
            .bind(report.created_at)
            .bind(report.browser)
            .bind(report.verdict)
            .bind(report.steps)
            .execute(&mut *tx)
            .await?;
            sqlx::query::<Db>(
                "delete from diagnostic_reports where id in (select id from diagnostic_reports order by created_at desc, id desc \
                 limit 1000 offset $1)",
            )
            .bind(limits.kept)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        });
        Ok(AddedReport::Added)
    }

    /// All reports, newest first. Their number is bounded where they are added.
    pub async fn reports(&self) -> Result<Vec<ReportRow>> {
        let sql = "select r.id, u.username, r.created_at, r.browser, r.verdict, r.steps from diagnostic_reports r \
                   join users u on u.id = r.user_id order by r.created_at desc, r.id desc";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, ReportRow>(sql).fetch_all(pool).await?))
    }

    /// Removes the reports that came no later than `until`. Returns how many.
    pub async fn sweep_reports(&self, until: Timestamp) -> Result<u64> {
        let sql = "delete from diagnostic_reports where created_at <= $1";
        Ok(on_writer!(self, pool => sqlx::query::<Db>(sql).bind(until).execute(pool).await?.rows_affected()))
    }
}
