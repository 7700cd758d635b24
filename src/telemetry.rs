//! Logs: one JSON object a line on stderr, so that stdout stays for people. `RUST_LOG` chooses what is said. Addresses, tokens, names
//! and contents of messages are never passed to a log; a panic becomes a line like any other.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Everything of ours, and of libraries what went wrong.
const DEFAULT_FILTER: &str = "warn,webcall=info,webcall_media=info";

/// Starts logging. Later calls do nothing.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, why = panic_message(panic), "a panic");
        }));
    }
}

fn panic_message<'a>(panic: &'a std::panic::PanicHookInfo<'_>) -> &'a str {
    panic.payload_as_str().unwrap_or("no message")
}
