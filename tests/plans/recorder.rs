//! Hears every statement that reaches a database, from the driver's own log.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// What the driver calls its log.
const TARGET: &str = "sqlx::query";
/// How the statements begin that could read a table; the others are the opening of stores and transactions.
const BEGINNINGS: [&str; 5] = ["select", "insert", "update", "delete", "with"];

/// The statements heard until now.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<BTreeSet<String>>>);

impl Recorder {
    /// For the whole process: SQLite's statements run on threads of the driver's.
    pub(crate) fn start() -> Self {
        let recorder = Self::default();
        let subscriber = tracing_subscriber::registry().with(recorder.clone().with_filter(LevelFilter::DEBUG));
        tracing::subscriber::set_global_default(subscriber).unwrap();
        recorder
    }

    /// What is heard while something runs.
    pub(crate) async fn during(&self, running: impl Future<Output = ()>) -> BTreeSet<String> {
        self.0.lock().unwrap().clear();
        running.await;
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TARGET {
            return;
        }
        let mut heard = Heard::default();
        event.record(&mut heard);
        let statement = if heard.statement.is_empty() { heard.summary } else { heard.statement };
        let statement = statement.trim();
        let begins = |word: &&str| statement.starts_with(*word);
        if BEGINNINGS.iter().any(begins) && !statement.contains("_sqlx_migrations") {
            self.0.lock().unwrap().insert(statement.to_owned());
        }
    }
}

/// A long statement stands in a field of its own; a short one is its own summary.
#[derive(Default)]
struct Heard {
    summary: String,
    statement: String,
}

impl Visit for Heard {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
