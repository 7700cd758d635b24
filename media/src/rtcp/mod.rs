//! RTCP on the wire (RFC 3550 §6, RFC 4585, RFC 5104, transport-wide feedback): reading compound packets and building them.
//!
//! Owns bytes and nothing else: when to send what is decided in `sfu`. Reading borrows, allocates nothing and stops at the first
//! inconsistency. Building appends to a buffer that the caller keeps and reuses.

pub(crate) mod build;
mod parse;
pub(crate) mod twcc;
mod twcc_chunks;

pub(crate) use parse::{Compound, Nack, Rtcp};

use crate::units::Ssrc;

/// Packet types (RFC 3550 §12.1, RFC 4585 §6.1).
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const BYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
/// Formats of transport-layer feedback.
const FORMAT_NACK: u8 = 1;
const FORMAT_TWCC: u8 = 15;
/// Formats of payload-specific feedback.
const FORMAT_PLI: u8 = 1;
const FORMAT_FIR: u8 = 4;
/// Bytes of a report block.
const BLOCK_BYTES: usize = 24;

/// How one source was received (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReportBlock {
    /// The source.
    pub(crate) ssrc: Ssrc,
    /// Loss since the last report, in 1/256.
    pub(crate) fraction_lost: u8,
    /// Packets lost in all, 24 bits signed on the wire; duplicates may make it negative.
    pub(crate) cumulative_lost: i32,
    /// The extended highest sequence number.
    pub(crate) highest_seq: u32,
    /// Interarrival jitter in ticks of the media clock.
    pub(crate) jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time; 0 for none.
    pub(crate) last_sender_report: u32,
    /// Since that report, in 1/65536 s.
    pub(crate) delay_since_last_sender_report: u32,
}
