//! Who takes part in a benchmark's call, what each sends, and what must reach whom.

use webcall_media::synthetic::{Camera, Layer, Microphone, Settings};

use super::options::{Options, Scenario};

/// Seats of somebody in a meeting at most: what our page opens in one go.
const MEETING_SEATS: usize = 24;
/// Seats of a listener.
const LISTENER_SEATS: usize = 8;
/// Voices that an audience larger than its seats hears.
const LOUDEST: usize = 3;

/// One call.
pub(super) struct Plan {
    /// In the order of joining: those who send come first.
    pub(super) people: Vec<Settings>,
    /// How many of them send.
    pub(super) senders: usize,
    /// The simulcast layer that viewers get.
    pub(super) layer: usize,
}

impl Plan {
    /// The call of room number `room`.
    pub(super) fn new(options: &Options, room: usize) -> Self {
        let (publishers, subscribers) = (options.publishers, options.subscribers);
        let first = (room as u32) * 2_000 + 1;
        let camera = camera(options);
        let layer = if camera.layers.len() == 1 { 0 } else { layer_for(options.width_px) };
        let person = |n: usize, camera: Option<&Camera>, microphone: Option<u8>, seats: usize| Settings {
            microphone: microphone.map(|below_full_db| Microphone { below_full_db }),
            camera: camera.cloned(),
            ..Settings::viewer(first + n as u32, seats)
        };
        let (people, senders) = match options.scenario {
            Scenario::Fanout | Scenario::Join => {
                let sends = (0..publishers).map(|n| person(n, Some(&camera), Some(30), 0));
                let sees = (0..subscribers).map(|n| person(publishers + n, None, None, publishers));
                (sends.chain(sees).collect(), publishers)
            }
            Scenario::Meeting => {
                let seats = (subscribers - 1).clamp(1, MEETING_SEATS);
                ((0..subscribers).map(|n| person(n, Some(&camera), Some(30), seats)).collect(), subscribers)
            }
            Scenario::Audio => {
                // Three speak up, the others are quieter by more than the hysteresis.
                let level = |n: usize| Some(if n < LOUDEST { 25 } else { 45 });
                let sends = (0..publishers).map(|n| person(n, None, level(n), LISTENER_SEATS));
                let hears = (0..subscribers).map(|n| person(publishers + n, None, None, LISTENER_SEATS));
                (sends.chain(hears).collect(), publishers)
            }
        };
        Self { people, senders, layer }
    }

    /// The senders whom a person receives, by place.
    pub(super) fn received_by(&self, person: usize) -> Vec<usize> {
        let seats = self.people[person].seats;
        let others: Vec<usize> = (0..self.senders).filter(|sender| *sender != person).collect();
        if others.len() <= seats {
            return others;
        }
        let is_audio = self.people[0].camera.is_none();
        others.into_iter().filter(|sender| !is_audio || *sender < LOUDEST).take(seats).collect()
    }
}

fn camera(options: &Options) -> Camera {
    let codecs = [options.codec];
    let layers = match options.is_simulcast {
        true => Camera::simulcast(&codecs).layers,
        false => vec![Layer { rid: "", bitrate_bps: options.kbps * 1_000 }],
    };
    Camera { codecs: codecs.to_vec(), layers, frame_rate: 30 }
}

/// The layer that a server is expected to choose for this width: the smallest that is not scaled up by more than a quarter.
fn layer_for(width_px: u32) -> usize {
    [320, 640].iter().position(|width| width * 125 / 100 >= width_px).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn plan(line: &str) -> Plan {
        Plan::new(&Options::parse(line.split_whitespace().map(OsString::from)).unwrap().unwrap(), 0)
    }

    #[test]
    fn in_a_fanout_only_publishers_send_and_only_subscribers_receive() {
        let plan = plan("fanout --publishers 2 --subscribers 5");
        assert_eq!((plan.people.len(), plan.senders), (7, 2));
        assert!(plan.received_by(0).is_empty());
        assert_eq!(plan.received_by(6), [0, 1]);
    }

    #[test]
    fn in_a_meeting_everybody_receives_everybody_else() {
        let plan = plan("meeting --subscribers 4");
        assert_eq!(plan.received_by(2), [0, 1, 3]);
        assert_eq!(plan.layer, 1);
    }

    #[test]
    fn an_audience_hears_the_loudest_three() {
        let plan = plan("audio --subscribers 20");
        assert_eq!(plan.received_by(15), [0, 1, 2]);
        assert_eq!(plan.received_by(0), [1, 2]);
    }
}
