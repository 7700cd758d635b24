//! Reading and writing headers, against `rtc-rtp` as the oracle.

use bytes::Bytes;
use proptest::prelude::*;
use rtc_shared::marshal::{Marshal, MarshalSize, Unmarshal};

use super::*;

fn out_header<'a>(csrcs: &'a [u32], extensions: &'a [OutExtension<'a>]) -> OutHeader<'a> {
    OutHeader {
        marker: true,
        payload_type: PayloadType(96),
        seq: SeqNo(0xbeef),
        timestamp: RtpTimestamp(0x0102_0304),
        ssrc: Ssrc(0xdead_beef),
        csrcs,
        extensions,
        padding_bytes: 0,
    }
}

/// The payload of an opened packet, without padding.
fn payload<'a>(header: &RtpHeader, packet: &'a [u8]) -> Option<&'a [u8]> {
    let payload = packet.get(usize::from(header.header_len)..)?;
    if header.has_padding { strip_padding(payload) } else { Some(payload) }
}

fn written(header: &OutHeader<'_>) -> Vec<u8> {
    let mut out = vec![0xff; 256];
    let len = write_header(&mut out, header).expect("it fits");
    out.truncate(len);
    out
}

#[test]
fn a_plain_header_is_twelve_bytes_and_reads_back() {
    let bytes = written(&out_header(&[], &[]));
    assert_eq!(bytes, [0x80, 0xe0, 0xbe, 0xef, 1, 2, 3, 4, 0xde, 0xad, 0xbe, 0xef]);
    let header = RtpHeader::parse(&bytes).expect("it is RTP");
    assert!(header.marker && !header.has_padding);
    assert_eq!((header.payload_type, header.seq), (PayloadType(96), SeqNo(0xbeef)));
    assert_eq!((header.timestamp, header.ssrc), (RtpTimestamp(0x0102_0304), Ssrc(0xdead_beef)));
    assert_eq!((header.csrc_count, header.header_len, header.extension), (0, 12, None));
    assert_eq!(payload(&header, &bytes), Some(&[][..]));
}

#[test]
fn csrcs_and_extensions_read_back_and_are_padded_to_words() {
    let extensions = [OutExtension { id: 3, value: &[1, 2, 3] }, OutExtension { id: 14, value: &[9; 16] }];
    let bytes = written(&out_header(&[7, 8], &extensions));
    assert_eq!(bytes.len(), 12 + 8 + 4 + 24);
    let header = RtpHeader::parse(&bytes).expect("it is RTP");
    assert_eq!((header.csrc_count, usize::from(header.header_len)), (2, bytes.len()));
    let elements: Vec<_> = header.extensions(&bytes).map(|extension| (extension.id, extension.value)).collect();
    assert_eq!(elements, [(3, &[1, 2, 3][..]), (14, &[9; 16][..])]);
}

#[test]
fn a_header_that_does_not_fit_or_has_a_bad_extension_is_refused() {
    let mut out = [0; 64];
    let ok = [OutExtension { id: 3, value: &[1, 2, 3] }];
    let len = write_header(&mut out, &out_header(&[1], &ok)).expect("it fits");
    for short in 0..len {
        assert_eq!(write_header(&mut out[..short], &out_header(&[1], &ok)), None, "{short} bytes");
    }
    for bad in [
        OutExtension { id: 0, value: &[1] },
        OutExtension { id: 15, value: &[1] },
        OutExtension { id: 1, value: &[] },
        OutExtension { id: 1, value: &[0; 17] },
    ] {
        assert_eq!(write_header(&mut out, &out_header(&[], &[bad])), None);
    }
    assert_eq!(write_header(&mut [0; 256], &out_header(&[0; 16], &[])), None);
}

#[test]
fn the_padding_bit_is_set_when_the_caller_pads() {
    let bytes = written(&OutHeader { padding_bytes: 1, ..out_header(&[], &[]) });
    assert!(RtpHeader::parse(&bytes).expect("it is RTP").has_padding);
}

#[test]
fn padding_is_stripped_and_a_lying_count_is_refused() {
    assert_eq!(strip_padding(&[1, 2, 3, 0, 2]), Some(&[1, 2, 3][..]));
    assert_eq!(strip_padding(&[0, 0, 3]), Some(&[][..]));
    assert_eq!(strip_padding(&[1, 2, 4]), None);
    assert_eq!(strip_padding(&[1, 0]), None);
    assert_eq!(strip_padding(&[]), None);
}

#[test]
fn a_packet_cut_anywhere_in_its_header_is_not_rtp() {
    let extensions = [OutExtension { id: 1, value: &[1; 4] }];
    let bytes = written(&out_header(&[1, 2, 3], &extensions));
    for len in 0..bytes.len() {
        assert_eq!(RtpHeader::parse(&bytes[..len]), None, "{len} bytes");
    }
}

#[test]
fn another_version_is_not_rtp() {
    let mut bytes = written(&out_header(&[], &[]));
    for version in [0, 1, 3] {
        bytes[0] = (version << 6) | (bytes[0] & 0x3f);
        assert_eq!(RtpHeader::parse(&bytes), None);
    }
}

#[test]
fn an_extension_length_beyond_the_packet_is_not_rtp() {
    let mut bytes = written(&out_header(&[], &[OutExtension { id: 1, value: &[1] }]));
    bytes[14] = 0xff;
    bytes[15] = 0xff;
    assert_eq!(RtpHeader::parse(&bytes), None);
    bytes[14] = 0;
    bytes[15] = 2;
    assert_eq!(RtpHeader::parse(&bytes), None);
}

proptest! {
    #[test]
    fn any_bytes_parse_without_panic_and_within_their_length(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(header) = RtpHeader::parse(&bytes) {
            prop_assert!(usize::from(header.header_len) <= bytes.len());
            let _ = header.extensions(&bytes).count();
            if let Some(payload) = payload(&header, &bytes) {
                prop_assert!(payload.len() + usize::from(header.header_len) <= bytes.len());
            }
        }
    }

    #[test]
    fn what_is_written_is_what_the_oracle_reads(
        marker: bool, payload_type in 0_u8..128, seq: u16, timestamp: u32, ssrc: u32,
        csrcs in prop::collection::vec(any::<u32>(), 0..=15),
        values in prop::collection::vec((1_u8..=14, prop::collection::vec(any::<u8>(), 1..=16)), 0..6),
        media in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let extensions: Vec<_> = values.iter().map(|(id, value)| OutExtension { id: *id, value }).collect();
        let header = OutHeader {
            marker, payload_type: PayloadType(payload_type), seq: SeqNo(seq), timestamp: RtpTimestamp(timestamp),
            ssrc: Ssrc(ssrc), csrcs: &csrcs, extensions: &extensions, padding_bytes: 0,
        };
        let mut bytes = written(&header);
        bytes.extend_from_slice(&media);
        let oracle = rtc_rtp::packet::Packet::unmarshal(&mut Bytes::from(bytes)).expect("the oracle reads it");
        prop_assert_eq!(oracle.header.marker, marker);
        prop_assert_eq!(oracle.header.payload_type, payload_type);
        prop_assert_eq!(oracle.header.sequence_number, seq);
        prop_assert_eq!(oracle.header.timestamp, timestamp);
        prop_assert_eq!(oracle.header.ssrc, ssrc);
        prop_assert_eq!(&oracle.header.csrc, &csrcs);
        prop_assert_eq!(&oracle.payload[..], &media[..]);
        for (id, _) in &values {
            let first = values.iter().find(|(other, _)| other == id).map(|(_, value)| &value[..]);
            let read = oracle.header.get_extension(*id);
            prop_assert_eq!(read.as_deref(), first);
        }
    }

    #[test]
    fn what_the_oracle_writes_is_read(
        marker: bool, payload_type in 0_u8..128, seq: u16, timestamp: u32, ssrc: u32,
        csrcs in prop::collection::vec(any::<u32>(), 0..=15),
        values in prop::collection::btree_map(1_u8..=255, prop::collection::vec(any::<u8>(), 0..=40), 0..5),
        media in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut header = rtc_rtp::Header { version: 2, marker, payload_type, timestamp, ssrc, ..Default::default() };
        header.sequence_number = seq;
        header.csrc = csrcs;
        header.extension = !values.is_empty();
        header.extension_profile = 0x1000;
        for (id, value) in &values {
            header.set_extension(*id, Bytes::copy_from_slice(value)).expect("the oracle takes it");
        }
        let packet = rtc_rtp::packet::Packet { header, payload: Bytes::from(media.clone()) };
        let mut bytes = vec![0; packet.marshal_size()];
        packet.marshal_to(&mut bytes).expect("the oracle writes it");
        let parsed = RtpHeader::parse(&bytes).expect("it is RTP");
        prop_assert_eq!((parsed.marker, parsed.payload_type.0), (marker, payload_type));
        prop_assert_eq!((parsed.seq.0, parsed.timestamp.0, parsed.ssrc.0), (seq, timestamp, ssrc));
        prop_assert_eq!(payload(&parsed, &bytes), Some(&media[..]));
        for (id, value) in &values {
            prop_assert_eq!(parsed.extensions(&bytes).find(*id), Some(&value[..]));
        }
    }
}
