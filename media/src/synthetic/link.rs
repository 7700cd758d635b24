//! A synthetic participant's end of the transport: ICE, DTLS and SRTP joined as a browser joins them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::datagrams::Datagrams;
use super::participant::SyntheticError;
use super::settings::SrtpOffer;
use crate::demux::{Protocol, classify};
use crate::rtp::{OutHeader, write_header};
use crate::transport::{
    Certificate, Confirmed, DtlsClient, DtlsEvent, DtlsRole, Fingerprint, IceClient, IceCredentials, InboundIndex,
    MAX_RTCP_OVERHEAD_BYTES, MAX_RTP_OVERHEAD_BYTES, OpenedRtp, SrtpError, SrtpOpener, SrtpProfile, SrtpSealer,
    from_keying_material,
};

/// Round trip taken until a check tells.
const DEFAULT_RTT: Duration = Duration::from_millis(100);
/// The longest header that is written: fixed part, extension head and four elements.
const MAX_HEADER_BYTES: usize = 64;

/// A certificate. Making one takes a millisecond, so that synthetic participants may share it.
#[derive(Clone)]
pub struct Identity(pub(super) Arc<Certificate>);

impl Identity {
    /// Makes a new one.
    pub fn generate() -> Result<Self, SyntheticError> {
        Certificate::with_default_provider().map(|certificate| Self(Arc::new(certificate))).map_err(|_| SyntheticError::Transport)
    }
}

pub(super) struct Link {
    certificate: Arc<Certificate>,
    ice: IceClient,
    dtls: Option<DtlsClient>,
    has_begun_dtls: bool,
    srtp: Option<(SrtpSealer, SrtpOpener)>,
    confirmed: Option<Confirmed>,
    pub(super) server: Option<SocketAddr>,
    pub(super) has_failed: bool,
    profiles: &'static [SrtpProfile],
}

impl Link {
    pub(super) fn new(now: Instant, identity: &Identity, srtp: SrtpOffer) -> Result<Self, SyntheticError> {
        let certificate = identity.0.clone();
        let ice = IceClient::new(now, certificate.provider().clone(), unknown_credentials());
        Ok(Self {
            certificate,
            ice: ice.map_err(|_| SyntheticError::Transport)?,
            dtls: None,
            has_begun_dtls: false,
            srtp: None,
            confirmed: None,
            server: None,
            has_failed: false,
            profiles: match srtp {
                SrtpOffer::Both => &[SrtpProfile::Aes128CmSha1_80, SrtpProfile::AeadAes128Gcm],
                SrtpOffer::Sha1Only => &[SrtpProfile::Aes128CmSha1_80],
            },
        })
    }

    pub(super) fn local(&self) -> &IceCredentials {
        self.ice.local()
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// New credentials, for an offer that restarts ICE.
    pub(super) fn restart(&mut self, now: Instant) -> Result<(), SyntheticError> {
        self.server = None;
        self.ice.restart(now, unknown_credentials()).map_err(|_| SyntheticError::Transport)
    }

    /// Begins to connect, or goes on with what a later answer says.
    pub(super) fn accept(&mut self, now: Instant, answer: &Answer) {
        self.server = answer.candidates.first().copied();
        self.ice.set_remote(answer.ice.clone());
        if self.dtls.is_none() {
            self.dtls = Some(DtlsClient::new(self.certificate.clone(), answer.fingerprint, self.profiles));
            self.ice.check_now(now);
        }
    }

    /// Takes keys that were not negotiated.
    pub(super) fn connect_directly(&mut self, keys: (SrtpSealer, SrtpOpener)) {
        self.srtp = Some(keys);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.srtp.is_some()
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.confirmed.map_or(DEFAULT_RTT, |confirmed| confirmed.round_trip)
    }

    /// When the path was last found to work, and our address as the server sees it.
    pub(super) fn confirmed(&self) -> Option<(Instant, SocketAddr)> {
        self.confirmed.map(|confirmed| (confirmed.at, confirmed.mapped))
    }

    pub(super) fn check_now(&mut self, now: Instant) {
        self.ice.check_now(now);
    }

    /// Handles a datagram that is not media; says whether it was one.
    pub(super) fn handle_datagram(&mut self, now: Instant, datagram: &[u8], out: &mut Datagrams) -> Protocol {
        let protocol = classify(datagram);
        match protocol {
            Protocol::Stun => {
                if let Some(answer) = self.server.and_then(|server| self.ice.answer(datagram, server)) {
                    out.push(&answer);
                }
                let confirmed = self.ice.handle_datagram(now, datagram);
                self.confirmed = confirmed.or(self.confirmed);
                if confirmed.is_some() {
                    self.begin_dtls(now, out);
                }
            }
            Protocol::Dtls => {
                let result = self.dtls.as_mut().map(|dtls| dtls.handle_datagram(now, datagram));
                match result {
                    Some(Ok(Some(DtlsEvent::Connected(material)))) => {
                        let provider = self.certificate.provider().crypto();
                        self.srtp = from_keying_material(&material, DtlsRole::Client, provider).ok();
                    }
                    Some(Ok(Some(DtlsEvent::Closed)) | Err(_)) => self.has_failed = true,
                    _ => {}
                }
                self.flush(out);
            }
            _ => {}
        }
        protocol
    }

    fn begin_dtls(&mut self, now: Instant, out: &mut Datagrams) {
        if let Some(dtls) = self.dtls.as_mut().filter(|_| !self.has_begun_dtls) {
            self.has_begun_dtls = true;
            self.has_failed |= dtls.start(now).is_err();
            self.flush(out);
        }
    }

    fn flush(&mut self, out: &mut Datagrams) {
        while let Some(datagram) = self.dtls.as_mut().and_then(DtlsClient::poll_transmit) {
            out.push(&datagram);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.server?;
        let dtls = self.dtls.as_ref().and_then(DtlsClient::poll_timeout);
        Some(dtls.map_or(self.ice.poll_timeout(), |at| at.min(self.ice.poll_timeout())))
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Datagrams) {
        if self.server.is_none() {
            return;
        }
        self.ice.handle_timeout(now, &mut |datagram| out.push(datagram));
        if let Some(dtls) = &mut self.dtls {
            self.has_failed |= dtls.handle_timeout(now).is_err();
        }
        self.flush(out);
    }

    /// Says goodbye by DTLS.
    pub(super) fn close(&mut self, now: Instant, out: &mut Datagrams) {
        if let Some(dtls) = &mut self.dtls {
            dtls.close(now);
        }
        self.flush(out);
        self.srtp = None;
    }

    /// Seals and queues an RTP packet whose payload is `prefix` and `payload`. False before the keys are there.
    pub(super) fn send_rtp(
        &mut self,
        header: &OutHeader<'_>,
        index: u64,
        (prefix, payload): (&[u8], &[u8]),
        out: &mut Datagrams,
    ) -> bool {
        let Some((sealer, _)) = &mut self.srtp else { return false };
        let body_len = prefix.len() + payload.len();
        out.write(MAX_HEADER_BYTES + body_len + MAX_RTP_OVERHEAD_BYTES, |buffer| {
            let header_len = write_header(buffer, header)?;
            let body = &mut buffer[header_len..header_len + body_len];
            body[..prefix.len()].copy_from_slice(prefix);
            body[prefix.len()..].copy_from_slice(payload);
            sealer.seal_rtp(buffer, header_len, header_len + body_len, index).ok()
        })
    }

    /// Seals and queues a compound RTCP packet; empties the buffer.
    pub(super) fn send_rtcp(&mut self, compound: &mut Vec<u8>, out: &mut Datagrams) {
        let len = compound.len();
        if let Some((sealer, _)) = self.srtp.as_mut().filter(|_| len > 0) {
            out.write(len + MAX_RTCP_OVERHEAD_BYTES, |buffer| {
                buffer[..len].copy_from_slice(compound);
                sealer.seal_rtcp(buffer, len).ok()
            });
        }
        compound.clear();
    }

    pub(super) fn open_rtp(
        &mut self,
        packet: &mut [u8],
        header_len: usize,
        state: &mut InboundIndex,
    ) -> Result<OpenedRtp, SrtpError> {
        self.srtp.as_mut().ok_or(SrtpError::NoKeys)?.1.open_rtp(packet, header_len, state)
    }

    pub(super) fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        self.srtp.as_mut().ok_or(SrtpError::NoKeys)?.1.open_rtcp(packet)
    }
}

/// Until the answer is there. Nothing is sent with them.
fn unknown_credentials() -> IceCredentials {
    IceCredentials { ufrag: String::new(), password: String::new() }
}
