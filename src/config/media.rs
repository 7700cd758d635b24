//! `turn.toml`: the network settings of media and TURN. An unknown key is an error that names its line, so that a typing mistake is
//! noticed at start and not when no sound comes.

use std::fs;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::Path;

use serde::Deserialize;
use webcall_media::MediaConfig;
use webcall_media::addresses::StunServer;

use super::ConfigError;
use super::tcp::{TcpConfig, TcpSection};
use super::turn::TurnSection;

/// More threads than any machine this was measured on; each costs a UDP port.
const WORKERS: RangeInclusive<usize> = 0..=64;
/// Two make a call; beyond two thousand the participant list itself becomes the load.
const MAX_PARTICIPANTS: RangeInclusive<usize> = 2..=2_000;
/// One spreads every call; more than a call holds spreads none before its worker is busy.
const PARTICIPANTS_PER_WORKER: RangeInclusive<usize> = 1..=2_000;
/// All are asked at once; beyond a few they only repeat each other.
const MAX_STUN_SERVERS: usize = 8;
/// Below, a burst of one keyframe is lost; above, the kernel refuses.
const SOCKET_BUFFER_BYTES: RangeInclusive<usize> = 65_536..=67_108_864;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct TurnFile {
    media: MediaSection,
    tcp: TcpSection,
    turn: TurnSection,
}

/// What the file says.
#[derive(Debug)]
pub(super) struct NetworkConfig {
    pub(super) media: MediaConfig,
    pub(super) tcp: TcpConfig,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MediaSection {
    workers: usize,
    udp_port: u16,
    advertised: Vec<IpAddr>,
    stun_servers: Vec<String>,
    advertised_port: u16,
    max_participants: usize,
    participants_per_worker: usize,
    socket_buffer_bytes: usize,
}

impl Default for MediaSection {
    fn default() -> Self {
        let core = MediaConfig::default();
        Self {
            workers: 0,
            udp_port: core.udp_port,
            advertised: core.advertised,
            stun_servers: Vec::new(),
            advertised_port: core.advertised_port.unwrap_or(0),
            max_participants: core.max_participants,
            participants_per_worker: core.participants_per_worker,
            socket_buffer_bytes: core.socket_buffer_bytes,
        }
    }
}

/// Reads the file, or takes the defaults without one.
pub(super) fn load(file: Option<&Path>) -> Result<NetworkConfig, ConfigError> {
    let Some(file) = file else { return Ok(parse("").expect("the defaults fit together")) };
    let text = fs::read_to_string(file).map_err(|source| ConfigError::File { path: file.to_owned(), source })?;
    parse(&text).map_err(|problem| ConfigError::TurnFile { file: file.to_owned(), problem: with_line(&text, problem) })
}

/// For the fuzzer: whether a text is settings.
#[doc(hidden)]
pub fn is_turn_file(text: &str) -> bool {
    parse(text).map_err(|problem| with_line(text, problem)).is_ok()
}

/// Names the line of the key that a problem begins with, `section.key`, where it stands in the file.
fn with_line(text: &str, problem: String) -> String {
    let name = problem.split([' ', ':']).next().unwrap_or_default();
    let Some((section, key)) = name.split_once('.') else { return problem };
    let mut current = "";
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            current = header.trim();
        }
        if current == section && line.split('=').next().is_some_and(|name| name.trim() == key) {
            return format!("line {}: {problem}", index + 1);
        }
    }
    problem
}

fn parse(text: &str) -> Result<NetworkConfig, String> {
    let TurnFile { media, tcp, turn } = toml::from_str(text).map_err(|error| error.to_string())?;
    within("workers", media.workers, WORKERS)?;
    within("max_participants", media.max_participants, MAX_PARTICIPANTS)?;
    within("participants_per_worker", media.participants_per_worker, PARTICIPANTS_PER_WORKER)?;
    within("socket_buffer_bytes", media.socket_buffer_bytes, SOCKET_BUFFER_BYTES)?;
    let workers = if media.workers == 0 { MediaConfig::default().workers } else { media.workers };
    enough_ports("udp_port", media.udp_port, workers)?;
    enough_ports("advertised_port", media.advertised_port, workers)?;
    let tcp = tcp.settings()?;
    let media = MediaConfig {
        workers,
        udp_port: media.udp_port,
        advertised: media.advertised,
        stun_servers: stun_servers(&media.stun_servers)?,
        advertised_port: (media.advertised_port != 0).then_some(media.advertised_port),
        max_participants: media.max_participants,
        participants_per_worker: media.participants_per_worker,
        socket_buffer_bytes: media.socket_buffer_bytes,
        // Known when the port is open.
        tcp_port: None,
        turn: turn.settings(workers)?,
    };
    Ok(NetworkConfig { media, tcp })
}

fn stun_servers(texts: &[String]) -> Result<Vec<StunServer>, String> {
    if texts.len() > MAX_STUN_SERVERS {
        return Err(format!("media.stun_servers may name {MAX_STUN_SERVERS} servers at most, not {}", texts.len()));
    }
    texts.iter().map(|text| text.parse().map_err(|error| format!("media.stun_servers: `{text}` {error}"))).collect()
}

fn within(key: &str, value: usize, range: RangeInclusive<usize>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("media.{key} must be from {} to {}, not {value}", range.start(), range.end()))
}

/// Each worker takes the next port; 0 lets the system choose.
fn enough_ports(key: &str, first: u16, workers: usize) -> Result<(), String> {
    let last = usize::from(first) + workers - 1;
    if first == 0 || last <= usize::from(u16::MAX) {
        return Ok(());
    }
    Err(format!("media.{key} = {first} leaves no room below 65536 for {workers} workers, which take a port each"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../turn.toml");

    #[test]
    fn the_shipped_file_says_the_defaults() {
        assert_eq!(format!("{:?}", parse(SHIPPED).unwrap()), format!("{:?}", parse("").unwrap()));
    }

    #[test]
    fn the_shipped_file_has_every_key() {
        let known = ["workers", "udp_port", "advertised", "stun_servers", "advertised_port", "max_participants"];
        for key in known.into_iter().chain(["participants_per_worker", "socket_buffer_bytes"]) {
            assert!(SHIPPED.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
        }
    }

    #[test]
    fn any_text_is_settings_or_a_refusal() {
        let mut random = 88_172_645_463_325_252_u64;
        let mut below = |end: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % end as u64) as usize
        };
        let pieces = [
            "[turn]",
            "[[media]]",
            "=",
            "-1",
            "99999999999999999999",
            "\"",
            "{",
            "[",
            "\n",
            "users = [{}]",
            "peers_allow = [\"::/0\"]",
            "\u{0}",
            "ключ",
        ];
        for _ in 0..2_000 {
            let mut text: Vec<char> = SHIPPED.chars().collect();
            for _ in 0..=below(4) {
                let at = below(text.len());
                let end = (at + below(30)).min(text.len());
                text.splice(at..end, pieces[below(pieces.len())].chars());
            }
            let text: String = text.into_iter().collect();
            if let Err(problem) = parse(&text) {
                assert!(!with_line(&text, problem).is_empty());
            }
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let problem = parse("[media]\nworkers = 1\nudp_prot = 50000\n").unwrap_err();
        assert!(problem.contains("line 3") && problem.contains("udp_prot"), "{problem}");
    }

    #[test]
    fn a_value_that_cannot_be_is_refused_with_its_line() {
        let text = "# 1\n[media]\nworkers = 2\n[turn]\nrelay_port_min = 60000\n relay_port_max= 60000\n";
        let problem = with_line(text, parse(text).err().unwrap());
        assert!(problem.starts_with("line 6: turn.relay_port_max"), "{problem}");
        assert_eq!(with_line("", "turn.realm is empty".to_owned()), "turn.realm is empty");
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        for (line, name) in [
            ("workers = 65", "media.workers"),
            ("max_participants = 1", "media.max_participants"),
            ("participants_per_worker = 0", "media.participants_per_worker"),
            ("socket_buffer_bytes = 1", "media.socket_buffer_bytes"),
            ("stun_servers = [\"http://x\"]", "media.stun_servers: `http://x`"),
            ("stun_servers = [\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]", "media.stun_servers"),
            ("workers = 2\n[turn]\nrelay_port_min = 60000\nrelay_port_max = 60000", "turn.relay_port_max"),
            ("\n[tcp]\nmax_connections = 0", "tcp.max_connections"),
            ("\n[tcp]\nmax_connections_per_ip = 0", "tcp.max_connections_per_ip"),
            ("\n[turn]\nmax_allocations = 0", "turn.max_allocations"),
            ("\n[turn]\nrealm = \"\"", "turn.realm"),
            ("\n[turn]\nmax_lifetime_s = 5", "turn.max_lifetime_s"),
            ("\n[turn]\nusers = [{ name = \"\", password = \"x\" }]", "turn.users"),
            ("\n[turn]\npeers_allow = [\"10.0.0.1/8\"]", "turn.peers_allow"),
            ("workers = 2\nudp_port = 65535", "media.udp_port"),
            ("workers = 2\nadvertised_port = 65535", "media.advertised_port"),
        ] {
            let problem = parse(&format!("[media]\n{line}")).unwrap_err();
            assert!(problem.contains(name), "{problem}");
        }
        assert!(parse("[media]\nadvertised = [\"example.org\"]").unwrap_err().contains("line 2"));
    }
}
