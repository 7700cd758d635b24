//! Writes an offer of the shape that browsers write: microphone, camera, then pairs of receiving lines.

use std::fmt::Write;

use super::settings::{Camera, Numbering, Settings};
use crate::api::{SeatOffer, TrackOffer};
use crate::codec::Codec;
use crate::id::Source;
use crate::transport::{Fingerprint, IceCredentials};

pub(super) const MICROPHONE_MID: &str = "0";
pub(super) const CAMERA_MID: &str = "1";
pub(super) const SCREEN_MID: &str = "s";
/// The mid of the first seat's sound; its picture's follows, then the next seat's.
const FIRST_SEAT_MID: usize = 2;

/// What goes into an offer beside the settings.
pub(super) struct OfferParts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) version: u64,
    pub(super) ice: &'a IceCredentials,
    pub(super) fingerprint: Fingerprint,
    pub(super) microphone_ssrc: u32,
    pub(super) camera: Option<PictureParts<'a>>,
    pub(super) screen: Option<PictureParts<'a>>,
}

/// A line that sends a picture.
pub(super) struct PictureParts<'a> {
    pub(super) mid: &'static str,
    pub(super) camera: &'a Camera,
    /// Media and retransmissions. Not written for simulcast, as browsers do not.
    pub(super) ssrcs: (u32, u32),
}

/// The lines that send.
pub(super) fn tracks(settings: &Settings) -> Vec<TrackOffer> {
    let track = |mid: &str, source| TrackOffer { mid: mid.to_owned(), source };
    let microphone = settings.microphone.map(|_| track(MICROPHONE_MID, Source::Microphone));
    let camera = settings.camera.as_ref().map(|_| track(CAMERA_MID, Source::Camera));
    let screen = settings.screen.as_ref().map(|_| track(SCREEN_MID, Source::Screen));
    microphone.into_iter().chain(camera).chain(screen).collect()
}

/// The lines that receive.
pub(super) fn seats(settings: &Settings) -> Vec<SeatOffer> {
    let mid = |seat: usize, offset: usize| (FIRST_SEAT_MID + 2 * seat + offset).to_string();
    (0..settings.seats).map(|seat| SeatOffer { audio_mid: mid(seat, 0), video_mid: mid(seat, 1) }).collect()
}

impl OfferParts<'_> {
    pub(super) fn write(&self) -> String {
        let mut out = String::with_capacity(2_048 + 2_048 * self.settings.seats);
        self.write_into(&mut out).expect("writing to a string cannot fail");
        out
    }

    fn write_into(&self, out: &mut String) -> std::fmt::Result {
        let seats = seats(self.settings);
        write!(out, "v=0\r\no=- {} {} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", self.settings.source, self.version)?;
        out.push_str("a=group:BUNDLE");
        for track in tracks(self.settings) {
            write!(out, " {}", track.mid)?;
        }
        for seat in &seats {
            write!(out, " {} {}", seat.audio_mid, seat.video_mid)?;
        }
        out.push_str("\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n");
        if self.settings.microphone.is_some() {
            self.write_line(out, MICROPHONE_MID, &[Codec::Opus], "sendonly")?;
            let ssrc = self.microphone_ssrc;
            write!(out, "a=msid:own microphone\r\na=ssrc:{ssrc} cname:own\r\n")?;
        }
        self.write_picture(out, self.camera.as_ref())?;
        let decodes: Vec<Codec> = self.settings.decodes.iter().map(|codec| codec.codec()).collect();
        for seat in &seats {
            self.write_line(out, &seat.audio_mid, &[Codec::Opus], "recvonly")?;
            self.write_line(out, &seat.video_mid, &decodes, "recvonly")?;
        }
        self.write_picture(out, self.screen.as_ref())
    }

    fn write_picture(&self, out: &mut String, picture: Option<&PictureParts<'_>>) -> std::fmt::Result {
        let Some(PictureParts { mid, camera, ssrcs: (ssrc, rtx_ssrc) }) = picture else { return Ok(()) };
        let codecs: Vec<Codec> = camera.codecs.iter().map(|codec| codec.codec()).collect();
        self.write_line(out, mid, &codecs, "sendonly")?;
        write!(out, "a=msid:own {mid}\r\n")?;
        if camera.layers.len() <= 1 {
            write!(out, "a=ssrc-group:FID {ssrc} {rtx_ssrc}\r\na=ssrc:{ssrc} cname:own\r\n")?;
            return write!(out, "a=ssrc:{rtx_ssrc} cname:own\r\n");
        }
        let rids: Vec<&str> = camera.layers.iter().map(|layer| layer.rid).collect();
        for rid in &rids {
            write!(out, "a=rid:{rid} send\r\n")?;
        }
        write!(out, "a=simulcast:send {}\r\n", rids.join(";"))
    }

    fn write_line(&self, out: &mut String, mid: &str, codecs: &[Codec], direction: &str) -> std::fmt::Result {
        let numbering = self.settings.numbering;
        let is_audio = codecs.iter().any(|codec| codec.is_audio());
        write!(out, "m={} 9 UDP/TLS/RTP/SAVPF", if is_audio { "audio" } else { "video" })?;
        for codec in codecs {
            write!(out, " {}", numbering.payload_type(*codec))?;
            if let Some(rtx) = numbering.rtx_payload_type(*codec) {
                write!(out, " {rtx}")?;
            }
        }
        write!(out, "\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n")?;
        write!(out, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=ice-options:trickle\r\n", self.ice.ufrag, self.ice.password)?;
        write!(out, "a=fingerprint:{}\r\na=setup:actpass\r\na=mid:{mid}\r\n", self.fingerprint)?;
        write_extensions(out, numbering, is_audio)?;
        write!(out, "a={direction}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n")?;
        codecs.iter().try_for_each(|codec| write_codec(out, numbering, *codec))
    }
}

pub(super) fn write_extensions(out: &mut String, numbering: Numbering, is_audio: bool) -> std::fmt::Result {
    let ids = numbering.extensions();
    let twcc = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    write!(out, "a=extmap:{} {twcc}\r\na=extmap:{} urn:ietf:params:rtp-hdrext:sdes:mid\r\n", ids.twcc, ids.mid)?;
    if is_audio {
        return write!(out, "a=extmap:{} urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n", ids.audio_level);
    }
    write!(out, "a=extmap:{} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n", ids.rid)?;
    write!(out, "a=extmap:{} urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n", ids.repaired_rid)
}

pub(super) fn write_codec(out: &mut String, numbering: Numbering, codec: Codec) -> std::fmt::Result {
    let pt = numbering.payload_type(codec);
    let channels = if codec.is_audio() { "/2" } else { "" };
    write!(out, "a=rtpmap:{pt} {}/{}{channels}\r\na=rtcp-fb:{pt} transport-cc\r\n", codec.name(), codec.clock_rate().0)?;
    let fmtp = match codec {
        Codec::Opus => "minptime=10;useinbandfec=1",
        Codec::Vp8 => "",
        Codec::Vp9 => "profile-id=0",
        Codec::H264 => "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        Codec::Av1 => "level-idx=5;profile=0;tier=0",
    };
    if !fmtp.is_empty() {
        write!(out, "a=fmtp:{pt} {fmtp}\r\n")?;
    }
    let Some(rtx) = numbering.rtx_payload_type(codec) else { return Ok(()) };
    write!(out, "a=rtcp-fb:{pt} ccm fir\r\na=rtcp-fb:{pt} nack\r\na=rtcp-fb:{pt} nack pli\r\n")?;
    write!(out, "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={pt}\r\n")
}
