//! Reads the server's answer: as much of it as a browser acts upon.

use std::net::SocketAddr;

use crate::transport::{Fingerprint, IceCredentials};

/// The answer to an offer.
pub(super) struct Answer {
    pub(super) ice: IceCredentials,
    pub(super) fingerprint: Fingerprint,
    pub(super) candidates: Vec<SocketAddr>,
    pub(super) lines: Vec<AnswerLine>,
}

/// One m-line of it.
#[derive(Debug, Default)]
pub(super) struct AnswerLine {
    pub(super) mid: String,
    /// In the answer's order; empty when the line is refused.
    pub(super) payload_types: Vec<u8>,
    /// What the server sends there.
    pub(super) ssrc: Option<u32>,
    pub(super) rtx_ssrc: Option<u32>,
}

impl Answer {
    /// `None` when something is missing that a browser cannot do without.
    pub(super) fn parse(sdp: &str) -> Option<Self> {
        Self::read(sdp, "passive")
    }

    /// The same of an offer.
    pub(super) fn parse_offer(sdp: &str) -> Option<Self> {
        Self::read(sdp, "actpass")
    }

    fn read(sdp: &str, setup: &str) -> Option<Self> {
        let mut lines: Vec<AnswerLine> = Vec::new();
        let value = |key: &str| sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(key)?.strip_prefix(':'));
        for line in sdp.lines() {
            if let Some(head) = line.strip_prefix("m=") {
                lines.push(AnswerLine { payload_types: payload_types(head), ..AnswerLine::default() });
            } else if let (Some(attribute), Some(current)) = (line.strip_prefix("a="), lines.last_mut()) {
                current.read(attribute);
            }
        }
        let is_usable = sdp.lines().any(|line| line == "a=ice-lite") && value("setup") == Some(setup);
        let ice = IceCredentials { ufrag: value("ice-ufrag")?.to_owned(), password: value("ice-pwd")?.to_owned() };
        let candidates = sdp.lines().filter_map(|line| candidate(line.strip_prefix("a=candidate:")?)).collect();
        let fingerprint = Fingerprint::parse(value("fingerprint")?)?;
        is_usable.then_some(Self { ice, fingerprint, candidates, lines })
    }

    pub(super) fn line(&self, mid: &str) -> Option<&AnswerLine> {
        self.lines.iter().find(|line| line.mid == mid)
    }
}

impl AnswerLine {
    fn read(&mut self, attribute: &str) {
        if let Some(mid) = attribute.strip_prefix("mid:") {
            mid.clone_into(&mut self.mid);
        } else if let Some(group) = attribute.strip_prefix("ssrc-group:FID ") {
            let mut numbers = group.split(' ').map(|number| number.parse().ok());
            (self.ssrc, self.rtx_ssrc) = (numbers.next().flatten(), numbers.next().flatten());
        } else if let Some(ssrc) = attribute.strip_prefix("ssrc:") {
            let number = ssrc.split(' ').next().and_then(|number| number.parse().ok());
            self.ssrc = self.ssrc.or(number);
        }
    }
}

/// `audio 9 UDP/TLS/RTP/SAVPF 111 63`; none when the port is 0.
fn payload_types(head: &str) -> Vec<u8> {
    let mut words = head.split(' ').skip(1);
    if words.next() == Some("0") {
        return Vec::new();
    }
    words.skip(1).filter_map(|word| word.parse().ok()).collect()
}

/// `1 1 udp 2130706431 192.0.2.1 5000 typ host`.
fn candidate(value: &str) -> Option<SocketAddr> {
    let words: Vec<&str> = value.split(' ').collect();
    Some(SocketAddr::new(words.get(4)?.parse().ok()?, words.get(5)?.parse().ok()?))
}
