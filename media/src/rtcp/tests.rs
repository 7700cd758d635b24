use bytes::Bytes;
use rtc_rtcp::payload_feedbacks::full_intra_request::{FirEntry, FullIntraRequest};
use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc_rtcp::receiver_report::ReceiverReport as OracleReceiverReport;
use rtc_rtcp::sender_report::SenderReport as OracleSenderReport;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};

use super::super::build;
use super::*;

fn block(ssrc: u32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(ssrc),
        fraction_lost: 25,
        cumulative_lost: -3,
        highest_seq: 70_000,
        jitter: 12,
        last_sender_report: 0x1234_5678,
        delay_since_last_sender_report: 65_536,
    }
}

#[test]
fn what_is_written_is_read_back() {
    let mut bytes = Vec::new();
    build::sender_report(&mut bytes, 7, NtpTime(0x0102_0304_0506_0708), 99, 3, 4);
    build::receiver_report(&mut bytes, 8, &[block(1), block(2)]);
    build::nack(&mut bytes, 8, 9, &[10, 11, 26, 27, 500].map(SeqNo));
    build::pli(&mut bytes, 8, 9);
    let mut packets = Compound::new(&bytes);
    let Some(Rtcp::SenderReport(report)) = packets.next() else { panic!("a sender report comes first") };
    assert_eq!((report.ssrc.0, report.ntp.0, report.rtp_timestamp.0), (7, 0x0102_0304_0506_0708, 99));
    assert_eq!(report.blocks().count(), 0);
    let Some(Rtcp::ReceiverReport(report)) = packets.next() else { panic!("a receiver report comes second") };
    assert_eq!(report.blocks().collect::<Vec<_>>(), [block(1), block(2)]);
    let Some(Rtcp::Nack(nack)) = packets.next() else { panic!("a NACK comes third") };
    assert_eq!(nack.media_ssrc.0, 9);
    assert_eq!(nack.seqs().map(|seq| seq.0).collect::<Vec<_>>(), [10, 11, 26, 27, 500]);
    assert_eq!(packets.next(), Some(Rtcp::Pli { media_ssrc: Ssrc(9) }));
    assert_eq!(packets.next(), None);
}

#[test]
fn another_implementation_reads_what_is_written() {
    let mut bytes = Vec::new();
    build::sender_report(&mut bytes, 7, NtpTime(0x0102_0304_0506_0708), 99, 3, 4);
    build::receiver_report(&mut bytes, 8, &[block(1)]);
    build::nack(&mut bytes, 8, 9, &[65_535, 0, 16].map(SeqNo));
    let packets = rtc_rtcp::packet::unmarshal(&mut Bytes::from(bytes)).expect("well-formed");
    let report = packets[0].as_any().downcast_ref::<OracleSenderReport>().expect("a sender report");
    assert_eq!((report.ntp_time, report.rtp_time, report.packet_count, report.octet_count), (0x0102_0304_0506_0708, 99, 3, 4));
    let report = packets[1].as_any().downcast_ref::<OracleReceiverReport>().expect("a receiver report");
    assert_eq!((report.reports[0].fraction_lost, report.reports[0].delay), (25, 65_536));
    let nack = packets[2].as_any().downcast_ref::<TransportLayerNack>().expect("a NACK");
    let lost: Vec<u16> = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
    assert_eq!(lost, [65_535, 0, 16]);
}

#[test]
fn what_another_implementation_writes_is_read() {
    let nacks = nack_pairs_from_sequence_numbers(&[1, 2, 17, 18, 40]);
    let fir = vec![FirEntry { ssrc: 5, sequence_number: 1 }, FirEntry { ssrc: 6, sequence_number: 1 }];
    let bytes = rtc_rtcp::packet::marshal(&[
        Box::new(TransportLayerNack { sender_ssrc: 1, media_ssrc: 2, nacks }),
        Box::new(PictureLossIndication { sender_ssrc: 1, media_ssrc: 3 }),
        Box::new(FullIntraRequest { sender_ssrc: 1, media_ssrc: 4, fir }),
    ])
    .expect("well-formed");
    let packets: Vec<Rtcp<'_>> = Compound::new(&bytes).collect();
    let [Rtcp::Nack(nack), Rtcp::Pli { media_ssrc: Ssrc(3) }, Rtcp::Fir(fir)] = &packets[..] else { panic!("{packets:?}") };
    assert_eq!(nack.seqs().map(|seq| seq.0).collect::<Vec<_>>(), [1, 2, 17, 18, 40]);
    assert_eq!(fir.ssrcs().map(|ssrc| ssrc.0).collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn a_compound_cut_anywhere_yields_only_whole_packets() {
    let mut bytes = Vec::new();
    build::receiver_report(&mut bytes, 8, &[block(1)]);
    build::pli(&mut bytes, 8, 9);
    let whole = bytes.len();
    for len in 0..whole {
        let seen = Compound::new(&bytes[..len]).count();
        assert_eq!(seen, usize::from(len >= 32), "cut at {len}");
    }
}

#[test]
fn a_report_that_names_more_blocks_than_it_has_is_skipped_and_the_rest_is_read() {
    let mut bytes = Vec::new();
    build::receiver_report(&mut bytes, 8, &[]);
    bytes[0] |= 5;
    build::pli(&mut bytes, 8, 9);
    let packets: Vec<Rtcp<'_>> = Compound::new(&bytes).collect();
    assert_eq!(packets, [Rtcp::Other, Rtcp::Pli { media_ssrc: Ssrc(9) }]);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_reading_panic_or_go_on_forever(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let mut numbers = 0;
        for packet in Compound::new(&bytes) {
            numbers += match packet {
                Rtcp::Nack(nack) => nack.seqs().count(),
                Rtcp::SenderReport(report) => report.blocks().count(),
                Rtcp::ReceiverReport(report) => report.blocks().count(),
                Rtcp::Fir(fir) => fir.ssrcs().count(),
                Rtcp::Pli { .. } | Rtcp::Other => 1,
            };
        }
        assert!(numbers < 300 * 17);
    }

    #[test]
    fn any_rising_numbers_survive_a_nack(start: u16, steps in proptest::collection::vec(1u16..40, 0..60)) {
        let mut seqs = vec![SeqNo(start)];
        for step in steps {
            seqs.push(SeqNo(seqs.last().expect("never empty").0.wrapping_add(step)));
        }
        let mut bytes = Vec::new();
        build::nack(&mut bytes, 1, 2, &seqs);
        let Some(Rtcp::Nack(nack)) = Compound::new(&bytes).next() else { panic!("a NACK") };
        proptest::prop_assert_eq!(nack.seqs().collect::<Vec<_>>(), seqs);
    }
}
