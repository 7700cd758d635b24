//! `webcall bench`: what this machine, or a running server, can carry. Starts a server (or takes a running one), lets synthetic
//! participants call through it over real ICE, DTLS and SRTP, checks every packet that they receive, and prints what it cost.
//!
//! ```text
//! options -> session -> { server, calls (who joins: api, signalling), measure (the window), floor (the raw loop) } -> report
//! ```
//!
//! The generator is this process, the server another; on Linux each keeps to its own processors.

mod adapter;
mod api;
mod calls;
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

use std::ffi::OsString;

use crate::config::ConfigError;

/// The word that makes this process the raw loop of another's measurement.
const RAW_LOOP: &str = "raw-loop";

/// Carries out what the arguments after `bench` say.
pub fn run(arguments: Vec<OsString>) -> Result<(), BenchError> {
    if arguments.first().is_some_and(|word| word == RAW_LOOP) {
        return floor::run_floor();
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
