//! The interface as a program meets it: a whole server on a port of its own, driven over real HTTP.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/authority.rs"]
mod authority;
#[allow(dead_code)] // How the command is started, and not its callers.
#[path = "support/binary.rs"]
mod binary;
#[path = "support/bucket.rs"]
mod bucket;
#[allow(dead_code)] // Groups of calls, which are tried beside signalling.
#[path = "support/mls.rs"]
mod mls;
#[path = "support/seeded.rs"]
mod seeded;
#[path = "support/server.rs"]
mod server;

#[path = "http/accounts.rs"]
mod accounts;
#[path = "http/assets.rs"]
mod assets;
#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/diagnostics.rs"]
mod diagnostics;
#[path = "http/e2ee/mod.rs"]
mod e2ee;
#[path = "http/files.rs"]
mod files;
#[path = "http/files_bucket.rs"]
mod files_bucket;
#[path = "http/files_full.rs"]
mod files_full;
#[path = "http/files_killed.rs"]
mod files_killed;
#[path = "http/files_process.rs"]
mod files_process;
#[path = "http/headers.rs"]
mod headers;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/messages.rs"]
mod messages;
#[path = "http/operations.rs"]
mod operations;
#[path = "http/order.rs"]
mod order;
#[path = "http/policy.rs"]
mod policy;
#[path = "http/rooms.rs"]
mod rooms;
#[path = "http/sessions.rs"]
mod sessions;
#[path = "http/stopping.rs"]
mod stopping;
#[path = "http/turn_credentials.rs"]
mod turn_credentials;
