//! A participant made of code: what a browser does on the wire, without a browser. For the simulator and for `webcall bench`.
//!
//! It offers like Chromium (or, numbered otherwise, like Firefox), connects by real ICE, DTLS and SRTP, publishes marked frames with
//! the clear bytes of a real codec, repairs losses in both directions, and judges what it receives: [`VideoReport`] says what a decoder
//! could have shown. Sans-IO: datagrams and time in, datagrams out. Nothing in the server uses it, and it knows nothing of `sfu`.

mod answer;
mod camera;
mod controls;
mod datagrams;
mod direct;
mod feedback;
mod latency;
mod link;
mod losses;
mod mark;
mod microphone;
mod numbering;
mod offer;
mod oracle;
mod participant;
mod payload;
mod picture;
mod pieces;
mod reading;
mod report;
mod rival;
mod seat;
mod settings;
mod sound;
mod stream;

pub use direct::{Direct, DirectKeys, OwnSsrcs};
pub use latency::Latency;
pub use link::Identity;
pub use participant::{Participant, SyntheticError};
pub use report::{AudioReport, Faults, NewestFrames, SendReport, Shown, SourceTally, TransportReport, VideoReport};
pub use settings::{Camera, Layer, Microphone, Numbering, SCREEN_SOURCE, Settings, SrtpOffer, VideoCodec};
