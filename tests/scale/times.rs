//! How long things took.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Times of several things, printed as a table.
pub(crate) struct Times {
    title: String,
    taken: BTreeMap<&'static str, Vec<Duration>>,
}

impl Times {
    pub(crate) fn of(title: &str) -> Self {
        Self { title: title.to_owned(), taken: BTreeMap::new() }
    }

    /// Does something and remembers how long it took.
    pub(crate) async fn time<T>(&mut self, what: &'static str, doing: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = doing.await;
        self.taken.entry(what).or_default().push(began.elapsed());
        done
    }

    pub(crate) fn add(&mut self, what: &'static str, took: Vec<Duration>) {
        self.taken.entry(what).or_default().extend(took);
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for (what, taken) in &self.taken {
            let mut sorted = taken.clone();
            sorted.sort_unstable();
            let at = |hundredths: usize| sorted[(sorted.len() * hundredths / 100).min(sorted.len() - 1)].as_secs_f64() * 1_000.0;
            writeln!(f, "  {what:20} {:6} times {:8.2} ms p50 {:8.2} ms p99", sorted.len(), at(50), at(99))?;
        }
        Ok(())
    }
}
