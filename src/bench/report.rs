//! What a benchmark found, for people and for programs.

use std::fmt::Write;
use std::time::Instant;

use serde_json::{Value, json};
use webcall_media::load::Generator;

use super::BenchError;
use super::measure::Measured;
use super::options::Options;

/// The result of one benchmark.
pub(super) struct Report {
    pub(super) options: Options,
    pub(super) server: Measured,
    pub(super) joins: Option<Joins>,
    pub(super) floor: Option<Measured>,
    /// The server's memory before anybody joined.
    pub(super) idle_bytes: Option<u64>,
}

/// How a storm of joins went.
pub(super) struct Joins {
    /// Why the first that failed did.
    failure: Option<String>,
    /// From the request for a ticket to the first picture, sorted, milliseconds.
    first_picture_ms: Vec<u64>,
    without_picture: usize,
}

impl Joins {
    pub(super) fn of(generator: &Generator, began: Vec<(u32, Instant)>, failure: Option<String>) -> Result<Self, BenchError> {
        let began: std::collections::HashMap<u32, Instant> = began.into_iter().collect();
        let (mut first_picture_ms, without_picture) = generator.ask(move |_, people| {
            let (mut times, mut without) = (Vec::new(), 0);
            for person in people.filter(|person| person.seats() > 0) {
                let shown = person.video(0).first_shown.map(|shown| shown.at);
                match shown.zip(began.get(&person.settings().source)) {
                    Some((shown, began)) => times.push(shown.saturating_duration_since(*began).as_millis() as u64),
                    None => without += 1,
                }
            }
            (times, without)
        })?;
        first_picture_ms.sort_unstable();
        Ok(Self { failure, first_picture_ms, without_picture })
    }

    fn quantile_ms(&self, share: f64) -> Option<u64> {
        let last = self.first_picture_ms.len().checked_sub(1)?;
        self.first_picture_ms.get((last as f64 * share).round() as usize).copied()
    }
}

impl Report {
    /// One object with stable names.
    pub(super) fn json(&self) -> String {
        let Self { options, server, floor, .. } = self;
        let (publishers, subscribers) = self.shape();
        let floor_rate = floor.as_ref().and_then(Measured::packets_per_cpu_second);
        let joins = self.joins.as_ref().map(|joins| {
            json!({
                "joined": joins.first_picture_ms.len(),
                "without_picture": joins.without_picture,
                "failure": joins.failure,
                "first_picture_ms": { "p50": joins.quantile_ms(0.5), "p95": joins.quantile_ms(0.95) },
                "keyframes_per_second": server.keyframes as f64 / options.measured.as_secs_f64(),
            })
        });
        json!({
            "scenario": options.scenario.name(),
            "rooms": options.rooms,
            "workers": options.workers,
            "publishers": publishers,
            "subscribers": subscribers,
            "seconds": server.seconds,
            "forwarded_packets": server.forwarded_packets,
            "server_cpu_seconds": server.server_cpu_seconds,
            "generator_cpu_seconds": server.generator_cpu_seconds,
            "packets_per_cpu_second": server.packets_per_cpu_second(),
            "lost": server.lost,
            "undecodable": server.undecodable,
            "latency_us": latency_json(server),
            "rss_bytes": server.rss_bytes,
            "bytes_per_subscriber": self.bytes_per_subscriber(),
            "floor_packets_per_cpu_second": floor_rate,
            "floor_latency_us": floor.as_ref().map(latency_json),
            "floor_forwarded_packets": floor.as_ref().map(|floor| floor.forwarded_packets),
            "floor_lost": floor.as_ref().map(|floor| floor.lost),
            "ratio_to_floor": self.ratio(),
            "joins": joins,
        })
        .to_string()
    }

    /// A table.
    pub(super) fn table(&self) -> String {
        let Self { options, server, floor, .. } = self;
        let (publishers, subscribers) = self.shape();
        let mut out = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<34} {value}");
        };
        row("scenario", format!("{} {publishers} x {subscribers}, {} call(s)", options.scenario.name(), options.rooms));
        row("forwarded packets", format!("{} in {:.1} s", server.forwarded_packets, server.seconds));
        row("lost / undecodable", format!("{} / {}", server.lost, server.undecodable));
        if let (Some(cpu), Some(rate)) = (server.server_cpu_seconds, server.packets_per_cpu_second()) {
            row("server processor time", format!("{cpu:.3} s, {:.1} % of one", 100.0 * cpu / server.seconds));
            row("packets per processor second", format!("{rate:.0}"));
        }
        row("latency p50 / p99 / max", latency_text(server));
        if let Some(rss) = server.rss_bytes {
            let each = self.bytes_per_subscriber().map_or(String::new(), |each| format!(", {} kB a subscriber", each / 1000));
            row("server memory", format!("{:.1} MB{each}", rss as f64 / 1e6));
        }
        if let Some(joins) = &self.joins {
            let ms = |share| joins.quantile_ms(share).map_or("-".to_owned(), |ms| ms.to_string());
            row("joined with a picture", format!("{} ({} without)", joins.first_picture_ms.len(), joins.without_picture));
            row("ticket to first picture p50 / p95", format!("{} / {} ms", ms(0.5), ms(0.95)));
            row("keyframes a second", format!("{:.1}", server.keyframes as f64 / options.measured.as_secs_f64()));
            if let Some(failure) = &joins.failure {
                row("a join failed", failure.clone());
            }
        }
        if let Some(floor) = floor {
            row("raw loop: packets per cpu second", floor.packets_per_cpu_second().map_or("-".to_owned(), |r| format!("{r:.0}")));
            row("raw loop: forwarded / lost", format!("{} in {:.1} s / {}", floor.forwarded_packets, floor.seconds, floor.lost));
            row("raw loop: latency p50 / p99 / max", latency_text(floor));
            row("ratio to the raw loop", self.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        if let Some(seconds) = server.generator_cpu_seconds {
            row("(generator's processor time)", format!("{seconds:.3} s, {:.1} % of one", 100.0 * seconds / server.seconds));
        }
        out.trim_end().to_owned()
    }

    fn shape(&self) -> (usize, usize) {
        match self.options.scenario {
            super::options::Scenario::Meeting => (self.options.subscribers, self.options.subscribers),
            _ => (self.options.publishers, self.options.subscribers),
        }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.server.packets_per_cpu_second()? / self.floor.as_ref()?.packets_per_cpu_second()?)
    }

    fn bytes_per_subscriber(&self) -> Option<u64> {
        let subscribers = (self.options.subscribers * self.options.rooms).max(1) as u64;
        Some(self.server.rss_bytes?.saturating_sub(self.idle_bytes?) / subscribers)
    }
}

pub(super) fn latency_json(measured: &Measured) -> Value {
    let latency = &measured.latency;
    json!({ "p50": latency.quantile_us(0.5), "p99": latency.quantile_us(0.99), "max": latency.max_us() })
}

pub(super) fn latency_text(measured: &Measured) -> String {
    let latency = &measured.latency;
    format!("{} / {} / {} us", latency.quantile_us(0.5), latency.quantile_us(0.99), latency.max_us())
}
