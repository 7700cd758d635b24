//! What a synthetic participant does with media and RTCP from the server, and the RTCP that it sends.

use std::time::Instant;

use super::participant::Participant;
use super::seat::{Received, unix_us};
use super::stream::{Stream, Wire};
use crate::codec::Codec;
use crate::rtcp::{Compound, Rtcp, build};
use crate::rtp::{RtpHeader, strip_padding};
use crate::transport::{OpenedRtp, SrtpError};
use crate::units::{ClockRate, SeqNo};

/// The SSRC with which a participant reports that sends nothing itself: Chromium's.
const RECEIVER_SSRC: u32 = 1;
/// Report blocks in one packet.
const MAX_BLOCKS: usize = 31;

/// Which line of a seat an SSRC is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Sound,
    Picture,
    Repair,
}

impl Participant {
    pub(super) fn receive_rtp(&mut self, now: Instant, packet: &mut [u8]) {
        let Some(header) = RtpHeader::parse(packet) else { return self.transport.unknown += 1 };
        let Some((seat, kind)) = self.find_line(header.ssrc.0) else { return self.transport.unknown += 1 };
        let lines = &mut self.seats[seat];
        let state = match kind {
            LineKind::Sound => &mut lines.sound.index,
            LineKind::Picture => &mut lines.picture.index,
            LineKind::Repair => &mut lines.picture.rtx_index,
        };
        let opened = match self.link.open_rtp(packet, usize::from(header.header_len), state) {
            Ok(opened) => opened,
            Err(SrtpError::Replayed | SrtpError::TooOld) => return self.transport.replayed += 1,
            Err(SrtpError::NoKeys) => return self.transport.early += 1,
            Err(_) => return self.transport.forged += 1,
        };
        let Some((codec, is_rtx)) = self.settings.numbering.codec(header.payload_type.0) else {
            return self.transport.unknown += 1;
        };
        if is_rtx != (kind == LineKind::Repair) || codec.is_audio() != (kind == LineKind::Sound) {
            return self.transport.unknown += 1;
        }
        self.pass_on(now, (seat, kind), &header, packet, (codec, opened));
    }

    fn pass_on(
        &mut self,
        now: Instant,
        (seat, kind): (usize, LineKind),
        header: &RtpHeader,
        packet: &[u8],
        (codec, opened): (Codec, OpenedRtp),
    ) {
        let mut payload = &packet[opened.payload];
        if header.has_padding {
            let Some(stripped) = strip_padding(payload) else { return self.transport.unknown += 1 };
            payload = stripped;
        }
        let mut seq = header.seq;
        if kind == LineKind::Repair {
            let Some((osn, rest)) = payload.split_first_chunk::<2>() else { return };
            (seq, payload) = (SeqNo(u16::from_be_bytes(*osn)), rest);
        }
        if payload.is_empty() {
            return;
        }
        let csrc = packet.get(12..16).filter(|_| header.csrc_count > 0);
        let csrc = csrc.and_then(|csrc| csrc.first_chunk::<4>()).map_or(0, |csrc| u32::from_be_bytes(*csrc));
        let is_rtx = kind == LineKind::Repair;
        let received = Received { now, codec, seq, timestamp: header.timestamp.0, marker: header.marker, csrc, is_rtx, payload };
        let seat = &mut self.seats[seat];
        if kind == LineKind::Sound {
            let captured = seat.sound.content.receive(&received);
            self.latency.note(captured, unix_us(self.clock.at(now)));
            if let Some(skew) = seat.sound.content.captured.and_then(|at| seat.sound.skew_ms(ClockRate::OPUS, at)) {
                seat.sound.content.set_skew(skew);
            }
            return;
        }
        let captured = seat.picture.content.receive(&received);
        self.latency.note(captured, unix_us(self.clock.at(now)));
        if let Some(skew) = seat.picture.content.captured.and_then(|at| seat.picture.skew_ms(ClockRate::VIDEO, at)) {
            seat.picture.content.set_skew(skew);
        }
        if seat.picture.content.is_restless() {
            self.next_repair.get_or_insert(now);
        }
    }

    fn find_line(&self, ssrc: u32) -> Option<(usize, LineKind)> {
        self.seats.iter().enumerate().find_map(|(index, seat)| {
            let kind = match ssrc {
                _ if ssrc == seat.sound.ssrc => LineKind::Sound,
                _ if ssrc == seat.picture.ssrc => LineKind::Picture,
                _ if ssrc == seat.picture.rtx_ssrc => LineKind::Repair,
                _ => return None,
            };
            Some((index, kind))
        })
    }

    pub(super) fn receive_rtcp(&mut self, now: Instant, packet: &mut [u8]) {
        let len = match self.link.open_rtcp(packet) {
            Ok(len) => len,
            Err(SrtpError::Replayed | SrtpError::TooOld) => return self.transport.replayed += 1,
            Err(SrtpError::NoKeys) => return self.transport.early += 1,
            Err(_) => return self.transport.forged += 1,
        };
        for packet in Compound::new(&packet[..len]) {
            match packet {
                Rtcp::SenderReport(report) => {
                    for seat in &mut self.seats {
                        if seat.sound.ssrc == report.ssrc.0 {
                            seat.sound.on_sender_report(now, report.ntp, report.rtp_timestamp);
                        } else if seat.picture.ssrc == report.ssrc.0 {
                            seat.picture.on_sender_report(now, report.ntp, report.rtp_timestamp);
                        }
                    }
                }
                Rtcp::ReceiverReport(report) => {
                    for block in report.blocks() {
                        self.streams().filter(|stream| stream.ssrc == block.ssrc.0).for_each(|s| s.is_acknowledged = true);
                    }
                }
                Rtcp::Nack(nack) => self.retransmit(now, nack.media_ssrc.0, nack.seqs()),
                Rtcp::Pli { media_ssrc } => self.request_keyframe(now, media_ssrc.0),
                Rtcp::Fir(fir) => fir.ssrcs().for_each(|ssrc| self.request_keyframe(now, ssrc.0)),
                Rtcp::TransportWide { .. } => self.sent.transport_feedback += 1,
                Rtcp::Bye { .. } | Rtcp::Other { .. } => {}
            }
        }
    }

    fn streams(&mut self) -> impl Iterator<Item = &mut Stream> {
        let pictures = self.camera.iter_mut().chain(&mut self.screen);
        let layers = pictures.flat_map(|camera| &mut camera.layers).map(|layer| &mut layer.stream);
        layers.chain(self.microphone.iter_mut().map(|microphone| &mut microphone.stream))
    }

    fn request_keyframe(&mut self, now: Instant, ssrc: u32) {
        self.sent.keyframe_requests += 1;
        for picture in self.camera.iter_mut().chain(&mut self.screen) {
            picture.request_keyframe(now, ssrc);
        }
    }

    fn retransmit(&mut self, now: Instant, ssrc: u32, lost: impl Iterator<Item = SeqNo>) {
        let round_trip = self.link.round_trip();
        let numbering = self.settings.numbering;
        let mut wire = Wire { link: &mut self.link, out: &mut self.out, numbering, twcc: &mut self.twcc };
        let mut layers = self.camera.iter_mut().chain(&mut self.screen).flat_map(|camera| &mut camera.layers);
        let Some(layer) = layers.find(|layer| layer.stream.ssrc == ssrc) else { return };
        for seq in lost {
            layer.stream.retransmit(now, seq, round_trip, &mut wire);
        }
    }

    /// Asks for what is missing and for keyframes that are needed.
    pub(super) fn repair(&mut self, now: Instant) {
        let (round_trip, from) = (self.link.round_trip(), self.report_ssrc());
        let mut lost = Vec::new();
        for seat in &mut self.seats {
            let media = seat.picture.ssrc;
            seat.picture.content.due(now, round_trip, &mut lost);
            build::nack(&mut self.compound, from, media, &lost);
            if seat.picture.content.wants_keyframe(now) {
                build::pli(&mut self.compound, from, media);
            }
        }
        self.link.send_rtcp(&mut self.compound, &mut self.out);
    }

    /// Asks for a keyframe in a seat, whether it is needed or not.
    pub fn ask_for_keyframe(&mut self, seat: usize) {
        let from = self.report_ssrc();
        if let Some(seat) = self.seats.get(seat) {
            build::pli(&mut self.compound, from, seat.picture.ssrc);
            self.link.send_rtcp(&mut self.compound, &mut self.out);
        }
    }

    pub(super) fn send_reports(&mut self, now: Instant) {
        let (ntp, from) = (self.clock.at(now), self.report_ssrc());
        if let Some(microphone) = &self.microphone {
            microphone.stream.report(ntp, microphone.timestamp_at(now), &mut self.compound);
        }
        for picture in self.camera.iter().chain(&self.screen) {
            let timestamp = picture.timestamp_at(now);
            picture.layers.iter().for_each(|layer| layer.stream.report(ntp, timestamp, &mut self.compound));
        }
        let blocks: Vec<_> = self
            .seats
            .iter()
            .flat_map(|seat| {
                let sound = seat.sound.report_block(now, seat.sound.content.highest());
                let picture = seat.picture.report_block(now, seat.picture.content.highest());
                sound.into_iter().chain(picture)
            })
            .take(MAX_BLOCKS)
            .collect();
        build::receiver_report(&mut self.compound, from, &blocks);
        self.link.send_rtcp(&mut self.compound, &mut self.out);
        // Stuck without a packet is stuck too: the next look is due now.
        self.next_repair.get_or_insert(now);
    }

    fn report_ssrc(&self) -> u32 {
        let camera = self.camera.iter().flat_map(|camera| &camera.layers).map(|layer| layer.stream.ssrc);
        camera.chain(self.microphone.iter().map(|microphone| microphone.stream.ssrc)).next().unwrap_or(RECEIVER_SSRC)
    }
}
