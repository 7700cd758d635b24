//! What participants send and get, and what the network loses on the way.

use rtc::rtp;
use webcall_media::Source;

/// A packet as the application of the other implementation gets it.
#[derive(Debug)]
pub(crate) struct Received {
    /// The track of the answer, e.g. `v1`: the picture of seat 1.
    pub(crate) track: String,
    pub(crate) packet: rtp::Packet,
}

/// A packet to send.
#[derive(Clone)]
pub(crate) struct Sending {
    pub(crate) source: Source,
    pub(crate) seq: u16,
    pub(crate) timestamp: u32,
    pub(crate) payload: Vec<u8>,
}

/// One frame of sound; its payload is opaque to everybody here.
pub(crate) fn sound(seq: u16) -> Sending {
    Sending { source: Source::Microphone, seq, timestamp: 960 * u32::from(seq), payload: format!("sound {seq}").into_bytes() }
}

/// A whole VP8 keyframe in one packet: a descriptor without picture id, then the frame (RFC 7741 §§4.2, 4.3).
pub(crate) fn keyframe(seq: u16) -> Sending {
    let mut payload = vec![0x10, 0x50, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];
    payload.extend_from_slice(format!("keyframe {seq}").as_bytes());
    Sending { source: Source::Camera, seq, timestamp: 3000 * u32::from(seq), payload }
}

/// A frame that needs the one before it.
pub(crate) fn interframe(seq: u16) -> Sending {
    Sending { source: Source::Camera, seq, timestamp: 3000 * u32::from(seq), payload: vec![0x10, 0x51, 0x02, seq as u8] }
}

/// A datagram that the network is to lose: the next RTP of this payload type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Losses {
    pub(crate) next_sent: Option<u8>,
    pub(crate) next_received: Option<u8>,
}
