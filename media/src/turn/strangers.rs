//! How often those who have proved nothing are answered: their addresses may be forged, and then the answers hit somebody else.
//!
//! One pace for each /24 (IPv6: /56) in a table of fixed size. A prefix that is new takes the place of one that is idle; if all of its set
//! are busy, that of the least recent one, and then it starts with a single answer, so that a flood of forged prefixes does not buy
//! more for any of them.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::config::LimitsConfig;
use super::pace::Pace;

/// Sets of the table, and places in each: 4,096 prefixes, 160 kB. More prefixes at a time compete.
const SETS: usize = 1_024;
const WAYS: usize = 4;

pub(super) struct Strangers {
    /// Seeded, so that nobody can aim at a set.
    hasher: RandomState,
    places: Vec<Option<(u64, Pace)>>,
    cost: Duration,
    tolerance: Duration,
}

impl Strangers {
    pub(super) fn new(limits: &LimitsConfig) -> Self {
        let mut strangers =
            Self { hasher: RandomState::new(), places: vec![None; SETS * WAYS], cost: Duration::ZERO, tolerance: Duration::ZERO };
        strangers.reload(limits);
        strangers
    }

    pub(super) fn reload(&mut self, limits: &LimitsConfig) {
        self.cost = Duration::from_secs(1).checked_div(limits.unauthenticated_per_second).unwrap_or_default();
        self.tolerance = self.cost * limits.unauthenticated_burst.saturating_sub(1);
    }

    /// Whether one more answer may go to this address.
    pub(super) fn admit(&mut self, now: Instant, ip: IpAddr) -> bool {
        if self.cost.is_zero() {
            return true;
        }
        let prefix = prefix(ip);
        let set = (self.hasher.hash_one(prefix) as usize % SETS) * WAYS;
        let places = &mut self.places[set..set + WAYS];
        let at = place(now, places, prefix);
        let (owner, pace) = places[at].get_or_insert((prefix, Pace::new(now)));
        if *owner != prefix {
            *pace = if pace.is_idle(now) { Pace::new(now) } else { Pace::used_up(now, self.tolerance, Duration::ZERO) };
            *owner = prefix;
        }
        let is_admitted = pace.admits(now, self.tolerance);
        if is_admitted {
            pace.spend(now, self.cost);
        }
        is_admitted
    }

    /// Prefixes that are remembered: at most the table's size.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.iter().flatten().count()
    }
}

/// The place of a prefix, else a free or idle one, else the one that has been used least.
fn place(now: Instant, places: &[Option<(u64, Pace)>], prefix: u64) -> usize {
    let is_ours = |place: &Option<(u64, Pace)>| place.is_some_and(|(owner, _)| owner == prefix);
    let is_free = |place: &Option<(u64, Pace)>| place.is_none_or(|(_, pace)| pace.is_idle(now));
    let least =
        || places.iter().enumerate().min_by_key(|(_, place)| place.map(|(_, pace)| pace.paid_until())).map_or(0, |(at, _)| at);
    places.iter().position(is_ours).or_else(|| places.iter().position(is_free)).unwrap_or_else(least)
}

/// The network that answers are counted for. The lowest bit tells the families apart.
fn prefix(ip: IpAddr) -> u64 {
    match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(u32::from(ip) >> 8) << 1,
        IpAddr::V6(ip) => (u128::from(ip) >> 72) as u64 | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn strangers() -> Strangers {
        Strangers::new(&LimitsConfig::default())
    }

    fn admitted(strangers: &mut Strangers, now: Instant, ip: IpAddr, asked: usize) -> usize {
        (0..asked).filter(|_| strangers.admit(now, ip)).count()
    }

    #[test]
    fn a_prefix_gets_its_burst_and_then_its_rate_whatever_the_address_in_it() {
        let start = Instant::now();
        let mut strangers = strangers();
        assert_eq!((0..200).filter(|last| strangers.admit(start, Ipv4Addr::new(1, 2, 3, *last).into())).count(), 50);
        assert_eq!(admitted(&mut strangers, start, Ipv4Addr::new(1, 2, 4, 1).into(), 200), 50, "another prefix");
        let later = start + Duration::from_secs(1);
        assert_eq!(admitted(&mut strangers, later, Ipv4Addr::new(1, 2, 3, 9).into(), 200), 20);
        let much_later = start + Duration::from_secs(60);
        assert_eq!(admitted(&mut strangers, much_later, Ipv4Addr::new(1, 2, 3, 9).into(), 200), 50);
        let v6 = |low: u16| IpAddr::from(Ipv6Addr::new(0x2a00, 1, 2, low, 0, 0, 0, 1));
        assert_eq!((0..200).filter(|low| strangers.admit(start, v6(*low))).count(), 50, "one /56");
    }

    #[test]
    fn a_flood_of_forged_prefixes_keeps_the_table_small_and_a_new_client_is_still_answered() {
        let start = Instant::now();
        let mut strangers = strangers();
        for number in 0..200_000_u32 {
            strangers.admit(start, Ipv4Addr::from(number.wrapping_mul(0x9e37_79b9)).into());
        }
        assert!(strangers.len() <= SETS * WAYS);
        let newcomer = Ipv4Addr::new(203, 0, 113, 1).into();
        assert_eq!(admitted(&mut strangers, start, newcomer, 100), 1, "one, not a burst that was bought with a place");
        assert_eq!(admitted(&mut strangers, start + Duration::from_secs(1), newcomer, 100), 20);
    }

    #[test]
    fn a_rate_of_zero_is_none() {
        let limits = LimitsConfig { unauthenticated_per_second: 0, ..LimitsConfig::default() };
        assert_eq!(admitted(&mut Strangers::new(&limits), Instant::now(), Ipv4Addr::new(1, 2, 3, 4).into(), 1_000), 1_000);
    }
}
