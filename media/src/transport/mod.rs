//! What one participant's media travels over: ICE, DTLS and SRTP as sans-IO state machines. Every name of the libraries below ends here.
//!
//! [`Transport`] joins the three and is what `sfu` and `net` use. `IceClient` and `DtlsClient` are the other end, for synthetic
//! participants; they are built for tests only as long as nothing else needs them. Nothing in here knows a socket, a clock or a thread; nothing in here panics, grows without bound or logs.

mod certificate;
mod client_hello;
mod dtls;
mod dtls_association;
mod dtls_config;
mod dtls_flight;
mod dtls_inbox;
pub(crate) mod fuzzing;
mod ice;
mod ice_client;
mod rfc4571;
mod sdp;
mod srtp;
mod state;
mod stun;

pub(crate) use certificate::{Certificate, Fingerprint};
pub(crate) use dtls::{DtlsClient, DtlsError, DtlsEvent};
pub(crate) use ice::{IceCredentials, IcePlace};
pub(crate) use ice_client::{Confirmed, IceClient};
pub(crate) use rfc4571::{PacketFraming, first_packet, length_of};
pub(crate) use sdp::{Answer, Candidates, CodecEntry, ExtensionIds, LineAnswer, MediaKind, MediaLine, OutgoingIds, ParsedOffer};
pub(crate) use srtp::{
    DIRECT_KEY_BYTES, DtlsRole, InboundIndex, MAX_RTCP_OVERHEAD_BYTES, MAX_RTP_OVERHEAD_BYTES, OpenedRtp, SrtpError, SrtpOpener,
    SrtpProfile, SrtpSealer, direct_keys, from_keying_material,
};
pub(crate) use state::{Path, Sender, StunOutcome, Transport, TransportEvent};
pub(crate) use stun::{plain_answer, username_local_part};

#[cfg(test)]
mod tests;
