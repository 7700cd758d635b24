//! What was found out about a TURN server, for people and for programs.

use std::fmt::Write;

use serde_json::json;

use super::options::Options;
use crate::bench::measure::Measured;
use crate::bench::report::{latency_json, latency_text};

/// The result of one benchmark.
pub(super) struct Report {
    pub(super) options: Options,
    pub(super) server: Measured,
    pub(super) floor: Option<Measured>,
    /// The server's memory before anybody allocated.
    pub(super) idle_bytes: Option<u64>,
}

impl Report {
    /// One object, with the names of the other scenarios where they mean the same.
    pub(super) fn json(&self) -> String {
        let Self { options, server, floor, .. } = self;
        let floor = floor.as_ref();
        json!({
            "scenario": "turn",
            "allocations": options.allocations,
            "payload_bytes": options.load.payload_bytes,
            "burst": options.load.burst,
            "direction": options.direction(),
            "packets_per_second_each": options.load.pps,
            "workers": options.workers,
            "seconds": server.seconds,
            "forwarded_packets": server.forwarded_packets,
            "server_cpu_seconds": server.server_cpu_seconds,
            "generator_cpu_seconds": server.generator_cpu_seconds,
            "generator_idle_seconds": server.generator_idle_seconds,
            "packets_per_cpu_second": server.packets_per_cpu_second(),
            "lost": server.lost,
            "undecodable": server.undecodable,
            "latency_us": latency_json(server),
            "rss_bytes": server.rss_bytes,
            "bytes_per_allocation": self.bytes_per_allocation(),
            "floor_packets_per_cpu_second": floor.and_then(Measured::packets_per_cpu_second),
            "floor_latency_us": floor.map(latency_json),
            "floor_forwarded_packets": floor.map(|floor| floor.forwarded_packets),
            "floor_lost": floor.map(|floor| floor.lost),
            "ratio_to_floor": self.ratio(),
        })
        .to_string()
    }

    /// A table.
    pub(super) fn table(&self) -> String {
        let Self { options, server, floor, .. } = self;
        let mut out = String::new();
        let mut row = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<34} {value}");
        };
        let load = options.load;
        let pace = load.pps.map_or("as many as come back".to_owned(), |pps| format!("{pps} a second each"));
        row("scenario", format!("turn, {} allocation(s), {}", options.allocations, options.direction()));
        row("packets", format!("{} bytes, {} at once, {pace}", load.payload_bytes, load.burst));
        row("relayed packets", format!("{} in {:.1} s", server.forwarded_packets, server.seconds));
        row("lost / damaged", format!("{} / {}", server.lost, server.undecodable));
        if let (Some(cpu), Some(rate)) = (server.server_cpu_seconds, server.packets_per_cpu_second()) {
            row("server processor time", format!("{cpu:.3} s, {:.1} % of one", 100.0 * cpu / server.seconds));
            row("packets per processor second", format!("{rate:.0}"));
        }
        row("latency p50 / p99 / max", latency_text(server));
        if let Some(rss) = server.rss_bytes {
            let each = self.bytes_per_allocation().map_or(String::new(), |each| format!(", {} kB an allocation", each / 1000));
            row("server memory", format!("{:.1} MB{each}", rss as f64 / 1e6));
        }
        if let Some(floor) = floor {
            row("raw loop: packets per cpu second", floor.packets_per_cpu_second().map_or("-".to_owned(), |r| format!("{r:.0}")));
            row("raw loop: relayed / lost", format!("{} in {:.1} s / {}", floor.forwarded_packets, floor.seconds, floor.lost));
            row("raw loop: latency p50 / p99 / max", latency_text(floor));
            row("ratio to the raw loop", self.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2}")));
        }
        if let Some(seconds) = server.generator_cpu_seconds {
            row("(generator's processor time)", format!("{seconds:.3} s, {:.1} % of one", 100.0 * seconds / server.seconds));
        }
        if let Some(seconds) = server.generator_idle_seconds {
            row("(generator had nothing to do)", format!("{:.1} % of the time", 100.0 * seconds / server.seconds));
        }
        out.trim_end().to_owned()
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.server.packets_per_cpu_second()? / self.floor.as_ref()?.packets_per_cpu_second()?)
    }

    fn bytes_per_allocation(&self) -> Option<u64> {
        Some(self.server.rss_bytes?.saturating_sub(self.idle_bytes?) / self.options.allocations.max(1) as u64)
    }
}
