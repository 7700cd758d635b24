//! What is built is read back, by this crate and by `rtc-rtcp`.

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;
use rtc_rtcp::packet::Packet;
use rtc_rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

use super::*;
use crate::rtcp::{Compound, Rtcp};
use crate::units::{RtpTimestamp, Ssrc};

fn oracle(bytes: &[u8]) -> Vec<Box<dyn Packet>> {
    rtc_rtcp::packet::unmarshal(&mut Bytes::copy_from_slice(bytes)).expect("the oracle reads it")
}

fn downcast<T: Packet + Clone + 'static>(packet: &dyn Packet) -> T {
    packet.as_any().downcast_ref::<T>().expect("of this type").clone()
}

fn block(ssrc: u32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(ssrc),
        fraction_lost: 200,
        cumulative_lost: -3,
        highest_seq: 0xdead_beef,
        jitter: 5,
        last_sender_report: 6,
        delay_since_last_sender_report: 7,
    }
}

#[test]
fn a_sender_report_reads_back() {
    let mut out = Vec::new();
    sender_report(&mut out, 7, NtpTime(0x0102_0304_0506_0708), 9, 10, 11);
    let report: rtc_rtcp::sender_report::SenderReport = downcast(&*oracle(&out)[0]);
    assert_eq!((report.ssrc, report.ntp_time), (7, 0x0102_0304_0506_0708));
    assert_eq!((report.rtp_time, report.packet_count, report.octet_count), (9, 10, 11));
    let Some(Rtcp::SenderReport(report)) = Compound::new(&out).next() else { panic!("it is a sender report") };
    assert_eq!((report.ssrc, report.rtp_timestamp, report.blocks().count()), (Ssrc(7), RtpTimestamp(9), 0));
}

#[test]
fn receiver_reports_take_31_blocks_each_and_may_have_none() {
    for (count, packets) in [(0, 1), (1, 1), (31, 1), (32, 2), (63, 3)] {
        let blocks: Vec<_> = (0..count).map(block).collect();
        let mut out = Vec::new();
        receiver_report(&mut out, 1, &blocks);
        assert_eq!(oracle(&out).len(), packets, "{count} blocks");
        let read: Vec<_> = Compound::new(&out)
            .flat_map(|packet| match packet {
                Rtcp::ReceiverReport(report) => report.blocks().collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(read, blocks);
    }
}

#[test]
fn a_loss_beyond_24_bits_saturates() {
    for (lost, expected) in [(i32::MAX, 0x7f_ffff), (i32::MIN, -0x80_0000)] {
        let mut out = Vec::new();
        receiver_report(&mut out, 1, &[ReportBlock { cumulative_lost: lost, ..block(2) }]);
        let Some(Rtcp::ReceiverReport(report)) = Compound::new(&out).next() else { panic!("it is a receiver report") };
        assert_eq!(report.blocks().next().map(|block| block.cumulative_lost), Some(expected));
    }
}

#[test]
fn seventeen_losses_in_a_row_take_one_entry() {
    let seqs: Vec<_> = (0..17_u16).map(|count| SeqNo(65_530_u16.wrapping_add(count))).collect();
    let mut out = Vec::new();
    nack(&mut out, 1, 2, &seqs);
    assert_eq!(out.len(), 16);
    nack(&mut out, 1, 2, &[]);
    assert_eq!(out.len(), 16, "nothing lost, nothing sent");
}

#[test]
fn a_keyframe_request_names_its_source() {
    let mut out = Vec::new();
    pli(&mut out, 1, 2);
    assert_eq!(Compound::new(&out).collect::<Vec<_>>(), [Rtcp::Pli { media_ssrc: Ssrc(2) }]);
    let request: rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication = downcast(&*oracle(&out)[0]);
    assert_eq!((request.sender_ssrc, request.media_ssrc), (1, 2));
}

proptest! {
    #[test]
    fn every_lost_number_is_asked_for_once(first: u16, steps in prop::collection::vec(0_u16..40, 0..300)) {
        let seqs: Vec<_> = std::iter::once(0).chain(steps).scan(first, |seq, step| {
            *seq = seq.wrapping_add(step);
            Some(SeqNo(*seq))
        }).collect();
        let mut out = Vec::new();
        nack(&mut out, 1, 2, &seqs);
        let request: TransportLayerNack = downcast(&*oracle(&out)[0]);
        let asked: Vec<_> = request.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        let distinct: BTreeSet<_> = seqs.iter().map(|seq| seq.0).collect();
        prop_assert_eq!(asked.len(), distinct.len());
        prop_assert_eq!(asked.into_iter().collect::<BTreeSet<_>>(), distinct);
    }
}
