//! DTLS-SRTP (RFC 5763, RFC 5764) of one transport: the handshake that proves who is there by the fingerprints of the signalling and
//! gives the SRTP keys. No application data.
//!
//! [`DtlsServer`] is the SFU's side: browsers offer, the SFU answers `a=setup:passive`. [`DtlsClient`] has the same face and belongs to
//! synthetic participants. Both are sans-IO and know no address, so that an association survives a change of path.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::certificate::{Certificate, Fingerprint};
use super::dtls_association::Association;
use super::srtp::{DtlsRole, KeyingMaterial, SrtpProfile};

/// What a datagram led to.
pub(crate) enum DtlsEvent {
    /// The handshake is done and the other side is who the fingerprint says. These are the keys.
    Connected(KeyingMaterial),
    /// The other side has closed the association.
    Closed,
}

/// Why an association failed. It is over then.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum DtlsError {
    /// The ClientHello offers no SRTP profile of ours, or is no ClientHello.
    #[error("no SRTP profile in common")]
    NoSrtpProfile,
    /// The certificate is not the one of the signalling.
    #[error("the certificate does not match the fingerprint")]
    WrongFingerprint,
    /// The handshake took too long.
    #[error("the DTLS handshake took too long")]
    TimedOut,
    /// The other side sent a fatal alert.
    #[error("the other side ended the association with an alert")]
    Alert,
    /// The handshake cannot go on, as the library says.
    #[error("the DTLS handshake failed: {0}")]
    Handshake(String),
    /// The library panicked on what the other side sent.
    #[error("the DTLS handshake crashed")]
    Crashed,
}

impl DtlsError {
    pub(super) fn from_library(error: &rtc_shared::error::Error) -> Self {
        match error {
            rtc_shared::error::Error::ErrNoMatchingCertificateFingerprint => Self::WrongFingerprint,
            rtc_shared::error::Error::ErrAlertFatalOrClose => Self::Alert,
            other => Self::Handshake(other.to_string()),
        }
    }
}

/// The server's side of an association.
pub(crate) struct DtlsServer(Association);

impl DtlsServer {
    /// Waits for a client whose certificate has this fingerprint.
    pub(crate) fn new(certificate: Arc<Certificate>, remote: Fingerprint) -> Self {
        Self(Association::new(certificate, remote, DtlsRole::Server))
    }

    /// Handles a datagram. After an error or [`DtlsEvent::Closed`] every further one is ignored.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<DtlsEvent>, DtlsError> {
        self.0.handle_datagram(now, datagram)
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.0.poll_transmit()
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    /// Repeats what was lost; fails at the deadline of the handshake.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsError> {
        self.0.handle_timeout(now)
    }

    /// Sends a `close_notify` when connected. Everything is ignored afterwards.
    pub(crate) fn close(&mut self, now: Instant) {
        self.0.close(now);
    }

    /// How long the other side took to answer a flight of the handshake, when that is known.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.0.round_trip()
    }
}

/// The client's side of an association.
pub(crate) struct DtlsClient {
    profiles: Vec<SrtpProfile>,
    association: Association,
}

impl DtlsClient {
    /// Will connect to a server whose certificate has this fingerprint, offering these profiles in this order.
    pub(crate) fn new(certificate: Arc<Certificate>, remote: Fingerprint, profiles: &[SrtpProfile]) -> Self {
        Self { profiles: profiles.to_vec(), association: Association::new(certificate, remote, DtlsRole::Client) }
    }

    /// Sends the ClientHello.
    pub(crate) fn start(&mut self, now: Instant) -> Result<(), DtlsError> {
        self.association.connect(now, &self.profiles)
    }

    /// Handles a datagram. After an error or [`DtlsEvent::Closed`] every further one is ignored.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<DtlsEvent>, DtlsError> {
        self.association.handle_datagram(now, datagram)
    }

    /// The next datagram to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.association.poll_transmit()
    }

    /// When [`Self::handle_timeout`] is to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.association.poll_timeout()
    }

    /// Repeats what was lost; fails at the deadline of the handshake.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsError> {
        self.association.handle_timeout(now)
    }

    /// Sends a `close_notify` when connected. Everything is ignored afterwards.
    pub(crate) fn close(&mut self, now: Instant) {
        self.association.close(now);
    }
}
