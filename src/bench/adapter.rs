//! The servers that can be measured, behind one face: how a call is opened, joined and closed there. Another server is a variant here
//! and a file like `janus.rs`.

use std::time::Instant;

use tokio::sync::oneshot;
use webcall_media::load::Generator;
use webcall_media::synthetic::{Identity, Settings};

use super::BenchError;
use super::api::Api;
use super::janus::{self, JanusLine};
use super::signalling::{Line, Shown};

/// A server, and who calls there.
pub(super) enum Adapter {
    /// This one, or another of its kind.
    WebCall(Api),
    /// Janus, at `host:port`.
    Janus(String),
}

/// Somebody in a call; their connection lives in a task.
pub(super) struct Guest {
    /// As others know them.
    pub(super) me: String,
    pub(super) source: u32,
    pub(super) began: Instant,
    pub(super) shown: Option<oneshot::Sender<Shown>>,
}

impl Adapter {
    /// Makes a place for a call.
    pub(super) async fn open_room(&self) -> Result<String, BenchError> {
        match self {
            Self::WebCall(api) => api.create_room().await,
            Self::Janus(authority) => janus::create_room(authority).await,
        }
    }

    /// Lets somebody in; `senders` are those who are there already and send.
    pub(super) async fn join(
        &self,
        (room, senders): (&str, &[String]),
        settings: Settings,
        (identity, generator): (&Identity, &Generator),
    ) -> Result<Guest, BenchError> {
        let source = settings.source;
        match self {
            Self::WebCall(api) => {
                let line = Line::join(api, room, settings, identity, generator).await?;
                let (me, began) = (line.me.clone(), line.began);
                let (shown, receiver) = oneshot::channel();
                tokio::spawn(line.stay(receiver));
                Ok(Guest { me, source, began, shown: Some(shown) })
            }
            Self::Janus(authority) => {
                let line = JanusLine::join(authority, (room, senders), settings, identity, generator).await?;
                let (me, began) = (line.me.clone(), line.began);
                tokio::spawn(line.stay());
                Ok(Guest { me, source, began, shown: None })
            }
        }
    }

    /// Takes the place away.
    pub(super) async fn close_room(&self, room: &str) {
        if let Self::WebCall(api) = self {
            // What remains of a failed run is a room, which its owner can delete.
            let _ = api.delete_room(room).await;
        }
    }
}
