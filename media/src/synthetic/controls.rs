//! What a person does with the page: switching, sharing, choosing, leaving.

use std::ops::RangeInclusive;
use std::time::Instant;

use super::camera::CameraSender;
use super::offer::SCREEN_MID;
use super::participant::{Participant, SyntheticError};
use super::settings::{Camera, SCREEN_SOURCE, VideoCodec};

impl Participant {
    /// Renews the ICE credentials: the next offer restarts ICE.
    pub fn restart_ice(&mut self, now: Instant) -> Result<(), SyntheticError> {
        self.link.restart(now)
    }

    /// Checks the path at once, as a browser does when its network changed.
    pub fn check_path(&mut self, now: Instant) {
        self.link.check_now(now);
    }

    /// Says goodbye by DTLS, as a closed page does.
    pub fn close(&mut self, now: Instant) {
        self.link.close(now, &mut self.out);
    }

    /// Has so many seats in the next offer. Never fewer than before.
    pub fn grow_seats(&mut self, seats: usize) {
        self.settings.seats = self.settings.seats.max(seats);
    }

    /// Shares a screen from the next offer on.
    pub fn share_screen(&mut self, screen: Camera) {
        // Each share is a feed of its own.
        self.shares = self.shares.wrapping_add(1) & 0x7f;
        let source = self.settings.source | SCREEN_SOURCE | u32::from(self.shares) << 24;
        self.screen = Some(CameraSender::new(source, &screen, SCREEN_MID, &mut self.random));
        self.settings.screen = Some(screen);
    }

    /// Shares no screen any more; the next offer says so.
    pub fn stop_sharing(&mut self) {
        (self.screen, self.settings.screen) = (None, None);
    }

    /// Changes the order in which the next offer wants codecs.
    pub fn prefer(&mut self, codecs: &[VideoCodec]) {
        if let Some(camera) = &mut self.settings.camera {
            camera.codecs = codecs.to_vec();
        }
    }

    /// How loud the microphone is; `None` switches it off.
    pub fn set_microphone(&mut self, below_full_db: Option<u8>) {
        if let Some(microphone) = &mut self.microphone {
            microphone.set_level(below_full_db);
        }
    }

    /// Switches the camera on.
    pub fn start_camera(&mut self, now: Instant) {
        self.camera.iter_mut().for_each(|camera| camera.set_on(now, true));
    }

    /// Switches the camera off.
    pub fn stop_camera(&mut self, now: Instant) {
        self.camera.iter_mut().for_each(|camera| camera.set_on(now, false));
    }

    /// Sends all layers from `lowest` to `highest` and no other, as an encoder does that has this much bandwidth.
    pub fn send_layers(&mut self, now: Instant, layers: RangeInclusive<usize>) {
        let Some(camera) = &mut self.camera else { return };
        for layer in 0..camera.layers.len() {
            camera.set_layer(now, layer, layers.contains(&layer));
        }
    }
}
