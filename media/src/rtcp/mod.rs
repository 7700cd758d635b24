//! RTCP on the wire (RFC 3550 §6, RFC 4585, RFC 5104, transport-wide congestion control): reading compounds without allocation, and
//! writing the few packets that the SFU sends.
//!
//! Must not know rooms or encryption; called on opened packets only. A malformed packet ends the compound, never panics.

pub(crate) mod build;
mod parse;
pub(crate) mod twcc;

pub(crate) use parse::{Compound, Rtcp};

use crate::units::Ssrc;

/// One reception report (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    pub(crate) ssrc: Ssrc,
    /// Of the packets since the last report, in 256ths.
    pub(crate) fraction_lost: u8,
    /// Of all packets; 24 bits signed.
    pub(crate) cumulative_lost: i32,
    /// Extended highest sequence number received.
    pub(crate) highest_seq: u32,
    /// In timestamp units.
    pub(crate) jitter: u32,
    /// Middle 32 bits of the last sender report's NTP time; 0 before the first.
    pub(crate) last_sender_report: u32,
    /// In 65536ths of a second.
    pub(crate) delay_since_last_sender_report: u32,
}
