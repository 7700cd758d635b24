//! One direction of a participant's network: delay, jitter, loss, reordering, duplication and a bottleneck with a drop-tail queue.

use std::time::{Duration, Instant};

use crate::random::Random;

/// What a network does to datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    pub(crate) delay: Duration,
    /// Added to the delay: anything up to this. Order is kept.
    pub(crate) jitter: Duration,
    pub(crate) loss: Loss,
    /// Of a thousand datagrams so many are held back by [`Network::REORDERED_BY`], past those behind them.
    pub(crate) reordered_permille: u32,
    /// Of a thousand datagrams so many arrive twice.
    pub(crate) doubled_permille: u32,
    pub(crate) bottleneck: Option<Bottleneck>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    None,
    /// Each datagram alone.
    Random {
        permille: u32,
    },
    /// Gilbert and Elliott: in the bad state all are lost. Chances of changing the state, with each datagram.
    Bursts {
        begin_permille: u32,
        end_permille: u32,
    },
    /// All.
    Blackout,
}

/// A link of this rate, before which so many bytes wait at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bottleneck {
    pub(crate) rate_bps: u64,
    pub(crate) queue_bytes: u64,
}

impl Network {
    const REORDERED_BY: Duration = Duration::from_millis(8);

    /// Nothing but a delay.
    pub(crate) fn delay_ms(ms: u64) -> Self {
        Self {
            delay: Duration::from_millis(ms),
            jitter: Duration::ZERO,
            loss: Loss::None,
            reordered_permille: 0,
            doubled_permille: 0,
            bottleneck: None,
        }
    }

    pub(crate) fn with_loss(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }
}

/// One direction between a participant and the server.
pub(crate) struct Direction {
    network: Network,
    random: Random,
    is_bad: bool,
    last_arrival: Option<Instant>,
    /// When the bottleneck has sent all that waits.
    busy_until: Option<Instant>,
    pub(crate) tally: Tally,
}

/// What became of datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    /// Lost, not counted those that the bottleneck dropped.
    pub(crate) lost: u64,
    /// Among them RTP packets.
    pub(crate) lost_rtp: u64,
    pub(crate) dropped_by_queue: u64,
}

/// When a datagram arrives, and its double.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arrivals {
    pub(crate) first: Instant,
    pub(crate) second: Option<Instant>,
}

impl Direction {
    pub(crate) fn new(network: Network, seed: u64) -> Self {
        let random = Random::new(seed);
        Self { network, random, is_bad: false, last_arrival: None, busy_until: None, tally: Tally::default() }
    }

    pub(crate) fn set(&mut self, network: Network) {
        self.network = network;
        self.is_bad = false;
    }

    /// Sends a datagram; `None` when it does not arrive.
    pub(crate) fn send(&mut self, now: Instant, datagram: &[u8]) -> Option<Arrivals> {
        self.tally.sent += 1;
        if self.is_lost() {
            self.tally.lost += 1;
            self.tally.lost_rtp += u64::from(is_rtp(datagram));
            return None;
        }
        let departure = self.queue(now, datagram)?;
        let mut arrival = departure + self.network.delay + self.jitter();
        if self.chance(self.network.reordered_permille) {
            arrival += Network::REORDERED_BY;
        } else {
            arrival = self.last_arrival.map_or(arrival, |last| last.max(arrival));
            self.last_arrival = Some(arrival);
        }
        let second = self.chance(self.network.doubled_permille).then(|| arrival + Duration::from_millis(1));
        Some(Arrivals { first: arrival, second })
    }

    fn is_lost(&mut self) -> bool {
        match self.network.loss {
            Loss::None => false,
            Loss::Random { permille } => self.chance(permille),
            Loss::Bursts { begin_permille, end_permille } => {
                let changes = self.chance(if self.is_bad { end_permille } else { begin_permille });
                self.is_bad ^= changes;
                self.is_bad
            }
            Loss::Blackout => true,
        }
    }

    /// When the bottleneck has sent the datagram; `None` when its queue is full.
    fn queue(&mut self, now: Instant, datagram: &[u8]) -> Option<Instant> {
        let Some(Bottleneck { rate_bps, queue_bytes }) = self.network.bottleneck else { return Some(now) };
        let time = |bytes: u64| Duration::from_nanos(bytes * 8 * 1_000_000_000 / rate_bps);
        let start = self.busy_until.map_or(now, |until| until.max(now));
        if start.saturating_duration_since(now) > time(queue_bytes) {
            self.tally.dropped_by_queue += 1;
            return None;
        }
        // The handshake's lengths differ by some bytes from run to run, with its signatures; a run must not.
        let charged = if is_media(datagram) { datagram.len() as u64 } else { 300 };
        let done = start + time(charged);
        self.busy_until = Some(done);
        Some(done)
    }

    fn jitter(&mut self) -> Duration {
        match self.network.jitter.as_micros() as u32 {
            0 => Duration::ZERO,
            most => Duration::from_micros(u64::from(self.random.next_u32() % most)),
        }
    }

    fn chance(&mut self, permille: u32) -> bool {
        permille > 0 && self.random.next_u32() % 1_000 < permille
    }
}

pub(crate) fn is_media(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (128..192).contains(first))
}

pub(crate) fn is_rtp(datagram: &[u8]) -> bool {
    is_media(datagram) && datagram.get(1).is_some_and(|second| !(192..224).contains(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(network: Network, count: u64, spacing: Duration) -> (Vec<Duration>, Tally) {
        let start = Instant::now();
        let mut direction = Direction::new(network, 7);
        let mut all = Vec::new();
        for n in 0..count {
            let arrival = direction.send(start + spacing * n as u32, &[0x80; 1_250]);
            all.extend(arrival.map(|arrival| arrival.first.saturating_duration_since(start)));
        }
        (all, direction.tally)
    }

    #[test]
    fn losses_are_as_many_as_asked_for_and_bursts_come_in_bursts() {
        let random = Network::delay_ms(1).with_loss(Loss::Random { permille: 50 });
        let (_, tally) = arrivals(random, 20_000, Duration::from_millis(1));
        assert!((800..1_200).contains(&tally.lost), "{tally:?}");
        let bursts = Network::delay_ms(1).with_loss(Loss::Bursts { begin_permille: 10, end_permille: 200 });
        let (_, tally) = arrivals(bursts, 20_000, Duration::from_millis(1));
        assert!((600..1_400).contains(&tally.lost), "{tally:?}");
    }

    #[test]
    fn jitter_keeps_the_order_and_reordering_does_not() {
        let jittery = Network { jitter: Duration::from_millis(20), ..Network::delay_ms(10) };
        let (times, _) = arrivals(jittery, 1_000, Duration::from_millis(1));
        assert!(times.is_sorted());
        let (times, _) = arrivals(Network { reordered_permille: 100, ..Network::delay_ms(10) }, 1_000, Duration::from_millis(1));
        assert!(!times.is_sorted());
    }

    #[test]
    fn a_bottleneck_sends_at_its_rate_and_drops_what_its_queue_cannot_hold() {
        let bottleneck = Bottleneck { rate_bps: 1_000_000, queue_bytes: 12_500 };
        let (times, tally) = arrivals(Network { bottleneck: Some(bottleneck), ..Network::delay_ms(0) }, 100, Duration::ZERO);
        assert_eq!(times.len(), 11, "one on the wire and ten in the queue: {tally:?}");
        assert_eq!(times[10], Duration::from_millis(110));
    }
}
