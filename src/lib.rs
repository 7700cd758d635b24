//! The server of WebCall. Imports run one way:
//!
//! ```text
//! main -> lib -> { serve, bench, doctor, vault } -> port -> { http, signal } -> { chat, files, rooms, accounts, calls, e2ee, diagnostics } -> { store, bus, tls, media handle } -> { id, role, time, config, error }
//! ```
//!
//! - [`http`] the interface under `/api/v1`, the web client's files, health and metrics
//! - [`port`] the TCP port that everything shares: which connection speaks what
//! - [`signal`] one WebSocket for each open page: the signalling protocol
//! - [`accounts`], [`rooms`], [`chat`], [`calls`] the use-cases; `rooms::policy` says who may do what; [`diagnostics`] serves the page of that name
//! - [`files`] what people send each other: received piece by piece, read by members
//! - [`e2ee`] the server's half of end-to-end encryption: public keys and sealed bytes
//! - [`bench`] the command `webcall bench`: a client of this server or another
//! - [`doctor`] the command `webcall doctor`: looks for what keeps calls from working
//! - [`vault`] the commands `webcall backup`, `restore` and `migrate-to`
//! - [`store`] everything that outlives a restart; [`bus`] hints that something changed
//! - [`tls`] certificates: from files or by ACME, replaced while connections go on
//! - [`app`] holds all of it together; [`config`] reads the settings once at start

pub mod accounts;
pub mod app;
pub mod bench;
pub mod bus;
pub mod calls;
pub mod chat;
pub mod config;
pub mod diagnostics;
pub mod doctor;
pub mod e2ee;
pub mod error;
pub mod files;
pub mod http;
pub mod id;
pub mod limits;
pub mod metrics;
pub mod port;
pub mod process;
pub mod role;
pub mod rooms;
mod serve;
pub mod shutdown;
pub mod signal;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod tls;
pub mod turn_keys;
pub mod vault;

pub use serve::{RunError, Running, run, start};
