//! The media core of WebCall: a selective forwarding unit (SFU). No HTTP, no database, no JSON.

pub mod api;
mod config;
#[allow(dead_code, reason = "driven by net, which lands next")]
mod demux;
mod error;
mod handle;
mod id;
#[allow(dead_code, unused_imports, reason = "driven by sfu, which lands next")]
mod transport;

pub use api::{MediaEvent, Offer, SeatOffer, Seated, SeatedFeed, TrackOffer, Wish};
pub use config::MediaConfig;
pub use error::{MediaError, StartError};
pub use handle::{CounterRow, Media};
pub use id::{FeedId, FeedKind, ParticipantId, RoomId, Source};
