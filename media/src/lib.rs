//! The media core of WebCall: a selective forwarding unit (SFU) and a TURN server ([`turn`]). No HTTP, no database, no JSON.
//!
//! [`Media`] is the whole face; [`load`] and [`synthetic`] are for measuring it. Behind it `net` runs one thread for each worker; `sfu`
//! decides, sans-IO, on `transport` (ICE, DTLS, SRTP, SDP), `rtp`, `rtcp` and `codec`; what workers tell one another is `handover`.
//! Arrows run one way: handle -> net -> { sfu, turn, demux } -> { transport, codec, units }.

pub mod addresses;
pub mod api;
mod codec;
mod config;
mod counters;
mod demux;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod handle;
mod handover;
mod id;
#[doc(hidden)]
pub mod load;
mod net;
mod outbox;
pub mod probe;
mod random;
mod rtcp;
mod rtp;
mod sfu;
#[cfg(test)]
mod sim;
#[doc(hidden)]
pub mod synthetic;
mod transport;
pub mod turn;
mod units;

pub use api::{LeftOut, MediaEvent, Offer, SeatOffer, Seated, SeatedFeed, TrackOffer, Wish};
pub use config::{MediaConfig, TurnSettings};
pub use counters::CounterRow;
pub use error::{MediaError, StartError};
pub use handle::{Media, TcpRefused, has_first_packet};
pub use id::{FeedId, FeedKind, ParticipantId, RoomId, Source};
pub use net::{Grouping, TcpInlet, TcpOutlet};
