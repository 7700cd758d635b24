//! Writing and deleting messages.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::task::JoinHandle;

use crate::accounts::Principal;
use crate::app::App;
use crate::bus::Hint;
use crate::error::Error;
use crate::id::{MessageId, RoomId};
use crate::rooms::{self, Doing};
use crate::store::{Act, Appended, AuditAct, Deletion, EntryRow, FileSet, MAX_FILES_PER_MESSAGE, NewMessage, Unwelcome};

/// The largest body. Clients write 32,000 bytes at most; encryption adds less than that.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// Longer than PostgreSQL lets a statement take (`store/open.rs`). A database that stands still says nothing at all: whoever waits learns
/// it here. What is stored after all is told to everybody, and found when it is sent again.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// A checked message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    id: MessageId,
    body: Vec<u8>,
    files: FileSet,
}

impl Draft {
    /// Checks what a client sent; the body is base64url without padding.
    pub fn parse(id: &str, body: &str, files: &[String]) -> Result<Self, Error> {
        let invalid = |code, detail| Error::Invalid { code, detail };
        let id = id.parse().map_err(|_| invalid("invalid_message_id", "a message's identifier is a UUID"))?;
        let body = URL_SAFE_NO_PAD.decode(body).ok().filter(|body| (1..=MAX_BODY_BYTES).contains(&body.len()));
        let body = body.ok_or_else(|| invalid("invalid_body", "a body is 1 to 65,536 bytes as base64url without padding"))?;
        let too_many = || invalid("too_many_files", "a message has at most 10 files");
        if files.len() > MAX_FILES_PER_MESSAGE {
            return Err(too_many());
        }
        let files = files.iter().map(|file| file.parse().map_err(|_| Error::FileNotFound)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { id, body, files: FileSet::new(files).ok_or_else(too_many)? })
    }
}

/// A message on its way into the store.
pub struct Posting(JoinHandle<Result<EntryRow, Error>>);

impl Posting {
    /// Waits until it is stored for good. Whoever stops waiting does not stop it.
    pub async fn outcome(self) -> Result<EntryRow, Error> {
        match tokio::time::timeout(ANSWER_LIMIT, self.0).await {
            Ok(stored) => stored.unwrap_or_else(|error| Err(Error::Internal(Box::new(error)))),
            Err(_) => Err(Error::Busy),
        }
    }
}

/// Queues a message. What one caller posts in order to a room is stored in order. Who may write is decided where it is stored.
pub fn post(app: &App, principal: &Principal, room: RoomId, draft: Draft) -> Result<Posting, Error> {
    app.limits.message(principal.user)?;
    let Draft { id, body, files } = draft;
    let message = NewMessage { room, sender: principal.user, id, body, files, sent_at: app.clock.now() };
    let pending = app.store.append(message, rooms::policy::may_write)?;
    let bus = app.bus.clone();
    Ok(Posting(tokio::spawn(async move {
        match pending.outcome().await? {
            Appended::New { entry, since } => {
                if let Some(since) = since {
                    bus.publish(Hint::Logged { room, since, last: entry.seq });
                }
                Ok(entry)
            }
            Appended::Before(entry) => {
                // Sent again because the first answer did not come: then nobody may have been told, either.
                bus.publish(Hint::Logged { room, since: entry.seq, last: entry.seq });
                Ok(entry)
            }
            Appended::NoSuchRoom => Err(Error::RoomNotFound),
            Appended::IdTaken => Err(Error::MessageIdTaken),
            Appended::NoSuchFile => Err(Error::FileNotFound),
            Appended::Unwelcome(Unwelcome::Locked) => Err(Error::RoomLocked),
            Appended::Unwelcome(Unwelcome::Muted) => Err(Error::ChatMuted),
            Appended::Unwelcome(Unwelcome::TooSoon { retry_after_s }) => Err(Error::SlowMode { retry_after_s }),
        }
    })))
}

/// Deletes a message: one's own, or anybody's by who may. Its place in the log remains.
pub async fn delete(app: &App, principal: &Principal, room: RoomId, message: MessageId) -> Result<EntryRow, Error> {
    let row = rooms::row(app, principal, room).await?;
    let entry = app.store.entry(room, message).await?.filter(|entry| entry.kind.has_body());
    let author = entry.ok_or(Error::MessageNotFound)?.sender;
    let is_own = author == principal.user;
    rooms::policy::allowed_in(&row, rooms::policy::Action::DeleteMessage { own: is_own })?;
    if is_own {
        app.limits.message(principal.user)?;
    } else {
        app.limits.moderation(principal.user)?;
    }
    let act = act(app, principal, room, message);
    let audit = (!is_own).then(|| Doing::of(&act).to(author, AuditAct::DeleteMessage, ""));
    match app.store.delete_message(act, audit.as_ref()).await? {
        Deletion::Deleted(entry) => {
            super::tell(app, room, &entry);
            Ok(entry)
        }
        Deletion::NotFound => Err(Error::MessageNotFound),
    }
}

/// Somebody's act on a message, now.
pub(super) fn act(app: &App, principal: &Principal, room: RoomId, target: MessageId) -> Act {
    let at = app.clock.now();
    Act { room, id: MessageId::new(at), actor: principal.user, target, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0197f3a0-0000-7000-8000-000000000001";

    #[test]
    fn any_bytes_are_a_body_within_its_bounds() {
        let body = |bytes: &[u8]| Draft::parse(ID, &URL_SAFE_NO_PAD.encode(bytes), &[]);
        assert_eq!(body(&[0, 255, 128]).unwrap().body, [0, 255, 128]);
        assert_eq!(body(&vec![7; MAX_BODY_BYTES]).unwrap().body.len(), MAX_BODY_BYTES);
        for refused in [body(&[]), body(&vec![7; MAX_BODY_BYTES + 1]), Draft::parse(ID, "a=", &[]), Draft::parse(ID, "+/+/", &[])]
        {
            assert_eq!(refused.unwrap_err().code(), "invalid_body");
        }
        assert_eq!(Draft::parse("7", "AA", &[]).unwrap_err().code(), "invalid_message_id");
    }

    #[test]
    fn a_message_names_each_file_once_and_not_too_many() {
        let file = ID.to_owned();
        assert_eq!(Draft::parse(ID, "AA", &[file.clone(), file.clone()]).unwrap().files.len(), 1);
        assert_eq!(Draft::parse(ID, "AA", &vec![file; MAX_FILES_PER_MESSAGE + 1]).unwrap_err().code(), "too_many_files");
        assert_eq!(Draft::parse(ID, "AA", &["x".to_owned()]).unwrap_err().code(), "file_not_found");
    }
}
