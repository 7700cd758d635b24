//! A transport: one ICE, DTLS and SRTP association with one participant, whatever address they use at the moment.
//!
//! The worker finds the transport of a datagram (by address; by user fragment for the first of a path) and calls `handle_stun`,
//! `handle_dtls`, `open_rtp` or `open_rtcp`. DTLS and media must only be passed on from an address whose check was answered here, or
//! which `adopt_path` was told. Datagrams to be sent go to `out` with their path. No socket and no clock; time is an argument.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::CryptoError;

use super::certificate::{Certificate, Fingerprint};
use super::dtls::{DtlsError, DtlsEvent, DtlsServer};
use super::ice::{BindingOutcome, IceCredentials, IceLite, IcePlace, IgnoredBinding, Nomination};
use super::srtp::{self, DtlsRole, InboundIndex, KeyingMaterial, OpenedRtp, SrtpError, SrtpOpener, SrtpSealer};
use crate::id::TcpId;

/// A participant that is not connected this long after joining is given up.
const SETUP_DEADLINE: Duration = Duration::from_secs(30);
/// After a nomination, media from another address does not move the path this long: it may have been under way already.
const NOMINATION_HOLD: Duration = Duration::from_millis(500);

/// Where the other side is, and which of our addresses it talks to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Path {
    pub(crate) remote: SocketAddr,
    /// `None` where the socket does not tell.
    pub(crate) local_ip: Option<IpAddr>,
    /// The TCP connection, where it is none of UDP (RFC 6544).
    pub(crate) tcp: Option<TcpId>,
}

/// Who sends on a path. The ports of UDP and of TCP are different ones even when their numbers are alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sender {
    address: SocketAddr,
    tcp: Option<TcpId>,
}

impl Path {
    /// By datagrams.
    pub(crate) fn udp(remote: SocketAddr, local_ip: Option<IpAddr>) -> Self {
        Self { remote, local_ip, tcp: None }
    }

    pub(crate) fn sender(&self) -> Sender {
        Sender { address: self.remote, tcp: self.tcp }
    }
}

/// What the owner of a transport has to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TransportEvent {
    /// Media can flow, for the first time or again.
    Connected,
    /// No consent for 30 s, or never any: nothing may be sent. A new check or an ICE restart brings it back.
    Disconnected,
    /// The other side said goodbye. It will not come back without a new transport.
    Closed,
    /// The association cannot be made. It will not come back without a new transport.
    Failed(DtlsError),
}

/// What a STUN datagram led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StunOutcome {
    /// The check authenticated: from now on datagrams from this path belong to this transport.
    Answered {
        /// The path is now the one that we send to, and was not before.
        has_moved: bool,
        /// A user fragment of ours that is no longer valid.
        retired_ufrag: Option<String>,
        event: Option<TransportEvent>,
    },
    /// It did not authenticate or was refused for another reason, and an error response was sent.
    Rejected,
    Ignored(IgnoredBinding),
}

/// One participant's association.
pub(crate) struct Transport {
    ice: IceLite,
    dtls: DtlsServer,
    certificate: Arc<Certificate>,
    srtp: Option<(SrtpSealer, SrtpOpener)>,
    path: Option<Path>,
    nominated_at: Option<Instant>,
    has_consent: bool,
    setup_deadline: Option<Instant>,
    round_trip: Option<Duration>,
}

impl Transport {
    /// Waits for the participant whose offer has this fingerprint and user fragment.
    pub(crate) fn new(
        now: Instant,
        certificate: Arc<Certificate>,
        place: IcePlace,
        remote: Fingerprint,
        remote_ufrag: String,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            ice: IceLite::new(Arc::clone(certificate.provider()), place, remote_ufrag)?,
            dtls: DtlsServer::new(Arc::clone(&certificate), remote),
            certificate,
            srtp: None,
            path: None,
            nominated_at: None,
            has_consent: false,
            setup_deadline: Some(now + SETUP_DEADLINE),
            round_trip: None,
        })
    }

    /// Our ICE credentials for the answer.
    pub(crate) fn local_credentials(&self) -> &IceCredentials {
        self.ice.local()
    }

    /// The user fragment of the offer that the transport was made or restarted with. Another one in an offer asks for a restart.
    pub(crate) fn remote_ufrag(&self) -> &str {
        self.ice.remote_ufrag()
    }

    /// Every user fragment of ours that is valid now: one, or two during an ICE restart.
    pub(crate) fn ufrags(&self) -> impl Iterator<Item = &str> {
        self.ice.ufrags()
    }

    /// Restarts ICE: new credentials of ours, and media flows on over the old path meanwhile. Returns a user fragment of ours that is no
    /// longer valid, when a restart was under way already.
    pub(crate) fn restart(&mut self, remote_ufrag: String) -> Result<Option<String>, CryptoError> {
        self.ice.restart(remote_ufrag)
    }

    /// Whether media may be sent: the handshake is done and the other side consents.
    pub(crate) fn is_connected(&self) -> bool {
        self.has_consent && self.srtp.is_some()
    }

    /// Where to send; `None` when nothing may be sent.
    pub(crate) fn path(&self) -> Option<Path> {
        self.path.filter(|_| self.has_consent)
    }

    /// The smoothed round-trip time, once there was a sample.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Takes a sample of the round-trip time, as receiver reports give it (RFC 3550 §6.4.1), and smooths it (RFC 6298 §2).
    pub(crate) fn note_round_trip(&mut self, sample: Duration) {
        self.round_trip = Some(self.round_trip.map_or(sample, |smoothed| (smoothed * 7 + sample) / 8));
    }

    /// Handles a STUN datagram that carries one of our user fragments or came over a known path.
    pub(crate) fn handle_stun(
        &mut self,
        now: Instant,
        datagram: &[u8],
        from: Path,
        out: &mut impl FnMut(Path, &[u8]),
    ) -> StunOutcome {
        match self.ice.handle_binding(now, datagram, from.remote) {
            BindingOutcome::Ignore(reason) => StunOutcome::Ignored(reason),
            BindingOutcome::Reject { bytes } => {
                out(from, &bytes);
                StunOutcome::Rejected
            }
            BindingOutcome::Respond { bytes, nomination } => {
                out(from, &bytes);
                self.answered(now, from, nomination)
            }
        }
    }

    fn answered(&mut self, now: Instant, from: Path, nomination: Nomination) -> StunOutcome {
        let before = self.path;
        if nomination != Nomination::None {
            self.path = Some(from);
            if before != self.path || self.nominated_at.is_none() {
                self.nominated_at = Some(now);
            }
        } else if before.is_none() {
            self.path = Some(from);
        }
        let was_connected = self.is_connected();
        self.has_consent = self.ice.consent_deadline().is_some_and(|deadline| now < deadline);
        let event = (self.is_connected() && !was_connected).then_some(TransportEvent::Connected);
        let retired_ufrag = match nomination {
            Nomination::Restarted { retired_ufrag } => Some(retired_ufrag),
            Nomination::None | Nomination::Path => None,
        };
        StunOutcome::Answered { has_moved: before != self.path, retired_ufrag, event }
    }

    /// Handles a DTLS datagram from a path whose check was answered.
    pub(crate) fn handle_dtls(
        &mut self,
        now: Instant,
        datagram: &[u8],
        from: Path,
        out: &mut impl FnMut(Path, &[u8]),
    ) -> Option<TransportEvent> {
        if !self.has_consent {
            return None;
        }
        if self.nominated_at.is_none() {
            // Browsers begin the handshake on the path they will nominate.
            self.path = Some(from);
        }
        let result = self.dtls.handle_datagram(now, datagram);
        while let Some(bytes) = self.dtls.poll_transmit() {
            out(from, &bytes);
        }
        match result {
            Ok(None) => None,
            Ok(Some(DtlsEvent::Closed)) => Some(self.end(TransportEvent::Closed)),
            Ok(Some(DtlsEvent::Connected(material))) => Some(self.connected(&material)),
            Err(error) => Some(self.end(TransportEvent::Failed(error))),
        }
    }

    fn connected(&mut self, material: &KeyingMaterial) -> TransportEvent {
        match srtp::from_keying_material(material, DtlsRole::Server, self.certificate.provider().crypto()) {
            Ok(directions) => {
                self.srtp = Some(directions);
                self.setup_deadline = None;
                self.round_trip = self.dtls.round_trip();
                TransportEvent::Connected
            }
            Err(error) => self.end(TransportEvent::Failed(DtlsError::Handshake(error.to_string()))),
        }
    }

    fn end(&mut self, event: TransportEvent) -> TransportEvent {
        self.srtp = None;
        self.setup_deadline = None;
        event
    }

    /// Says goodbye. Nothing more is sent or received afterwards.
    pub(crate) fn close(&mut self, now: Instant, out: &mut impl FnMut(Path, &[u8])) {
        self.dtls.close(now);
        self.flush(out);
        self.srtp = None;
        self.has_consent = false;
        self.setup_deadline = None;
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let consent = self.ice.consent_deadline().filter(|_| self.has_consent);
        [self.dtls.poll_timeout(), consent, self.setup_deadline].into_iter().flatten().min()
    }

    /// Repeats what was lost, and notices what did not happen in time.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut impl FnMut(Path, &[u8])) -> Option<TransportEvent> {
        if self.has_consent && self.ice.consent_deadline().is_some_and(|deadline| deadline <= now) {
            self.has_consent = false;
            return Some(TransportEvent::Disconnected);
        }
        if self.setup_deadline.is_some_and(|deadline| deadline <= now) {
            self.setup_deadline = None;
            return Some(TransportEvent::Disconnected);
        }
        if let Err(error) = self.dtls.handle_timeout(now) {
            return Some(self.end(TransportEvent::Failed(error)));
        }
        self.flush(out);
        None
    }

    fn flush(&mut self, out: &mut impl FnMut(Path, &[u8])) {
        while let Some(bytes) = self.dtls.poll_transmit() {
            if let Some(path) = self.path() {
                out(path, &bytes);
            }
        }
    }

    /// Follows the sender of a packet that has authenticated and is the newest of its SSRC, as RFC 9146 §6 argues: whoever repeats old
    /// packets from elsewhere moves nothing. Returns whether the path is a new one.
    pub(crate) fn adopt_path(&mut self, now: Instant, from: Path, opened: &OpenedRtp) -> bool {
        let is_held = self.nominated_at.is_some_and(|at| now < at + NOMINATION_HOLD);
        if !opened.is_newest || is_held || self.path == Some(from) {
            return false;
        }
        self.path = Some(from);
        true
    }

    /// Opens an RTP packet: see [`SrtpOpener::open_rtp`].
    pub(crate) fn open_rtp(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        state: &mut InboundIndex,
    ) -> Result<OpenedRtp, SrtpError> {
        let (_, opener) = self.srtp.as_mut().ok_or(SrtpError::NoKeys)?;
        opener.open_rtp(packet, header_len, state)
    }

    /// Opens an RTCP packet: see [`SrtpOpener::open_rtcp`].
    pub(crate) fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let (_, opener) = self.srtp.as_mut().ok_or(SrtpError::NoKeys)?;
        opener.open_rtcp(packet)
    }

    /// Seals an RTP packet: see [`SrtpSealer::seal_rtp`].
    pub(crate) fn seal_rtp(&mut self, packet: &mut [u8], header_len: usize, len: usize, index: u64) -> Result<usize, SrtpError> {
        let (sealer, _) = self.srtp.as_mut().ok_or(SrtpError::NoKeys)?;
        sealer.seal_rtp(packet, header_len, len, index)
    }

    /// Seals an RTCP packet: see [`SrtpSealer::seal_rtcp`].
    pub(crate) fn seal_rtcp(&mut self, packet: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let (sealer, _) = self.srtp.as_mut().ok_or(SrtpError::NoKeys)?;
        sealer.seal_rtcp(packet, len)
    }
}
