//! Mending losses: what is asked of a publisher, and what a subscriber asks of us.

use std::time::Instant;

use super::forward::Departure;
use super::room::Room;
use crate::counters::{Counter, Counters};
use crate::outbox::Outbox;
use crate::rtcp::Nack;

impl Room {
    /// Answers a NACK of a subscriber from the rings of recent packets, within the budget of its line.
    pub(super) fn retransmit(
        &mut self,
        now: Instant,
        subscriber: usize,
        request: &Nack<'_>,
        counters: &Counters,
        out: &mut Outbox,
    ) {
        let media_ssrc = request.media_ssrc.0;
        let Some(participant) = self.participants.get_mut(subscriber) else { return };
        let rtt = participant.rtt();
        let Some(transport) = participant.transport.as_mut().filter(|transport| transport.is_connected()) else { return };
        let Some(path) = transport.path() else { return };
        let line = participant.seats.iter_mut().map(|seat| &mut seat.video).find(|line| line.ids.ssrc == media_ssrc);
        let Some(line) = line else { return };
        let Some(sent) = &mut line.sent else { return };
        for seq in request.seqs() {
            counters.count(Counter::NackIn);
            let Some(record) = sent.answer(seq, now, rtt) else { continue };
            let publication = self.publications.iter().find(|(_, p)| p.serial == record.serial);
            // What a moderator forbade is not forwarded in any way, even if it was before.
            let Some((_, publication)) = publication.filter(|(_, publication)| !publication.is_forbidden) else { continue };
            let repair = publication.layers.get(usize::from(record.layer)).and_then(|layer| layer.repair.as_deref());
            let Some(stored) = repair.and_then(|repair| repair.ring.get(record.ring_index, now)) else { continue };
            let departure = Departure {
                ssrc: line.ids.rtx_ssrc,
                payload_type: record.rtx_payload_type,
                index: line.rtx_index,
                timestamp: record.timestamp,
                marker: stored.header.marker,
                csrc: publication.feed.0,
                original: Some(seq),
                payload: stored.payload,
                padding_bytes: 0,
                picture_ids: record.picture_ids,
                codec: record.codec,
            };
            if departure.send(transport, path, out) {
                line.rtx_index += 1;
                counters.count(Counter::RtxOut);
            }
        }
    }
}
