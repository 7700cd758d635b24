//! The ports of relays on one address: which are used, which rest, which are kept for somebody.
//!
//! Ports are drawn at random (RFC 8656 §7.2), so that an outsider cannot guess the next; after use one rests for two minutes, so that a
//! peer of the former allocation does not talk to the next. Only when there is no other the one that has rested longest is used sooner:
//! else a user who allocates and ends in a loop would leave none to the others. A search costs at most a walk over one bit a
//! port, however full the range is. Refused allocations give their port back at once.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use crate::random::Random;

/// How long a port rests.
const REST: Duration = Duration::from_secs(120);
/// How long a port is kept for whoever has its token (RFC 8656 §7.2 asks for 30 seconds or more).
const RESERVATION: Duration = Duration::from_secs(30);
/// Ports kept at a time; with more, the request is refused.
const MAX_RESERVATIONS: usize = 1_024;
/// Random tries before the walk.
const TRIES: usize = 8;
const BITS: usize = 64;
const WORDS: usize = (1 << 16) / BITS;

/// What names a reservation (RFC 8656 §18.10).
pub(super) type Token = [u8; 8];

/// Which ports will do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    Any,
    Even,
    /// An even one whose successor is free too.
    EvenWithNext,
}

struct Reservation {
    token: Token,
    port: u16,
    ends: Instant,
}

pub(super) struct Ports {
    /// One bit for each port that cannot be drawn, in the range or not.
    taken: Box<[u64; WORDS]>,
    range: RangeInclusive<u16>,
    excluded: Vec<u16>,
    /// In the order in which they may be used again.
    resting: VecDeque<(Instant, u16)>,
    reservations: Vec<Reservation>,
    in_use: usize,
}

impl Ports {
    pub(super) fn new(range: RangeInclusive<u16>, excluded: &[u16]) -> Self {
        let resting = VecDeque::new();
        Self { taken: Box::new([0; WORDS]), range, excluded: excluded.to_vec(), resting, reservations: Vec::new(), in_use: 0 }
    }

    /// Changes where ports are drawn from. What is used stays.
    pub(super) fn set_range(&mut self, range: RangeInclusive<u16>, excluded: &[u16]) {
        (self.range, self.excluded) = (range, excluded.to_vec());
    }

    /// Takes a port; `None` when there is none.
    pub(super) fn take(&mut self, now: Instant, random: &mut Random, wanted: Wanted) -> Option<u16> {
        self.settle(now);
        let (first, last) = (*self.range.start(), *self.range.end());
        let count = u32::from(last.checked_sub(first)?) + 1;
        let draw = |random: &mut Random| first + ((u64::from(random.next_u32()) * u64::from(count)) >> 32) as u16;
        let tries = (0..TRIES).map(|_| draw(random)).find(|port| self.suits(*port, wanted));
        let port = tries.or_else(|| self.walk(draw(random), wanted)).or_else(|| self.wake(wanted))?;
        self.set(port);
        self.in_use += 1;
        Some(port)
    }

    /// Keeps the port behind this one, which is in use, for whoever has the token; false when it is not free or too many are kept.
    #[must_use]
    pub(super) fn reserve_next(&mut self, now: Instant, port: u16, token: Token) -> bool {
        let Some(next) = port.checked_add(1).filter(|next| self.suits(*next, Wanted::Any)) else { return false };
        if self.reservations.len() >= MAX_RESERVATIONS {
            return false;
        }
        self.set(next);
        self.reservations.push(Reservation { token, port: next, ends: now + RESERVATION });
        true
    }

    /// Takes the port that was kept; a token is good once.
    pub(super) fn claim(&mut self, now: Instant, token: Token) -> Option<u16> {
        self.settle(now);
        let at = self.reservations.iter().position(|reservation| reservation.token == token)?;
        self.in_use += 1;
        Some(self.reservations.swap_remove(at).port)
    }

    /// Gives a port back that was used. It rests.
    pub(super) fn give_back(&mut self, now: Instant, port: u16) {
        self.in_use = self.in_use.saturating_sub(1);
        self.resting.push_back((now + REST, port));
    }

    /// Gives a port back that was not used after all.
    pub(super) fn put_back(&mut self, port: u16) {
        self.in_use = self.in_use.saturating_sub(1);
        self.clear(port);
    }

    /// Ports of allocations.
    pub(super) fn in_use(&self) -> usize {
        self.in_use
    }

    /// Frees what has rested and what was kept in vain.
    fn settle(&mut self, now: Instant) {
        while let Some((_, port)) = self.resting.pop_front_if(|(until, _)| *until <= now) {
            self.clear(port);
        }
        while let Some(at) = self.reservations.iter().position(|reservation| reservation.ends <= now) {
            let port = self.reservations.swap_remove(at).port;
            self.clear(port);
        }
    }

    fn suits(&self, port: u16, wanted: Wanted) -> bool {
        match wanted {
            Wanted::Any => self.is_free(port),
            Wanted::Even => port.is_multiple_of(2) && self.is_free(port),
            Wanted::EvenWithNext => {
                port.is_multiple_of(2) && self.is_free(port) && port.checked_add(1).is_some_and(|next| self.is_free(next))
            }
        }
    }

    fn is_free(&self, port: u16) -> bool {
        self.range.contains(&port)
            && self.taken[usize::from(port) / BITS] >> (usize::from(port) % BITS) & 1 == 0
            && !self.excluded.contains(&port)
    }

    /// From a random port once round the range.
    fn walk(&self, from: u16, wanted: Wanted) -> Option<u16> {
        (from..=*self.range.end()).chain(*self.range.start()..from).find(|port| self.suits(*port, wanted))
    }

    /// The one that has rested longest of those that will do.
    fn wake(&mut self, wanted: Wanted) -> Option<u16> {
        let may_rise = |port: u16| self.range.contains(&port) && !self.excluded.contains(&port);
        let is_next_free = |port: u16| port.checked_add(1).is_some_and(|next| self.is_free(next));
        let suits = |port: u16| match wanted {
            Wanted::Any => true,
            Wanted::Even => port.is_multiple_of(2),
            Wanted::EvenWithNext => port.is_multiple_of(2) && is_next_free(port),
        };
        let at = self.resting.iter().position(|(_, port)| may_rise(*port) && suits(*port))?;
        self.resting.remove(at).map(|(_, port)| port)
    }

    fn set(&mut self, port: u16) {
        self.taken[usize::from(port) / BITS] |= 1 << (usize::from(port) % BITS);
    }

    fn clear(&mut self, port: u16) {
        self.taken[usize::from(port) / BITS] &= !(1 << (usize::from(port) % BITS));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// Group 17 of the security tests.
    #[test]
    fn every_port_of_the_range_is_drawn_once_in_no_order_and_then_there_is_none() {
        let (now, mut random) = (Instant::now(), Random::new(1));
        let mut ports = Ports::new(50_000..=50_999, &[50_500]);
        let drawn: Vec<_> = (0..999).map(|_| ports.take(now, &mut random, Wanted::Any).unwrap()).collect();
        assert_eq!(ports.take(now, &mut random, Wanted::Any), None);
        let different: BTreeSet<_> = drawn.iter().copied().collect();
        assert_eq!((different.len(), ports.in_use()), (999, 999));
        assert!(drawn.iter().all(|port| (50_000..=50_999).contains(port) && *port != 50_500));
        let steps = drawn.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
        assert!(steps < 200, "{steps} followed each other");
    }

    #[test]
    fn a_port_rests_for_two_minutes_after_use_as_long_as_there_are_others() {
        let (now, mut random) = (Instant::now(), Random::new(1));
        let mut ports = Ports::new(50_000..=50_009, &[]);
        (0..5).for_each(|_| _ = ports.take(now, &mut random, Wanted::Any));
        let used: Vec<_> = (50_000..=50_009).filter(|port| !ports.is_free(*port)).collect();
        used.iter().for_each(|port| ports.give_back(now, *port));
        let early = now + seconds(119);
        let others: Vec<_> = (0..5).filter_map(|_| ports.take(early, &mut random, Wanted::Any)).collect();
        assert!(others.iter().all(|port| !used.contains(port)), "{others:?} of {used:?}");
        assert_eq!(ports.take(early, &mut random, Wanted::Any), Some(used[0]), "the longest rested when there is no other");
        let late: Vec<_> = (0..5).filter_map(|_| ports.take(now + seconds(120), &mut random, Wanted::Any)).collect();
        assert_eq!(late.len(), 4);
    }

    #[test]
    fn whoever_allocates_and_ends_in_a_loop_takes_no_port_from_others() {
        let (now, mut random) = (Instant::now(), Random::new(1));
        let mut ports = Ports::new(50_000..=50_099, &[]);
        for _ in 0..10_000 {
            let port = ports.take(now, &mut random, Wanted::Any).unwrap();
            ports.give_back(now, port);
        }
        assert!(ports.take(now, &mut random, Wanted::EvenWithNext).is_none(), "all rest, and none lie free behind them");
        assert!(ports.take(now, &mut random, Wanted::Even).is_some_and(|port| port.is_multiple_of(2)));
        assert!(ports.resting.len() <= 100);
    }

    #[test]
    fn a_reserved_port_is_for_its_token_only_once_and_for_thirty_seconds() {
        let (now, mut random) = (Instant::now(), Random::new(1));
        let mut ports = Ports::new(50_000..=50_001, &[]);
        assert_eq!(ports.take(now, &mut random, Wanted::EvenWithNext), Some(50_000));
        assert!(ports.reserve_next(now, 50_000, [1; 8]));
        assert!(!ports.reserve_next(now, 50_000, [2; 8]), "it is kept already");
        assert_eq!(ports.take(now, &mut random, Wanted::Any), None);
        assert_eq!(ports.claim(now, [2; 8]), None);
        assert_eq!(ports.claim(now + seconds(29), [1; 8]), Some(50_001));
        assert_eq!(ports.claim(now + seconds(29), [1; 8]), None);
        ports.give_back(now, 50_001);
        let later = now + seconds(200);
        assert_eq!(ports.take(later, &mut random, Wanted::Any), Some(50_001));
        ports.give_back(later, 50_001);
        let last = later + seconds(200);
        assert!(!ports.reserve_next(last, 50_001, [3; 8]), "outside the range");
        ports.settle(last);
        assert!(ports.reserve_next(last, 50_000, [3; 8]));
        assert_eq!(ports.claim(last + seconds(30), [3; 8]), None, "too late");
    }

    proptest! {
        #[test]
        fn no_port_is_given_twice_whatever_happens(steps in proptest::collection::vec((0u8..5, 0u64..40), 1..400)) {
            let (mut now, mut random) = (Instant::now(), Random::new(7));
            let mut ports = Ports::new(60_000..=60_030, &[60_003]);
            let mut held: Vec<u16> = Vec::new();
            let mut tokens: Vec<Token> = Vec::new();
            for (number, (step, wait)) in steps.into_iter().enumerate() {
                now += Duration::from_secs(wait);
                let token = (number as u64).to_be_bytes();
                let taken = match step {
                    0 => ports.take(now, &mut random, Wanted::Any),
                    1 => ports.take(now, &mut random, Wanted::Even),
                    2 => ports.take(now, &mut random, Wanted::EvenWithNext).inspect(|port| {
                        assert!(ports.reserve_next(now, *port, token));
                        tokens.push(token);
                    }),
                    3 => tokens.pop().and_then(|token| ports.claim(now, token)),
                    _ => {
                        if !held.is_empty() {
                            ports.give_back(now, held.remove(0));
                        }
                        None
                    }
                };
                if let Some(port) = taken {
                    prop_assert!(!held.contains(&port) && port != 60_003 && (60_000..=60_030).contains(&port));
                    held.push(port);
                }
                prop_assert_eq!(ports.in_use(), held.len());
            }
        }
    }
}
