//! SDP for one shape of session: the participant offers, the server answers; tracks one way, seats the other (RFC 8866, RFC 9429).
//!
//! [`offer`] turns what a browser wrote into checked values, [`answer`] writes the lean answer: transport attributes once at
//! session level, one codec for each track, every known codec for each seat. Chromium 156 and Firefox 153 were seen to accept it.
//! Nothing here knows a room; who sends what to whom is the business of `sfu/`.

mod answer;
mod offer;

pub(crate) use answer::{Answer, Candidates, LineAnswer, OutgoingIds};
pub(crate) use offer::{CodecEntry, ExtensionIds, MediaKind, MediaLine, ParsedOffer};

pub(crate) const URI_MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub(crate) const URI_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
pub(crate) const URI_REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
pub(crate) const URI_TWCC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
pub(crate) const URI_AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

#[cfg(test)]
mod tests;
