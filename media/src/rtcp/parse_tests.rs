//! Reading RTCP that `rtc-rtcp` wrote, and RTCP that nobody should have written.

use proptest::prelude::*;
use rtc_rtcp::goodbye::Goodbye;
use rtc_rtcp::packet::Packet;
use rtc_rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};

use super::*;

fn written(packets: &[Box<dyn Packet>]) -> Vec<u8> {
    rtc_rtcp::packet::marshal(packets).expect("the oracle writes it").into()
}

fn oracle_block(ssrc: u32, total_lost: u32) -> ReceptionReport {
    let (last_sequence_number, jitter, last_sender_report, delay) = (0x1_0007, 33, 0x1234_5678, 65_536);
    ReceptionReport { ssrc, fraction_lost: 77, total_lost, last_sequence_number, jitter, last_sender_report, delay }
}

fn block(ssrc: u32, cumulative_lost: i32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(ssrc),
        fraction_lost: 77,
        cumulative_lost,
        highest_seq: 0x1_0007,
        jitter: 33,
        last_sender_report: 0x1234_5678,
        delay_since_last_sender_report: 65_536,
    }
}

fn sender_report() -> rtc_rtcp::sender_report::SenderReport {
    rtc_rtcp::sender_report::SenderReport {
        ssrc: 1,
        ntp_time: 0x0102_0304_0506_0708,
        rtp_time: 9,
        packet_count: 10,
        octet_count: 11,
        reports: vec![oracle_block(2, 5), oracle_block(3, 0xff_fffe)],
        ..Default::default()
    }
}

#[test]
fn a_compound_is_read_packet_by_packet() {
    let bytes = written(&[
        Box::new(sender_report()),
        Box::new(rtc_rtcp::receiver_report::ReceiverReport { ssrc: 4, reports: vec![oracle_block(5, 6)], ..Default::default() }),
        Box::new(PictureLossIndication { sender_ssrc: 6, media_ssrc: 7 }),
        Box::new(FullIntraRequest {
            sender_ssrc: 8,
            media_ssrc: 0,
            fir: vec![FirEntry { ssrc: 9, sequence_number: 1 }, FirEntry { ssrc: 10, sequence_number: 2 }],
        }),
        Box::new(Goodbye { sources: vec![11, 12], reason: bytes::Bytes::from_static(b"over") }),
    ]);
    let packets: Vec<_> = Compound::new(&bytes).collect();
    let [Rtcp::SenderReport(sender), Rtcp::ReceiverReport(receiver), pli, Rtcp::Fir(fir), bye] = &packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!((sender.ssrc, sender.ntp), (Ssrc(1), NtpTime(0x0102_0304_0506_0708)));
    assert_eq!((sender.rtp_timestamp, sender.packets, sender.octets), (RtpTimestamp(9), 10, 11));
    assert_eq!(sender.blocks().collect::<Vec<_>>(), [block(2, 5), block(3, -2)], "the loss is signed");
    assert_eq!((receiver.ssrc, receiver.blocks().collect::<Vec<_>>()), (Ssrc(4), vec![block(5, 6)]));
    assert_eq!(*pli, Rtcp::Pli { media_ssrc: Ssrc(7) });
    assert_eq!(fir.ssrcs().collect::<Vec<_>>(), [Ssrc(9), Ssrc(10)]);
    assert_eq!(*bye, Rtcp::Bye { ssrc: Ssrc(11) });
}

#[test]
fn a_nack_across_the_wrap_gives_every_number() {
    let bytes = [0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfe, 0b1000_0000, 0b0000_0011];
    let Some(Rtcp::Nack(nack)) = Compound::new(&bytes).next() else { panic!("it is a NACK") };
    assert_eq!(nack.media_ssrc, Ssrc(2));
    assert_eq!(nack.seqs().collect::<Vec<_>>(), [SeqNo(0xfffe), SeqNo(0xffff), SeqNo(0), SeqNo(14)]);
}

#[test]
fn a_packet_too_short_for_its_type_is_other_and_the_walk_goes_on() {
    let mut bytes = vec![0x80, 200, 0, 1, 0, 0, 0, 1, 0x82, 201, 0, 1, 0, 0, 0, 1, 0x81, 206, 0, 1, 0, 0, 0, 1];
    bytes.extend_from_slice(&[0x80, 203, 0, 0, 0x80, 204, 0, 0]);
    bytes.extend_from_slice(&[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9]);
    let types: Vec<_> = Compound::new(&bytes)
        .map(|packet| match packet {
            Rtcp::Other { packet_type } => packet_type,
            Rtcp::Pli { .. } => 0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(types, [200, 201, 206, 203, 204, 0]);
}

#[test]
fn a_length_over_the_end_ends_the_walk_and_what_came_before_stands() {
    let pli = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9];
    for bad in [&[0x81, 206, 0, 9, 0, 0, 0, 1][..], &[0x41, 206, 0, 0], &[0x81, 206], &[0xa1, 206, 0, 1, 0, 0, 0, 5]] {
        let bytes = [&pli[..], bad, &pli[..]].concat();
        assert_eq!(Compound::new(&bytes).count(), 1, "{bad:?}");
    }
}

#[test]
fn padding_is_not_part_of_a_packet() {
    let nack = [0xa1, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 0, 0, 0, 0, 4];
    let Some(Rtcp::Nack(nack)) = Compound::new(&nack).next() else { panic!("it is a NACK") };
    assert_eq!(nack.seqs().collect::<Vec<_>>(), [SeqNo(5)]);
}

#[test]
fn feedback_padded_to_a_word_is_read_wherever_it_stands() {
    let feedback = [0xaf, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0, 2];
    let bytes = [&feedback[..], &[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9]].concat();
    let packets: Vec<_> = Compound::new(&bytes).collect();
    assert_eq!(packets, [Rtcp::TransportWide { feedback: &[1, 2] }, Rtcp::Pli { media_ssrc: Ssrc(9) }]);
}

#[test]
fn a_datagram_of_empty_packets_is_walked_to_a_bound() {
    let bytes = [0x80, 203, 0, 0].repeat(1_000);
    assert_eq!(Compound::new(&bytes).count(), MAX_PACKETS);
}

#[test]
fn transport_wide_feedback_is_given_without_its_ssrcs() {
    let bytes = [0x8f, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
    assert_eq!(Compound::new(&bytes).next(), Some(Rtcp::TransportWide { feedback: &[1, 2, 3, 4] }));
}

proptest! {
    #[test]
    fn any_bytes_are_walked_within_the_bound(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Compound::new(&bytes).count() <= MAX_PACKETS);
    }

    #[test]
    fn a_damaged_compound_never_panics(at in 0_usize..76, value: u8) {
        let mut bytes = written(&[Box::new(sender_report())]);
        bytes[at] = value;
        for packet in Compound::new(&bytes) {
            if let Rtcp::SenderReport(report) = packet {
                prop_assert!(report.blocks().count() <= 2);
            }
        }
    }

    #[test]
    fn every_number_the_oracle_asks_for_is_read(numbers in prop::collection::btree_set(any::<u16>(), 1..60)) {
        let numbers: Vec<_> = numbers.into_iter().collect();
        let nacks = nack_pairs_from_sequence_numbers(&numbers);
        let bytes = written(&[Box::new(TransportLayerNack { sender_ssrc: 1, media_ssrc: 2, nacks })]);
        let Some(Rtcp::Nack(nack)) = Compound::new(&bytes).next() else { panic!("it is a NACK") };
        prop_assert_eq!(nack.seqs().map(|seq| seq.0).collect::<Vec<_>>(), numbers);
    }
}
