//! What parses bytes from the network, one function for each fuzz target. Not part of the public face.
//!
//! `media/fuzz` runs these under libFuzzer, `media/tests/fuzz_corpora.rs` runs its corpora and mutations of them as an ordinary
//! test. A target holds when it returns: panics, overflows and the assertions in here are what fuzzing looks for.

use std::time::Instant;

use crate::codec::{Codec, inspect, is_keyframe_start, picture_ids, rewrite_picture_ids};
use crate::demux::{Protocol, classify};
use crate::rtcp::{Compound, Rtcp, build};
use crate::rtp::{AudioLevel, OutHeader, RtpHeader, strip_padding, write_header};
use crate::transport::fuzzing as transport;
use crate::transport::{ParsedOffer, username_local_part};
use crate::turn::fuzzing as turn;
use crate::units::SeqNo;

/// A fuzz target, by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 18] = [
    ("demux", demux),
    ("stun", stun),
    ("client_hello", client_hello),
    ("dtls", dtls),
    ("srtp", srtp),
    ("sdp", sdp),
    ("rtp", rtp),
    ("rtcp", rtcp),
    ("opus", opus),
    ("vp8", vp8),
    ("vp9", vp9),
    ("h264", h264),
    ("av1", av1),
    ("turn_message", turn_message),
    ("turn_request", turn_request),
    ("channel_data", channel_data),
    ("tcp_framing", tcp_framing),
    ("first_bytes", first_bytes),
];

/// Tells datagrams apart; what is taken for a protocol has at least that protocol's header.
pub fn demux(datagram: &[u8]) {
    let least = match classify(datagram) {
        Protocol::Stun => 20,
        Protocol::Dtls => 14,
        Protocol::Rtp => 12,
        Protocol::Rtcp => 8,
        _ => 0,
    };
    assert!(datagram.len() >= least);
}

/// Answers connectivity checks of strangers.
pub fn stun(datagram: &[u8]) {
    let _ = username_local_part(datagram);
    transport::stun(Instant::now(), datagram);
}

/// Reads the body of a DTLS ClientHello.
pub fn client_hello(body: &[u8]) {
    transport::client_hello(body);
}

/// Takes DTLS datagrams, each behind its length in two bytes.
pub fn dtls(input: &[u8]) {
    transport::dtls(Instant::now(), input);
}

/// Opens an SRTP or SRTCP packet behind the length of its header in one byte.
pub fn srtp(input: &[u8]) {
    transport::srtp(input);
}

/// Reads an SDP offer.
pub fn sdp(offer: &[u8]) {
    let Ok(offer) = str::from_utf8(offer) else { return };
    let Ok(parsed) = ParsedOffer::parse(offer) else { return };
    for line in &parsed.lines {
        assert!(parsed.line(&line.mid).is_some());
        let _ = line.codec_set();
    }
}

/// Reads a packet with its extensions and padding, and writes its header again.
pub fn rtp(packet: &[u8]) {
    let Some(header) = RtpHeader::parse(packet) else { return };
    let (_, payload) = packet.split_at(usize::from(header.header_len));
    for extension in header.extensions(packet) {
        assert!(extension.id != 0 && extension.value.len() < packet.len());
        let _ = AudioLevel::parse(extension.value);
        assert!(header.extensions(packet).find(extension.id).is_some());
    }
    assert!(strip_padding(payload).is_none_or(|kept| kept.len() < payload.len()));
    let out = OutHeader {
        marker: header.marker,
        payload_type: header.payload_type,
        seq: header.seq,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        csrcs: &[1],
        extensions: &[],
        padding_bytes: u8::from(header.has_padding),
    };
    let mut bytes = [0; 16];
    assert_eq!(write_header(&mut bytes, &out), Some(16));
    let again = RtpHeader::parse(&bytes).expect("what is written is RTP");
    assert_eq!((again.marker, again.payload_type, again.seq), (header.marker, header.payload_type, header.seq));
    assert_eq!((again.timestamp, again.ssrc, again.has_padding), (header.timestamp, header.ssrc, header.has_padding));
}

/// Walks a compound packet, and writes again what the SFU can write.
pub fn rtcp(datagram: &[u8]) {
    let mut out = Vec::new();
    for packet in Compound::new(datagram) {
        out.clear();
        match packet {
            Rtcp::SenderReport(report) => {
                let ssrc = report.ssrc.0;
                build::sender_report(&mut out, ssrc, report.ntp, report.rtp_timestamp.0, report.packets, report.octets);
                assert!(report.blocks().count() <= 31);
            }
            Rtcp::ReceiverReport(report) => {
                let blocks: Vec<_> = report.blocks().collect();
                build::receiver_report(&mut out, report.ssrc.0, &blocks);
                let again = Compound::new(&out).next();
                assert!(matches!(again, Some(Rtcp::ReceiverReport(again)) if again.blocks().eq(blocks)));
            }
            Rtcp::Nack(nack) => rewrite_nack(&mut out, nack.media_ssrc.0, nack.seqs()),
            Rtcp::Fir(fir) => assert!(fir.ssrcs().count() * 8 <= datagram.len()),
            Rtcp::TransportWide { feedback } => assert!(feedback.len() < datagram.len()),
            Rtcp::Pli { .. } | Rtcp::Bye { .. } | Rtcp::Other { .. } => {}
        }
    }
}

fn rewrite_nack(out: &mut Vec<u8>, media_ssrc: u32, seqs: impl Iterator<Item = SeqNo>) {
    let mut seqs: Vec<_> = seqs.collect();
    build::nack(out, 1, media_ssrc, &seqs);
    let Some(Rtcp::Nack(again)) = Compound::new(out).next() else {
        return assert!(seqs.is_empty(), "a request is read back");
    };
    let mut again: Vec<_> = again.seqs().collect();
    for list in [&mut seqs, &mut again] {
        list.sort_unstable_by_key(|seq| seq.0);
        list.dedup();
    }
    assert_eq!(again, seqs);
}

/// Reads a payload of Opus.
pub fn opus(payload: &[u8]) {
    read_payload(Codec::Opus, payload);
}

/// Reads and rewrites a payload of VP8.
pub fn vp8(payload: &[u8]) {
    read_payload(Codec::Vp8, payload);
}

/// Reads and rewrites a payload of VP9.
pub fn vp9(payload: &[u8]) {
    read_payload(Codec::Vp9, payload);
}

/// Reads a payload of H.264.
pub fn h264(payload: &[u8]) {
    read_payload(Codec::H264, payload);
}

/// Reads a payload of AV1.
pub fn av1(payload: &[u8]) {
    read_payload(Codec::Av1, payload);
}

/// Hands a datagram of a stranger to a TURN server.
pub fn turn_message(datagram: &[u8]) {
    turn::turn_message(Instant::now(), datagram);
}

/// Hands requests of a user to a TURN server, each a method, the length of its attributes, and these.
pub fn turn_request(input: &[u8]) {
    turn::turn_request(Instant::now(), input);
}

/// Reads a ChannelData message.
pub fn channel_data(message: &[u8]) {
    turn::channel_data(message);
}

/// Cuts what came on a TCP connection of TURN into messages, behind a byte that says in which pieces it came.
pub fn tcp_framing(input: &[u8]) {
    turn::tcp_framing(input);
}

/// Tells what a TCP connection speaks.
pub fn first_bytes(bytes: &[u8]) {
    turn::connection(bytes);
}

/// Writing the numbers that a payload has changes nothing; writing others changes the numbers only.
fn read_payload(codec: Codec, payload: &[u8]) {
    let summary = inspect(codec, payload);
    let ids = picture_ids(codec, payload);
    assert_eq!(summary.keyframe_start, is_keyframe_start(codec, payload));
    assert!(summary.frame_start || !summary.keyframe_start);
    let mut copy = payload.to_vec();
    rewrite_picture_ids(codec, &mut copy, ids);
    assert_eq!(copy, payload);
    let mut others = ids;
    if let Some(id) = &mut others.picture_id {
        id.value ^= 0x55;
    }
    others.tl0 = others.tl0.map(|tl0| !tl0);
    rewrite_picture_ids(codec, &mut copy, others);
    assert_eq!(picture_ids(codec, &copy), others);
    assert_eq!(is_keyframe_start(codec, &copy), summary.keyframe_start);
}
