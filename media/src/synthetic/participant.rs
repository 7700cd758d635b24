//! The synthetic participant: settings and time in, datagrams in and out, reports to read.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::camera::CameraSender;
use super::datagrams::Datagrams;
use super::latency::Latency;
use super::link::{Identity, Link};
use super::microphone::MicrophoneSender;
use super::offer::{self, CAMERA_MID, OfferParts, PictureParts, SCREEN_MID};
use super::report::{SendReport, TransportReport};
use super::seat::{Line, Seat, unix_us};
use super::settings::{Camera, SCREEN_SOURCE, Settings};
use super::stream::Wire;
use crate::api::Offer;
use crate::demux::Protocol;
use crate::random::Random;
use crate::units::NtpClock;

/// How often losses and keyframes are looked after while there are some.
const REPAIR_INTERVAL: Duration = Duration::from_millis(20);
/// Reports in both directions.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Why a synthetic participant cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SyntheticError {
    /// Keys or random numbers could not be made.
    #[error("the transport cannot be set up")]
    Transport,
    /// The answer lacks something that a browser needs.
    #[error("the answer cannot be used")]
    BadAnswer,
}

/// A participant made of code.
pub struct Participant {
    pub(super) settings: Settings,
    pub(super) clock: NtpClock,
    pub(super) link: Link,
    pub(super) out: Datagrams,
    pub(super) twcc: u16,
    pub(super) random: Random,
    offer_version: u64,
    pub(super) shares: u8,
    pub(super) microphone: Option<MicrophoneSender>,
    pub(super) camera: Option<CameraSender>,
    pub(super) screen: Option<CameraSender>,
    pub(super) seats: Vec<Seat>,
    pub(super) next_repair: Option<Instant>,
    pub(super) next_report: Option<Instant>,
    pub(super) compound: Vec<u8>,
    pub(super) sent: SendReport,
    pub(super) transport: TransportReport,
    pub(super) connected_at: Option<Instant>,
    pub(super) latency: Latency,
}

impl Participant {
    /// `unix_time` is the wall clock at `now`.
    pub fn new(
        now: Instant,
        unix_time: Duration,
        settings: Settings,
        identity: &Identity,
        seed: u64,
    ) -> Result<Self, SyntheticError> {
        let mut random = Random::new(seed);
        let srtp = settings.srtp;
        let microphone = settings.microphone.map(|microphone| {
            let (ssrc, seq, timestamp) = (random.fresh_ssrc(), random.first_seq(), random.next_u32());
            MicrophoneSender::new(settings.source, microphone.below_full_db, ssrc, seq, timestamp)
        });
        let camera = settings.camera.as_ref();
        let camera = camera.map(|camera| CameraSender::new(settings.source, camera, CAMERA_MID, &mut random));
        let screen = settings.screen.as_ref();
        let screen = screen.map(|screen| CameraSender::new(settings.source | SCREEN_SOURCE, screen, SCREEN_MID, &mut random));
        Ok(Self {
            settings,
            clock: NtpClock::new(now, unix_time),
            link: Link::new(now, identity, srtp)?,
            out: Datagrams::default(),
            twcc: 1,
            random,
            offer_version: 1,
            shares: 0,
            microphone,
            camera,
            screen,
            seats: Vec::new(),
            next_repair: None,
            next_report: None,
            compound: Vec::with_capacity(1_500),
            sent: SendReport::default(),
            transport: TransportReport::default(),
            connected_at: None,
            latency: Latency::default(),
        })
    }

    /// An offer: the first, or one as it would be made now.
    pub fn offer(&mut self) -> Offer {
        self.offer_version += 1;
        let parts = OfferParts {
            settings: &self.settings,
            version: self.offer_version,
            ice: self.link.local(),
            fingerprint: self.link.fingerprint(),
            microphone_ssrc: self.microphone.as_ref().map_or(0, |microphone| microphone.stream.ssrc),
            camera: picture_parts(CAMERA_MID, self.settings.camera.as_ref(), self.camera.as_ref()),
            screen: picture_parts(SCREEN_MID, self.settings.screen.as_ref(), self.screen.as_ref()),
        };
        Offer { sdp: parts.write(), tracks: offer::tracks(&self.settings), seats: offer::seats(&self.settings) }
    }

    /// Takes the answer to the last offer.
    pub fn accept(&mut self, now: Instant, answer: &str) -> Result<(), SyntheticError> {
        let answer = Answer::parse(answer).ok_or(SyntheticError::BadAnswer)?;
        for seat in offer::seats(&self.settings).iter().skip(self.seats.len()) {
            let ssrcs = |mid: &str| answer.line(mid).and_then(|line| Some((line.ssrc?, line.rtx_ssrc.unwrap_or(0))));
            let (sound, picture) = ssrcs(&seat.audio_mid).zip(ssrcs(&seat.video_mid)).ok_or(SyntheticError::BadAnswer)?;
            self.seats.push(Seat { sound: Line::new(sound.0, sound.1), picture: Line::new(picture.0, picture.1) });
        }
        for (mid, picture) in [(CAMERA_MID, &mut self.camera), (SCREEN_MID, &mut self.screen)] {
            let (Some(picture), Some(line)) = (picture, answer.line(mid)) else { continue };
            let known = line.payload_types.iter().find_map(|pt| self.settings.numbering.codec(*pt));
            let (codec, _) = known.ok_or(SyntheticError::BadAnswer)?;
            picture.set_codec(now, codec);
            if self.connected_at.is_some() {
                picture.start(now);
            }
        }
        self.link.accept(now, &answer);
        Ok(())
    }

    /// Where its datagrams go; `None` before the answer.
    pub fn server(&self) -> Option<SocketAddr> {
        self.link.server
    }

    /// Handles a datagram from the server, in place.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &mut [u8]) {
        self.transport.datagrams += 1;
        match self.link.handle_datagram(now, datagram, &mut self.out) {
            Protocol::Rtp => self.receive_rtp(now, datagram),
            Protocol::Rtcp => self.receive_rtcp(now, datagram),
            Protocol::Dtls => self.start_when_connected(now),
            Protocol::Stun | Protocol::Unknown => {}
        }
    }

    pub(super) fn start_when_connected(&mut self, now: Instant) {
        if self.connected_at.is_some() || !self.link.is_connected() {
            return;
        }
        self.connected_at = Some(now);
        // Not all frames of all participants at the same moment.
        let later = Duration::from_micros(u64::from(self.random.next_u32() % 40_000));
        if let Some(microphone) = &mut self.microphone {
            microphone.start(now + later / 2);
        }
        for picture in self.camera.iter_mut().chain(&mut self.screen) {
            picture.start(now + later);
        }
        self.next_report = Some(now + REPORT_INTERVAL / 5 + later);
    }

    /// The next datagram to be sent to [`Participant::server`].
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        self.out.pop()
    }

    /// When [`Participant::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let microphone = self.microphone.as_ref().and_then(MicrophoneSender::poll_timeout);
        let camera = self.camera.as_ref().and_then(CameraSender::poll_timeout);
        let screen = self.screen.as_ref().and_then(CameraSender::poll_timeout);
        [self.link.poll_timeout(), microphone, camera, screen, self.next_repair, self.next_report].into_iter().flatten().min()
    }

    /// Does what time asks for.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now, &mut self.out);
        let unix_us = unix_us(self.clock.at(now));
        let numbering = self.settings.numbering;
        let mut wire = Wire { link: &mut self.link, out: &mut self.out, numbering, twcc: &mut self.twcc };
        if let Some(microphone) = &mut self.microphone {
            microphone.handle_timeout(now, unix_us, &mut wire);
        }
        for picture in self.camera.iter_mut().chain(&mut self.screen) {
            picture.handle_timeout(now, unix_us, &mut self.random, &mut wire);
        }
        if self.next_repair.is_some_and(|at| at <= now) {
            self.repair(now);
            let is_restless = self.seats.iter().any(|seat| seat.picture.content.is_restless());
            self.next_repair = is_restless.then_some(now + REPAIR_INTERVAL);
        }
        if self.next_report.is_some_and(|at| at <= now) {
            self.next_report = Some(now + REPORT_INTERVAL);
            self.send_reports(now);
        }
    }
}

fn picture_parts<'a>(mid: &'static str, camera: Option<&'a Camera>, sender: Option<&CameraSender>) -> Option<PictureParts<'a>> {
    let first = &sender?.layers.first()?.stream;
    Some(PictureParts { mid, camera: camera?, ssrcs: (first.ssrc, first.rtx_ssrc) })
}
