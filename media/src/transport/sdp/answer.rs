//! Writes an answer. Lean: transport attributes once at session level (accepted by Chromium and Firefox), one codec for each
//! track so that the browser sends that one, every codec of the offer for each seat.

use std::fmt::Write;
use std::net::SocketAddr;

use super::offer::{CodecEntry, MediaKind, MediaLine, ParsedOffer};
use super::{URI_AUDIO_LEVEL, URI_MID, URI_REPAIRED_RID, URI_RID, URI_TWCC};
use crate::api::Levels;
use crate::codec::Codec;

/// What the server answers.
pub(crate) struct Answer<'a> {
    /// Rises with each answer of a session (RFC 9429 §5.2.2).
    pub(crate) version: u64,
    pub(crate) ufrag: &'a str,
    pub(crate) pwd: &'a str,
    /// As in `a=fingerprint`.
    pub(crate) fingerprint: &'a str,
    pub(crate) candidates: &'a Candidates,
    /// Where they are hidden, sound comes at a constant bitrate, too: sizes and pauses would say as much.
    pub(crate) levels: Levels,
    pub(crate) lines: Vec<AnswerLine<'a>>,
}

/// Where the worker is reached, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Candidates {
    pub(crate) udp: Vec<SocketAddr>,
    /// By connections that the other side opens.
    pub(crate) tcp: Vec<SocketAddr>,
}

/// One m-line of the offer with the answer to it, in the offer's order.
pub(crate) struct AnswerLine<'a> {
    pub(crate) line: &'a MediaLine,
    pub(crate) answer: LineAnswer<'a>,
}

pub(crate) enum LineAnswer<'a> {
    /// The participant sends with this codec.
    Track { codec: &'a CodecEntry },
    /// Kept, but nothing flows.
    Idle,
    /// The participant receives: seat number and the SSRCs fixed for it.
    Seat { seat: usize, ids: OutgoingIds },
    /// Not for us.
    Refused,
}

/// The SSRCs of one outgoing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutgoingIds {
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
}

impl Answer<'_> {
    pub(crate) fn write(&self) -> String {
        let mut out = String::with_capacity(1024 + 512 * self.lines.len());
        self.write_into(&mut out).expect("writing to a string cannot fail");
        out
    }

    fn write_into(&self, out: &mut String) -> std::fmt::Result {
        write!(out, "v=0\r\no=- 1 {} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", self.version)?;
        for line in self.lines.iter().filter(|line| !matches!(line.answer, LineAnswer::Refused)) {
            write!(out, " {}", line.line.mid)?;
        }
        write!(out, "\r\na=ice-lite\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n")?;
        write!(out, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", self.ufrag, self.pwd)?;
        write!(out, "a=fingerprint:{}\r\na=setup:passive\r\n", self.fingerprint)?;
        let mut first = true;
        for line in &self.lines {
            line.write_into(out, self.levels)?;
            if first && !matches!(line.answer, LineAnswer::Refused) {
                first = false;
                self.candidates.write_into(out)?;
                // The role stands at session level too; who looks for it in the sections only would else take the same one.
                out.push_str("a=end-of-candidates\r\na=setup:passive\r\n");
            }
        }
        Ok(())
    }
}

impl Candidates {
    /// Priorities as RFC 8445 §5.1.2.1 and RFC 6544 §4.2 compute them: type preference, local preference by order, component 1. TCP comes
    /// after all of UDP, passive with the direction preference of a host's (4).
    fn write_into(&self, out: &mut String) -> std::fmt::Result {
        for (i, address) in self.udp.iter().enumerate() {
            let priority = (126u32 << 24) + ((65535 - i as u32) << 8) + 255;
            write!(out, "a=candidate:{} 1 udp {priority} {} {} typ host\r\n", i + 1, address.ip(), address.port())?;
        }
        for (i, address) in self.tcp.iter().enumerate() {
            let (foundation, priority) = (self.udp.len() + i + 1, (90u32 << 24) + (((4 << 13) + 8191 - i as u32) << 8) + 255);
            let (ip, port) = (address.ip(), address.port());
            write!(out, "a=candidate:{foundation} 1 tcp {priority} {ip} {port} typ host tcptype passive\r\n")?;
        }
        Ok(())
    }
}

impl AnswerLine<'_> {
    fn write_into(&self, out: &mut String, levels: Levels) -> std::fmt::Result {
        match &self.answer {
            LineAnswer::Refused => self.write_refused(out),
            LineAnswer::Idle => {
                self.write_head(out, &self.line.codecs)?;
                out.push_str("a=inactive\r\n");
                self.line.codecs.iter().try_for_each(|entry| write_codec(out, entry, Feedback::ForTrack, levels))
            }
            LineAnswer::Track { codec } => {
                self.write_head(out, std::slice::from_ref(*codec))?;
                out.push_str("a=recvonly\r\n");
                write_codec(out, codec, Feedback::ForTrack, levels)?;
                self.write_track_extensions(out, levels)
            }
            LineAnswer::Seat { seat, ids } => {
                self.write_head(out, &self.line.codecs)?;
                out.push_str("a=sendonly\r\n");
                self.line.codecs.iter().try_for_each(|entry| write_codec(out, entry, Feedback::ForSeat, levels))?;
                self.write_seat(out, *seat, *ids)
            }
        }
    }

    fn write_refused(&self, out: &mut String) -> std::fmt::Result {
        let name = match self.line.kind {
            Some(MediaKind::Audio) => "audio",
            Some(MediaKind::Video) => "video",
            None => "application",
        };
        write!(out, "m={name} 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na=inactive\r\n", self.line.mid)
    }

    fn write_head(&self, out: &mut String, codecs: &[CodecEntry]) -> std::fmt::Result {
        let kind = if self.line.kind == Some(MediaKind::Audio) { "audio" } else { "video" };
        write!(out, "m={kind} 9 UDP/TLS/RTP/SAVPF")?;
        for entry in codecs {
            write!(out, " {}", entry.payload_type)?;
            if let Some(rtx) = entry.rtx_payload_type {
                write!(out, " {rtx}")?;
            }
        }
        write!(out, "\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=mid:{}\r\n", self.line.mid)
    }

    fn write_track_extensions(&self, out: &mut String, levels: Levels) -> std::fmt::Result {
        let ids = &self.line.extensions;
        let simulcast = !self.line.rids.is_empty();
        let wanted = [
            (ids.mid, URI_MID),
            (ids.twcc, URI_TWCC),
            (ids.audio_level.filter(|_| levels == Levels::Told), URI_AUDIO_LEVEL),
            (ids.rid.filter(|_| simulcast), URI_RID),
            (ids.repaired_rid.filter(|_| simulcast), URI_REPAIRED_RID),
        ];
        for (id, uri) in wanted {
            if let Some(id) = id {
                write!(out, "a=extmap:{id} {uri}\r\n")?;
            }
        }
        if simulcast {
            for rid in &self.line.rids {
                write!(out, "a=rid:{rid} recv\r\n")?;
            }
            write!(out, "a=simulcast:recv {}\r\n", self.line.rids.join(";"))?;
        }
        Ok(())
    }

    fn write_seat(&self, out: &mut String, seat: usize, ids: OutgoingIds) -> std::fmt::Result {
        let OutgoingIds { ssrc, rtx_ssrc } = ids;
        let kind = if self.line.kind == Some(MediaKind::Audio) { "a" } else { "v" };
        write!(out, "a=msid:seat{seat} {kind}{seat}\r\n")?;
        let has_rtx = self.line.codecs.iter().any(|entry| entry.rtx_payload_type.is_some());
        if has_rtx {
            write!(out, "a=ssrc-group:FID {ssrc} {rtx_ssrc}\r\n")?;
        }
        // Chromium takes the first SSRC named for the media's, whatever the group says: the retransmissions' comes last.
        write!(out, "a=ssrc:{ssrc} cname:seat{seat}\r\n")?;
        if has_rtx {
            write!(out, "a=ssrc:{rtx_ssrc} cname:seat{seat}\r\n")?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Feedback {
    ForTrack,
    ForSeat,
}

fn write_codec(out: &mut String, entry: &CodecEntry, feedback: Feedback, levels: Levels) -> std::fmt::Result {
    let pt = entry.payload_type;
    match entry.codec {
        Codec::Opus => {
            // RFC 7587 §6.1: what the other side is to send like. The same in every line, since a payload type means one thing in a bundle.
            let constant = if levels == Levels::Hidden { ";cbr=1;usedtx=0" } else { "" };
            write!(out, "a=rtpmap:{pt} opus/48000/2\r\na=fmtp:{pt} minptime=10;useinbandfec=1{constant}\r\n")?;
        }
        codec => {
            write!(out, "a=rtpmap:{pt} {}/90000\r\n", codec.name())?;
            if !entry.fmtp.is_empty() {
                write!(out, "a=fmtp:{pt} {}\r\n", entry.fmtp)?;
            }
            write!(out, "a=rtcp-fb:{pt} nack\r\na=rtcp-fb:{pt} nack pli\r\na=rtcp-fb:{pt} ccm fir\r\n")?;
        }
    }
    if feedback == Feedback::ForTrack {
        write!(out, "a=rtcp-fb:{pt} transport-cc\r\n")?;
    }
    match entry.rtx_payload_type {
        Some(rtx) => write!(out, "a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={pt}\r\n"),
        None => Ok(()),
    }
}

impl ParsedOffer {
    /// Pairs every line with its answer, in the offer's order, as SDP demands.
    pub(crate) fn answer_lines<'a>(&'a self, mut decide: impl FnMut(&'a MediaLine) -> LineAnswer<'a>) -> Vec<AnswerLine<'a>> {
        self.lines.iter().map(|line| AnswerLine { line, answer: decide(line) }).collect()
    }
}
