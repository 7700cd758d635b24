//! What was found, as a table or as one JSON object.

use std::time::Duration;

use serde_json::json;

use super::options::Options;

/// Messages that were acknowledged.
pub(super) struct Stored {
    pub(super) seconds: f64,
    /// Of the server, its database included when that is in the process.
    pub(super) cpu_seconds: Option<f64>,
    /// How long each took, from sending to the acknowledgement.
    pub(super) times: Vec<Duration>,
}

/// Messages that reached a crowd.
pub(super) struct Delivered {
    pub(super) members: usize,
    /// How long each took to each member.
    pub(super) times: Vec<Duration>,
}

/// Everything that was found.
pub(super) struct Report {
    pub(super) options: Options,
    pub(super) stored: Stored,
    pub(super) delivered: Option<Delivered>,
    pub(super) floor_commits_per_second: f64,
}

/// Median, 99th percentile and maximum, milliseconds.
struct Spread {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    fn of(times: &[Duration]) -> Self {
        let mut sorted: Vec<Duration> = times.to_vec();
        sorted.sort_unstable();
        let at = |part: f64| {
            let index = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
            sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }

    fn json(&self) -> serde_json::Value {
        json!({"p50": self.p50, "p99": self.p99, "max": self.max})
    }
}

impl Report {
    fn rate(&self) -> f64 {
        self.stored.times.len() as f64 / self.stored.seconds
    }

    fn database(&self) -> &'static str {
        if self.options.database.is_some() { "postgres" } else { "sqlite" }
    }

    pub(super) fn json(&self) -> String {
        let delivered = self.delivered.as_ref();
        json!({
            "scenario": "chat", "database": self.database(), "senders": self.options.senders, "rooms": self.options.rooms,
            "bytes": self.options.bytes, "seconds": self.stored.seconds, "messages": self.stored.times.len(),
            "messages_per_second": self.rate(), "acknowledged_ms": Spread::of(&self.stored.times).json(),
            "server_cpu_seconds": self.stored.cpu_seconds, "members": delivered.map(|delivered| delivered.members),
            "delivered_ms": delivered.map(|delivered| Spread::of(&delivered.times).json()),
            "floor_commits_per_second": self.floor_commits_per_second, "ratio_to_floor": self.rate() / self.floor_commits_per_second,
        })
        .to_string()
    }

    pub(super) fn table(&self) -> String {
        let Options { senders, rooms, bytes, .. } = self.options;
        let acknowledged = Spread::of(&self.stored.times);
        let mut lines = vec![
            format!("chat on {}: {senders} senders in {rooms} rooms, {bytes} bytes each", self.database()),
            format!("  stored before acknowledged  {:10.0} messages/s", self.rate()),
            format!(
                "  acknowledged after          {:10.1} ms p50, {:.1} p99, {:.1} max",
                acknowledged.p50, acknowledged.p99, acknowledged.max
            ),
        ];
        if let Some(seconds) = self.stored.cpu_seconds {
            lines.push(format!(
                "  processor time              {:10.0} µs/message",
                seconds * 1e6 / self.stored.times.len().max(1) as f64
            ));
        }
        if let Some(delivered) = &self.delivered {
            let Spread { p50, p99, max } = Spread::of(&delivered.times);
            lines.push(format!("  with {:5} members after     {p50:10.1} ms p50, {p99:.1} p99, {max:.1} max", delivered.members));
        }
        lines.push(format!("  the database alone          {:10.0} commits/s, one row each", self.floor_commits_per_second));
        lines.push(format!("  ratio                       {:10.2}", self.rate() / self.floor_commits_per_second));
        lines.join("\n")
    }
}
