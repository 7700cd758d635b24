//! Requests in virtual time, and a link with losses both ways that must not turn into a storm.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const RTT: Duration = Duration::from_millis(50);

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn tracker(seqs: impl IntoIterator<Item = u16>, now: Instant) -> NackTracker {
    let mut tracker = NackTracker::default();
    for seq in seqs {
        tracker.on_packet(SeqNo(seq), now);
    }
    tracker
}

fn numbers(due: &[SeqNo]) -> Vec<u16> {
    due.iter().map(|seq| seq.0).collect()
}

#[test]
fn packets_in_order_are_new_and_nothing_is_asked_for() {
    let now = Instant::now();
    let mut tracker = NackTracker::default();
    let arrivals: Vec<_> = [65_534_u16, 65_535, 0, 1].map(|seq| tracker.on_packet(SeqNo(seq), now)).into_iter().collect();
    let Arrival::New { index: first } = arrivals[0] else { panic!("{arrivals:?}") };
    let expected: Vec<_> = (0..4).map(|count| Arrival::New { index: first + count }).collect();
    assert_eq!(arrivals, expected);
    assert!(tracker.due(now + ms(1_000), RTT).is_empty());
    assert!(!tracker.take_gave_up());
}

#[test]
fn a_gap_is_asked_for_after_ten_milliseconds() {
    let now = Instant::now();
    let mut tracker = tracker([10, 13], now);
    assert!(tracker.due(now + ms(9), RTT).is_empty());
    assert_eq!(numbers(tracker.due(now + ms(10), RTT)), [11, 12]);
}

#[test]
fn a_gap_is_asked_for_at_once_when_two_more_packets_came() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12, 13], now);
    assert!(tracker.due(now, RTT).is_empty(), "one more packet may be reordering");
    tracker.on_packet(SeqNo(14), now);
    assert_eq!(numbers(tracker.due(now, RTT)), [11]);
}

#[test]
fn a_reordered_packet_is_not_asked_for() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12], now);
    assert!(matches!(tracker.on_packet(SeqNo(11), now + ms(5)), Arrival::Recovered { .. }));
    assert!(tracker.due(now + ms(50), RTT).is_empty());
}

#[test]
fn a_request_is_repeated_after_a_round_trip_and_a_tenth() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12], now);
    assert_eq!(tracker.due(now + ms(10), RTT).len(), 1);
    assert!(tracker.due(now + ms(64), RTT).is_empty());
    assert_eq!(tracker.due(now + ms(65), RTT).len(), 1);
    assert!(tracker.due(now + ms(84), Duration::ZERO).is_empty(), "never faster than 20 ms");
    assert_eq!(tracker.due(now + ms(85), Duration::ZERO).len(), 1);
}

#[test]
fn a_packet_is_asked_for_eight_times_and_then_given_up() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12], now);
    let asked: usize = (0..100).map(|count| tracker.due(now + ms(10 * count), Duration::ZERO).len()).sum();
    assert_eq!(asked, 8);
    assert!(tracker.take_gave_up());
    assert!(!tracker.take_gave_up(), "told once");
}

#[test]
fn a_packet_missing_for_more_than_a_second_and_a_half_is_given_up() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12], now);
    assert_eq!(tracker.due(now + MAX_AGE, RTT).len(), 1);
    assert!(!tracker.take_gave_up());
    assert!(tracker.due(now + MAX_AGE + ms(1), RTT).is_empty());
    assert!(tracker.take_gave_up());
}

#[test]
fn a_given_up_packet_that_comes_after_all_is_taken_once() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12], now);
    tracker.due(now + ms(2_000), RTT);
    assert!(matches!(tracker.on_packet(SeqNo(11), now), Arrival::Recovered { .. }));
    assert_eq!(tracker.on_packet(SeqNo(11), now), Arrival::Duplicate);
}

#[test]
fn duplicates_are_told_apart_within_the_window_and_refused_beyond_it() {
    let now = Instant::now();
    let mut tracker = tracker(0..=4_000, now);
    assert_eq!(tracker.on_packet(SeqNo(4_000), now), Arrival::Duplicate);
    assert_eq!(tracker.on_packet(SeqNo(4_001 - WINDOW as u16), now), Arrival::Duplicate);
    assert_eq!(tracker.on_packet(SeqNo(4_000 - WINDOW as u16), now), Arrival::TooOld);
}

#[test]
fn a_packet_from_before_the_first_is_taken_once() {
    let now = Instant::now();
    let mut tracker = tracker([10], now);
    assert!(matches!(tracker.on_packet(SeqNo(9), now), Arrival::Recovered { .. }));
    assert_eq!(tracker.on_packet(SeqNo(9), now), Arrival::Duplicate);
}

#[test]
fn an_outage_asks_for_a_keyframe_and_not_for_hundreds_of_packets() {
    let now = Instant::now();
    let mut tracker = tracker([10, 12, 12 + MAX_MISSING as u16 + 1], now);
    assert!(tracker.take_gave_up());
    assert!(tracker.due(now + ms(100), RTT).is_empty(), "nothing before the outage is of use either");
    assert!(tracker.missing.is_empty());
    tracker.on_packet(SeqNo(12 + MAX_MISSING as u16 + 3), now);
    assert_eq!(tracker.due(now + ms(100), RTT).len(), 1, "what is lost afterwards is asked for again");
}

#[test]
fn one_call_asks_for_a_bounded_number_and_the_next_for_the_rest() {
    let now = Instant::now();
    let mut tracker = tracker([0, 401], now);
    let asked: Vec<_> = (0..5).map(|_| tracker.due(now + ms(10), RTT).len()).collect();
    assert_eq!(asked, [MAX_DUE, MAX_DUE, MAX_DUE, 400 - 3 * MAX_DUE, 0]);
}

#[test]
fn one_stray_number_makes_no_gap() {
    let now = Instant::now();
    let mut tracker = tracker([10], now);
    assert_eq!(tracker.on_packet(SeqNo(40_000), now), Arrival::TooOld);
    assert!(matches!(tracker.on_packet(SeqNo(11), now), Arrival::New { .. }));
    assert!(tracker.due(now + ms(100), RTT).is_empty() && !tracker.take_gave_up());
}

/// What travels on the simulated link, by the time at which it arrives, in tenths of a millisecond.
enum Travelling {
    Media(u16),
    Request(Vec<u16>),
}

/// A publisher and the tracker on a link that loses the same share of media, retransmissions and requests.
struct Link {
    random: u64,
    loss_percent: u64,
    jitter: u64,
    travelling: BTreeMap<(u64, u64), Travelling>,
    count: u64,
    lost_media: u64,
    retransmissions: u64,
}

impl Link {
    const ONE_WAY: u64 = 250;

    fn next(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn send(&mut self, at: u64, what: Travelling) -> bool {
        if self.next(100) < self.loss_percent {
            return false;
        }
        let arrival = at + Self::ONE_WAY + self.next(self.jitter + 1);
        self.count += 1;
        self.travelling.insert((arrival, self.count), what);
        true
    }

    /// Sends a frame of six packets each 33 ms for 20 s, looks for due requests each 10 ms, and gives what came in the end.
    fn run(&mut self, tracker: &mut NackTracker) -> (u64, BTreeSet<u16>) {
        let start = Instant::now();
        let (mut sent, mut received, mut repeats) = (0_u16, BTreeSet::new(), 0);
        for at in 0..215_000_u64 {
            let now = start + Duration::from_micros(at * 100);
            // The publisher spreads a frame: half a millisecond from packet to packet.
            if at % 330 < 30 && at % 5 == 0 && at < 200_000 {
                self.lost_media += u64::from(!self.send(at, Travelling::Media(sent)));
                sent += 1;
            }
            while let Some(entry) = self.travelling.first_entry().filter(|entry| entry.key().0 <= at) {
                match entry.remove() {
                    Travelling::Media(seq) => {
                        received.insert(seq);
                        repeats += u64::from(tracker.on_packet(SeqNo(seq), now) == Arrival::Duplicate);
                    }
                    Travelling::Request(seqs) => {
                        for seq in seqs {
                            self.retransmissions += 1;
                            self.send(at, Travelling::Media(seq));
                        }
                    }
                }
            }
            if at % 100 == 0 {
                let due = numbers(tracker.due(now, RTT));
                if !due.is_empty() {
                    self.send(at, Travelling::Request(due));
                }
            }
        }
        (repeats, received)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn retransmissions_stay_under_twice_the_losses_on_a_bad_link(
        seed in 1_u64.., loss_percent in prop::sample::select(vec![5_u64, 20]), jitter in 0_u64..20,
    ) {
        let mut link = Link {
            random: seed, loss_percent, jitter, travelling: BTreeMap::new(), count: 0, lost_media: 0, retransmissions: 0,
        };
        let mut tracker = NackTracker::default();
        let (repeats, received) = link.run(&mut tracker);
        let sent = 607 * 6;
        prop_assert!(link.lost_media > 100, "the link loses packets");
        prop_assert!(link.retransmissions < 2 * link.lost_media, "{} for {} losses", link.retransmissions, link.lost_media);
        prop_assert!(repeats <= link.retransmissions / 4, "{repeats} of {} were not needed", link.retransmissions);
        prop_assert!(sent - received.len() <= 3 + link.lost_media as usize / 50, "{} never came", sent - received.len());
    }

    #[test]
    fn any_arrivals_leave_the_list_sorted_and_bounded(
        steps in prop::collection::vec((0_u16..700, 0_u64..100, any::<bool>()), 1..200),
    ) {
        let mut now = Instant::now();
        let mut tracker = NackTracker::default();
        let mut seq = 0_u16;
        let mut taken = BTreeSet::new();
        for (step, wait, back) in steps {
            seq = if back { seq.wrapping_sub(step) } else { seq.wrapping_add(step / 4) };
            now += ms(wait);
            if let Arrival::New { index } | Arrival::Recovered { index } = tracker.on_packet(SeqNo(seq), now) {
                prop_assert!(taken.insert(index), "a packet was taken twice");
            }
            prop_assert!(tracker.missing.len() <= MAX_MISSING);
            prop_assert!(tracker.missing.windows(2).all(|pair| pair[0].index < pair[1].index));
            prop_assert!(tracker.missing.iter().all(|packet| !taken.contains(&packet.index)));
            prop_assert!(tracker.due(now, RTT).len() <= MAX_DUE);
        }
    }
}
