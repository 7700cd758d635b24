//! What people write: messages, their deletion, pins, read markers and direct conversations: the use-cases. A message's body is opaque
//! bytes here; edits, reactions and replies are messages like others, whose bodies only clients read. HTTP and signalling call it.

mod direct;
mod history;
mod pins;
mod post;
mod sweep;

pub use direct::{MAX_DIRECT_PEOPLE, MAX_UNASKED_PER_USER, open_direct};
pub use history::{History, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, PAGE_ENTRIES, Span, history, log_after, mark_read};
pub use pins::{MAX_PINS, pin, pins, unpin};
pub use post::{Draft, MAX_BODY_BYTES, Posting, delete, post};
pub use sweep::{INTERVAL as SWEEP_INTERVAL, sweep};

use crate::app::App;
use crate::bus::Hint;
use crate::id::RoomId;
use crate::store::EntryRow;

/// Tells those who are connected that an entry is there.
fn tell(app: &App, room: RoomId, entry: &EntryRow) {
    app.bus.publish(Hint::Logged { room, since: entry.seq, last: entry.seq });
}
