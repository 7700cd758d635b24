//! Bytes to types and back: STUN messages, ChannelData, the framing of both over TCP, and which protocol a TCP connection speaks.
//!
//! Pure functions over what anybody may send: bounded by the input, without an allocation on the way in, without a panic.

mod address;
mod answer;
mod channel_data;
mod data_indication;
#[cfg(test)]
mod differential;
mod first_bytes;
mod framing;
mod message;
mod request;
#[cfg(test)]
mod vectors;

pub use answer::Code;
pub(super) use answer::{Answer, Fact, Signature};
pub(super) use channel_data::{ChannelNumber, channel_header, read_channel_data};
pub(super) use data_indication::{DATA_INDICATION_BYTES, data_indication_head};
pub use first_bytes::{Alpn, FIRST_BYTES, FirstBytes, alpn, first_bytes};
pub use framing::{FramingError, MAX_TCP_MESSAGE_BYTES, TcpFraming};
pub(super) use message::{Class, Message};
pub(super) use request::{AllocateWish, EvenPort, Family, FamilyWish, RefreshWish, Request, send_indication};
