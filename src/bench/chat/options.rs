//! The command line of `webcall bench chat`.

use std::ffi::OsString;
use std::time::Duration;

use super::common::{number, refused};
use crate::config::ConfigError;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) senders: usize,
    pub(super) rooms: usize,
    pub(super) members: usize,
    pub(super) idle: usize,
    pub(super) bytes: usize,
    pub(super) measured: Duration,
    pub(super) warmup: Duration,
    pub(super) database: Option<String>,
    pub(super) is_json: bool,
}

impl Options {
    /// Reads the arguments after `bench chat`. `None` when help is asked for.
    pub(super) fn parse(arguments: Vec<OsString>) -> Result<Option<Self>, ConfigError> {
        let mut words = arguments.into_iter().map(|word| word.to_string_lossy().into_owned());
        let mut options = Self {
            senders: 64,
            rooms: 1,
            members: 0,
            idle: 0,
            bytes: 200,
            measured: Duration::from_secs(10),
            warmup: Duration::from_secs(2),
            database: None,
            is_json: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| refused(&format!("{word} needs a value")));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--senders" => options.senders = number(&word, &value()?, &(1..=150))?,
                "--rooms" => options.rooms = number(&word, &value()?, &(1..=150))?,
                "--members" => options.members = number(&word, &value()?, &(0..=10_000))?,
                "--idle" => options.idle = number(&word, &value()?, &(0..=15_000))?,
                "--bytes" => options.bytes = number(&word, &value()?, &(1..=65_536))?,
                "--seconds" => options.measured = Duration::from_secs(number(&word, &value()?, &(1..=3_600))?),
                "--warmup" => options.warmup = Duration::from_secs(number(&word, &value()?, &(0..=600))?),
                "--database" => options.database = Some(value()?),
                "--json" => options.is_json = true,
                _ => return Err(refused(&format!("unknown argument `{word}`"))),
            }
        }
        if options.rooms > options.senders {
            return Err(refused("--rooms are at most as many as --senders"));
        }
        Ok(Some(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        let parse = |line: &str| Options::parse(line.split_whitespace().map(OsString::from).collect());
        assert_eq!(parse("--senders 8 --rooms 8").unwrap().unwrap().rooms, 8);
        assert_eq!(parse("--help").unwrap(), None);
        for (line, name) in [("--senders 0", "--senders takes"), ("--rooms 65", "--rooms are at most"), ("--loud", "`--loud`")] {
            assert!(parse(line).unwrap_err().to_string().contains(name), "{line}");
        }
    }
}
