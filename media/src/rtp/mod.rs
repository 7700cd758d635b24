//! RTP on the wire (RFC 3550 §5): parsing into a small `Copy` struct, and writing into a slab.
//!
//! Owns the header, its extensions (RFC 8285) and padding. Must not know codecs, streams or encryption: the header is clear
//! in SRTP, so the same code reads a packet before and after it is opened. Never allocates, never panics on any input.

mod extension;
mod header;

pub(crate) use extension::AudioLevel;
pub(crate) use header::{OutExtension, OutHeader, RtpHeader, strip_padding, write_header};
