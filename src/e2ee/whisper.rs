//! Messages of a group that go to whoever is connected and are kept by nobody: what matters now or never. Through memory of this node, not
//! over the bus, which carries no contents.

use std::sync::Arc;

use tokio::sync::broadcast;
use webcall_trust::mls::GroupId;

use super::inbox::read_message;
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::{RoomId, UserId};

/// Messages kept for signalling while it is behind: 4 MB of the longest. Those beyond are lost, as for who is not connected.
const CAPACITY: usize = 256;

/// One message, on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whisper {
    /// Of which group.
    pub group: GroupId,
    /// Of which room.
    pub room: RoomId,
    /// Who sent it, by the server's word; its device is inside.
    pub user: UserId,
    /// A PrivateMessage.
    pub body: Arc<[u8]>,
}

/// All messages on their way. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Whispers(broadcast::Sender<Whisper>);

impl Default for Whispers {
    fn default() -> Self {
        Self(broadcast::Sender::new(CAPACITY))
    }
}

impl Whispers {
    /// Receives every message from now on.
    pub fn subscribe(&self) -> Listening {
        Listening(self.0.subscribe())
    }
}

/// Who brings them to connections.
#[derive(Debug)]
pub struct Listening(broadcast::Receiver<Whisper>);

impl Listening {
    /// The next message; `None` once there are none any more.
    pub async fn next(&mut self) -> Option<Whisper> {
        loop {
            match self.0.recv().await {
                Ok(whisper) => return Some(whisper),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// Passes a message of a group on to the members of its room who are connected.
pub async fn whisper(app: &App, principal: &Principal, group: GroupId, message: &str) -> Result<(), Error> {
    let (body, place) = read_message(app, principal, group, message).await?;
    let room = place.room_id;
    app.limits.e2ee.whisper(room)?;
    // An error says that nobody listens, which is no fault of who speaks.
    let _ = app.whispers.0.send(Whisper { group, room, user: principal.user, body: body.into() });
    Ok(())
}
