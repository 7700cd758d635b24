//! A timer wheel: what is due by time alone, in slots of one tick each (Varghese and Lauck, "Hashed and hierarchical timing wheels",
//! 1987, scheme 6). Setting a timer and taking one that is due cost the same however many there are.
//!
//! There is no cancelling: whoever takes a timer looks whether it is still wanted.

use std::time::{Duration, Instant};

/// The grain of time. Smaller wakes an idle worker more often, larger asks later for what was lost.
const TICK: Duration = Duration::from_millis(5);
/// Slots; with the tick they make one turn of the wheel, 1.28 s. A timer further ahead stays in its slot for as many turns; more slots
/// pass fewer of those over.
const SLOTS: u64 = 256;

pub(crate) struct Wheel<T> {
    /// Timers with their ticks.
    slots: Vec<Vec<(u64, T)>>,
    epoch: Instant,
    /// Everything before this tick was taken.
    tick: u64,
    len: usize,
}

impl<T> Wheel<T> {
    pub(crate) fn new(now: Instant) -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), epoch: now, tick: 0, len: 0 }
    }

    /// Sets a timer to the first tick that is not before `at`.
    pub(crate) fn set(&mut self, at: Instant, item: T) {
        let since = at.saturating_duration_since(self.epoch).as_nanos();
        let tick = u64::try_from(since.div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX).max(self.tick);
        self.slots[(tick % SLOTS) as usize].push((tick, item));
        self.len += 1;
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        if self.len == 0 {
            return None;
        }
        let is_now = |tick: u64| self.slots[(tick % SLOTS) as usize].iter().any(|(at, _)| *at == tick);
        let in_this_turn = (self.tick..self.tick + SLOTS).find(|tick| is_now(*tick));
        let tick = in_this_turn.or_else(|| self.slots.iter().flatten().map(|(at, _)| *at).min())?;
        Some(self.epoch + Duration::from_nanos((TICK.as_nanos() as u64).saturating_mul(tick)))
    }

    /// Takes a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<T> {
        let due = u64::try_from(now.saturating_duration_since(self.epoch).as_nanos() / TICK.as_nanos()).unwrap_or(u64::MAX);
        if self.len == 0 {
            // Nothing is waiting in between.
            self.tick = self.tick.max(due);
            return None;
        }
        // After a long sleep one turn passes all slots.
        self.tick = self.tick.max(due.saturating_sub(SLOTS - 1));
        while self.tick <= due {
            let slot = &mut self.slots[(self.tick % SLOTS) as usize];
            if let Some(position) = slot.iter().position(|(at, _)| *at <= due) {
                self.len -= 1;
                return Some(slot.swap_remove(position).1);
            }
            if self.tick == due {
                return None;
            }
            self.tick += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn taken(wheel: &mut Wheel<u64>, now: Instant) -> Vec<u64> {
        let mut taken: Vec<u64> = std::iter::from_fn(|| wheel.take_due(now)).collect();
        taken.sort_unstable();
        taken
    }

    #[test]
    fn a_timer_is_taken_once_at_its_tick_and_never_before_its_time() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        for at in [0, 3, 5, 12, 700, 1_200] {
            wheel.set(start + ms(at), at);
        }
        let mut seen = Vec::new();
        for now in 0..2_000 {
            for at in taken(&mut wheel, start + ms(now)) {
                assert!(at <= now && now < at + 5, "{at} at {now}");
                seen.push(at);
            }
        }
        assert_eq!(seen, [0, 3, 5, 12, 700, 1_200]);
        assert_eq!(wheel.next(), None);
    }

    #[test]
    fn the_next_timer_is_known_after_long_sleeps_and_one_beyond_a_turn_comes_at_its_time() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        assert_eq!(taken(&mut wheel, start + ms(86_400_000)), [0; 0]);
        let later = start + ms(86_400_000);
        wheel.set(later + ms(20), 1);
        wheel.set(later + ms(60_000), 2);
        assert_eq!(wheel.next(), Some(later + ms(20)));
        assert_eq!(taken(&mut wheel, later + ms(500)), [1]);
        assert_eq!(wheel.next(), Some(later + ms(60_000)));
        assert_eq!(taken(&mut wheel, later + ms(59_999)), [0; 0]);
        assert_eq!(taken(&mut wheel, later + ms(60_000)), [2]);
    }

    #[test]
    fn a_timer_set_after_a_sleep_does_not_come_before_its_time() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.set(start + ms(10), 1);
        // The worker slept, and sets another before it looks.
        let now = start + ms(7_000);
        wheel.set(now + ms(50), 2);
        assert_eq!(taken(&mut wheel, now), [1]);
        wheel.set(now + ms(40), 3);
        assert_eq!(taken(&mut wheel, now + ms(45)), [3]);
        assert_eq!(taken(&mut wheel, now + ms(55)), [2]);
    }

    #[test]
    fn a_timer_set_for_the_past_is_due_now() {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        assert_eq!(taken(&mut wheel, start + ms(100)), [0; 0]);
        wheel.set(start + ms(7), 7);
        assert_eq!(taken(&mut wheel, start + ms(100)), [7]);
    }
}
