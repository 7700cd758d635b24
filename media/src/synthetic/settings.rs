//! What a synthetic participant sends and receives. Plain values.

use crate::codec::Codec;

/// A video codec, as the public face names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VideoCodec {
    /// RFC 7741.
    Vp8,
    /// RFC 9628, profile 0.
    Vp9,
    /// RFC 6184, constrained baseline, packetization mode 1.
    H264,
    /// AV1, profile 0.
    Av1,
}

impl VideoCodec {
    /// Every codec, in Chromium's order of preference.
    pub const ALL: [Self; 4] = [Self::Vp8, Self::Vp9, Self::H264, Self::Av1];

    /// The encoding name of `a=rtpmap`.
    pub fn name(self) -> &'static str {
        self.codec().name()
    }

    pub(super) fn codec(self) -> Codec {
        match self {
            Self::Vp8 => Codec::Vp8,
            Self::Vp9 => Codec::Vp9,
            Self::H264 => Codec::H264,
            Self::Av1 => Codec::Av1,
        }
    }
}

/// How the participant numbers payload types and header extensions. Browsers differ, and the server must not care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbering {
    /// As Chromium 156.
    Chromium,
    /// As Firefox 153.
    Firefox,
}

/// Which SRTP profiles the participant offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SrtpOffer {
    /// AES-CM with HMAC-SHA1 first, then AES-GCM, as browsers do.
    Both,
    /// AES-CM with HMAC-SHA1 alone, as old implementations do.
    Sha1Only,
}

/// Added to the source of a participant in the packets of its screen; the seven bits below count the times that it was shared later.
pub const SCREEN_SOURCE: u32 = 1 << 31;

/// A synthetic participant.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Stands in every packet, so that a receiver can tell whose it is.
    pub source: u32,
    /// What is heard of it, if anything.
    pub microphone: Option<Microphone>,
    /// What is seen of it, if anything.
    pub camera: Option<Camera>,
    /// The picture of a shared screen, from the first offer on or added by a later one.
    pub screen: Option<Camera>,
    /// What it can decode, in its order.
    pub decodes: Vec<VideoCodec>,
    /// How many others it can see at once.
    pub seats: usize,
    /// Whose numbers it uses.
    pub numbering: Numbering,
    /// How it protects media.
    pub srtp: SrtpOffer,
}

/// A microphone: 50 packets a second of 32 kbit/s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Microphone {
    /// How loud it is, in dB below the loudest possible; 127 is silence.
    pub below_full_db: u8,
}

/// A camera.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Camera {
    /// What it can send, in its order of preference.
    pub codecs: Vec<VideoCodec>,
    /// Lowest first. One layer is sent without simulcast.
    pub layers: Vec<Layer>,
    /// Frames a second.
    pub frame_rate: u32,
}

/// One encoding of a camera.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layer {
    /// Its name in simulcast.
    pub rid: &'static str,
    /// Bits a second, keyframes not counted.
    pub bitrate_bps: u32,
}

impl Camera {
    /// One layer of 300 kbit/s.
    pub fn plain(codecs: &[VideoCodec]) -> Self {
        Self { codecs: codecs.to_vec(), layers: vec![Layer { rid: "", bitrate_bps: 300_000 }], frame_rate: 25 }
    }

    /// One large layer of few frames.
    pub fn screen(codecs: &[VideoCodec]) -> Self {
        Self { codecs: codecs.to_vec(), layers: vec![Layer { rid: "", bitrate_bps: 800_000 }], frame_rate: 10 }
    }

    /// Three layers: 180, 360 and 720 lines.
    pub fn simulcast(codecs: &[VideoCodec]) -> Self {
        let layer = |(rid, bitrate_bps)| Layer { rid, bitrate_bps };
        let layers = [("q", 150_000), ("h", 500_000), ("f", 1_500_000)].map(layer).to_vec();
        Self { codecs: codecs.to_vec(), layers, frame_rate: 25 }
    }
}

impl Settings {
    /// Sends sound and one layer in the first of `codecs` that all can decode, decodes all of them, and has `seats` seats.
    pub fn caller(source: u32, codecs: &[VideoCodec], seats: usize) -> Self {
        Self {
            source,
            microphone: Some(Microphone { below_full_db: 30 }),
            camera: Some(Camera::plain(codecs)),
            screen: None,
            decodes: VideoCodec::ALL.to_vec(),
            seats,
            numbering: Numbering::Chromium,
            srtp: SrtpOffer::Both,
        }
    }

    /// Only receives.
    pub fn viewer(source: u32, seats: usize) -> Self {
        Self { microphone: None, camera: None, ..Self::caller(source, &[], seats) }
    }
}
