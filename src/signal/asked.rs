//! What a client asks of a room's log over its connection: the same as over HTTP, by the same use-cases, with the same refusals. A page is
//! shorter than there, so that an answer is no larger than what a client may say and does not crowd out what else waits.

use super::protocol::{Pinned, ServerMessage};
use super::refusal::Refusal;
use crate::accounts::Principal;
use crate::app::App;
use crate::chat::{self, History, Span};
use crate::error::Error;
use crate::id::{MessageId, RoomId};
use crate::store::{EntryRow, PinRow};

/// Bytes of bodies in an answer. As base64url and with 200 entries around them that is 230 kB, within a frame of the size that clients
/// may send; one body of any size fits.
pub(super) const MAX_ANSWER_BYTES: usize = 128 << 10;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    History(Span),
    Pins,
    Delete(MessageId),
    Pin(MessageId),
    Unpin(MessageId),
}

/// The answer.
pub(super) enum Told {
    /// To something that was done.
    Act(ServerMessage),
    /// To something that was looked up, and can be again.
    Page(ServerMessage),
}

impl Asked {
    /// Does it, for a member.
    pub(super) async fn carry_out(self, app: &App, principal: &Principal, id: u32, room: RoomId) -> Result<Told, Refusal> {
        let acted = |entry: Option<EntryRow>| Told::Act(ServerMessage::Acted { id, entry: entry.map(Into::into) });
        Ok(match self {
            Self::History(span) => page(id, chat::history(app, principal, room, span, MAX_ANSWER_BYTES).await?),
            Self::Pins => Told::Page(ServerMessage::Pinned { id, pins: fitting(chat::pins(app, principal, room).await?) }),
            Self::Delete(message) => acted(Some(chat::delete(app, principal, room, message).await?)),
            Self::Pin(message) => acted(chat::pin(app, principal, room, message).await?),
            Self::Unpin(message) => acted(chat::unpin(app, principal, room, message).await?),
        })
    }
}

fn page(id: u32, History { entries, first_seq, last_seq }: History) -> Told {
    let entries = entries.into_iter().map(Into::into).collect();
    Told::Page(ServerMessage::Page { id, entries, first_seq, last_seq })
}

/// Without the bodies for which no space is left. A pinned message has one, so whoever finds none knows that it is to be fetched.
fn fitting(pins: Vec<PinRow>) -> Vec<Pinned> {
    let mut left = MAX_ANSWER_BYTES;
    let fit = |mut pin: PinRow| {
        pin.entry.body = pin.entry.body.take_if(|body| body.len() <= left);
        left -= pin.entry.body.as_ref().map_or(0, Vec::len);
        Pinned::from(pin)
    };
    pins.into_iter().map(fit).collect()
}

/// A message by what a client calls it. What cannot be the name of one is the name of none.
pub(super) fn message_id(text: &str) -> Result<MessageId, Refusal> {
    text.parse().map_err(|_| Refusal::from(&Error::MessageNotFound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;
    use crate::signal::protocol::MAX_FRAME_BYTES;
    use crate::signal::replay::Encoded;
    use crate::store::EntryKind;
    use crate::time::Timestamp;

    fn entry(bytes: usize) -> EntryRow {
        let (id, sender, sent_at) =
            (MessageId::from_bytes([1; 16]), UserId::from_bytes([2; 16]), Timestamp::from_millis(i64::MAX));
        EntryRow { seq: i64::MAX, id, kind: EntryKind::Message, sender, sent_at, body: Some(vec![7; bytes]), target: Some(id) }
    }

    #[test]
    fn the_largest_answers_are_no_larger_than_a_frame_of_a_client() {
        let entries = (0..chat::MAX_PAGE_ENTRIES).map(|_| entry(MAX_ANSWER_BYTES / chat::MAX_PAGE_ENTRIES as usize)).collect();
        let Told::Page(page) = page(u32::MAX, History { entries, first_seq: i64::MAX, last_seq: i64::MAX }) else {
            unreachable!()
        };
        assert!(Encoded::of(&page).len() <= MAX_FRAME_BYTES);
        let pins = (0..chat::MAX_PINS)
            .map(|_| PinRow {
                entry: entry(chat::MAX_BODY_BYTES),
                pinned_by: UserId::from_bytes([2; 16]),
                pinned_at: Timestamp::from_millis(i64::MAX),
            })
            .collect();
        let pins = fitting(pins);
        assert_eq!(pins.iter().filter(|pin| pin.message.body.is_some()).count(), MAX_ANSWER_BYTES / chat::MAX_BODY_BYTES);
        assert!(Encoded::of(&ServerMessage::Pinned { id: u32::MAX, pins }).len() <= MAX_FRAME_BYTES);
    }

    #[test]
    fn a_small_pin_behind_a_large_one_keeps_its_body() {
        let pin =
            |bytes| PinRow { entry: entry(bytes), pinned_by: UserId::from_bytes([2; 16]), pinned_at: Timestamp::from_millis(0) };
        let has_body: Vec<bool> =
            fitting(vec![pin(MAX_ANSWER_BYTES - 1), pin(2), pin(1)]).iter().map(|pin| pin.message.body.is_some()).collect();
        assert_eq!(has_body, [true, false, true]);
    }
}
