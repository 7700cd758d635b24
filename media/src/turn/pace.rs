//! Rates without a timer (the generic cell rate algorithm, ITU-T I.371): one moment is remembered, up to which what was let through is
//! paid for. What may run ahead of the present by no more than a tolerance.

use std::time::{Duration, Instant};

/// How far a bandwidth may be used ahead. Shorter cuts the keyframes of a video, longer lets more through at once.
const BANDWIDTH_TOLERANCE: Duration = Duration::from_millis(500);
const NANOS: u64 = 1_000_000_000;

/// What one rate has let through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pace {
    paid_until: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { paid_until: now }
    }

    /// One that has nothing left but what is behind `tolerance` by `rest`.
    pub(super) fn used_up(now: Instant, tolerance: Duration, rest: Duration) -> Self {
        Self { paid_until: now + tolerance.saturating_sub(rest) }
    }

    /// Whether something more may pass.
    pub(super) fn admits(&self, now: Instant, tolerance: Duration) -> bool {
        self.paid_until <= now + tolerance
    }

    /// Lets something pass that takes this long at the rate.
    pub(super) fn spend(&mut self, now: Instant, cost: Duration) {
        self.paid_until = self.paid_until.max(now) + cost;
    }

    /// The later, the more it was used.
    pub(super) fn paid_until(&self) -> Instant {
        self.paid_until
    }

    /// Whether it has not been used for as long as it takes to forget.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.paid_until <= now
    }
}

/// A limit of bandwidth; 0 for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bandwidth(pub(super) u64);

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From the client to the peer.
    Up,
    /// From the peer to the client.
    Down,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];
}

/// The bandwidth that something uses, each way by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter([Pace; 2]);

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self([Pace::new(now); 2])
    }

    pub(super) fn admits(&self, now: Instant, direction: Direction, limit: Bandwidth) -> bool {
        limit.0 == 0 || self.0[direction as usize].admits(now, BANDWIDTH_TOLERANCE)
    }

    pub(super) fn spend(&mut self, now: Instant, direction: Direction, limit: Bandwidth, bytes: usize) {
        let bits = (bytes as u64).saturating_mul(8);
        if let Some(cost) = bits.saturating_mul(NANOS).checked_div(limit.0) {
            self.0[direction as usize].spend(now, Duration::from_nanos(cost));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_lets_its_bandwidth_through_in_each_direction_by_itself() {
        let start = Instant::now();
        let limit = Bandwidth(1_000_000);
        let mut meter = Meter::new(start);
        let mut passed = [0_u64; 2];
        for ms in 0..10_000 {
            let now = start + Duration::from_millis(ms);
            for direction in Direction::ALL {
                // Ten times too much.
                if meter.admits(now, direction, limit) {
                    meter.spend(now, direction, limit, 1_250);
                    passed[direction as usize] += 1_250 * 8;
                }
            }
        }
        for bits in passed {
            assert!((10_000_000..=10_600_000).contains(&bits), "{bits}");
        }
    }

    #[test]
    fn no_limit_lets_everything_through() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        for _ in 0..1_000 {
            meter.spend(now, Direction::Up, Bandwidth(0), 65_507);
            assert!(meter.admits(now, Direction::Up, Bandwidth(0)));
        }
    }
}
