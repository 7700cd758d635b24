//! Reading a room's log, and how far somebody has read.

use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::RoomId;
use crate::rooms;
use crate::store::{EntryRow, Page, Range};

/// Entries of a page when nobody says how many: some three screens.
pub const PAGE_ENTRIES: i64 = 50;
/// The most entries of a page.
pub const MAX_PAGE_ENTRIES: i64 = 200;
/// Bytes of bodies in a page. A page of large messages is shorter.
pub const MAX_PAGE_BYTES: usize = 1 << 20;

/// How often a read marker is tried that others of the same user stood in the way of.
const MARKING_TRIES: usize = 3;

/// Which part of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// The newest before this number; of both, this counts.
    pub before: Option<i64>,
    /// The oldest after this number. With neither, the newest of all.
    pub after: Option<i64>,
    /// How many.
    pub limit: Option<i64>,
}

/// Part of a log, and where the whole begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Ascending.
    pub entries: Vec<EntryRow>,
    /// The first that is still there.
    pub first_seq: i64,
    /// The last.
    pub last_seq: i64,
}

/// Part of a room's log, for a member; with no more bytes of bodies than this, but at least one entry.
pub async fn history(app: &App, principal: &Principal, room: RoomId, span: Span, max_bytes: usize) -> Result<History, Error> {
    let limit = span.limit.unwrap_or(PAGE_ENTRIES);
    if !(1..=MAX_PAGE_ENTRIES).contains(&limit) {
        return Err(Error::Invalid { code: "invalid_limit", detail: "a page has 1 to 200 entries" });
    }
    let range = match (span.before, span.after) {
        (Some(before), _) => Range::Before(before),
        (None, Some(after)) => Range::After(after),
        (None, None) => Range::Before(i64::MAX),
    };
    let row = rooms::row(app, principal, room).await?;
    let entries = app.store.entries(room, Page { range, limit, max_bytes }).await?;
    // Something may have come between the two.
    let last_seq = entries.last().map_or(0, |entry| entry.seq).max(row.last_seq);
    Ok(History { entries, first_seq: row.first_seq, last_seq })
}

/// What was added to a room's log after an entry, for whoever tells its members.
pub async fn log_after(app: &App, room: RoomId, seq: i64, limit: i64) -> Result<Vec<EntryRow>, Error> {
    Ok(app.store.entries(room, Page { range: Range::After(seq), limit, max_bytes: MAX_PAGE_BYTES }).await?)
}

/// Moves the read marker of a member; it never goes back.
pub async fn mark_read(app: &App, principal: &Principal, room: RoomId, seq: i64) -> Result<(), Error> {
    for _ in 0..MARKING_TRIES {
        if app.store.mark_read(room, principal.user, seq).await? {
            app.bus.publish(Hint::Read { room, user: principal.user, seq });
            return Ok(());
        }
        let row = rooms::row(app, principal, room).await?;
        if !(1..=row.last_seq).contains(&seq) {
            return Err(Error::Invalid { code: "invalid_seq", detail: "there is no such entry" });
        }
        if row.read_seq >= seq {
            return Ok(());
        }
        // Taken together with one of another window that goes beyond the log: once more.
    }
    Err(Error::Busy)
}
