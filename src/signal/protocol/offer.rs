//! What an offer says beside its SDP: which m-line carries what, and which two make a seat.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Source;

/// One sending m-line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackOffer {
    /// Its `a=mid`.
    pub mid: String,
    /// What it carries.
    pub source: Source,
}

/// One receiving pair of m-lines.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, TS, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatOffer {
    /// The `a=mid` of the audio m-line.
    pub audio_mid: String,
    /// The `a=mid` of the video m-line.
    pub video_mid: String,
}
