//! The asynchronous façade of the media core: what the server calls. It owns the queues to the workers and knows which worker a
//! participant is on; everything else happens in the workers.

use tokio::sync::mpsc;

use crate::api::{MediaEvent, Offer, Wish};
use crate::config::MediaConfig;
use crate::error::{MediaError, StartError};
use crate::id::{ParticipantId, RoomId, Source};

/// The running media core. Cheap to clone.
#[derive(Clone)]
pub struct Media {}

impl Media {
    /// Binds the ports and starts the workers. The receiver gives what the media core tells of its own accord.
    pub fn start(_config: MediaConfig) -> Result<(Self, mpsc::Receiver<MediaEvent>), StartError> {
        unimplemented!()
    }

    /// Puts a participant into a room's call. Nothing flows until [`Media::negotiate`].
    pub fn join(&self, _room: RoomId, _participant: ParticipantId) -> Result<(), MediaError> {
        unimplemented!()
    }

    /// Answers an SDP offer: the first, one that adds tracks or seats, or one that restarts ICE.
    pub async fn negotiate(&self, _participant: ParticipantId, _offer: Offer) -> Result<String, MediaError> {
        unimplemented!()
    }

    /// Takes a participant out of the call. Not one more packet of theirs is forwarded once the worker has seen this.
    pub fn leave(&self, _participant: ParticipantId) {
        unimplemented!()
    }

    /// Says how large the participant shows which feeds. Replaces the earlier wishes.
    pub fn set_wishes(&self, _participant: ParticipantId, _wishes: Vec<Wish>) -> Result<(), MediaError> {
        unimplemented!()
    }

    /// Says that the participant switched a source off or on by themselves, so that nobody waits for its keyframe.
    pub fn set_muted(&self, _participant: ParticipantId, _source: Source, _muted: bool) -> Result<(), MediaError> {
        unimplemented!()
    }

    /// Forbids or allows a source: while forbidden, the server forwards none of it whatever the page does.
    pub fn set_forbidden(&self, _participant: ParticipantId, _source: Source, _forbidden: bool) -> Result<(), MediaError> {
        unimplemented!()
    }

    /// The counters of all workers added up, as (stable name, labels, value) rows for the metrics page.
    pub fn counters(&self) -> Vec<CounterRow> {
        unimplemented!()
    }
}

/// One figure for the metrics page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRow {
    /// The metric's name without prefix and unit suffix, e.g. `packets_dropped`.
    pub name: &'static str,
    /// One sentence for the HELP line.
    pub help: &'static str,
    /// `true` for a gauge (participants now), `false` for a counter (packets so far).
    pub is_gauge: bool,
    /// At most one label, e.g. `("reason", "unknown_ssrc")`.
    pub label: Option<(&'static str, &'static str)>,
    /// The value.
    pub value: u64,
}
