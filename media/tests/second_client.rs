//! An independent implementation of WebRTC takes part in calls: the `rtc` crate's peer connection, over real UDP on loopback.
//!
//! What it finds in the packets is compared with what the answer and the seats event promise. It shares the primitives of DTLS and
//! STUN with the server, but ICE, SDP, SRTP, RTP and RTCP are its own.

mod independent;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use independent::{
    Call, Losses, Manner, Participant, Received, SeatIds, Sending, Ssrcs, interframe, keyframe, local_config, sound,
};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use webcall_media::{MediaEvent, ParticipantId, RoomId, SeatedFeed};

const ROOM: RoomId = RoomId(1);
const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const IPV6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Two in a room, and where each sees the other.
struct Pair {
    call: Call,
    anna: Participant,
    boris: Participant,
    anna_at_boris: (usize, SeatedFeed),
    boris_at_annas: (usize, SeatedFeed),
}

impl Pair {
    async fn meet(host: IpAddr) -> Self {
        let mut call = Call::start(&local_config(host));
        let anna = call.join(ROOM, 1, Manner::FIRST).await;
        let boris = call.join(ROOM, 2, Manner::SECOND).await;
        let boris_at_annas = call.seated(anna.id, boris.id).await;
        let anna_at_boris = call.seated(boris.id, anna.id).await;
        Self { call, anna, boris, anna_at_boris, boris_at_annas }
    }

    /// Both send, and both get what the other sent.
    async fn converse(&mut self, seqs: std::ops::Range<u16>) {
        for seq in seqs {
            for frame in [sound, keyframe] {
                self.anna.send(frame(seq)).await;
                assert_arrives(&mut self.boris, &self.anna_at_boris, &frame(seq)).await;
                self.boris.send(frame(seq)).await;
                assert_arrives(&mut self.anna, &self.boris_at_annas, &frame(seq)).await;
            }
        }
    }
}

/// Awaits the next packet and compares it with what was sent and what the answer and the seat promise.
async fn assert_arrives(viewer: &mut Participant, (seat, feed): &(usize, SeatedFeed), sent: &Sending) -> Received {
    let received = viewer.receive().await;
    let is_audio = sent.source.is_audio();
    let (letter, payload_type) = if is_audio { ('a', viewer.manner.opus) } else { ('v', viewer.manner.vp8) };
    let header = &received.packet.header;
    assert_eq!(received.track, format!("{letter}{seat}"));
    assert_eq!(received.packet.payload, sent.payload);
    assert_eq!(header.payload_type, payload_type, "the viewer's own number");
    assert_eq!(header.ssrc, SeatIds::of(&viewer.answer, &received.track).ssrc, "the seat's own SSRC");
    assert_eq!(header.csrc, [feed.feed.0], "the feed of the seats event");
    assert_eq!(header.marker, !is_audio);
    received
}

#[tokio::test]
async fn two_participants_of_another_implementation_see_and_hear_each_other() {
    let mut pair = Pair::meet(IPV4).await;
    pair.converse(0..20).await;
    assert_eq!(pair.call.count("participants", ""), 2);
    assert_eq!(pair.call.count("packets_forwarded", ""), 80);
}

#[tokio::test]
async fn they_do_over_ipv6_too() {
    let mut pair = Pair::meet(IPV6).await;
    assert!(pair.anna.answer.contains(" ::1 "), "the answer names the address:\n{}", pair.anna.answer);
    pair.converse(0..20).await;
}

#[tokio::test]
async fn numbers_go_on_without_a_gap_from_packet_to_packet() {
    let Pair { call: _call, anna, mut boris, anna_at_boris, .. } = Pair::meet(IPV4).await;
    let mut last: Option<(u16, u32)> = None;
    for seq in [65_534u16, 65_535, 0, 1, 2] {
        let sent = Sending { timestamp: u32::from(seq.wrapping_add(2)) * 3000, ..keyframe(seq) };
        anna.send(sent.clone()).await;
        let header = assert_arrives(&mut boris, &anna_at_boris, &sent).await.packet.header;
        if let Some((seq, timestamp)) = last {
            assert_eq!(header.sequence_number, seq.wrapping_add(1));
            assert_eq!(header.timestamp, timestamp.wrapping_add(3000));
        }
        last = Some((header.sequence_number, header.timestamp));
    }
}

#[tokio::test]
async fn a_picture_begins_with_a_keyframe_that_the_server_asks_for() {
    let Pair { call, mut anna, mut boris, anna_at_boris, .. } = Pair::meet(IPV4).await;
    anna.send(interframe(1)).await;
    let request: PictureLossIndication = anna.feedback().await;
    assert_eq!(request.media_ssrc, Ssrcs::of(anna.id.0).video);
    anna.send(keyframe(2)).await;
    anna.send(interframe(3)).await;
    assert_arrives(&mut boris, &anna_at_boris, &keyframe(2)).await;
    assert_arrives(&mut boris, &anna_at_boris, &interframe(3)).await;
    assert!(call.count("keyframe_requests", "out") >= 1);
}

#[tokio::test]
async fn a_packet_lost_on_the_way_down_is_sent_again_when_the_viewer_asks() {
    let Pair { call, anna, mut boris, anna_at_boris, .. } = Pair::meet(IPV4).await;
    anna.send(keyframe(1)).await;
    let first = assert_arrives(&mut boris, &anna_at_boris, &keyframe(1)).await;
    boris.lose(Losses { next_received: Some(boris.manner.vp8), ..Losses::default() }).await;
    anna.send(interframe(2)).await;
    anna.send(interframe(3)).await;
    let third = assert_arrives(&mut boris, &anna_at_boris, &interframe(3)).await;
    assert_eq!(third.packet.header.sequence_number, first.packet.header.sequence_number.wrapping_add(2));
    let second = assert_arrives(&mut boris, &anna_at_boris, &interframe(2)).await;
    assert_eq!(second.packet.header.sequence_number, first.packet.header.sequence_number.wrapping_add(1));
    assert!(call.count("rtx_packets", "out") >= 1 && call.count("nacks", "in") >= 1);
}

#[tokio::test]
async fn a_packet_lost_on_the_way_up_is_asked_for_again_and_forwarded() {
    let Pair { call, anna, mut boris, anna_at_boris, .. } = Pair::meet(IPV4).await;
    anna.send(keyframe(1)).await;
    let first = assert_arrives(&mut boris, &anna_at_boris, &keyframe(1)).await;
    anna.lose(Losses { next_sent: Some(anna.manner.vp8), ..Losses::default() }).await;
    anna.send(interframe(2)).await;
    anna.send(interframe(3)).await;
    assert_arrives(&mut boris, &anna_at_boris, &interframe(3)).await;
    let second = assert_arrives(&mut boris, &anna_at_boris, &interframe(2)).await;
    assert_eq!(second.packet.header.sequence_number, first.packet.header.sequence_number.wrapping_add(1));
    assert!(call.count("rtx_packets", "in") >= 1, "asked for, and once more where the answer takes long");
}

#[tokio::test]
async fn reports_reach_those_who_send_and_those_who_receive() {
    let Pair { call, mut anna, mut boris, anna_at_boris, .. } = Pair::meet(IPV4).await;
    anna.send(keyframe(1)).await;
    assert_arrives(&mut boris, &anna_at_boris, &keyframe(1)).await;
    let ssrcs = Ssrcs::of(anna.id.0);
    let feedback: TransportLayerCc = anna.feedback().await;
    assert!(feedback.packet_status_count >= 1);
    let report: ReceiverReport = anna.feedback().await;
    assert!(report.reports.iter().any(|block| block.ssrc == ssrcs.video), "{report:?}");
    assert_eq!(call.count("keyframe_requests", "out"), 0, "the first packet was a keyframe");
    let picture = SeatIds::of(&boris.answer, &format!("v{}", anna_at_boris.0));
    let report: SenderReport = boris.feedback().await;
    assert_eq!((report.ssrc, report.packet_count), (picture.ssrc, 1));
}

#[tokio::test]
async fn seats_of_a_second_offer_are_filled_while_the_first_ones_go_on() {
    let mut call = Call::start(&local_config(IPV4));
    let boris = call.join(ROOM, 2, Manner::FIRST).await;
    let clara = call.join(ROOM, 3, Manner::SECOND).await;
    let anna = ParticipantId(1);
    call.media.join(ROOM, anna).expect("there is room");
    let mut anna = call.connect(anna, Manner::SECOND, 1).await;
    let boris_at_annas = call.seated(anna.id, boris.id).await;
    boris.send(sound(1)).await;
    assert_arrives(&mut anna, &boris_at_annas, &sound(1)).await;
    let before = SeatIds::of(&anna.answer, "v0");
    anna.negotiate(&call.media, 3).await.expect("an answer");
    assert_eq!(SeatIds::of(&anna.answer, "v0"), before, "a seat keeps its SSRCs");
    let clara_at_annas = call.seated(anna.id, clara.id).await;
    assert_ne!(clara_at_annas.0, boris_at_annas.0);
    for seq in 2..10 {
        boris.send(sound(seq)).await;
        assert_arrives(&mut anna, &boris_at_annas, &sound(seq)).await;
        clara.send(sound(seq)).await;
        assert_arrives(&mut anna, &clara_at_annas, &sound(seq)).await;
        clara.send(keyframe(seq)).await;
        assert_arrives(&mut anna, &clara_at_annas, &keyframe(seq)).await;
    }
}

#[tokio::test]
async fn media_flows_on_after_an_ice_restart() {
    let mut pair = Pair::meet(IPV4).await;
    pair.converse(0..3).await;
    let ufrag = |answer: &str| answer.lines().find(|line| line.starts_with("a=ice-ufrag:")).map(str::to_owned);
    let before = ufrag(&pair.anna.answer);
    pair.anna.with(|driver| driver.connection.pc.restart_ice()).await;
    pair.anna.negotiate(&pair.call.media, 0).await.expect("an answer");
    assert_ne!(ufrag(&pair.anna.answer), before, "the server has new credentials too");
    pair.anna.connected().await;
    pair.converse(3..10).await;
}

#[tokio::test]
async fn who_left_is_not_forwarded_one_packet_more_and_the_seat_is_free() {
    let Pair { mut call, anna, mut boris, anna_at_boris, .. } = Pair::meet(IPV4).await;
    let clara = call.join(ROOM, 3, Manner::FIRST).await;
    let clara_at_boris = call.seated(boris.id, clara.id).await;
    call.media.leave(anna.id);
    call.event("the seat is free", |event| match event {
        MediaEvent::Seats { participant, seats } if *participant == boris.id => {
            seats.iter().any(|seated| seated.seat == anna_at_boris.0 && seated.feed.is_none()).then_some(())
        }
        _ => None,
    })
    .await;
    anna.send(sound(1)).await;
    clara.send(sound(2)).await;
    assert_arrives(&mut boris, &clara_at_boris, &sound(2)).await;
    clara.send(sound(3)).await;
    assert_arrives(&mut boris, &clara_at_boris, &sound(3)).await;
}
