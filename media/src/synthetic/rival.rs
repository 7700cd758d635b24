//! Talking to servers that offer: other SFUs offer to those who receive, where ours answers. For comparisons under the same load.

use std::fmt::Write;
use std::time::Instant;

use super::answer::{Answer, AnswerLine};
use super::offer::{write_codec, write_extensions};
use super::participant::{Participant, SyntheticError};
use super::seat::{Line, Seat};
use crate::codec::Codec;

impl Participant {
    /// Answers a server's offer of sound and picture in turn, feed by feed; the participant only receives, and is the DTLS client.
    pub fn answer(&mut self, now: Instant, offer: &str) -> Result<String, SyntheticError> {
        let offered = Answer::parse_offer(offer).ok_or(SyntheticError::BadAnswer)?;
        let ssrcs = |line: &AnswerLine| line.ssrc.map(|ssrc| (ssrc, line.rtx_ssrc.unwrap_or(0)));
        for pair in offered.lines.chunks_exact(2) {
            let (sound, picture) = ssrcs(&pair[0]).zip(ssrcs(&pair[1])).ok_or(SyntheticError::BadAnswer)?;
            self.seats.push(Seat { sound: Line::new(sound.0, sound.1), picture: Line::new(picture.0, picture.1) });
        }
        let answer = self.write_answer(&offered);
        self.link.accept(now, &offered);
        answer.map_err(|_| SyntheticError::BadAnswer)
    }

    fn write_answer(&self, offered: &Answer) -> Result<String, std::fmt::Error> {
        let numbering = self.settings.numbering;
        let mut out = String::new();
        write!(out, "v=0\r\no=- {} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", self.settings.source)?;
        for line in &offered.lines {
            write!(out, " {}", line.mid)?;
        }
        out.push_str("\r\n");
        for line in &offered.lines {
            let known = line.payload_types.iter().filter_map(|pt| Some((*pt, numbering.codec(*pt)?.0)));
            let known: Vec<(u8, Codec)> = known.collect();
            let is_audio = known.iter().any(|(_, codec)| codec.is_audio());
            write!(out, "m={} 9 UDP/TLS/RTP/SAVPF", if is_audio { "audio" } else { "video" })?;
            known.iter().try_for_each(|(pt, _)| write!(out, " {pt}"))?;
            let (ice, fingerprint) = (self.link.local(), self.link.fingerprint());
            write!(out, "\r\nc=IN IP4 127.0.0.1\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice.ufrag, ice.password)?;
            write!(out, "a=fingerprint:{fingerprint}\r\na=setup:active\r\na=mid:{}\r\n", line.mid)?;
            write_extensions(&mut out, numbering, is_audio)?;
            out.push_str("a=recvonly\r\na=rtcp-mux\r\n");
            let mut codecs: Vec<Codec> = known.iter().map(|(_, codec)| *codec).collect();
            codecs.dedup();
            codecs.iter().try_for_each(|codec| write_codec(&mut out, numbering, *codec))?;
        }
        Ok(out)
    }
}
