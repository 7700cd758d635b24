//! RTCP on the way in: reports, requests for keyframes and retransmissions.

use std::time::{Duration, Instant};

use super::publication::SenderReport;
use super::{Key, Sfu};
use crate::counters::Counter;
use crate::outbox::Outbox;
use crate::rtcp::{Compound, Rtcp};
use crate::transport::Path;
use crate::units::from_compact_ntp;

/// Round trips beyond this are a clock gone wrong.
const MAX_RTT: Duration = Duration::from_secs(10);

impl Sfu {
    pub(super) fn handle_rtcp(&mut self, now: Instant, path: Path, packet: &mut [u8], out: &mut Outbox) {
        let Some(&key) = self.by_address.get(&path.sender()) else { return self.counters.count(Counter::DropUnknownSource) };
        let participant = &mut self.rooms[key.room].participants[key.participant];
        let Some((transport, _)) = participant.connected() else { return self.counters.count(Counter::DropNotConnected) };
        let Ok(len) = transport.open_rtcp(packet) else { return self.counters.count(Counter::DropAuthentication) };
        let mut is_readable = false;
        for packet in Compound::new(&packet[..len]) {
            is_readable = true;
            self.handle_rtcp_packet(now, key, &packet, out);
        }
        if !is_readable {
            self.counters.count(Counter::DropRtcp);
        }
        self.attend_if_restless(now, key.room);
    }

    fn handle_rtcp_packet(&mut self, now: Instant, key: Key, packet: &Rtcp<'_>, out: &mut Outbox) {
        let ntp = self.clock.at(now);
        let room = &mut self.rooms[key.room];
        match packet {
            Rtcp::SenderReport(report) => {
                let participant = &room.participants[key.participant];
                let inbound = participant.inbound.iter().find(|i| i.ssrc == report.ssrc.0 && !i.is_rtx);
                if let Some(inbound) = inbound {
                    let (publication, index) = (inbound.publication, inbound.layer);
                    let layer = &mut room.publications[publication].layers[index];
                    layer.stats.on_sender_report(now, report.ntp);
                    let report = SenderReport { at: now, rtp_timestamp: report.rtp_timestamp };
                    room.set_clock(publication, index, report, out);
                }
                for block in report.blocks() {
                    self.measure(key, ntp.middle(), &block);
                }
            }
            Rtcp::ReceiverReport(report) => {
                for block in report.blocks() {
                    self.measure(key, ntp.middle(), &block);
                }
            }
            Rtcp::Nack(nack) => {
                let counters = self.counters.clone();
                room.retransmit(now, key.participant, nack, &counters, out);
            }
            Rtcp::Pli { media_ssrc } => self.request_keyframe(now, key, media_ssrc.0),
            Rtcp::Fir(fir) => {
                for ssrc in fir.ssrcs() {
                    self.request_keyframe(now, key, ssrc.0);
                }
            }
            _ => {}
        }
    }

    /// RFC 3550 §6.4.1: arrival - LSR - DLSR.
    fn measure(&mut self, key: Key, now: u32, block: &crate::rtcp::ReportBlock) {
        if block.last_sender_report == 0 {
            return;
        }
        let ticks = now.wrapping_sub(block.last_sender_report).wrapping_sub(block.delay_since_last_sender_report);
        let rtt = from_compact_ntp(ticks);
        let participant = &mut self.rooms[key.room].participants[key.participant];
        if let Some(transport) = participant.transport.as_mut().filter(|_| rtt < MAX_RTT) {
            transport.note_round_trip(rtt);
        }
    }

    /// A subscriber cannot decode: asks the publisher of what it sees. Requests for an empty seat are ignored.
    fn request_keyframe(&mut self, now: Instant, key: Key, media_ssrc: u32) {
        self.counters.count(Counter::PliIn);
        let room = &mut self.rooms[key.room];
        let seats = &room.participants[key.participant].seats;
        let shown = seats.iter().find(|seat| seat.video.ids.ssrc == media_ssrc).and_then(|seat| seat.video.target());
        if let Some(layer) = shown
            && let Some(publication) = room.publications.get_mut(layer.publication)
        {
            publication.layers[layer.layer].keyframes.request(now);
            room.is_restless = true;
        }
    }
}
