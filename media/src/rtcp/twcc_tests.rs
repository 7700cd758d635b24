use bytes::Bytes;
use proptest::prelude::*;
use rtc_rtcp::transport_feedbacks::transport_layer_cc::{SymbolTypeTcc, TransportLayerCc};

use super::*;

/// What another implementation reads: (number, arrival in ms after the epoch) of every packet received.
fn read(bytes: &[u8]) -> (u16, u16, Vec<f64>) {
    let packets = rtc_rtcp::packet::unmarshal(&mut Bytes::copy_from_slice(bytes)).expect("well-formed");
    let feedback = packets[0].as_any().downcast_ref::<TransportLayerCc>().expect("transport-wide feedback");
    let mut at = f64::from(feedback.reference_time) * 64.0;
    let received = feedback.recv_deltas.iter().filter(|d| d.type_tcc_packet != SymbolTypeTcc::PacketNotReceived);
    let arrivals = received.map(|delta| {
        at += delta.delta as f64 / 1000.0;
        at
    });
    (feedback.base_sequence_number, feedback.packet_status_count, arrivals.collect())
}

#[test]
fn another_implementation_reads_the_arrivals() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    for n in 0..20_u16 {
        if n % 5 != 3 {
            recorder.record(SeqNo(65_530_u16.wrapping_add(n)), start + Duration::from_millis(u64::from(n) * 3));
        }
    }
    let mut bytes = Vec::new();
    recorder.build(&mut bytes, 1, 2);
    let (base, count, arrivals) = read(&bytes);
    assert_eq!((base, count), (65_530, 20));
    let expected: Vec<f64> = (0..20).filter(|n| n % 5 != 3).map(|n| f64::from(n) * 3.0).collect();
    assert_eq!(arrivals, expected);
}

#[test]
fn nothing_new_means_no_feedback_and_numbers_go_on_where_the_last_ended() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    let mut bytes = Vec::new();
    recorder.build(&mut bytes, 1, 2);
    assert!(bytes.is_empty());
    recorder.record(SeqNo(5), start);
    recorder.build(&mut bytes, 1, 2);
    bytes.clear();
    recorder.build(&mut bytes, 1, 2);
    assert!(bytes.is_empty());
    recorder.record(SeqNo(8), start + Duration::from_millis(70));
    recorder.build(&mut bytes, 1, 2);
    let (base, count, arrivals) = read(&bytes);
    assert_eq!((base, count), (6, 3));
    assert_eq!(arrivals, [70.0]);
}

#[test]
fn a_pause_too_long_for_a_delta_goes_into_the_next_feedback() {
    let start = Instant::now();
    let mut recorder = TwccRecorder::default();
    recorder.record(SeqNo(1), start);
    recorder.record(SeqNo(2), start + Duration::from_secs(60));
    let mut bytes = Vec::new();
    recorder.build(&mut bytes, 1, 2);
    assert_eq!(read(&bytes).2, [0.0]);
    bytes.clear();
    recorder.build(&mut bytes, 1, 2);
    assert_eq!(read(&bytes).2, [60_000.0]);
}

proptest! {
    #[test]
    fn every_arrival_within_the_span_is_reported_once_and_at_its_time(
        start_seq: u16,
        packets in prop::collection::vec((1u16..30, 0u64..40), 1..200),
    ) {
        let start = Instant::now();
        let mut recorder = TwccRecorder::default();
        let (mut seq, mut ms, mut reported, mut sent) = (start_seq, 0, 0, 0);
        for (n, (step, wait)) in packets.into_iter().enumerate() {
            seq = seq.wrapping_add(step);
            ms += wait;
            recorder.record(SeqNo(seq), start + Duration::from_millis(ms));
            sent += 1;
            if n % 10 == 9 {
                let mut bytes = Vec::new();
                recorder.build(&mut bytes, 1, 2);
                let (_, _, arrivals) = read(&bytes);
                reported += arrivals.len();
                prop_assert_eq!(*arrivals.last().expect("ten packets arrived"), ms as f64);
                prop_assert_eq!(reported, sent);
            }
        }
    }
}
