//! What was found, as a table or as one JSON object.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

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

/// What was found in one go.
pub(super) struct Measured {
    pub(super) stored: Stored,
    pub(super) delivered: Option<Delivered>,
}

/// The same beside connections over which nothing happens.
pub(super) struct BesideIdle {
    pub(super) connections: usize,
    /// Memory of the server for each.
    pub(super) bytes_each: Option<u64>,
    pub(super) measured: Measured,
}

/// Everything that was found.
pub(super) struct Report {
    pub(super) options: Options,
    pub(super) alone: Measured,
    pub(super) beside_idle: Option<BesideIdle>,
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

    fn json(&self) -> Value {
        json!({"p50": self.p50, "p99": self.p99, "max": self.max})
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, max } = self;
        write!(f, "{p50:10.1} ms p50, {p99:.1} p99, {max:.1} max")
    }
}

impl Measured {
    fn rate(&self) -> f64 {
        self.stored.times.len() as f64 / self.stored.seconds
    }

    fn json(&self) -> Value {
        json!({
            "seconds": self.stored.seconds, "messages": self.stored.times.len(), "messages_per_second": self.rate(),
            "acknowledged_ms": Spread::of(&self.stored.times).json(), "server_cpu_seconds": self.stored.cpu_seconds,
            "delivered_ms": self.delivered.as_ref().map(|delivered| Spread::of(&delivered.times).json()),
        })
    }

    fn lines(&self) -> Vec<String> {
        let acknowledged = Spread::of(&self.stored.times);
        let mut lines = vec![
            format!("  stored before acknowledged  {:10.0} messages/s", self.rate()),
            format!("  acknowledged after          {acknowledged}"),
        ];
        if let Some(seconds) = self.stored.cpu_seconds {
            let each = seconds * 1e6 / self.stored.times.len().max(1) as f64;
            lines.push(format!("  processor time              {each:10.0} µs/message"));
        }
        if let Some(Delivered { members, times }) = &self.delivered {
            lines.push(format!("  with {members:5} members after     {}", Spread::of(times)));
        }
        lines
    }
}

impl Report {
    fn ratio(&self) -> f64 {
        self.alone.rate() / self.floor_commits_per_second
    }

    fn database(&self) -> &'static str {
        if self.options.database.is_some() { "postgres" } else { "sqlite" }
    }

    pub(super) fn json(&self) -> String {
        let mut found = self.alone.json();
        found["beside_idle"] = self.beside_idle.as_ref().map_or(Value::Null, |idle| {
            let mut beside = idle.measured.json();
            beside["connections"] = idle.connections.into();
            beside["bytes_each"] = idle.bytes_each.into();
            beside
        });
        for (name, value) in [
            ("scenario", json!("chat")),
            ("database", json!(self.database())),
            ("senders", json!(self.options.senders)),
            ("rooms", json!(self.options.rooms)),
            ("bytes", json!(self.options.bytes)),
            ("members", json!(self.options.members)),
            ("floor_commits_per_second", json!(self.floor_commits_per_second)),
            ("ratio_to_floor", json!(self.ratio())),
        ] {
            found[name] = value;
        }
        found.to_string()
    }

    pub(super) fn table(&self) -> String {
        let Options { senders, rooms, bytes, .. } = self.options;
        let mut lines = vec![format!("chat on {}: {senders} senders in {rooms} rooms, {bytes} bytes each", self.database())];
        lines.extend(self.alone.lines());
        lines.push(format!("  the database alone          {:10.0} commits/s, one row each", self.floor_commits_per_second));
        lines.push(format!("  ratio                       {:10.2}", self.ratio()));
        if let Some(BesideIdle { connections, bytes_each, measured }) = &self.beside_idle {
            let memory = bytes_each.map(|bytes| format!(", {:.1} kB of memory each", bytes as f64 / 1_000.0)).unwrap_or_default();
            lines.push(format!("beside {connections} idle connections{memory}, and one that never reads"));
            lines.extend(measured.lines());
        }
        lines.join("\n")
    }
}
