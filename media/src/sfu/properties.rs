//! Properties of the small machines under any history: each against a model that remembers everything.
//!
//! The tests beside the machines show what they do; these show what they never do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::keyframe::KeyframeRequests;
use super::nack::{Arrival, NackTracker};
use super::receive_stats::ReceiveStats;
use super::rewrite::Rewriter;
use super::ring::{PacketRing, StoredHeader};
use super::sent::{SentLog, SentRecord};
use super::speaker::{ActiveSpeakers, MAX_SPEAKERS, SilenceGate};
use crate::codec::{Codec, PictureId, PictureIdWidth, PictureIds, inspect, rewrite_picture_ids};
use crate::id::FeedId;
use crate::rtp::AudioLevel;
use crate::units::{ClockRate, RtpTimestamp, SeqNo};

const RTT: Duration = Duration::from_millis(40);

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A VP8 payload that nobody mistakes for another packet's.
fn payload(index: u64, len: usize) -> Vec<u8> {
    let id = (index & 0x7fff) as u16 | 0x8000;
    let head = [0x90, 0xc0, (id >> 8) as u8, (id & 0xff) as u8, (index & 0xff) as u8];
    let body = (0..len).map(|at| (index.wrapping_mul(31) + at as u64) as u8);
    head.into_iter().chain([0x51]).chain(body).collect()
}

const HEADER: StoredHeader = StoredHeader { codec: Codec::Vp8, marker: false };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_ring_gives_back_what_was_kept_and_nothing_else(
        first in 0x1_0000_u64..0x10_0000,
        steps in prop::collection::vec((1_u64..4, 0_usize..1_400, 0_u64..4, prop::option::of(1_u64..1_500)), 1..1_500),
    ) {
        let start = Instant::now();
        let mut ring = PacketRing::default();
        let mut kept: BTreeMap<u64, usize> = BTreeMap::new();
        let (mut index, mut now) = (first, start);
        for (step, len, wait, late) in steps {
            index += step;
            now += ms(wait);
            ring.push(now, index, HEADER, &payload(index, len));
            kept.insert(index, len);
            if let Some(late) = late.map(|back| index.saturating_sub(back)).filter(|late| !kept.contains_key(late)) {
                ring.push(now, late, HEADER, &payload(late, 7));
                kept.insert(late, 7);
            }
            prop_assert!(ring.get(index, now).is_some(), "the newest is always there");
        }
        for asked in index.saturating_sub(2_100)..index + 3 {
            if let Some(stored) = ring.get(asked, now) {
                let expected = kept.get(&asked).map(|len| payload(asked, *len));
                prop_assert_eq!(Some(stored.payload.to_vec()), expected, "packet {}", asked);
            }
        }
        for (asked, _) in kept.range(index.saturating_sub(600)..) {
            prop_assert!(ring.get(*asked, now).is_some(), "packet {asked} of {index} is recent");
        }
    }

    #[test]
    fn what_is_sent_again_is_what_was_sent(
        seed in 1_u64.., loss_percent in prop::sample::select(vec![0_u64, 5, 20]), switch_every in 50_u64..400,
    ) {
        let mut random = seed;
        let mut lost = |percent: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % 100 < percent
        };
        let start = Instant::now();
        let mut rings = [PacketRing::default(), PacketRing::default()];
        let (mut rewriter, mut log) = (Rewriter::new(65_000, 1_000), SentLog::default());
        let mut subscriber = NackTracker::default();
        let mut wire: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        let mut repaired = 0;
        for count in 0..2_000_u64 {
            let now = start + ms(count * 4);
            let source = (count / switch_every) % 2;
            let index = 0x1_0000 * (source + 1) + count;
            let mut bytes = payload(index, 40);
            rings[source as usize].push(now, index, HEADER, &bytes);
            let (seq, timestamp, ids) = (SeqNo::of_index(index), (count * 360) as u32, inspect(Codec::Vp8, &bytes).ids);
            let out = match count % switch_every {
                0 => rewriter.switch(now, Codec::Vp8, seq, timestamp, ids),
                _ => rewriter.map(seq, timestamp, ids).expect("in order"),
            };
            rewrite_picture_ids(Codec::Vp8, &mut bytes, out.picture_ids);
            let out_seq = SeqNo::of_index(out.index);
            let record = SentRecord {
                serial: source as u32, layer: 0, ring_index: index, codec: Codec::Vp8, rtx_payload_type: 97,
                timestamp: out.timestamp, picture_ids: out.picture_ids, payload_bytes: bytes.len() as u16,
            };
            log.record(out_seq, record);
            wire.insert(out_seq.0, bytes);
            if !lost(loss_percent) {
                subscriber.on_packet(out_seq, now);
            }
            for asked in subscriber.due(now, RTT).to_vec() {
                let Some(record) = log.answer(asked, now, RTT) else { continue };
                let stored = rings[record.serial as usize].get(record.ring_index, now).expect("it is recent");
                let mut again = stored.payload.to_vec();
                rewrite_picture_ids(record.codec, &mut again, record.picture_ids);
                prop_assert_eq!(Some(&again), wire.get(&asked.0), "packet {} was changed", asked.0);
                repaired += 1;
                if !lost(loss_percent) {
                    prop_assert!(matches!(subscriber.on_packet(asked, now), Arrival::Recovered { .. }), "nobody asked for it");
                }
            }
        }
        prop_assert_eq!(repaired == 0, loss_percent == 0);
    }

    #[test]
    fn reports_add_up_to_what_was_lost(
        first: u16, steps in prop::collection::vec((0_u16..4, any::<bool>()), 2..400),
    ) {
        let start = Instant::now();
        let mut stats = ReceiveStats::new(ClockRate::VIDEO);
        let (mut seq, mut lost, mut received, mut reported) = (first, 0_u32, 0_u32, (0, 0));
        for (count, (gap, report)) in steps.into_iter().enumerate() {
            let gap = if count == 0 { 0 } else { gap };
            seq = seq.wrapping_add(gap + 1);
            lost += u32::from(gap);
            received += 1;
            stats.on_packet(start + ms(count as u64), SeqNo(seq), RtpTimestamp(count as u32 * 90));
            if report {
                let block = stats.report_block(start + ms(count as u64), 7);
                prop_assert_eq!(block.cumulative_lost, lost.cast_signed());
                prop_assert_eq!(block.highest_seq & 0xffff, u32::from(seq));
                let (lost_now, received_now) = (lost - reported.0, received - reported.1);
                prop_assert_eq!(u32::from(block.fraction_lost), (lost_now * 256 / (lost_now + received_now)).min(255));
                prop_assert_eq!(block.jitter, 0, "even spacing");
                reported = (lost, received);
            }
        }
    }

    #[test]
    fn keyframes_are_asked_for_seldom_and_only_while_somebody_waits(
        rtt_ms in 0_u64..300, steps in prop::collection::vec((0_u64..120, 0_u8..20), 1..400),
    ) {
        let (start, rtt) = (Instant::now(), ms(rtt_ms));
        let mut requests = KeyframeRequests::default();
        let (mut at, mut asked, mut sent) = (0_u64, None, None);
        for (wait, what) in steps {
            at += wait;
            let now = start + ms(at);
            match what {
                0..=2 => {
                    requests.request(now);
                    asked = Some(at);
                }
                3 => {
                    requests.satisfied();
                    asked = None;
                }
                _ => {}
            }
            if requests.is_due(now, rtt) {
                prop_assert!(asked.is_some_and(|asked| at - asked <= 5_000), "nobody waits");
                prop_assert!(sent.is_none_or(|sent| at - sent >= 200 + rtt_ms), "too soon");
                sent = Some(at);
            } else if let Some(asked) = asked.filter(|asked| at - asked <= 5_000) {
                let silent_since = sent.unwrap_or(0).max(asked);
                prop_assert!(sent.is_some() && at - silent_since <= 1_120 + rtt_ms, "somebody waits in vain");
            }
        }
    }

    #[test]
    fn speakers_are_few_distinct_and_audible(
        steps in prop::collection::vec((0_u32..6, 0_u8..=127, any::<bool>(), any::<bool>()), 1..600),
    ) {
        let start = Instant::now();
        let mut speakers = ActiveSpeakers::default();
        let mut gone = BTreeSet::new();
        for (count, (feed, below_full_db, voice, leave)) in steps.into_iter().enumerate() {
            let now = start + ms(5 * count as u64);
            if leave && below_full_db < 5 {
                speakers.remove(FeedId(feed));
                gone.insert(FeedId(feed));
            } else {
                speakers.observe(FeedId(feed), AudioLevel { voice, below_full_db }, now);
                gone.remove(&FeedId(feed));
            }
            let judged = speakers.judge(now);
            let distinct: BTreeSet<_> = judged.iter().copied().collect();
            prop_assert!(judged.len() <= MAX_SPEAKERS && distinct.len() == judged.len());
            prop_assert!(distinct.is_disjoint(&gone), "somebody who left speaks");
        }
        prop_assert!(speakers.judge(start + ms(60_000)).is_empty(), "nobody spoke for a minute");
    }

    #[test]
    fn sound_always_passes_and_silence_only_for_a_while(levels in prop::collection::vec((any::<bool>(), 120_u8..=127), 1..200)) {
        let mut gate = SilenceGate::default();
        let mut silent = 0;
        for (voice, below_full_db) in levels {
            let is_silent = !voice && below_full_db == 127;
            silent = if is_silent { silent + 1 } else { 0 };
            prop_assert_eq!(gate.admit(AudioLevel { voice, below_full_db }), silent <= 6);
        }
    }
}

#[test]
fn the_memory_of_a_subscription_and_of_a_layer_stays_within_the_design() {
    // 16 kB for what was sent, and little beside it; 1.5 MB a layer, of which the ring takes most.
    let sizes = [SentLog::MEMORY_BYTES, size_of::<Rewriter>(), size_of::<NackTracker>()];
    for (size_bytes, limit_bytes) in sizes.into_iter().zip([16 << 10, 2 << 10, 1 << 10]) {
        assert!(size_bytes <= limit_bytes, "{size_bytes} bytes instead of {limit_bytes}");
    }
}

#[test]
fn picture_ids_of_a_repaired_packet_keep_their_width() {
    let mut log = SentLog::default();
    let picture_ids = PictureIds { picture_id: Some(PictureId::new(5, PictureIdWidth::Bits7)), ..PictureIds::default() };
    let record = SentRecord {
        serial: 9,
        layer: 2,
        ring_index: 0x1_2345,
        codec: Codec::Vp9,
        rtx_payload_type: 101,
        timestamp: 77,
        picture_ids,
        payload_bytes: 900,
    };
    log.record(SeqNo(3), record);
    assert_eq!(log.answer(SeqNo(3), Instant::now(), RTT), Some(record));
}
