//! Reads an offer into checked values. Unknown attributes are skipped; what a session cannot do without is an error that names it.

use std::io::Cursor;

use rtc_sdp::description::common::Attribute;
use rtc_sdp::description::media::MediaDescription;
use rtc_sdp::description::session::SessionDescription;

use super::{URI_AUDIO_LEVEL, URI_MID, URI_REPAIRED_RID, URI_RID, URI_TWCC};
use crate::codec::{Codec, CodecSet};
use crate::error::MediaError;
use crate::transport::Fingerprint;

/// The largest offer read, bytes. 48 seats with every codec named make 145 kB (measured); more is not a browser of ours.
const MAX_SDP_BYTES: usize = 200_000;
/// The most m-lines: 48 seats of two and 8 tracks, and a few that were given up.
const MAX_LINES: usize = 112;
/// The most simulcast layers of a track; a fourth is ignored.
pub(crate) const MAX_LAYERS: usize = 3;
const MAX_MID_BYTES: usize = 16;
const MAX_RID_BYTES: usize = 16;

/// An offer, checked.
#[derive(Debug)]
pub(crate) struct ParsedOffer {
    /// The other side's ICE user fragment (RFC 8839 §5.4). Its password is of no use to a side that sends no checks.
    pub(crate) ufrag: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) lines: Vec<MediaLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Audio,
    Video,
}

/// One m-line.
#[derive(Debug)]
pub(crate) struct MediaLine {
    pub(crate) mid: String,
    /// `None` for anything but audio and video, which is refused.
    pub(crate) kind: Option<MediaKind>,
    /// What the offerer sends there: false for `recvonly` and `inactive`.
    pub(crate) sends: bool,
    pub(crate) receives: bool,
    /// Known codecs in the offerer's order.
    pub(crate) codecs: Vec<CodecEntry>,
    pub(crate) extensions: ExtensionIds,
    /// Simulcast layers in the offerer's order, lowest first by our client's convention.
    pub(crate) rids: Vec<String>,
    /// SSRCs declared: the media's, and its retransmissions'.
    pub(crate) ssrc: Option<u32>,
    pub(crate) rtx_ssrc: Option<u32>,
}

/// A codec as one side numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodecEntry {
    pub(crate) codec: Codec,
    pub(crate) payload_type: u8,
    pub(crate) rtx_payload_type: Option<u8>,
    pub(crate) fmtp: String,
}

/// Header-extension ids (RFC 8285) as the offerer numbers them; `None` where not offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds {
    pub(crate) mid: Option<u8>,
    pub(crate) rid: Option<u8>,
    pub(crate) repaired_rid: Option<u8>,
    pub(crate) twcc: Option<u8>,
    pub(crate) audio_level: Option<u8>,
}

impl ParsedOffer {
    pub(crate) fn parse(sdp: &str) -> Result<Self, MediaError> {
        if sdp.len() > MAX_SDP_BYTES {
            return Err(MediaError::BadOffer("larger than 200 kB"));
        }
        let session = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()))
            .map_err(|_| MediaError::BadOffer("not a session description"))?;
        if session.media_descriptions.is_empty() {
            return Err(MediaError::BadOffer("without media"));
        }
        if session.media_descriptions.len() > MAX_LINES {
            return Err(MediaError::TooManyTracks);
        }
        let lines = session.media_descriptions.iter().map(MediaLine::parse).collect::<Result<Vec<_>, _>>()?;
        for (i, line) in lines.iter().enumerate() {
            if lines[..i].iter().any(|other| other.mid == line.mid) {
                return Err(MediaError::BadOffer("a mid stands twice"));
            }
        }
        // Browsers repeat the transport's attributes in every line, or write them once for the session; the first found counts.
        let find = |key: &str| {
            let in_media = session.media_descriptions.iter().flat_map(|media| &media.attributes);
            session.attributes.iter().chain(in_media).find(|a| a.key == key).and_then(|a| a.value.as_deref())
        };
        let ufrag = find("ice-ufrag").filter(|v| is_ice_chars(v, 4)).ok_or(MediaError::BadOffer("without ICE ufrag"))?;
        find("ice-pwd").filter(|v| is_ice_chars(v, 22)).ok_or(MediaError::BadOffer("without ICE password"))?;
        let fingerprint = find("fingerprint").and_then(Fingerprint::parse);
        Ok(Self {
            ufrag: ufrag.to_owned(),
            fingerprint: fingerprint.ok_or(MediaError::BadOffer("without SHA-256 fingerprint"))?,
            lines,
        })
    }

    pub(crate) fn line(&self, mid: &str) -> Option<&MediaLine> {
        self.lines.iter().find(|line| line.mid == mid)
    }
}

/// RFC 8839 §5.4: ice-char is ALPHA, DIGIT, `+` and `/`; at most 256 of them.
fn is_ice_chars(value: &str, at_least: usize) -> bool {
    (at_least..=256).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

impl MediaLine {
    fn parse(media: &MediaDescription) -> Result<Self, MediaError> {
        let value = |key: &str| media.attributes.iter().find(|a| a.key == key).and_then(|a| a.value.as_deref());
        let has = |key: &str| media.attributes.iter().any(|a| a.key == key);
        let mid = value("mid").filter(|m| is_token(m, MAX_MID_BYTES)).ok_or(MediaError::BadOffer("a line without mid"))?;
        let rejected = media.media_name.port.value == 0 && !has("bundle-only");
        let kind = match media.media_name.media.as_str() {
            "audio" if !rejected => Some(MediaKind::Audio),
            "video" if !rejected => Some(MediaKind::Video),
            _ => None,
        };
        let (ssrc, rtx_ssrc) = declared_ssrcs(&media.attributes);
        Ok(Self {
            mid: mid.to_owned(),
            kind,
            sends: !has("recvonly") && !has("inactive"),
            receives: !has("sendonly") && !has("inactive"),
            codecs: kind.map(|kind| codecs(media, kind)).unwrap_or_default(),
            extensions: ExtensionIds::parse(&media.attributes),
            rids: rids(&media.attributes),
            ssrc,
            rtx_ssrc,
        })
    }

    /// The codecs that the line lists.
    pub(crate) fn codec_set(&self) -> CodecSet {
        self.codecs.iter().map(|entry| entry.codec).collect()
    }
}

fn is_token(value: &str, max: usize) -> bool {
    (1..=max).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'{' | b'}'))
}

/// The known codecs of a line, each once, in the order of the m-line's formats.
fn codecs(media: &MediaDescription, kind: MediaKind) -> Vec<CodecEntry> {
    let of = |key: &'static str, pt: &str| {
        let values = media.attributes.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref());
        let pt = pt.to_owned();
        values.filter_map(move |v| v.split_once(' ').filter(|(p, _)| *p == pt).map(|(_, rest)| rest)).next()
    };
    let mut found: Vec<CodecEntry> = Vec::new();
    for format in &media.media_name.formats {
        let Some((name, fmtp)) = of("rtpmap", format).map(|name| (name, of("fmtp", format).unwrap_or_default())) else {
            continue;
        };
        let Some(codec) = known_codec(name, fmtp).filter(|c| c.is_audio() == (kind == MediaKind::Audio)) else { continue };
        let Some(payload_type) = parse_payload_type(format) else { continue };
        if found.iter().any(|entry| entry.codec == codec) {
            continue;
        }
        let rtx = media.media_name.formats.iter().find(|other| {
            let is_rtx = of("rtpmap", other).is_some_and(|name| name.to_ascii_lowercase().starts_with("rtx/"));
            is_rtx && of("fmtp", other).and_then(|f| parameter(f, "apt")) == Some(format)
        });
        let rtx_payload_type = rtx.and_then(|rtx| parse_payload_type(rtx));
        found.push(CodecEntry { codec, payload_type, rtx_payload_type, fmtp: fmtp.to_owned() });
    }
    found
}

/// A dynamic or static payload type that cannot be mistaken for RTCP (RFC 5761 §4).
fn parse_payload_type(format: &str) -> Option<u8> {
    format.parse().ok().filter(|pt| *pt < 64 || (96..128).contains(pt))
}

/// One profile of each codec is forwarded, the one that every browser decodes.
fn known_codec(rtpmap: &str, fmtp: &str) -> Option<Codec> {
    let name = rtpmap.split('/').next()?.to_ascii_lowercase();
    match name.as_str() {
        "opus" => Some(Codec::Opus),
        "vp8" => Some(Codec::Vp8),
        // Firefox names no profile; it means 0.
        "vp9" => (parameter(fmtp, "profile-id").unwrap_or("0") == "0").then_some(Codec::Vp9),
        "av1" => (parameter(fmtp, "profile").unwrap_or("0") == "0").then_some(Codec::Av1),
        "h264" => {
            let baseline = parameter(fmtp, "profile-level-id").is_some_and(|p| p.to_ascii_lowercase().starts_with("42e0"));
            (baseline && parameter(fmtp, "packetization-mode") == Some("1")).then_some(Codec::H264)
        }
        _ => None,
    }
}

fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').filter_map(|p| p.trim().split_once('=')).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

fn rids(attributes: &[Attribute]) -> Vec<String> {
    let values = attributes.iter().filter(|a| a.key == "rid").filter_map(|a| a.value.as_deref());
    let sending = values.filter_map(|v| v.split_once(' ')).filter(|(_, rest)| rest.starts_with("send")).map(|(rid, _)| rid);
    sending.filter(|rid| is_token(rid, MAX_RID_BYTES)).take(MAX_LAYERS).map(str::to_owned).collect()
}

fn declared_ssrcs(attributes: &[Attribute]) -> (Option<u32>, Option<u32>) {
    let values = |key: &'static str| attributes.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref());
    if let Some(group) = values("ssrc-group").find_map(|v| v.strip_prefix("FID ")) {
        let mut numbers = group.split(' ').map(|n| n.parse().ok());
        return (numbers.next().flatten(), numbers.next().flatten());
    }
    (values("ssrc").find_map(|v| v.split(' ').next().and_then(|n| n.parse().ok())), None)
}

impl ExtensionIds {
    /// Takes what `other` knows and this does not. A BUNDLE group has one numbering (RFC 8843 §9.2).
    pub(crate) fn merge(&mut self, other: Self) {
        self.mid = self.mid.or(other.mid);
        self.rid = self.rid.or(other.rid);
        self.repaired_rid = self.repaired_rid.or(other.repaired_rid);
        self.twcc = self.twcc.or(other.twcc);
        self.audio_level = self.audio_level.or(other.audio_level);
    }

    fn parse(attributes: &[Attribute]) -> Self {
        let mut ids = Self::default();
        for value in attributes.iter().filter(|a| a.key == "extmap").filter_map(|a| a.value.as_deref()) {
            let mut words = value.split(' ');
            // Firefox writes a direction behind the id: `2/recvonly`.
            let id = words.next().and_then(|id| id.split('/').next()).and_then(|id| id.parse().ok());
            let Some(id) = id.filter(|id| (1..=14).contains(id)) else { continue };
            match words.next().unwrap_or_default() {
                URI_MID => ids.mid = Some(id),
                URI_RID => ids.rid = Some(id),
                URI_REPAIRED_RID => ids.repaired_rid = Some(id),
                URI_TWCC => ids.twcc = Some(id),
                URI_AUDIO_LEVEL => ids.audio_level = Some(id),
                _ => {}
            }
        }
        ids
    }
}
