//! A limit that counts several keys at once: all of them or none, so that whoever is refused has lost nothing. A leaky bucket for each key
//! (GCRA), of which the moment is kept at which it is full again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Bucket, MAX_KEYS};
use crate::error::Error;

pub(super) struct Together<K> {
    burst: u32,
    interval: Duration,
    full_again: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> Together<K> {
    pub(super) fn new(bucket: &Bucket) -> Self {
        Self { burst: bucket.burst, interval: bucket.interval, full_again: Mutex::default() }
    }

    /// Counts each of these keys so often, if `also` counts what it counts: all or none. More than a burst never pass.
    pub(super) fn count(
        &self,
        keys: impl IntoIterator<Item = (K, u32)>,
        now: Instant,
        also: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut asked: HashMap<K, u32> = HashMap::new();
        for (key, count) in keys {
            let sum = asked.entry(key).or_default();
            *sum = sum.saturating_add(count);
        }
        if asked.values().any(|count| *count > self.burst) {
            return Err(Error::Busy);
        }
        let mut full_again = self.full_again.lock().unwrap_or_else(PoisonError::into_inner);
        if full_again.len() + asked.len() > MAX_KEYS {
            full_again.retain(|_, at| *at > now);
            if full_again.len() + asked.len() > MAX_KEYS {
                return Err(Error::Busy);
            }
        }
        let latest = now + self.interval * self.burst;
        let after = |(key, count): (K, u32)| {
            let begins = full_again.get(&key).map_or(now, |at| now.max(*at));
            (key, begins + self.interval * count)
        };
        let asked: Vec<(K, Instant)> = asked.into_iter().map(after).collect();
        let wait = asked.iter().map(|(_, at)| at.saturating_duration_since(latest)).max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(Error::RateLimited { retry_after_s: wait.as_secs() + u64::from(wait.subsec_nanos() > 0) });
        }
        also()?;
        full_again.extend(asked);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: Bucket = Bucket { burst: 10, interval: Duration::from_secs(2) };

    fn nothing_else() -> Result<(), Error> {
        Ok(())
    }

    fn wait_s(counted: &Result<(), Error>) -> Option<u64> {
        match counted {
            Err(Error::RateLimited { retry_after_s }) => Some(*retry_after_s),
            _ => None,
        }
    }

    #[test]
    fn a_burst_passes_then_one_for_each_interval() {
        let (limit, now) = (Together::new(&BUCKET), Instant::now());
        limit.count([("a", 10)], now, nothing_else).unwrap();
        assert_eq!(wait_s(&limit.count([("a", 1)], now, nothing_else)), Some(2));
        limit.count([("b", 1)], now, nothing_else).unwrap();
        let later = now + Duration::from_secs(2);
        limit.count([("a", 1)], later, nothing_else).unwrap();
        assert_eq!(wait_s(&limit.count([("a", 3)], later, nothing_else)), Some(6));
        limit.count([("a", 10)], now + Duration::from_secs(60), nothing_else).unwrap();
    }

    #[test]
    fn of_several_none_is_counted_when_one_is_refused() {
        let (limit, now) = (Together::new(&BUCKET), Instant::now());
        limit.count([("a", 10)], now, nothing_else).unwrap();
        assert!(wait_s(&limit.count([("b", 10), ("a", 1), ("c", 10)], now, nothing_else)).is_some());
        assert!(
            wait_s(&limit.count([("b", 6), ("b", 4), ("b", 0)], now, nothing_else)).is_none(),
            "the others have lost nothing"
        );
        let refused = limit.count([("c", 10)], now, || Err(Error::UserNotFound));
        assert!(matches!(refused, Err(Error::UserNotFound)));
        limit.count([("c", 10)], now, nothing_else).expect("nor when something else is refused");
        assert!(matches!(limit.count([("d", 11)], now, nothing_else), Err(Error::Busy)), "never");
    }

    #[test]
    fn no_more_keys_are_remembered_than_may_be_and_those_that_are_full_go_first() {
        let (limit, now) = (Together::new(&BUCKET), Instant::now());
        limit.count((0..MAX_KEYS).map(|key| (key, 1)), now, nothing_else).unwrap();
        assert!(matches!(limit.count([(MAX_KEYS, 1)], now, nothing_else), Err(Error::Busy)));
        limit.count([(MAX_KEYS, 1)], now + Duration::from_secs(2), nothing_else).unwrap();
        assert_eq!(limit.full_again.lock().unwrap().len(), 1);
    }
}
