//! The command line of `webcall bench`.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use webcall_media::synthetic::VideoCodec;

use crate::config::ConfigError;

/// What `webcall bench --help` prints.
pub(super) const USAGE: &str = "\
webcall bench: what this machine, or a running server, can carry

Usage: webcall bench SCENARIO [options]

  fanout              a few send, many receive         (--publishers 1 --subscribers 100)
  meeting             everybody sees everybody         (--subscribers 10)
  audio               ten speakers, many listeners     (--publishers 10 --subscribers 200)
  join                many join within seconds         (--publishers 1 --subscribers 200, over --seconds 5)
  turn                packets through the TURN server  (--allocations 10 --payload 1200 --burst 4)
  chat                messages, stored and delivered   (--senders 64 --rooms 1)

  --publishers N      who sends, in fanout and audio
  --subscribers N     who receives; in meeting, who takes part
  --rooms N           so many calls of that shape at once (1)
  --seconds N         measured time (15)
  --warmup N          seconds before that (4)
  --codec NAME        vp8, vp9, h264 or av1 (vp8)
  --simulcast         three layers of 150, 500 and 1500 kbit/s (meeting and join: always)
  --kbps N            rate of a camera without simulcast (2500)
  --width N           width at which viewers show others, in pixels (640)
  --workers N         media threads of the server that is started (1)
  --no-floor          without the raw loop to compare with
  --json              one JSON object instead of a table

  --target URL        measure a running server (http:// or https://) instead of starting one; needs
  --user NAME         an account there, whose password is read from WEBCALL_BENCH_PASSWORD
  --ca-file FILE      whom to trust for its certificate, in PEM, instead of whom browsers trust
  --janus HOST:PORT   or the WebSocket API of a running Janus (fanout only)
  --pid N             the process of that server, if it runs on this machine, for its processor time

In turn, with --seconds, --warmup, --workers, --no-floor, --json and --pid as above:

  --allocations N     each with a device and a peer (10)
  --payload BYTES     what a packet carries (1200)
  --burst N           packets at once (4; below 1000 bytes 1)
  --direction WAY     up (device to peer), down or both (both)
  --pps N             packets a second for each allocation and way (as many as come back)
  --target HOST:PORT  measure another TURN server on UDP, whose limits let one user do this; needs
  --user NAME         a user there, whose password is read from WEBCALL_BENCH_PASSWORD

In chat, with --seconds, --warmup and --json as above:

  --senders N         who write, each its next message once the last one is acknowledged (64)
  --rooms N           rooms that they share (1)
  --members N         connected members that a message is to reach, measured afterwards (0)
  --idle N            connections over which nothing happens, beside which all is measured once more (0); then, too, one more
                      member listens, first one who reads, then one who never does
  --bytes N           what a message's body has (200)
  --database URL      an empty PostgreSQL database for the server that is started; SQLite without it

A camera sends 30 frames a second, a microphone 50 packets. Server and generator keep to different processors where there are
several (Linux), so the server has all but one of them.";

/// Which load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Few send, many receive.
    Fanout,
    /// Everybody sends and receives.
    Meeting,
    /// Ten speakers, many listeners.
    Audio,
    /// A storm of joins.
    Join,
}

const BELONG_TOGETHER: &str =
    "--target and --user belong together, --ca-file to them, --pid to them or to --janus, and --janus to fanout";

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) scenario: Scenario,
    pub(super) publishers: usize,
    pub(super) subscribers: usize,
    pub(super) rooms: usize,
    pub(super) measured: Duration,
    pub(super) warmup: Duration,
    pub(super) codec: VideoCodec,
    pub(super) is_simulcast: bool,
    pub(super) kbps: u32,
    pub(super) width_px: u32,
    pub(super) workers: usize,
    pub(super) has_floor: bool,
    pub(super) is_json: bool,
    pub(super) target: Option<Target>,
}

/// A running server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) server: Running,
    pub(super) pid: Option<u32>,
}

/// Which kind, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Running {
    WebCall {
        url: String,
        user: String,
        /// Whom to trust for the server's certificate; `None` is whom browsers trust.
        ca_file: Option<PathBuf>,
    },
    /// `host:port` of its WebSocket API.
    Janus { authority: String },
}

impl Scenario {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fanout => "fanout",
            Self::Meeting => "meeting",
            Self::Audio => "audio",
            Self::Join => "join",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Fanout, Self::Meeting, Self::Audio, Self::Join].into_iter().find(|scenario| scenario.name() == name)
    }
}

impl Options {
    fn of(scenario: Scenario) -> Self {
        let (publishers, subscribers) = match scenario {
            Scenario::Fanout => (1, 100),
            Scenario::Meeting => (0, 10),
            Scenario::Audio => (10, 200),
            Scenario::Join => (1, 200),
        };
        Self {
            scenario,
            publishers,
            subscribers,
            rooms: 1,
            measured: Duration::from_secs(if scenario == Scenario::Join { 5 } else { 15 }),
            warmup: Duration::from_secs(4),
            codec: VideoCodec::Vp8,
            is_simulcast: matches!(scenario, Scenario::Meeting | Scenario::Join),
            kbps: 2_500,
            width_px: 640,
            workers: 1,
            has_floor: true,
            is_json: false,
            target: None,
        }
    }

    /// Reads the arguments after `bench`. `None` when help is asked for.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Self>, ConfigError> {
        let mut words = arguments.into_iter().map(|word| word.to_string_lossy().into_owned());
        let Some(scenario) = words.next().filter(|word| word != "--help" && word != "-h") else { return Ok(None) };
        let scenario = Scenario::named(&scenario).ok_or_else(|| refused(&format!("there is no scenario `{scenario}`")))?;
        let mut options = Self::of(scenario);
        let (mut url, mut user, mut ca_file, mut janus, mut pid) = (None, None, None, None, None);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| refused(&format!("{word} needs a value")));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--publishers" => options.publishers = number(&word, &value()?, &(1..=100))?,
                "--subscribers" => options.subscribers = number(&word, &value()?, &(1..=1_500))?,
                "--rooms" => options.rooms = number(&word, &value()?, &(1..=200))?,
                "--seconds" => options.measured = Duration::from_secs(number(&word, &value()?, &(1..=3_600))?),
                "--warmup" => options.warmup = Duration::from_secs(number(&word, &value()?, &(0..=600))?),
                "--kbps" => options.kbps = number(&word, &value()?, &(50..=50_000))?,
                "--width" => options.width_px = number(&word, &value()?, &(1..=8_000))?,
                "--workers" => options.workers = number(&word, &value()?, &(1..=64))?,
                "--pid" => pid = Some(number(&word, &value()?, &(1..=u32::MAX))?),
                "--codec" => options.codec = codec(&value()?)?,
                "--simulcast" => options.is_simulcast = true,
                "--no-floor" => options.has_floor = false,
                "--json" => options.is_json = true,
                "--target" => url = Some(value()?),
                "--user" => user = Some(value()?),
                "--ca-file" => ca_file = Some(value()?.into()),
                "--janus" => janus = Some(value()?),
                _ => return Err(refused(&format!("unknown argument `{word}`"))),
            }
        }
        let server = match (url, user, janus) {
            (Some(url), Some(user), None) => Some(Running::WebCall { url, user, ca_file }),
            (None, None, Some(authority)) if scenario == Scenario::Fanout && ca_file.is_none() => {
                Some(Running::Janus { authority })
            }
            (None, None, None) if pid.is_none() && ca_file.is_none() => None,
            _ => return Err(refused(BELONG_TOGETHER)),
        };
        options.target = server.map(|server| Target { server, pid });
        Ok(Some(options))
    }
}

pub(super) fn refused(problem: &str) -> ConfigError {
    ConfigError::Argument(problem.to_owned())
}

pub(super) fn number<T>(name: &str, text: &str, range: &RangeInclusive<T>) -> Result<T, ConfigError>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let parsed = text.parse().ok().filter(|value| range.contains(value));
    parsed.ok_or_else(|| refused(&format!("{name} takes a number from {} to {}, not `{text}`", range.start(), range.end())))
}

fn codec(name: &str) -> Result<VideoCodec, ConfigError> {
    let found = VideoCodec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| refused(&format!("--codec takes vp8, vp9, h264 or av1, not `{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Options>, ConfigError> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_scenario_has_defaults_that_options_change() {
        let options = parse("fanout --subscribers 7 --codec av1 --json --seconds 3").unwrap().unwrap();
        assert_eq!((options.scenario, options.publishers, options.subscribers), (Scenario::Fanout, 1, 7));
        assert_eq!((options.codec, options.is_json, options.measured), (VideoCodec::Av1, true, Duration::from_secs(3)));
        assert!(options.has_floor && options.target.is_none());
    }

    #[test]
    fn help_is_no_error_and_every_mistake_names_what_is_wrong() {
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("fanout --help").unwrap(), None);
        for (line, name) in [
            ("party", "`party`"),
            ("fanout --subscribers", "--subscribers needs a value"),
            ("fanout --subscribers 0", "--subscribers takes a number"),
            ("fanout --codec gif", "`gif`"),
            ("fanout --loud", "`--loud`"),
            ("fanout --target http://localhost:8080", "--user"),
            ("fanout --pid 1", "--target"),
            ("fanout --ca-file roots.pem", "--target"),
            ("fanout --janus localhost:8188 --ca-file roots.pem", "--target"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(name), "{line}: {error}");
        }
    }
}
