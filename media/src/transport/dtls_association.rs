//! One DTLS 1.2 association over `rtc-dtls`, in either role: what goes in is filtered and put in order by `dtls_inbox.rs`, what comes
//! out is repeated by `dtls_flight.rs`, and the handshake is bounded in time, bytes and records. Used by `dtls.rs` only.
//!
//! During the handshake clear alerts are ignored, as anybody can forge them (RFC 6347 §4.1.2.7); the deadline ends a handshake that the
//! other side has given up. Afterwards only encrypted alerts reach the library.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_dtls::state::State;
use rtc_shared::TransportProtocol;

use super::certificate::{Certificate, Fingerprint};
use super::dtls::{DtlsError, DtlsEvent};
use super::dtls_config;
use super::dtls_flight::Flight;
use super::dtls_inbox::{self, ContentType, Inbox, Message, Placed, Record};
use super::srtp::{DtlsRole, KeyingMaterial, SrtpProfile};

/// From the first datagram to the last of a handshake. A browser gives up in about this time too.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(15);
/// Datagrams waiting to be sent. More than two flights are never due at once; what does not fit is repeated later.
const MAX_OUTBOX: usize = 32;
/// Encrypted handshake records taken in one handshake: Finished, and its repetitions.
const MAX_ENCRYPTED_RECORDS: usize = 16;
/// The largest encrypted handshake or alert record that is taken; Finished has 61 bytes.
const MAX_ENCRYPTED_BYTES: usize = 256;
/// The label under which SRTP's keys are exported (RFC 5764 §4.2).
const EXPORTER_LABEL: &str = "EXTRACTOR-dtls_srtp";
/// Stands for the other side, whose real address may change during the association.
const OTHER_SIDE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(0, 0, 0, 1)), 1);

/// Where an association stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Handshake,
    Connected,
    /// Closed by either side, or failed. Nothing more happens.
    Over,
}

pub(super) struct Association {
    certificate: Arc<Certificate>,
    /// Who the other side has to be.
    remote: Fingerprint,
    endpoint: Endpoint,
    role: DtlsRole,
    phase: Phase,
    inbox: Inbox,
    flight: Flight,
    outbox: VecDeque<BytesMut>,
    deadline: Option<Instant>,
    round_trip: Option<Duration>,
    /// Numbers the clear records that are handed to the library.
    next_record: u64,
    /// Messages below this number were answered by our last flight.
    answered_below: u16,
    /// The other side has said that it encrypts from now on.
    has_changed_cipher: bool,
    /// Encrypted records that arrived before that was said.
    early: Vec<Vec<u8>>,
    encrypted_records: usize,
}

impl Association {
    pub(super) fn new(certificate: Arc<Certificate>, remote: Fingerprint, role: DtlsRole) -> Self {
        Self {
            certificate,
            remote,
            endpoint: Endpoint::new(OTHER_SIDE, TransportProtocol::UDP, None),
            role,
            phase: Phase::Handshake,
            inbox: Inbox::default(),
            flight: Flight::default(),
            outbox: VecDeque::new(),
            deadline: None,
            round_trip: None,
            next_record: 0,
            answered_below: 0,
            has_changed_cipher: false,
            early: Vec::new(),
            encrypted_records: 0,
        }
    }

    /// Sends the first flight of a client that offers these profiles.
    pub(super) fn connect(&mut self, now: Instant, profiles: &[SrtpProfile]) -> Result<(), DtlsError> {
        let builder = dtls_config::builder(&self.certificate, self.remote, profiles);
        let config = builder.build(true, None).map_err(|error| DtlsError::from_library(&error))?;
        self.deadline = Some(now + HANDSHAKE_DEADLINE);
        self.endpoint.connect(now, OTHER_SIDE, Arc::new(config), None).map_err(|error| DtlsError::from_library(&error))?;
        self.send_flight(now);
        Ok(())
    }

    /// Handles a datagram. Once the association is over, it is ignored.
    pub(super) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<DtlsEvent>, DtlsError> {
        let result = match self.phase {
            Phase::Handshake => self.handshake(now, datagram),
            Phase::Connected => self.after_handshake(now, datagram),
            Phase::Over => Ok(None),
        };
        if matches!(result, Err(_) | Ok(Some(DtlsEvent::Closed))) {
            self.phase = Phase::Over;
        }
        result
    }

    fn handshake(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<DtlsEvent>, DtlsError> {
        self.deadline.get_or_insert(now + HANDSHAKE_DEADLINE);
        let mut is_repetition = false;
        let mut says_changed_cipher = false;
        for record in dtls_inbox::records(datagram) {
            match (record.content, record.epoch) {
                (ContentType::Handshake, 0) => {
                    for fragment in dtls_inbox::fragments(record.body) {
                        let placed = self.inbox.insert(fragment);
                        is_repetition |= matches!(placed, Placed::Repeated(number) if number < self.answered_below);
                    }
                }
                (ContentType::Handshake, _) => self.keep_encrypted(record),
                (ContentType::ChangeCipherSpec, 0) => says_changed_cipher = true,
                _ => {}
            }
        }
        let messages: Vec<Message> = std::iter::from_fn(|| self.inbox.take()).collect();
        if let (DtlsRole::Server, Some(first @ Message { sequence: 0, .. })) = (self.role, messages.first()) {
            let config = dtls_config::answering(first, &self.certificate, self.remote)?;
            self.endpoint.set_server_config(Some(Arc::new(config)));
        }
        let batch = self.batch(&messages, says_changed_cipher);
        self.feed_handshake(now, batch, is_repetition)
    }

    fn keep_encrypted(&mut self, record: Record<'_>) {
        if record.bytes.len() <= MAX_ENCRYPTED_BYTES && self.encrypted_records < MAX_ENCRYPTED_RECORDS {
            self.encrypted_records += 1;
            self.early.push(record.bytes.to_vec());
        }
    }

    /// What the library has not seen yet, in the order in which it was sent.
    fn batch(&mut self, messages: &[Message], says_changed_cipher: bool) -> BytesMut {
        let mut batch = BytesMut::new();
        for message in messages {
            message.write_record(self.next_record, &mut batch);
            self.next_record += 1;
        }
        if says_changed_cipher && !self.has_changed_cipher {
            self.has_changed_cipher = true;
            dtls_inbox::write_change_cipher_spec(self.next_record, &mut batch);
            self.next_record += 1;
        }
        if self.has_changed_cipher {
            for record in self.early.drain(..) {
                batch.extend_from_slice(&record);
            }
        }
        batch
    }

    fn feed_handshake(&mut self, now: Instant, batch: BytesMut, is_repetition: bool) -> Result<Option<DtlsEvent>, DtlsError> {
        let is_progress = !batch.is_empty();
        let events = if is_progress { self.feed(now, batch) } else { Ok(Vec::new()) };
        let has_answered = self.send_flight(now);
        if events?.iter().any(|event| matches!(event, EndpointEvent::HandshakeComplete)) {
            return self.complete().map(Some);
        }
        if !has_answered && is_repetition {
            let datagrams = self.flight.asked_for(now);
            queue(&mut self.outbox, datagrams);
        } else if !has_answered && is_progress {
            self.flight.note_progress(now);
        }
        Ok(None)
    }

    /// Hands records to the library. A panic in there, where bytes of anybody are parsed, costs this association and no other.
    fn feed(&mut self, now: Instant, records: BytesMut) -> Result<Vec<EndpointEvent>, DtlsError> {
        let endpoint = &mut self.endpoint;
        match catch_unwind(AssertUnwindSafe(|| endpoint.read(now, OTHER_SIDE, None, records))) {
            Ok(result) => result.map_err(|error| DtlsError::from_library(&error)),
            Err(_) => {
                self.endpoint = Endpoint::new(OTHER_SIDE, TransportProtocol::UDP, None);
                Err(DtlsError::Crashed)
            }
        }
    }

    /// Takes what the library wants to send, and says whether there was any.
    fn send_flight(&mut self, now: Instant) -> bool {
        let datagrams: Vec<BytesMut> = std::iter::from_fn(|| self.endpoint.poll_transmit()).map(|sent| sent.message).collect();
        if datagrams.is_empty() {
            return false;
        }
        if let Some(sample) = self.flight.answered_after(now) {
            self.round_trip = Some(sample);
        }
        queue(&mut self.outbox, &datagrams);
        self.flight.replace(now, datagrams);
        self.answered_below = self.inbox.next_sequence();
        true
    }

    /// Hands out the keys, if the certificate that the library has taken is the right one, whatever its callback was asked.
    fn complete(&mut self) -> Result<DtlsEvent, DtlsError> {
        let state = self.endpoint.get_connection_state(OTHER_SIDE).ok_or(DtlsError::NoSrtpProfile)?;
        if !self.remote.matches(&state.peer_certificates, self.certificate.provider.as_ref()) {
            return Err(DtlsError::WrongFingerprint);
        }
        let material = export(state)?;
        self.flight.stop_timer();
        self.deadline = None;
        self.phase = Phase::Connected;
        Ok(DtlsEvent::Connected(material))
    }

    fn after_handshake(&mut self, now: Instant, datagram: &[u8]) -> Result<Option<DtlsEvent>, DtlsError> {
        let mut alerts = BytesMut::new();
        let mut is_repetition = false;
        for record in dtls_inbox::records(datagram) {
            match record.content {
                ContentType::Alert if record.epoch > 0 && record.bytes.len() <= MAX_ENCRYPTED_BYTES => {
                    alerts.extend_from_slice(record.bytes);
                }
                ContentType::Handshake | ContentType::ChangeCipherSpec => is_repetition = true,
                _ => {}
            }
        }
        if is_repetition {
            let datagrams = self.flight.asked_for(now);
            queue(&mut self.outbox, datagrams);
        }
        if alerts.is_empty() {
            return Ok(None);
        }
        let result = self.feed(now, alerts);
        self.drain_library();
        match result {
            Ok(events) if events.iter().any(|event| matches!(event, EndpointEvent::PeerClosed)) => Ok(Some(DtlsEvent::Closed)),
            Err(error @ (DtlsError::Alert | DtlsError::Crashed)) => Err(error),
            // A warning, or a record that does not decrypt.
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Queues what the library wants to send outside of the handshake: alerts, which are not repeated.
    fn drain_library(&mut self) {
        while let Some(sent) = self.endpoint.poll_transmit() {
            queue(&mut self.outbox, &[sent.message]);
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.outbox.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Handshake => self.flight.poll_timeout().into_iter().chain(self.deadline).min(),
            Phase::Connected | Phase::Over => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsError> {
        if self.phase != Phase::Handshake {
            return Ok(());
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.phase = Phase::Over;
            return Err(DtlsError::TimedOut);
        }
        let datagrams = self.flight.due(now);
        queue(&mut self.outbox, datagrams);
        Ok(())
    }

    /// Says goodbye, when there is somebody to say it to.
    pub(super) fn close(&mut self, now: Instant) {
        if self.phase == Phase::Connected {
            self.endpoint.stop(now, OTHER_SIDE);
            self.drain_library();
        }
        self.phase = Phase::Over;
    }

    /// How long the other side took to answer a flight, when that is known.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

fn queue(outbox: &mut VecDeque<BytesMut>, datagrams: &[BytesMut]) {
    let room = MAX_OUTBOX - outbox.len().min(MAX_OUTBOX);
    outbox.extend(datagrams.iter().take(room).cloned());
}

fn export(state: &State) -> Result<KeyingMaterial, DtlsError> {
    let profile = match state.srtp_protection_profile() {
        SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpProfile::AeadAes128Gcm,
        SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpProfile::Aes128CmSha1_80,
        _ => return Err(DtlsError::NoSrtpProfile),
    };
    let bytes = state
        .export_keying_material(EXPORTER_LABEL, &[], profile.keying_material_bytes())
        .map_err(|error| DtlsError::from_library(&error))?;
    Ok(KeyingMaterial { profile, bytes })
}
