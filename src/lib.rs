//! The server of WebCall. Imports run one way:
//!
//! ```text
//! main -> lib -> { bench, http, signal } -> { rooms, accounts, calls } -> { store, bus, tls, media handle } -> { id, role, time, config, error }
//! ```
//!
//! - [`http`] the interface under `/api/v1`, the web client's files, health and metrics
//! - [`signal`] one WebSocket for each open page: the signalling protocol
//! - [`accounts`], [`rooms`], [`calls`] the use-cases; `rooms::policy` says who may do what
//! - [`bench`] the command `webcall bench`: a client of this server or another
//! - [`store`] everything that outlives a restart; [`bus`] hints that something changed
//! - [`tls`] certificates: from files or by ACME, replaced while connections go on
//! - [`app`] holds all of it together; [`config`] reads the settings once at start

pub mod accounts;
pub mod app;
pub mod bench;
pub mod bus;
pub mod calls;
pub mod config;
pub mod error;
pub mod http;
pub mod id;
pub mod limits;
pub mod metrics;
pub mod role;
pub mod rooms;
mod serve;
pub mod shutdown;
pub mod signal;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod tls;

pub use serve::{RunError, Running, run, start};
