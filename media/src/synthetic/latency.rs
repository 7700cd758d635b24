//! How long packets were under way: a histogram with a relative error of 3 %, whatever their number (the idea of HdrHistogram).

/// Buckets for each doubling.
const PER_OCTAVE: usize = 32;
/// Doublings: up to 16 s.
const OCTAVES: usize = 20;

/// Times from the moment that a packet was captured, and sent, to its arrival. Microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Made with the first packet.
    buckets: Vec<u32>,
    count: u64,
    max_us: u64,
}

impl Latency {
    pub(super) fn note(&mut self, captured_us: Option<u64>, arrived_us: u64) {
        if let Some(captured_us) = captured_us {
            self.record(arrived_us.saturating_sub(captured_us));
        }
    }

    /// Adds one time.
    pub fn record(&mut self, us: u64) {
        if self.buckets.is_empty() {
            self.buckets = vec![0; PER_OCTAVE * OCTAVES];
        }
        let bucket = bucket_of(us).min(self.buckets.len() - 1);
        self.buckets[bucket] = self.buckets[bucket].saturating_add(1);
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets = vec![0; PER_OCTAVE * OCTAVES];
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine = mine.saturating_add(*theirs);
        }
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// The time that this share of all packets, from 0 to 1, did not exceed.
    pub fn quantile_us(&self, share: f64) -> u64 {
        let wanted = (self.count as f64 * share.clamp(0.0, 1.0)).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.buckets.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        found.map_or(0, upper_end).min(self.max_us)
    }

    /// The longest time.
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// Values below `PER_OCTAVE` have a bucket each; above, each doubling has `PER_OCTAVE`.
fn bucket_of(us: u64) -> usize {
    let octave = (64 - us.leading_zeros() as usize).saturating_sub(PER_OCTAVE.ilog2() as usize + 1);
    octave * PER_OCTAVE + (us >> octave) as usize
}

fn upper_end(bucket: usize) -> u64 {
    let octave = (bucket / PER_OCTAVE).saturating_sub(1);
    (((bucket - octave * PER_OCTAVE) as u64 + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_ends_where_the_next_begins() {
        for us in (0..5_000).chain((5_000..8_000_000).step_by(997)) {
            let bucket = bucket_of(us);
            assert!(upper_end(bucket) >= us, "{us} lies in {bucket}");
            assert!(bucket == 0 || upper_end(bucket - 1) < us, "{us} lies in {bucket}");
            assert!(upper_end(bucket) as f64 <= us as f64 * 1.04 + 1.0, "{us} is told to 4 %");
        }
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let (mut even, mut odd) = (Latency::default(), Latency::default());
        (1..=1_000).for_each(|us| if us % 2 == 0 { even.record(us) } else { odd.record(us) });
        even.merge(&odd);
        assert_eq!((even.count(), even.max_us()), (1_000, 1_000));
        assert!((490..=515).contains(&even.quantile_us(0.5)), "{}", even.quantile_us(0.5));
        assert!((980..=1_000).contains(&even.quantile_us(0.99)), "{}", even.quantile_us(0.99));
        assert_eq!(Latency::default().quantile_us(0.5), 0);
    }
}
