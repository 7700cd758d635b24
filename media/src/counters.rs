//! Figures of one worker: written by its thread alone, read by the metrics page. Bad packets end here, not in a log.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($( $variant:ident => ($name:literal, $help:expr, $gauge:literal, $label:expr), )*) => {
        /// One figure.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Counter { $( $variant, )* }

        const ROWS: &[(Counter, &str, &str, bool, Option<(&str, &str)>)] =
            &[ $( (Counter::$variant, $name, $help, $gauge, $label), )* ];
    };
}

const DROPPED: &str = "Packets dropped, by reason.";
const KEYFRAMES: &str = "Keyframe requests (PLI and FIR), by direction.";
const NACKS: &str = "Sequence numbers asked again by NACK, by direction.";
const RTX: &str = "Retransmitted packets, by direction.";

counters! {
    PacketsIn => ("packets_in", "Datagrams received on media ports.", false, None),
    BytesIn => ("bytes_in", "Bytes received on media ports.", false, None),
    PacketsOut => ("packets_out", "Datagrams sent from media ports.", false, None),
    BytesOut => ("bytes_out", "Bytes sent from media ports.", false, None),
    BatchesHandedOver => ("batches_handed_over", "Batches of packets handed to another worker of the same call.", false, None),
    PacketsForwarded => ("packets_forwarded", "RTP packets forwarded to a subscriber.", false, None),
    DropUnknownSource => ("packets_dropped", DROPPED, false, Some(("reason", "unknown_source"))),
    DropNotMedia => ("packets_dropped", DROPPED, false, Some(("reason", "not_media"))),
    DropStun => ("packets_dropped", DROPPED, false, Some(("reason", "bad_stun"))),
    DropDtls => ("packets_dropped", DROPPED, false, Some(("reason", "bad_dtls"))),
    DropNotConnected => ("packets_dropped", DROPPED, false, Some(("reason", "not_connected"))),
    DropMalformed => ("packets_dropped", DROPPED, false, Some(("reason", "malformed_rtp"))),
    DropUnknownSsrc => ("packets_dropped", DROPPED, false, Some(("reason", "unknown_ssrc"))),
    DropUnknownPayloadType => ("packets_dropped", DROPPED, false, Some(("reason", "unknown_payload_type"))),
    DropAuthentication => ("packets_dropped", DROPPED, false, Some(("reason", "authentication"))),
    DropReplay => ("packets_dropped", DROPPED, false, Some(("reason", "replay"))),
    DropDuplicate => ("packets_dropped", DROPPED, false, Some(("reason", "duplicate"))),
    DropNoMirror => ("packets_dropped", DROPPED, false, Some(("reason", "no_mirror"))),
    DropHandover => ("packets_dropped", DROPPED, false, Some(("reason", "handover_full"))),
    DropForbidden => ("packets_dropped", DROPPED, false, Some(("reason", "forbidden"))),
    DropSendFailed => ("packets_dropped", DROPPED, false, Some(("reason", "send_failed"))),
    DropSlowReader => ("packets_dropped", DROPPED, false, Some(("reason", "slow_tcp_reader"))),
    DropRtcp => ("packets_dropped", DROPPED, false, Some(("reason", "bad_rtcp"))),
    LevelsIgnored => ("levels_ignored", "RTP packets that said how loud they are in a call that hides it.", false, None),
    NackIn => ("nacks", NACKS, false, Some(("direction", "in"))),
    NackOut => ("nacks", NACKS, false, Some(("direction", "out"))),
    RtxIn => ("rtx_packets", RTX, false, Some(("direction", "in"))),
    RtxOut => ("rtx_packets", RTX, false, Some(("direction", "out"))),
    PliIn => ("keyframe_requests", KEYFRAMES, false, Some(("direction", "in"))),
    PliOut => ("keyframe_requests", KEYFRAMES, false, Some(("direction", "out"))),
    IceFailed => ("ice_failures", "Transports whose consent ran out.", false, None),
    DtlsFailed => ("dtls_failures", "DTLS handshakes that failed or ran out of time.", false, None),
    PathChanges => ("path_changes", "Transports that moved to another address.", false, None),
    WorkerCrashes => ("worker_crashes", "Workers that crashed and started afresh.", false, None),
    EventsLost => ("events_lost", "Events dropped because the server did not take them.", false, None),
    BusyPermille => ("busy_permille", "Part of their time that workers work, in thousandths, added up over the workers.", true, None),
    Shedding => ("workers_shedding", "Workers that shed load now, because they cannot carry all.", true, None),
    IceTcpConnections => ("ice_tcp_connections", "TCP connections to the SFU now.", true, None),
    TurnTcpConnections => ("turn_tcp_connections", "TCP and TLS connections of TURN now.", true, None),
    Participants => ("participants", "Participants in calls now.", true, None),
    Publications => ("publications", "Tracks offered to calls now.", true, None),
    Subscriptions => ("subscriptions", "Tracks delivered to a seat now.", true, None),
}

/// The figures of one worker.
pub(crate) struct Counters([AtomicU64; ROWS.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Counters {
    pub(crate) fn add(&self, counter: Counter, n: u64) {
        // Only the worker's own thread writes: a plain load and store, a tenth of the price of an atomic addition.
        let cell = &self.0[counter as usize];
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    pub(crate) fn set(&self, counter: Counter, n: u64) {
        self.0[counter as usize].store(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }

    /// The figures of several workers added up.
    pub(crate) fn sum(workers: &[&Self]) -> Vec<CounterRow> {
        let row = |&(counter, name, help, is_gauge, label): &(Counter, _, _, _, Option<_>)| {
            let value = workers.iter().map(|worker| worker.get(counter)).sum();
            CounterRow { name, help, is_gauge, labels: label.into_iter().collect(), value }
        };
        ROWS.iter().map(row).collect()
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
    /// Label names and values, e.g. `("reason", "unknown_ssrc")`.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The value.
    pub value: u64,
}
