//! What the desk keeps beside device, directory and groups, each a sealed state of its own: it is opened when a request needs it, and the
//! outcome says which one is missing. What is here in memory is never ahead of what was handed out to be kept.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use tls_codec::SecretVLBytes;
use uuid::Uuid;
use webcall_trust::mls::GroupId;
use webcall_trust::{DeviceId, UserId};
use zeroize::Zeroizing;

use super::people::kept;
use super::wire::Kept;
use crate::Fault;
use crate::chat::RoomId;
use crate::state::{self, StateKey, StateName};

/// States in memory at once: tens of kB each, and a few MB where a room is large. Beyond that the one used longest ago is let go; it is opened
/// again when it is needed. A request needs seven at most.
const MAX_OPEN: usize = 128;

/// A state by what is in it. Its text is the name under which it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shelf {
    /// The group of a room, which the desk has open beside the shelves. Here stands only that none is kept.
    Group(RoomId),
    /// How far this device has come in a room.
    Marks(RoomId),
    /// The keys of a room's epochs, and who was in them: one block of epochs.
    Epochs(RoomId, u64),
    /// What this device writes to a room.
    Sent(RoomId),
    /// What one other device wrote to a room. By user and device: a device chooses its id, and may choose another user's device's.
    Thread(RoomId, UserId, DeviceId),
    /// The master key, and what is known of the backup.
    Backup,
    /// Of whom in a room the person was told.
    Greeted(RoomId),
    /// Who was in a room's group at any time since this device is.
    Ever(RoomId),
    /// What is known of the log of everybody's keys.
    Log,
    /// Of which of the user's devices the person was told.
    Devices,
}

#[derive(Default)]
pub(super) struct Shelves {
    open: BTreeMap<Shelf, Open>,
    uses: u64,
    missing: Option<Shelf>,
}

struct Open {
    /// None: nothing is kept under this name yet.
    content: Option<Zeroizing<Vec<u8>>>,
    counter: u64,
    used: u64,
}

/// How the names of the groups of rooms begin.
pub(super) const GROUP: &str = "room/";

/// Whose states, and under which key.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub key: &'a StateKey,
    pub device: DeviceId,
}

impl Shelves {
    /// What is kept; [`Fault::NotOpen`] before it was opened, and [`Shelves::missing`] then says that it is needed.
    pub(super) fn get(&mut self, shelf: Shelf) -> Result<Option<&[u8]>, Fault> {
        self.uses += 1;
        let Some(open) = self.open.get_mut(&shelf) else {
            self.missing = Some(shelf);
            return Err(Fault::NotOpen);
        };
        open.used = self.uses;
        Ok(open.content.as_ref().map(|content| content.as_slice()))
    }

    /// Replaces what [`Shelves::get`] gave. The last step of a request: what fails afterwards would leave this ahead of what is kept.
    pub(super) fn put(&mut self, owner: Owner<'_>, shelf: Shelf, content: Vec<u8>, keep: &mut Vec<Kept>) -> Result<(), Fault> {
        let content = Zeroizing::new(content);
        let open = self.open.get_mut(&shelf).ok_or(Fault::NotOpen)?;
        let bytes = SecretVLBytes::from(content.to_vec());
        let next = state::next(open.counter)?;
        let sealed = state::seal(owner.key, shelf.name(owner.device), next, &bytes)?;
        (open.content, open.counter) = (Some(content), next);
        keep.push(kept(&shelf.to_string(), sealed));
        Ok(())
    }

    /// `at_least`: the highest counter that was seen of it.
    pub(super) fn open(&mut self, owner: Owner<'_>, shelf: Shelf, sealed: Option<&[u8]>, at_least: u64) -> Result<(), Fault> {
        let (counter, content) = match sealed {
            Some(sealed) => {
                let (counter, bytes) = state::open::<SecretVLBytes>(owner.key, shelf.name(owner.device), sealed, at_least)?;
                (counter, Some(Zeroizing::new(bytes.as_slice().to_vec())))
            }
            None if at_least > 0 => return Err(Fault::OldState),
            None => (0, None),
        };
        self.uses += 1;
        self.open.insert(shelf, Open { content, counter, used: self.uses });
        if self.open.len() > MAX_OPEN
            && let Some((&oldest, _)) = self.open.iter().min_by_key(|(_, open)| open.used)
        {
            self.open.remove(&oldest);
        }
        Ok(())
    }

    /// What is kept under this name is now known elsewhere.
    pub(super) fn take(&mut self, shelf: Shelf) {
        self.open.remove(&shelf);
    }

    /// Which one a request lacked.
    pub(super) fn missing(&mut self) -> Option<Shelf> {
        self.missing.take()
    }

    /// Another page may have changed what is kept.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Shelf {
    fn name(self, owner: DeviceId) -> StateName {
        match self {
            Self::Group(room) => StateName::Group(owner, GroupId::room(room.0)),
            Self::Marks(room) => StateName::Marks(owner, room),
            Self::Epochs(room, block) => StateName::Epochs(owner, room, block),
            Self::Sent(room) => StateName::Sent(owner, room),
            Self::Backup => StateName::Backup(owner),
            Self::Greeted(room) => StateName::Greeted(owner, room),
            Self::Ever(room) => StateName::Ever(owner, room),
            Self::Log => StateName::Log(owner),
            Self::Devices => StateName::Devices(owner),
            Self::Thread(room, user, device) => StateName::Thread(owner, room, user, device),
        }
    }
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Uuid::from_bytes;
        match self {
            Self::Group(room) => write!(f, "{GROUP}{}", text(room.0)),
            Self::Marks(room) => write!(f, "marks/{}", text(room.0)),
            Self::Epochs(room, block) => write!(f, "epochs/{}/{block}", text(room.0)),
            Self::Sent(room) => write!(f, "sent/{}", text(room.0)),
            Self::Backup => f.write_str("backup"),
            Self::Greeted(room) => write!(f, "greeted/{}", text(room.0)),
            Self::Ever(room) => write!(f, "ever/{}", text(room.0)),
            Self::Log => f.write_str("log"),
            Self::Devices => f.write_str("devices"),
            Self::Thread(room, user, device) => write!(f, "thread/{}/{}/{}", text(room.0), text(user.0), text(device.0)),
        }
    }
}

impl FromStr for Shelf {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let id = |text: &str| Uuid::parse_str(text).map(Uuid::into_bytes).map_err(|_| Fault::BadRequest);
        let parts: Vec<&str> = text.splitn(5, '/').collect();
        match parts[..] {
            ["epochs", room, block] => Ok(Self::Epochs(RoomId(id(room)?), block.parse().map_err(|_| Fault::BadRequest)?)),
            ["room", room] => Ok(Self::Group(RoomId(id(room)?))),
            ["marks", room] => Ok(Self::Marks(RoomId(id(room)?))),
            ["backup"] => Ok(Self::Backup),
            ["greeted", room] => Ok(Self::Greeted(RoomId(id(room)?))),
            ["ever", room] => Ok(Self::Ever(RoomId(id(room)?))),
            ["log"] => Ok(Self::Log),
            ["devices"] => Ok(Self::Devices),
            ["sent", room] => Ok(Self::Sent(RoomId(id(room)?))),
            ["thread", room, user, device] => Ok(Self::Thread(RoomId(id(room)?), UserId(id(user)?), DeviceId(id(device)?))),
            _ => Err(Fault::BadRequest),
        }
    }
}
