//! Figures for dashboards. Names are stable. HTTP is counted as it happens; the media core keeps plain counters of its own, which are
//! read when somebody asks. No label holds a room, a user or a raw address: their number is bounded.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use webcall_media::{CounterRow, Media};

/// From a cached page to a log-in that waits for others.
const LATENCY_BUCKETS_S: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Before every name that is not HTTP's.
const PREFIX: &str = "webcall";

/// All figures.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RequestLabels, Histogram>,
    rooms: Gauge,
    calls: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    path: String,
    status: u16,
}

impl Metrics {
    /// Counts from zero; asks `media` for its figures when they are wanted.
    pub fn new(media: Media) -> Self {
        let mut registry = Registry::default();
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("http_requests", "HTTP requests answered", requests.clone());
        let durations =
            Family::<RequestLabels, Histogram>::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS_S.iter().copied()));
        let help = "Time from the head of a request to the head of its answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        let (rooms, calls): (Gauge, Gauge) = Default::default();
        let ours = registry.sub_registry_with_prefix(PREFIX);
        ours.register("rooms", "Rooms that exist", rooms.clone());
        ours.register("calls", "Rooms in which somebody is in a call now", calls.clone());
        ours.register_collector(Box::new(MediaCollector { media }));
        Self { registry, requests, durations, rooms, calls }
    }

    /// Counts an answered request. `path` is the route's pattern.
    pub fn count_request(&self, method: &'static str, path: &str, status: u16, latency: Duration) {
        let labels = RequestLabels { method, path: path.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&labels).observe(latency.as_secs_f64());
    }

    /// Notes how many rooms there are, and in how many there is a call.
    pub fn set_rooms(&self, rooms: i64, calls: usize) {
        self.rooms.set(rooms);
        self.calls.set(i64::try_from(calls).unwrap_or(i64::MAX));
    }

    /// All figures in the text format of OpenMetrics.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// No exemplar has labels, because there are no exemplars.
type NoLabels = [(&'static str, &'static str); 0];

struct MediaCollector {
    media: Media,
}

impl fmt::Debug for MediaCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaCollector")
    }
}

impl Collector for MediaCollector {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        encode_rows(self.media.counters(), encoder)
    }
}

/// Rows of one name make one metric, whatever their order.
fn encode_rows(mut rows: Vec<CounterRow>, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    rows.sort_by(|left, right| (left.name, &left.labels).cmp(&(right.name, &right.labels)));
    for group in rows.chunk_by(|left, right| left.name == right.name) {
        let (name, help, is_gauge) = (group[0].name, group[0].help, group[0].is_gauge);
        let kind = if is_gauge { MetricType::Gauge } else { MetricType::Counter };
        let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
        for row in group {
            match &row.labels[..] {
                [] => encode_value(&mut metric, row)?,
                _ => encode_value(&mut metric.encode_family(&row.labels)?, row)?,
            }
        }
    }
    Ok(())
}

fn encode_value(metric: &mut MetricEncoder<'_>, row: &CounterRow) -> fmt::Result {
    if row.is_gauge {
        return metric.encode_gauge(&i64::try_from(row.value).unwrap_or(i64::MAX));
    }
    metric.encode_counter::<NoLabels, u64, u64>(&row.value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rows(Vec<CounterRow>);

    impl fmt::Debug for Rows {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Rows")
        }
    }

    impl Collector for Rows {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
            encode_rows(self.0.clone(), encoder)
        }
    }

    #[test]
    fn rows_of_one_name_become_one_metric_with_labels() {
        let row =
            |name, labels: &[_], value, is_gauge| CounterRow { name, help: "Help", is_gauge, labels: labels.to_vec(), value };
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(Rows(vec![
            row("packets_dropped", &[("reason", "late")], 3, false),
            row("participants", &[], 2, true),
            row("packets_dropped", &[("reason", "unknown_ssrc")], 1, false),
        ])));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("webcall_packets_dropped_total{reason=\"late\"} 3\n"), "{text}");
        assert!(text.contains("webcall_packets_dropped_total{reason=\"unknown_ssrc\"} 1\n"), "{text}");
        assert!(text.contains("webcall_participants 2\n"), "{text}");
        assert_eq!(text.matches("# TYPE webcall_packets_dropped").count(), 1, "{text}");
    }
}
