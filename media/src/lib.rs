//! The media core of WebCall: a selective forwarding unit (SFU). No HTTP, no database, no JSON.

pub mod api;
mod config;
mod error;
mod handle;
mod id;

pub use api::{MediaEvent, Offer, SeatOffer, Seated, SeatedFeed, TrackOffer, Wish};
pub use config::MediaConfig;
pub use error::{MediaError, StartError};
pub use handle::{CounterRow, Media};
pub use id::{FeedId, FeedKind, ParticipantId, RoomId, Source};
