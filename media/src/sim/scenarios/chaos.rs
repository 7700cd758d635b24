//! Everything at once, at random: whatever people and networks do, no receiver ever gets a frame that it cannot decode, a packet of
//! the wrong person or a number twice; and when it is quiet again, everybody sees whom they should.

use super::*;
use crate::id::Source;
use crate::random::Random;
use crate::sfu::Sizes;

/// People at once.
const PLACES: usize = 6;
/// Runs of an ordinary test; a long one asks for more by the environment.
const SEEDS: u64 = 10;
const SEEDS_VARIABLE: &str = "WEBCALL_CHAOS_SEEDS";

/// Somebody in the call, and what is known of them.
struct Person {
    key: CallerKey,
    is_filming: bool,
    is_forbidden: bool,
    /// Whom they look at, how wide; everybody when empty.
    wishes: Vec<(CallerKey, u32, bool)>,
}

struct Chaos {
    world: World,
    random: Random,
    people: Vec<Person>,
    next_source: u32,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        Self { world: World::new(seed), random: Random::new(seed ^ 0xc4a0), people: Vec::new(), next_source: 10 }
    }

    fn below(&mut self, most: usize) -> usize {
        self.random.next_u32() as usize % most
    }

    fn network(&mut self) -> Network {
        let base =
            Network { jitter: Duration::from_millis(self.below(15) as u64), ..Network::delay_ms(5 + self.below(40) as u64) };
        match self.below(6) {
            0 => base.with_loss(Loss::Random { permille: 80 }),
            1 => base.with_loss(Loss::Bursts { begin_permille: 8, end_permille: 100 }),
            2 => Network { reordered_permille: 40, doubled_permille: 20, ..base },
            3 => Network { bottleneck: Some(Bottleneck { rate_bps: 1_200_000, queue_bytes: 40_000 }), ..base },
            _ => base,
        }
    }

    fn join(&mut self) {
        let source = self.next_source;
        self.next_source += 1;
        let codec = VideoCodec::ALL[self.below(4)];
        let mut settings = caller(source, codec, 1 + self.below(PLACES));
        if self.below(3) == 0 {
            settings.camera = Some(Camera::simulcast(&preferring(codec)));
        }
        if self.below(2) == 0 {
            settings.numbering = Numbering::Firefox;
        }
        if self.below(4) == 0 {
            settings.decodes = vec![VideoCodec::Vp8, VideoCodec::Vp9];
        }
        let network = self.network();
        let key = self.world.join(ROOM, settings, network);
        self.people.push(Person { key, is_filming: true, is_forbidden: false, wishes: Vec::new() });
    }

    fn step(&mut self) {
        if self.people.len() < 2 {
            return self.join();
        }
        let at = self.below(self.people.len());
        let key = self.people[at].key;
        match self.below(12) {
            0 if self.people.len() < PLACES => self.join(),
            1 => {
                self.world.leave(key);
                self.people.remove(at);
            }
            2..=4 => self.look(at),
            5 => self.toggle_camera(at),
            6 => {
                let person = &mut self.people[at];
                person.is_forbidden = !person.is_forbidden;
                self.world.set_forbidden(key, Source::Camera, person.is_forbidden);
            }
            7 => self.world.move_address(key),
            8 => {
                self.world.with(key, |caller, now| caller.restart_ice(now)).expect("random numbers");
                self.world.offer(key).expect("a restart is answered");
            }
            9 => {
                let (up, down) = (self.network(), self.network());
                self.world.set_network(key, up, down);
            }
            10 => {
                let level = [None, Some(20), Some(127)][self.below(3)];
                self.world.with(key, |caller, _| caller.set_microphone(level));
            }
            _ => {
                let highest = self.below(3);
                self.world.with(key, |caller, now| caller.send_layers(now, 0..=highest));
            }
        }
    }

    fn look(&mut self, at: usize) {
        let others: Vec<CallerKey> =
            self.people.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, person)| person.key).collect();
        let widths = [0, 160, 500, 1_280];
        let wishes: Vec<_> = others.iter().map(|of| (*of, widths[self.below(4)], self.below(3) == 0)).collect();
        self.world.wish(self.people[at].key, &wishes);
        self.people[at].wishes = wishes;
    }

    fn toggle_camera(&mut self, at: usize) {
        let person = &mut self.people[at];
        person.is_filming = !person.is_filming;
        let (key, is_filming) = (person.key, person.is_filming);
        self.world.with(key, |caller, now| if is_filming { caller.start_camera(now) } else { caller.stop_camera(now) });
        self.world.set_muted(key, Source::Camera, !is_filming);
    }

    fn assert_everybody_sees_whom_they_should(&mut self, seed: u64) {
        for person in &self.people {
            self.world.set_network(person.key, Network::delay_ms(NEAR), Network::delay_ms(NEAR));
            self.world.with(person.key, |caller, now| caller.check_path(now));
        }
        self.world.run_ms(5_000);
        for viewer in &self.people {
            for of in self.people.iter().filter(|of| of.key != viewer.key) {
                let wished = viewer.wishes.iter().find(|(key, _, _)| *key == of.key);
                let is_shown = viewer.wishes.is_empty() || wished.is_some_and(|(_, width_px, _)| *width_px > 0);
                if !is_shown || seat_of(&self.world, viewer.key, of.key).is_none() {
                    continue;
                }
                let expected = of.is_filming && !of.is_forbidden;
                let sees = is_showing(&self.world, viewer.key, of.key, Duration::from_millis(300));
                let publisher = &self.world.caller(of.key).synthetic;
                let (sends, sent, is_connected) = (publisher.sends(), publisher.sent(), publisher.is_connected());
                let seen = video_of(&self.world, viewer.key, of.key);
                assert_eq!(
                    sees, expected,
                    "seed {seed}: {} looks at {}, who sends {sends:?}, connected: {is_connected}\n{sent:?}\n{seen:?}",
                    viewer.key, of.key
                );
            }
        }
    }
}

fn run(seed: u64) {
    let mut chaos = Chaos::new(seed);
    let mut everybody = 0;
    for _ in 0..60 {
        chaos.step();
        everybody = everybody.max(chaos.people.iter().map(|person| person.key + 1).max().unwrap_or(0));
        let pause = chaos.below(400) as u64;
        chaos.world.run_ms(pause);
    }
    chaos.assert_everybody_sees_whom_they_should(seed);
    for key in 0..everybody {
        assert_no_fault(&chaos.world, key);
    }
    for person in std::mem::take(&mut chaos.people) {
        chaos.world.leave(person.key);
    }
    assert!(chaos.world.sizes().iter().all(|sizes| *sizes == Sizes::default()), "seed {seed}");
}

#[test]
fn whatever_happens_nobody_gets_garbage_and_in_the_end_everybody_sees_whom_they_should() {
    let seeds = std::env::var(SEEDS_VARIABLE).ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for seed in 1..=seeds {
        run(seed);
    }
}
