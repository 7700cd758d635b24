//! The command line of `webcall bench turn`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use webcall_media::load::turn::{MAX_BURST, MAX_PAYLOAD_BYTES, MIN_PAYLOAD_BYTES, TurnLoad, Ways};

use crate::bench::options::{number, refused};
use crate::config::ConfigError;

/// Allocations at most: below the ports that the server and the sockets of the load have.
const MAX_ALLOCATIONS: usize = 10_000;
/// Measured and warm-up time at most: permissions end five minutes after they were given (RFC 8656 §9), and nobody renews them.
const MAX_SECONDS: u64 = 180;
const MAX_WARMUP_SECONDS: u64 = 60;
/// Payloads from here on are those of pictures, which come in bursts; below are voices, which come alone.
const PICTURE_BYTES: usize = 1_000;
/// Packets of a picture at once: what a camera of 1 Mbit/s has for a frame.
const PICTURE_BURST: usize = 4;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) allocations: usize,
    pub(super) load: TurnLoad,
    pub(super) measured: Duration,
    pub(super) warmup: Duration,
    pub(super) workers: usize,
    pub(super) has_floor: bool,
    pub(super) is_json: bool,
    pub(super) target: Option<Target>,
}

/// A running TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) server: SocketAddr,
    pub(super) user: String,
    pub(super) pid: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allocations: 10,
            load: TurnLoad { payload_bytes: 1_200, burst: PICTURE_BURST, ways: Ways::Both, pps: None },
            measured: Duration::from_secs(15),
            warmup: Duration::from_secs(4),
            workers: 1,
            has_floor: true,
            is_json: false,
            target: None,
        }
    }
}

impl Options {
    /// Reads the arguments after `bench turn`. `None` when help is asked for.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, ConfigError> {
        let mut words = arguments.into_iter().map(|word| word.to_string_lossy().into_owned());
        let mut options = Self::default();
        let (mut server, mut user, mut pid, mut burst) = (None, None, None, None);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| refused(&format!("{word} needs a value")));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--allocations" => options.allocations = number(&word, &value()?, &(1..=MAX_ALLOCATIONS))?,
                "--payload" => {
                    options.load.payload_bytes = number(&word, &value()?, &(MIN_PAYLOAD_BYTES..=MAX_PAYLOAD_BYTES))?;
                }
                "--burst" => burst = Some(number(&word, &value()?, &(1..=MAX_BURST))?),
                "--pps" => options.load.pps = Some(number(&word, &value()?, &(1..=1_000_000))?),
                "--direction" => options.load.ways = ways(&value()?)?,
                "--seconds" => options.measured = Duration::from_secs(number(&word, &value()?, &(1..=MAX_SECONDS))?),
                "--warmup" => options.warmup = Duration::from_secs(number(&word, &value()?, &(0..=MAX_WARMUP_SECONDS))?),
                "--workers" => options.workers = number(&word, &value()?, &(1..=64))?,
                "--no-floor" => options.has_floor = false,
                "--json" => options.is_json = true,
                "--target" => server = Some(address(&value()?)?),
                "--user" => user = Some(value()?),
                "--pid" => pid = Some(number(&word, &value()?, &(1..=u32::MAX))?),
                _ => return Err(refused(&format!("unknown argument `{word}`"))),
            }
        }
        let is_picture = options.load.payload_bytes >= PICTURE_BYTES;
        options.load.burst = burst.unwrap_or(if is_picture { PICTURE_BURST } else { 1 });
        options.target = match (server, user, pid) {
            (Some(server), Some(user), pid) => Some(Target { server, user, pid }),
            (None, None, None) => None,
            _ => return Err(refused("--target and --user belong together, and --pid to them")),
        };
        Ok(Some(options))
    }

    /// The word for the way that packets go.
    pub(super) fn direction(&self) -> &'static str {
        match self.load.ways {
            Ways::Up => "up",
            Ways::Down => "down",
            Ways::Both => "both",
        }
    }
}

fn ways(word: &str) -> Result<Ways, ConfigError> {
    match word {
        "up" => Ok(Ways::Up),
        "down" => Ok(Ways::Down),
        "both" => Ok(Ways::Both),
        _ => Err(refused(&format!("--direction takes up, down or both, not `{word}`"))),
    }
}

fn address(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| refused(&format!("--target takes an address with a port, like 127.0.0.1:3478, not `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Options>, ConfigError> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn pictures_come_in_bursts_and_voices_alone_unless_it_is_said_otherwise() {
        let load = |line: &str| parse(line).unwrap().unwrap().load;
        assert_eq!(load(""), TurnLoad { payload_bytes: 1_200, burst: 4, ways: Ways::Both, pps: None });
        assert_eq!(load("--payload 172 --direction up"), TurnLoad { payload_bytes: 172, burst: 1, ways: Ways::Up, pps: None });
        assert_eq!(load("--burst 2 --payload 172 --pps 50").burst, 2);
    }

    #[test]
    fn another_server_is_an_address_and_a_user() {
        let options = parse("--target 127.0.0.1:3478 --user bench --pid 7").unwrap().unwrap();
        let server = SocketAddr::from(([127, 0, 0, 1], 3_478));
        assert_eq!(options.target, Some(Target { server, user: "bench".to_owned(), pid: Some(7) }));
    }

    #[test]
    fn help_is_no_error_and_every_mistake_names_what_is_wrong() {
        assert_eq!(parse("--allocations 5 --help").unwrap(), None);
        for (line, name) in [
            ("--allocations 0", "--allocations takes a number from 1 to 10000"),
            ("--payload 31", "--payload takes a number from 32 to 1400"),
            ("--burst 17", "--burst takes a number from 1 to 16"),
            ("--direction left", "`left`"),
            ("--seconds 181", "--seconds takes a number"),
            ("--target localhost", "`localhost`"),
            ("--target 127.0.0.1:3478", "--user"),
            ("--pid 1", "--target"),
            ("--subscribers 3", "`--subscribers`"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(name), "{line}: {error}");
        }
    }
}
