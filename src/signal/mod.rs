//! Signalling: the WebSocket over which a browser enters calls and negotiates media. The protocol is `protocol.rs` (typed) and
//! `PROTOCOL.md` (explained).
//!
//! A message goes one way: `socket.rs` reads and limits it, `connection.rs` (pure) says what is to be done, `driver.rs` does it with
//! the calls and the store, `replay.rs` numbers the answer, `outgoing.rs` queues it for the socket. `upgrade.rs` lets sockets in,
//! `registry.rs` knows all connections, `deliver.rs` brings them what is written in their rooms, `presence.rs` (pure) says who is told what
//! somebody is doing, `whisper.rs` brings messages of encrypted groups, `asked.rs` reads and changes logs for clients, `enforce.rs` ends what the store no longer allows.

mod asked;
mod connection;
mod context;
mod deliver;
mod driver;
mod enforce;
mod greeting;
mod open;
mod outgoing;
mod presence;
pub mod protocol;
mod rate;
mod refusal;
mod registry;
mod replay;
mod resume;
mod socket;
mod timing;
mod upgrade;
mod watching;
mod whisper;
mod wire;

#[cfg(test)]
mod declarations;
#[cfg(test)]
mod documentation;

pub use registry::{MAX_SOCKETS, max_connections, max_sockets};
pub use timing::Timing;

use std::time::Duration;

use axum::Router;
use axum::routing::get;

use crate::app::App;
use crate::error::Error;
use context::Context;
use registry::Connections;

/// How long the sockets have to close when the server stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// An offer of the same shape that came another way: over HTTP, for a test call.
pub fn media_offer(
    sdp: String,
    tracks: Vec<protocol::TrackOffer>,
    seats: Vec<protocol::SeatOffer>,
) -> Result<webcall_media::Offer, Error> {
    let refused = |refusal: refusal::Refusal| Error::Invalid { code: refusal.code(), detail: "the offer cannot be used" };
    wire::offer(sdp, tracks, seats).map_err(refused)
}

/// The running signalling. Cheap to clone.
#[derive(Clone)]
pub struct Signalling {
    context: Context,
}

impl Signalling {
    /// Starts what enforces changes in running calls, and what sends everybody away when the server stops.
    pub fn start(app: &App, timing: Timing) -> Self {
        let context = Context { app: app.clone(), connections: Connections::new(app.config.windows_per_user), timing };
        // Subscribed before the first socket, so that no hint about one is missed.
        tokio::spawn(enforce::enforce(context.clone(), app.bus.subscribe()));
        tokio::spawn(deliver::deliver(context.clone(), app.bus.subscribe()));
        tokio::spawn(whisper::pass_on(context.clone(), app.whispers.subscribe()));
        let (stopping, connections) = (app.clone(), context.connections.clone());
        app.shutdown.spawn(async move {
            stopping.shutdown.begun().await;
            connections.drain(DRAIN_LIMIT).await;
        });
        Self { context }
    }

    /// `GET /api/v1/ws`. Keep time limits and compression away from it.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new().route("/api/v1/ws", get(upgrade::upgrade)).with_state(self.context.clone())
    }

    /// How many connections there are, detached ones included.
    pub fn connections(&self) -> usize {
        self.context.connections.len()
    }

    /// How many of them have no socket now.
    pub fn detached(&self) -> usize {
        self.context.connections.detached()
    }
}
