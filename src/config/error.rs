//! Why the server will not start with these settings. Each message says what to change; none repeats a secret.

use std::path::PathBuf;

use thiserror::Error;

/// A setting that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The command line is wrong.
    #[error("{0}\nTry `--help`.")]
    Argument(String),
    /// An environment variable is wrong.
    #[error("{name} {problem}")]
    Variable {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A secret is missing in production.
    #[error(
        "{name} must be set when APP_ENV=production: {min_len} random characters or more, for example from `openssl rand -hex 32`"
    )]
    SecretMissing {
        /// Which.
        name: &'static str,
        /// The least length.
        min_len: usize,
    },
    /// A secret is weak in production.
    #[error("{name} is too weak for APP_ENV=production: it {problem}. Take one from `openssl rand -hex 32`")]
    SecretWeak {
        /// Which.
        name: &'static str,
        /// What is weak about it.
        problem: String,
    },
    /// Several nodes are not supported yet.
    #[error("REDIS_URL is set, but running on several nodes is not supported yet: unset it to run on one node")]
    RedisUnsupported,
    /// `turn.toml` is wrong.
    #[error("{}: {problem}", file.display())]
    TurnFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, with the line.
        problem: String,
    },
    /// A file or folder cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
