//! A participant without ICE, DTLS and SDP, for the raw loop with which `webcall bench` compares: both sides are told the keys and
//! SSRCs. What travels is the same.

use std::time::Instant;

use super::participant::{Participant, SyntheticError};
use super::seat::{Line, Seat};
use super::settings::VideoCodec;
use crate::transport::{DIRECT_KEY_BYTES, DtlsRole, direct_keys};

/// Keys and salts of both directions, as DTLS would export them for AES-128-GCM.
#[derive(Clone, Copy)]
pub struct DirectKeys(pub [u8; DIRECT_KEY_BYTES]);

/// What the two sides would have agreed upon.
#[derive(Clone)]
pub struct Direct {
    /// The keys of this participant.
    pub keys: DirectKeys,
    /// What its camera sends.
    pub codec: VideoCodec,
    /// The SSRCs of sound and picture for each of its seats.
    pub seats: Vec<(u32, u32)>,
}

/// The SSRCs that a participant sends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSsrcs {
    /// Of the microphone.
    pub microphone: Option<u32>,
    /// Of the camera's layers, lowest first.
    pub layers: Vec<u32>,
}

impl Participant {
    /// Connects and begins to send.
    pub fn connect_directly(&mut self, now: Instant, direct: &Direct) -> Result<(), SyntheticError> {
        let keys = direct_keys(&direct.keys.0, DtlsRole::Client).map_err(|_| SyntheticError::Transport)?;
        self.link.connect_directly(keys);
        let line = |&(sound, picture): &(u32, u32)| Seat { sound: Line::new(sound, 0), picture: Line::new(picture, 0) };
        self.seats = direct.seats.iter().map(line).collect();
        for picture in self.camera.iter_mut().chain(&mut self.screen) {
            picture.set_codec(now, direct.codec.codec());
        }
        self.start_when_connected(now);
        Ok(())
    }

    /// The SSRCs that it sends with.
    pub fn own_ssrcs(&self) -> OwnSsrcs {
        OwnSsrcs {
            microphone: self.microphone.as_ref().map(|microphone| microphone.stream.ssrc),
            layers: self.camera.iter().flat_map(|camera| &camera.layers).map(|layer| layer.stream.ssrc).collect(),
        }
    }
}
