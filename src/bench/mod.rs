//! `webcall bench`: what this machine, or a running server, can carry. Starts a server (or takes a running one), lets synthetic
//! participants call through it over real ICE, DTLS and SRTP, checks every packet that they receive, and prints what it cost.
//!
//! ```text
//! options -> session -> { server, calls (who joins: api, signalling), measure (the window), floor (the raw loop) } -> report
//! ```
//!
//! `turn` is the same for the TURN server, `chat` for messages. The generator is this process, the server another; on Linux each keeps to its own processors.

mod adapter;
mod api;
mod calls;
mod chat;
mod connect;
mod floor;
mod janus;
mod machine;
mod measure;
mod options;
mod plan;
mod report;
mod server;
mod session;
mod signalling;
mod turn;

use std::ffi::OsString;

use crate::config::ConfigError;

/// The word that makes this process the raw loop of another's measurement.
const RAW_LOOP: &str = "raw-loop";
/// The same for TURN.
const RAW_RELAY: &str = "raw-relay";

/// Carries out what the arguments after `bench` say.
pub fn run(mut arguments: Vec<OsString>) -> Result<(), BenchError> {
    match arguments.first().and_then(|word| word.to_str()) {
        Some(RAW_LOOP) => return floor::run_floor(),
        Some(RAW_RELAY) => return turn::run_raw_relay(arguments.get(1).and_then(|word| word.to_str())),
        Some("chat") => return chat::run(arguments.split_off(1)),
        Some("turn") => return turn::run(arguments.split_off(1)),
        _ => {}
    }
    match options::Options::parse(arguments)? {
        Some(options) => session::run(&options),
        None => {
            println!("{}", options::USAGE);
            Ok(())
        }
    }
}

/// Why a benchmark could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The command line is wrong.
    #[error(transparent)]
    Options(#[from] ConfigError),
    /// The server could not be started.
    #[error("the server to be measured did not start: {0}")]
    Server(String),
    /// The server could not be reached, or answered something unexpected.
    #[error("{act}: {problem}")]
    Call {
        /// What was tried.
        act: &'static str,
        /// What came of it.
        problem: String,
    },
    /// The load generator failed.
    #[error(transparent)]
    Generator(#[from] webcall_media::load::GeneratorError),
    /// The load of a TURN server failed.
    #[error(transparent)]
    TurnLoad(#[from] webcall_media::load::turn::TurnLoadError),
    /// The system allows too few open files.
    #[error("{count} {what} take {wanted} open files, and the system allows {allowed} (ulimit -n); ask for fewer, or raise it")]
    OpenFiles {
        /// What is counted.
        what: &'static str,
        /// How many were asked for.
        count: usize,
        /// How many files that takes.
        wanted: u64,
        /// How many there may be.
        allowed: u64,
    },
    /// A synthetic participant could not go on.
    #[error("a participant cannot go on: {0}")]
    Participant(#[from] webcall_media::synthetic::SyntheticError),
    /// Participants did not connect.
    #[error("{missing} of {all} participants did not connect within {seconds} s")]
    NotConnected {
        /// How many.
        missing: usize,
        /// Of how many.
        all: usize,
        /// The patience.
        seconds: u64,
    },
    /// Input or output failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl BenchError {
    fn call(act: &'static str, problem: impl Into<String>) -> Self {
        Self::Call { act, problem: problem.into() }
    }

    /// For `map_err`.
    fn of<E: std::error::Error>(act: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::call(act, error.to_string())
    }
}
