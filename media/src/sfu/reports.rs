//! What time asks for: retransmission and keyframe requests, transport-wide feedback, reports, DTLS timers, consent.

use std::time::{Duration, Instant};

use super::outgoing::Outgoing;
use super::participant::Participant;
use super::room::Room;
use crate::api::MediaEvent;
use crate::counters::{Counter, Counters};
use crate::outbox::Outbox;
use crate::rtcp::build;
use crate::transport::{MAX_RTCP_OVERHEAD_BYTES, TransportEvent};
use crate::units::NtpTime;

/// Transport-wide feedback. Longer makes the publisher's estimate slower, shorter costs packets; libwebrtc uses 50 to 250 ms.
const TWCC_INTERVAL: Duration = Duration::from_millis(50);
/// Sender and receiver reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Room for one compound packet, bytes: below every path's MTU.
const MAX_COMPOUND_BYTES: usize = 1200;

impl Room {
    /// Asks those who send for what is missing, and tells them how it arrives.
    pub(super) fn look_after_publishers(&mut self, now: Instant, counters: &Counters, compound: &mut Vec<u8>, out: &mut Outbox) {
        for key in 0..self.participants.capacity() {
            let Some(participant) = self.participants.get_mut(key).filter(|participant| !participant.tracks.is_empty()) else {
                continue;
            };
            if participant.connected().is_none() {
                continue;
            }
            self.is_restless |= request_repairs(self, key, now, counters, compound);
            feed_back(self, key, now, compound);
            self.participants[key].send_rtcp(compound, out);
        }
    }

    /// Tells those whose lines show a new source how its clock goes.
    pub(super) fn report_switches(&mut self, now: Instant, ntp: NtpTime, compound: &mut Vec<u8>, out: &mut Outbox) {
        let mut to_be_told = std::mem::take(&mut self.to_be_told);
        for key in to_be_told.drain(..) {
            let Some(participant) = self.participants.get_mut(key) else { continue };
            participant.is_to_be_told = false;
            self.report(key, now, ntp, compound, out);
        }
        // The memory is kept.
        self.to_be_told = to_be_told;
    }

    /// Sends the reports that are due to a participant: about what it sends, and about what it is sent.
    pub(super) fn report(&mut self, key: usize, now: Instant, ntp: NtpTime, compound: &mut Vec<u8>, out: &mut Outbox) {
        if self.participants.get_mut(key).and_then(Participant::connected).is_none() {
            return;
        }
        report(self, key, now, ntp, compound);
        self.participants[key].send_rtcp(compound, out);
    }

    /// A publisher's clock became known: whoever watches is told.
    pub(super) fn tell_clock_of(&mut self, publication: usize) {
        let Some(publication) = self.publications.get(publication) else { return };
        for route in &publication.routes {
            if let Some(participant) =
                self.participants.get_mut(route.participant).filter(|participant| !participant.is_to_be_told)
            {
                participant.is_to_be_told = true;
                self.to_be_told.push(route.participant);
            }
        }
        self.is_restless = true;
    }
}

impl Participant {
    pub(super) fn drive_transport(&mut self, now: Instant, counters: &Counters, out: &mut Outbox) {
        let Some(transport) = &mut self.transport else { return };
        let event = transport.handle_timeout(now, &mut |path, datagram| out.push(path, datagram));
        if let Some(event) = event {
            self.tell(&event, counters, out);
        }
    }

    /// Passes on what became of the transport.
    pub(super) fn tell(&self, event: &TransportEvent, counters: &Counters, out: &mut Outbox) {
        let participant = self.id;
        out.events.push(match event {
            TransportEvent::Connected => MediaEvent::Connected { participant },
            TransportEvent::Disconnected => {
                counters.count(Counter::IceFailed);
                MediaEvent::Disconnected { participant }
            }
            // The browser closed its end; whether it leaves or joins again it says over the WebSocket.
            TransportEvent::Closed => MediaEvent::Disconnected { participant },
            TransportEvent::Failed(_) => {
                counters.count(Counter::DtlsFailed);
                MediaEvent::Lost { participant }
            }
        });
    }

    /// Seals what was collected and sends it; empties the buffer.
    fn send_rtcp(&mut self, compound: &mut Vec<u8>, out: &mut Outbox) {
        let len = compound.len();
        if len > 0
            && let Some((transport, path)) = self.connected()
        {
            out.write(path, len + MAX_RTCP_OVERHEAD_BYTES, |buffer| {
                buffer[..len].copy_from_slice(compound);
                transport.seal_rtcp(buffer, len).ok()
            });
        }
        compound.clear();
    }
}

/// Asks a publisher again for what was lost, and for keyframes that somebody waits for. Whether something is still waited for.
fn request_repairs(room: &mut Room, owner: usize, now: Instant, counters: &Counters, compound: &mut Vec<u8>) -> bool {
    let mut is_waiting = false;
    let (rtt, from) = (room.participants[owner].rtt(), room.participants[owner].report_ssrc);
    for (_, publication) in room.publications.iter_mut().filter(|(_, publication)| publication.is_of(owner)) {
        for layer in &mut publication.layers {
            let Some(ssrc) = layer.ssrc else { continue };
            if let Some(repair) = &mut layer.repair {
                let asked = repair.nack.due(now, rtt);
                if !asked.is_empty() && compound.len() < MAX_COMPOUND_BYTES {
                    counters.add(Counter::NackOut, asked.len() as u64);
                    build::nack(compound, from, ssrc, asked);
                }
                if repair.nack.take_gave_up() {
                    layer.keyframes.request(now);
                }
            }
            if layer.keyframes.is_due(now, rtt) && compound.len() < MAX_COMPOUND_BYTES {
                counters.count(Counter::PliOut);
                build::pli(compound, from, ssrc);
            }
            is_waiting |= layer.is_waiting();
        }
    }
    is_waiting
}

fn feed_back(room: &mut Room, owner: usize, now: Instant, compound: &mut Vec<u8>) {
    let participant = &mut room.participants[owner];
    if participant.timers.twcc.is_some_and(|at| now.saturating_duration_since(at) < TWCC_INTERVAL) {
        return;
    }
    let Some(media_ssrc) = participant.inbound.first().map(|inbound| inbound.ssrc) else { return };
    participant.timers.twcc = Some(now);
    participant.twcc.build(compound, participant.report_ssrc, media_ssrc);
}

/// Receiver reports to a publisher, sender reports to a subscriber.
fn report(room: &mut Room, key: usize, now: Instant, ntp: NtpTime, compound: &mut Vec<u8>) {
    let participant = &mut room.participants[key];
    let is_due = |last: Option<Instant>| last.is_none_or(|at| now.saturating_duration_since(at) >= REPORT_INTERVAL);
    if is_due(participant.timers.receiver_report) {
        participant.timers.receiver_report = Some(now);
        let mut blocks = Vec::new();
        for (_, publication) in room.publications.iter_mut().filter(|(_, publication)| publication.is_of(key)) {
            let layers = publication.layers.iter_mut().filter(|layer| layer.is_flowing(now));
            blocks.extend(layers.filter_map(|layer| Some(layer.stats.report_block(now, layer.ssrc?))));
        }
        // Reduced-size RTCP (RFC 5506) needs no report first; one that reports nothing would only stand before the sender reports,
        // and some implementations judge a whole compound by its first packet.
        if !blocks.is_empty() {
            build::receiver_report(compound, participant.report_ssrc, &blocks);
        }
    }
    let publications = &room.publications;
    for seat in &mut participant.seats {
        for line in [&mut seat.audio, &mut seat.video] {
            if is_due(line.last_report) && compound.len() < MAX_COMPOUND_BYTES {
                line.report(now, ntp, publications, compound);
            }
        }
    }
}

impl Outgoing {
    /// Ties this line's RTP clock to the server's wall clock, the same for every line, so that lips stay in sync.
    fn report(
        &mut self,
        now: Instant,
        ntp: NtpTime,
        publications: &slab::Slab<super::publication::Publication>,
        compound: &mut Vec<u8>,
    ) {
        let Some(layer) = self.current else { return };
        let Some(publication) = publications.get(layer.publication) else { return };
        let Some(source) = publication.layers.get(layer.layer).and_then(|layer| layer.sender_report) else { return };
        let elapsed = publication.codec.clock_rate().ticks(now.saturating_duration_since(source.at)) as u32;
        let timestamp = self.rewriter.timestamp_of(source.rtp_timestamp.plus(elapsed).0);
        self.last_report = Some(now);
        build::sender_report(compound, self.ids.ssrc, ntp, timestamp, self.packets, self.octets);
    }
}
