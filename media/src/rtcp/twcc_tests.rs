//! Feedback against `rtc-rtcp` as the reader: what was recorded is what a sender learns.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};

use super::*;

const TICK: Duration = Duration::from_micros(250);

/// What a sender reads: (number, arrival in ticks since the recorder's epoch) of each status, in order.
fn read(feedback: &TransportLayerCc) -> Vec<(u16, Option<i64>)> {
    let mut symbols = Vec::new();
    for chunk in &feedback.packet_chunks {
        match chunk {
            PacketStatusChunk::RunLengthChunk(run) => {
                symbols.extend(std::iter::repeat_n(run.packet_status_symbol, usize::from(run.run_length)));
            }
            PacketStatusChunk::StatusVectorChunk(vector) => symbols.extend(vector.symbol_list.iter().copied()),
        }
    }
    symbols.truncate(usize::from(feedback.packet_status_count));
    let mut ticks = i64::from(feedback.reference_time) * 256;
    let mut deltas = feedback.recv_deltas.iter();
    let statuses = symbols.into_iter().enumerate().map(|(count, symbol)| {
        let number = feedback.base_sequence_number.wrapping_add(count as u16);
        let arrival = (symbol != SymbolTypeTcc::PacketNotReceived).then(|| {
            ticks += deltas.next().expect("a delta for each arrival").delta / 250;
            ticks
        });
        (number, arrival)
    });
    statuses.collect()
}

fn feedback(recorder: &mut TwccRecorder) -> Vec<TransportLayerCc> {
    let mut out = Vec::new();
    let count = recorder.build(&mut out, 1, 2);
    let packets = rtc_rtcp::packet::unmarshal(&mut Bytes::from(out)).unwrap_or_default();
    let packets: Vec<_> =
        packets.iter().map(|packet| packet.as_any().downcast_ref::<TransportLayerCc>().expect("feedback").clone()).collect();
    assert_eq!(packets.len(), count);
    packets
}

fn statuses(recorder: &mut TwccRecorder) -> Vec<(u16, Option<i64>)> {
    feedback(recorder).iter().flat_map(read).collect()
}

#[test]
fn nothing_recorded_is_nothing_built() {
    let mut recorder = TwccRecorder::default();
    let mut out = Vec::new();
    assert_eq!(recorder.build(&mut out, 1, 2), 0);
    assert!(out.is_empty());
    recorder.record(SeqNo(1), Instant::now());
    assert_eq!(recorder.build(&mut out, 1, 2), 1);
    assert_eq!(recorder.build(&mut out, 1, 2), 0, "reported once");
}

#[test]
fn losses_wraps_and_deltas_of_both_sizes_are_reported() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    for (number, ticks) in [(65_534, 0), (65_535, 4), (1, 300), (2, 296), (3, 1_000)] {
        recorder.record(SeqNo(number), start + TICK * ticks);
    }
    let expected = [(65_534, Some(0)), (65_535, Some(4)), (0, None), (1, Some(300)), (2, Some(296)), (3, Some(1_000))];
    assert_eq!(statuses(&mut recorder), expected);
}

#[test]
fn a_loss_between_two_reports_belongs_to_the_second() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(10), start);
    assert_eq!(statuses(&mut recorder), [(10, Some(0))]);
    recorder.record(SeqNo(13), start + TICK);
    assert_eq!(statuses(&mut recorder), [(11, None), (12, None), (13, Some(1))]);
}

#[test]
fn a_packet_that_comes_after_its_loss_was_reported_is_reported_again() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(10), start);
    recorder.record(SeqNo(12), start + TICK);
    assert_eq!(statuses(&mut recorder).len(), 3);
    recorder.record(SeqNo(11), start + TICK * 9);
    assert_eq!(statuses(&mut recorder), [(11, Some(9)), (12, Some(1))]);
}

#[test]
fn only_the_first_arrival_of_a_number_counts() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(10), start);
    recorder.record(SeqNo(10), start + TICK * 9);
    assert_eq!(statuses(&mut recorder), [(10, Some(0))]);
    recorder.record(SeqNo(10), start + TICK * 10);
    assert_eq!(statuses(&mut recorder), []);
}

#[test]
fn a_silence_longer_than_a_delta_begins_another_packet() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(10), start);
    recorder.record(SeqNo(12), start + Duration::from_secs(20));
    let packets = feedback(&mut recorder);
    assert_eq!(packets.len(), 2);
    assert_eq!((packets[0].fb_pkt_count, packets[1].fb_pkt_count), (0, 1));
    assert_eq!(read(&packets[0]), [(10, Some(0))]);
    assert_eq!(read(&packets[1]), [(11, None), (12, Some(80_000))]);
}

#[test]
fn an_outage_longer_than_the_window_is_not_reported_packet_by_packet() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(0), start);
    recorder.record(SeqNo(5_000), start + TICK);
    let reported = statuses(&mut recorder);
    assert_eq!(reported.len() as u64, WINDOW);
    assert_eq!(reported.last(), Some(&(5_000, Some(1))));
    assert_eq!(reported.iter().filter(|(_, arrival)| arrival.is_some()).count(), 1);
}

#[test]
fn a_stray_number_far_away_is_not_recorded() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(0), start);
    recorder.record(SeqNo(30_000), start);
    assert_eq!(statuses(&mut recorder), [(0, Some(0))]);
    recorder.record(SeqNo(65_000), start + TICK);
    assert_eq!(statuses(&mut recorder).len(), 537, "within the window before the first");
    recorder.record(SeqNo(60_000), start + TICK);
    assert_eq!(statuses(&mut recorder), [], "older than the window");
}

#[test]
fn a_full_window_of_large_deltas_fits_any_path_and_is_reported_in_the_end() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    for number in 0..1_024_u16 {
        recorder.record(SeqNo(number), start + TICK * 300 * u32::from(number));
    }
    let mut out = Vec::new();
    let mut reported = 0;
    while recorder.build(&mut out, 1, 2) > 0 {
        for packet in rtc_rtcp::packet::unmarshal(&mut Bytes::from(std::mem::take(&mut out))).expect("the oracle reads it") {
            assert!(packet.raw_size() <= MAX_FEEDBACK_BYTES + 24);
            reported += packet.as_any().downcast_ref::<TransportLayerCc>().expect("feedback").packet_status_count;
        }
    }
    assert_eq!(reported, 1_024);
}

#[test]
fn the_clock_of_feedback_wraps_without_a_gap() {
    let start = Instant::now();
    let wrap = TICK * u32::MAX + TICK;
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(0), start);
    assert_eq!(statuses(&mut recorder).len(), 1);
    recorder.record(SeqNo(1), start + wrap - TICK * 3);
    recorder.record(SeqNo(2), start + wrap + TICK * 5);
    let packets = feedback(&mut recorder);
    assert_eq!(packets.len(), 1, "one delta across the wrap");
    let arrivals: Vec<_> = read(&packets[0]).into_iter().filter_map(|(_, arrival)| arrival).collect();
    assert_eq!(arrivals[1] - arrivals[0], 8);
}

proptest! {
    #[test]
    fn what_was_recorded_is_what_a_sender_learns(
        first: u16,
        steps in prop::collection::vec((0_u16..6, 0_u32..400, any::<bool>(), any::<bool>()), 1..400),
    ) {
        let start = Instant::now();
        let mut recorder = TwccRecorder::default();
        let (mut number, mut ticks) = (first, 0);
        let mut held: Option<u16> = None;
        let mut arrivals: BTreeMap<u16, i64> = BTreeMap::new();
        let mut learned: BTreeMap<u16, Option<i64>> = BTreeMap::new();
        for (index, (gap, wait, hold, report)) in steps.into_iter().enumerate() {
            ticks += if index == 0 { 0 } else { wait };
            let now = start + TICK * ticks;
            if hold && held.is_none() && index > 0 {
                held = Some(number);
            } else {
                recorder.record(SeqNo(number), now);
                arrivals.entry(number).or_insert(i64::from(ticks));
                if let Some(late) = held.take_if(|_| !hold) {
                    recorder.record(SeqNo(late), now);
                    arrivals.entry(late).or_insert(i64::from(ticks));
                }
            }
            if report {
                learned.extend(statuses(&mut recorder));
            }
            number = number.wrapping_add(gap + 1);
        }
        loop {
            let rest = statuses(&mut recorder);
            if rest.is_empty() {
                break;
            }
            learned.extend(rest);
        }
        let seen: BTreeMap<_, _> = learned.iter().filter_map(|(number, arrival)| Some((*number, (*arrival)?))).collect();
        prop_assert_eq!(seen, arrivals);
    }
}
