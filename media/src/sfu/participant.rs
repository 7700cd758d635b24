//! One participant of a call as the media core sees them: a transport, what they send, and the seats in which they receive.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::outgoing::Outgoing;
use crate::api::Wish;
use crate::codec::CodecSet;
use crate::id::{FeedId, FeedKind, ParticipantId, Source};
use crate::rtcp::twcc::TwccRecorder;
use crate::transport::{CodecEntry, ExtensionIds, Fingerprint, InboundIndex, Path, Sender, Transport};

/// SSRCs that one participant may send with: three layers and their retransmissions for camera and screen, two sounds, and as many
/// again for those that a renegotiation left behind.
pub(crate) const MAX_INBOUND_SSRCS: usize = 32;
/// Addresses remembered for one participant; the oldest is forgotten. A browser checks from a handful at a time.
pub(crate) const MAX_ADDRESSES: usize = 8;
/// Round trip taken until a report tells.
const DEFAULT_RTT: Duration = Duration::from_millis(100);

pub(crate) struct Participant {
    pub(crate) id: ParticipantId,
    /// Known from the first offer on.
    pub(crate) transport: Option<Transport>,
    /// Of the certificate in the first offer; another one would be another browser.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) addresses: Vec<Sender>,
    pub(crate) tracks: Vec<Track>,
    pub(crate) inbound: Vec<Inbound>,
    pub(crate) seats: Vec<Seat>,
    /// How large the participant shows which feeds; empty until it says so.
    pub(crate) wishes: HashMap<(ParticipantId, FeedKind), Wish>,
    /// What the participant's browser decodes.
    pub(crate) decodable: CodecSet,
    /// Header-extension ids, one numbering for the whole transport (RFC 8843 §9.2).
    pub(crate) extensions: ExtensionIds,
    /// The offered number of the extension for levels, which was not taken.
    pub(crate) refused_level: Option<u8>,
    pub(crate) muted: PerSource,
    pub(crate) forbidden: PerSource,
    pub(crate) twcc: TwccRecorder,
    pub(crate) answer_version: u64,
    /// Whether a new offer was asked for and has not come yet.
    pub(crate) is_asked_to_renegotiate: bool,
    pub(crate) timers: Timers,
    /// When the participant is visited next.
    pub(crate) due: Option<Instant>,
    /// Whether a line of theirs shows a new source, of which a sender report has still to tell.
    pub(crate) is_to_be_told: bool,
    /// The SSRC with which the server reports to this participant.
    pub(crate) report_ssrc: u32,
}

/// When what was last sent.
#[derive(Default)]
pub(crate) struct Timers {
    pub(crate) twcc: Option<Instant>,
    pub(crate) receiver_report: Option<Instant>,
}

/// One flag for each source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PerSource([bool; Source::ALL.len()]);

/// A sending m-line.
pub(crate) struct Track {
    pub(crate) mid: String,
    pub(crate) source: Source,
    /// The publication's key in the room.
    pub(crate) publication: usize,
    /// What the publisher can send, in its order of preference.
    pub(crate) codecs: Vec<CodecEntry>,
    /// What it was told to send.
    pub(crate) chosen: CodecEntry,
}

/// An SSRC that the participant sends with. Made only after a packet of it was authenticated, or when the offer declared it.
pub(crate) struct Inbound {
    pub(crate) ssrc: u32,
    pub(crate) publication: usize,
    pub(crate) layer: usize,
    pub(crate) is_rtx: bool,
    pub(crate) index: InboundIndex,
}

/// A pair of receiving m-lines.
pub(crate) struct Seat {
    pub(crate) feed: Option<FeedId>,
    /// How large the feed is shown here, pixels; 0 while it is not visible.
    pub(crate) width_px: u32,
    /// Whether the feed's sound is forwarded.
    pub(crate) is_heard: bool,
    /// Whether its picture matters more than others': pinned, speaking, or a shared screen.
    pub(crate) is_prominent: bool,
    pub(crate) audio: Outgoing,
    pub(crate) video: Outgoing,
}

impl Participant {
    pub(crate) fn new(id: ParticipantId, report_ssrc: u32) -> Self {
        Self {
            id,
            transport: None,
            fingerprint: None,
            addresses: Vec::new(),
            tracks: Vec::new(),
            inbound: Vec::new(),
            seats: Vec::new(),
            wishes: HashMap::new(),
            decodable: CodecSet::ALL,
            extensions: ExtensionIds::default(),
            refused_level: None,
            muted: PerSource::default(),
            forbidden: PerSource::default(),
            twcc: TwccRecorder::default(),
            answer_version: 0,
            is_asked_to_renegotiate: false,
            timers: Timers::default(),
            due: None,
            is_to_be_told: false,
            report_ssrc,
        }
    }

    /// The round trip to the participant.
    pub(crate) fn rtt(&self) -> Duration {
        self.transport.as_ref().and_then(Transport::round_trip).unwrap_or(DEFAULT_RTT)
    }

    /// The transport, if media can flow over it, and where it sends to.
    pub(crate) fn connected(&mut self) -> Option<(&mut Transport, Path)> {
        let transport = self.transport.as_mut().filter(|transport| transport.is_connected())?;
        let path = transport.path()?;
        Some((transport, path))
    }
}

impl PerSource {
    pub(crate) fn get(&self, source: Source) -> bool {
        self.0[source as usize]
    }

    pub(crate) fn set(&mut self, source: Source, value: bool) {
        self.0[source as usize] = value;
    }
}

impl Seat {
    /// The line that carries `source`'s kind.
    pub(crate) fn line(&mut self, source: Source) -> &mut Outgoing {
        if source.is_audio() { &mut self.audio } else { &mut self.video }
    }
}
