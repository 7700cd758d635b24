//! The rewriter against a model that remembers everything: each codec, any losses, delays, drops and switches.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::codec::{Codec, PictureId, PictureIdWidth, inspect, rewrite_picture_ids};

const NO_IDS: PictureIds = PictureIds { picture_id: None, tl0: None, key_index: None };

/// The first timestamp of [`flow`].
const FIRST: u32 = u32::MAX - 100;

fn flow() -> Rewriter {
    Rewriter::new(65_530, FIRST)
}

fn ahead(timestamp: u32, other: u32) -> i32 {
    RtpTimestamp(timestamp).ahead_of(RtpTimestamp(other))
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn the_first_packet_gets_the_first_numbers() {
    let mut rewriter = flow();
    assert_eq!(rewriter.map(SeqNo(5), 1, NO_IDS), None, "no source yet");
    let first = rewriter.switch(Instant::now(), Codec::Av1, SeqNo(65_535), 77, NO_IDS);
    assert_eq!((first.index, first.timestamp), (65_530, FIRST));
    assert_eq!(rewriter.map(SeqNo(65_535), 77, NO_IDS), Some(first), "mapping the packet of the switch gives the same");
    let next = rewriter.map(SeqNo(0), 78, NO_IDS).expect("in order");
    assert_eq!((next.index, next.timestamp), (65_531, FIRST + 1));
}

#[test]
fn a_switch_follows_on_and_refuses_what_was_before_it() {
    let start = Instant::now();
    let mut rewriter = flow();
    rewriter.switch(start, Codec::Vp8, SeqNo(100), 0, NO_IDS);
    rewriter.map(SeqNo(101), 3_000, NO_IDS);
    let switched = rewriter.switch(start + ms(66), Codec::H264, SeqNo(9_000), 1 << 30, NO_IDS);
    assert_eq!(switched.index, 65_532);
    assert_eq!(switched.timestamp, FIRST.wrapping_add(66 * 90));
    assert_eq!(rewriter.map(SeqNo(8_999), (1 << 30) - 3_000, NO_IDS), None);
}

#[test]
fn a_quick_switch_moves_video_by_at_least_1500() {
    let start = Instant::now();
    let mut rewriter = flow();
    rewriter.switch(start, Codec::Vp8, SeqNo(100), 0, NO_IDS);
    let switched = rewriter.switch(start, Codec::Vp8, SeqNo(500), 0, NO_IDS);
    assert_eq!(ahead(switched.timestamp, FIRST), 1_500);
}

#[test]
fn sound_moves_by_whole_frames_close_to_the_wall_clock() {
    let start = Instant::now();
    let mut rewriter = Rewriter::new(0, 0);
    rewriter.switch(start, Codec::Opus, SeqNo(100), 0, NO_IDS);
    for (after_ms, expected) in [(0, 960), (50, 2_880), (95, 4_800), (1_000, 48_000)] {
        let switched = rewriter.switch(start + ms(after_ms), Codec::Opus, SeqNo(100), 5, NO_IDS);
        assert_eq!(switched.timestamp, expected, "after {after_ms} ms");
    }
}

#[test]
fn errors_do_not_add_up_over_a_thousand_switches() {
    let start = Instant::now();
    let mut rewriter = Rewriter::new(0, 0);
    for count in 0..1_000 {
        let switched = rewriter.switch(start + ms(33 * u64::from(count)), Codec::Opus, SeqNo(100), u32::MAX, NO_IDS);
        assert!(ahead(switched.timestamp, 33 * 48 * count).abs() <= 960, "after {count} switches");
    }
}

#[test]
fn a_source_that_ran_ahead_costs_one_new_anchor_and_not_every_later_switch() {
    let start = Instant::now();
    let mut rewriter = flow();
    rewriter.switch(start, Codec::Vp9, SeqNo(100), 0, NO_IDS);
    rewriter.map(SeqNo(101), 90_000 * 3_600, NO_IDS).expect("in order");
    let second = rewriter.switch(start + ms(100), Codec::Vp9, SeqNo(500), 0, NO_IDS);
    let third = rewriter.switch(start + ms(1_100), Codec::Vp9, SeqNo(500), 0, NO_IDS);
    assert_eq!(ahead(third.timestamp, second.timestamp), 90_000);
}

#[test]
fn a_packet_that_was_lost_before_a_switch_keeps_its_gap() {
    let start = Instant::now();
    let mut rewriter = flow();
    rewriter.switch(start, Codec::Vp8, SeqNo(100), 0, NO_IDS);
    rewriter.map(SeqNo(105), 0, NO_IDS);
    let switched = rewriter.switch(start + ms(3_600_000), Codec::Vp8, SeqNo(900), 7, NO_IDS);
    assert_eq!(switched.index, 65_536);
    assert_eq!(switched.timestamp, FIRST.wrapping_add(90_000 * 3_600));
}

#[test]
fn reports_map_timestamps_as_packets_do() {
    let mut rewriter = flow();
    assert_eq!(rewriter.timestamp_of(5), 5, "no source, nothing to map");
    let first = rewriter.switch(Instant::now(), Codec::Vp8, SeqNo(100), 0xffff_fff0, NO_IDS);
    assert_eq!(rewriter.timestamp_of(0xffff_fff0), first.timestamp);
    assert_eq!(rewriter.timestamp_of(0), first.timestamp.wrapping_add(16));
}

#[test]
fn one_stray_number_is_refused_and_a_restart_goes_on_without_a_gap() {
    let mut rewriter = flow();
    rewriter.switch(Instant::now(), Codec::Vp8, SeqNo(100), 0, NO_IDS);
    assert_eq!(rewriter.map(SeqNo(40_000), 0, NO_IDS), None);
    assert_eq!(rewriter.map(SeqNo(101), 0, NO_IDS).map(|out| out.index), Some(65_531));
    assert_eq!(rewriter.map(SeqNo(40_000), 0, NO_IDS), None);
    assert_eq!(rewriter.map(SeqNo(40_001), 0, NO_IDS).map(|out| out.index), Some(65_532));
}

#[test]
fn a_vp8_payload_carries_the_numbers_that_run_on() {
    let start = Instant::now();
    let mut rewriter = flow();
    let payload =
        |picture_id: u16, tl0: u8| [0x90, 0xe0, 0x80 | (picture_id >> 8) as u8, (picture_id & 0xff) as u8, tl0, 0, 0x50];
    let mut sent = Vec::new();
    for (source, first) in [(0_u64, 0x7ffe_u16), (1, 20), (2, 9_999)] {
        for frame in 0..3 {
            let mut bytes = payload((first + frame) & 0x7fff, ((first + frame) & 0xff) as u8);
            let ids = inspect(Codec::Vp8, &bytes).ids;
            let (seq, timestamp) = (SeqNo(first + frame), u32::from(frame) * 3_000);
            let now = start + ms(100 * source + 33 * u64::from(frame));
            let out = match frame {
                0 => rewriter.switch(now, Codec::Vp8, seq, timestamp, ids),
                _ => rewriter.map(seq, timestamp, ids).expect("in order"),
            };
            rewrite_picture_ids(Codec::Vp8, &mut bytes, out.picture_ids);
            let ids = inspect(Codec::Vp8, &bytes).ids;
            sent.push((ids.picture_id.expect("it has one").value, ids.tl0.expect("it has one")));
        }
    }
    let expected: Vec<_> = (0..9_u16).map(|count| ((0x7ffe + count) & 0x7fff, ((254 + count) & 0xff) as u8)).collect();
    assert_eq!(sent, expected);
}

/// What happens to the next packet of the current source.
#[derive(Clone, Copy, Debug)]
enum Step {
    Deliver,
    Lose,
    /// Comes after so many further steps.
    Delay(u8),
    Drop,
    Repeat,
    Switch(u8),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u16)>> {
    let step = prop_oneof![
        12 => Just(Step::Deliver),
        2 => Just(Step::Lose),
        2 => (1_u8..20).prop_map(Step::Delay),
        2 => Just(Step::Drop),
        1 => Just(Step::Repeat),
        1 => (0_u8..3).prop_map(Step::Switch),
    ];
    prop::collection::vec((step, 0_u16..60), 1..300)
}

/// A source that packetises frames of three packets (sound: one).
#[derive(Clone, Copy, Debug)]
struct Source {
    first_index: u64,
    first_timestamp: u32,
    first_picture: u16,
    width: PictureIdWidth,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    /// Extended; its low half is on the wire.
    index: u64,
    timestamp: u32,
    ids: PictureIds,
}

impl Packet {
    fn seq(&self) -> SeqNo {
        SeqNo::of_index(self.index)
    }
}

impl Source {
    fn packet(&self, codec: Codec, count: u64) -> Packet {
        let (per_frame, ticks) = if codec.is_audio() { (1, 960) } else { (3, 3_000) };
        let frame = count / per_frame;
        let low = |first: u64| ((first + frame) & 0xffff) as u16;
        let picture = low(u64::from(self.first_picture));
        let ids = match codec {
            Codec::Vp8 | Codec::Vp9 => PictureIds {
                picture_id: Some(PictureId::new(picture, self.width)),
                tl0: Some((picture & 0xff) as u8),
                key_index: matches!(codec, Codec::Vp8).then_some((picture & 0x1f) as u8),
            },
            Codec::Opus | Codec::H264 | Codec::Av1 => NO_IDS,
        };
        let ticks = u32::try_from(frame * ticks).expect("short streams");
        Packet { index: self.first_index + count, timestamp: self.first_timestamp.wrapping_add(ticks), ids }
    }
}

fn sources() -> impl Strategy<Value = Vec<Source>> {
    let width = prop_oneof![3 => Just(PictureIdWidth::Bits15), 1 => Just(PictureIdWidth::Bits7)];
    let source = (0x1_0000_u64..0x5_0000, any::<u32>(), any::<u16>(), width).prop_map(
        |(first_index, first_timestamp, first_picture, width)| Source { first_index, first_timestamp, first_picture, width },
    );
    prop::collection::vec(source, 3)
}

/// Remembers everything sent, and what must hold of it.
struct Model {
    codec: Codec,
    start: Instant,
    now_ms: u64,
    rewriter: Rewriter,
    sources: Vec<Source>,
    /// How many packets of each source exist so far.
    sent_by_source: Vec<u64>,
    current: usize,
    /// Switches so far.
    generation: u32,
    /// Packets on their way: (steps left, packet).
    delayed: Vec<(u8, Packet)>,
    /// Outgoing index to (generation, incoming index).
    given: BTreeMap<u64, (u32, u64)>,
    dropped: BTreeSet<(u32, u64)>,
    /// First and highest incoming index of each generation.
    spans: BTreeMap<u32, (u64, u64)>,
    newest: Option<Rewritten>,
    newest_timestamp: Option<u32>,
}

impl Model {
    fn new(codec: Codec, sources: Vec<Source>) -> Self {
        Self {
            codec,
            start: Instant::now(),
            now_ms: 0,
            rewriter: Rewriter::new(65_000, u32::MAX - 50_000),
            sent_by_source: vec![0; sources.len()],
            sources,
            current: 0,
            generation: 0,
            delayed: Vec::new(),
            given: BTreeMap::new(),
            dropped: BTreeSet::new(),
            spans: BTreeMap::new(),
            newest: None,
            newest_timestamp: None,
        }
    }

    fn next_packet(&mut self) -> Packet {
        let packet = self.sources[self.current].packet(self.codec, self.sent_by_source[self.current]);
        self.sent_by_source[self.current] += 1;
        packet
    }

    fn run(&mut self, step: Step) {
        self.deliver_delayed();
        if let Step::Switch(to) = step {
            return self.switch(usize::from(to));
        }
        let packet = self.next_packet();
        match step {
            Step::Deliver => self.deliver(packet),
            Step::Delay(steps) => self.delayed.push((steps, packet)),
            Step::Drop => {
                self.rewriter.skip(packet.seq());
                self.dropped.insert((self.generation, packet.index));
                self.extend_span(packet.index);
            }
            Step::Repeat => {
                self.deliver(packet);
                self.deliver(packet);
            }
            Step::Lose | Step::Switch(_) => {}
        }
    }

    /// Routes give only packets of the current source to the rewriter; one that is current again may get its late packets.
    fn deliver_delayed(&mut self) {
        for entry in &mut self.delayed {
            entry.0 -= 1;
        }
        let (arrived, waiting) = self.delayed.drain(..).partition::<Vec<_>, _>(|entry| entry.0 == 0);
        self.delayed = waiting;
        let first = self.sources[self.current].first_index;
        let of_current = first..first + self.sent_by_source[self.current];
        for (_, packet) in arrived {
            if of_current.contains(&packet.index) {
                self.deliver(packet);
            }
        }
    }

    fn switch(&mut self, to: usize) {
        self.current = to;
        // Some packets of the source went by unwatched.
        self.sent_by_source[to] += 5;
        let packet = self.next_packet();
        let expected = self.rewriter.next_index();
        let now = self.start + ms(self.now_ms);
        let out = self.rewriter.switch(now, self.codec, packet.seq(), packet.timestamp, packet.ids);
        assert_eq!(out.index, expected, "a switch leaves no gap");
        if let Some(newest) = self.newest_timestamp {
            let step = ahead(out.timestamp, newest);
            let valid = if self.codec.is_audio() { step >= 960 && step % 960 == 0 } else { step >= 1_500 };
            assert!(valid, "a step of {step}");
        }
        if let (Some(id), Some(last)) = (out.picture_ids.picture_id, self.newest.and_then(|out| out.picture_ids.picture_id)) {
            assert_eq!(id, PictureId::new(last.value.wrapping_add(1), id.width), "picture ids run on");
        }
        self.generation += 1;
        self.spans.insert(self.generation, (packet.index, packet.index));
        self.note(packet, out);
    }

    fn deliver(&mut self, packet: Packet) {
        let out = self.rewriter.map(packet.seq(), packet.timestamp, packet.ids);
        let is_from_before = self.spans.get(&self.generation).is_none_or(|&(first, _)| packet.index < first);
        assert!(out.is_none() || !is_from_before, "a packet from before the switch was forwarded");
        let Some(out) = out else { return };
        self.extend_span(packet.index);
        self.note(packet, out);
    }

    fn extend_span(&mut self, index: u64) {
        if let Some((_, highest)) = self.spans.get_mut(&self.generation) {
            *highest = (*highest).max(index);
        }
    }

    fn note(&mut self, packet: Packet, out: Rewritten) {
        let key = (self.generation, packet.index);
        let earlier = self.given.insert(out.index, key);
        assert!(earlier.is_none_or(|earlier| earlier == key), "one number for two packets");
        assert!(!self.dropped.contains(&key), "a dropped packet was forwarded");
        if self.newest.is_none_or(|newest| out.index > newest.index) {
            self.newest = Some(out);
        }
        if self.newest_timestamp.is_none_or(|newest| ahead(out.timestamp, newest) > 0) {
            self.newest_timestamp = Some(out.timestamp);
        }
    }

    /// Every hole in what went out is a packet that never came, and every packet that came late has its place.
    fn check_holes(&self) {
        let (Some((&first, _)), Some((&last, _))) = (self.given.first_key_value(), self.given.last_key_value()) else { return };
        let holes = usize::try_from(last - first + 1).expect("short") - self.given.len();
        let given: BTreeSet<_> = self.given.values().copied().collect();
        let never_came = self
            .spans
            .iter()
            .flat_map(|(&generation, &(first, highest))| (first..=highest).map(move |index| (generation, index)));
        let never_came = never_came.filter(|key| !given.contains(key) && !self.dropped.contains(key)).count();
        let trailing = usize::try_from(self.rewriter.next_index() - 1 - last).expect("short");
        assert_eq!(holes + trailing, never_came);
        let mut order: Vec<_> = self.given.values().copied().collect();
        order.sort_unstable();
        assert!(order.iter().eq(self.given.values()), "the order of a source's packets is kept");
    }
}

proptest! {
    #[test]
    fn any_history_of_a_seat_gives_a_valid_flow_in_every_codec(
        codec in prop::sample::select(Codec::ALL.to_vec()), sources in sources(), steps in steps(),
    ) {
        let mut model = Model::new(codec, sources);
        model.switch(0);
        for (step, wait_ms) in steps {
            model.now_ms += u64::from(wait_ms);
            model.run(step);
        }
        model.check_holes();
    }

    #[test]
    fn within_a_source_numbers_and_timestamps_move_as_they_came(
        first: u16, timestamp: u32, picture: u16, steps in prop::collection::vec((0_u16..5, 0_u32..9_000), 1..100),
    ) {
        let ids = |picture| PictureIds { picture_id: Some(PictureId::new(picture, PictureIdWidth::Bits15)), ..NO_IDS };
        let mut rewriter = flow();
        rewriter.switch(Instant::now(), Codec::Vp8, SeqNo(7), 7, ids(7));
        let base = rewriter.switch(Instant::now(), Codec::Vp9, SeqNo(first), timestamp, ids(picture));
        let (mut passed, mut ticks) = (0_u16, 0_u32);
        for (count, (gap, step)) in (1..).zip(steps) {
            (passed, ticks) = (passed + gap + 1, ticks + step);
            let seq = SeqNo(first.wrapping_add(passed));
            let out = rewriter.map(seq, timestamp.wrapping_add(ticks), ids(picture.wrapping_add(count))).expect("in order");
            prop_assert_eq!(out.index, base.index + u64::from(passed));
            prop_assert_eq!(out.timestamp, base.timestamp.wrapping_add(ticks));
            prop_assert_eq!(out.picture_ids.picture_id, Some(PictureId::new(8 + count, PictureIdWidth::Bits15)));
        }
    }
}
