//! The name of a STUN server, as it stands in a setting: `host`, `host:port`, `stun:host:port`, `[2001:db8::1]:3478`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The port of STUN (RFC 8489 §18.6).
const DEFAULT_PORT: u16 = 3478;
/// The longest name that DNS has (RFC 1035 §2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// A STUN server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StunServer {
    /// A name, or an address without brackets.
    pub host: String,
    /// Its UDP port.
    pub port: u16,
}

/// The text names no STUN server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("must look like stun.example.org:3478")]
pub struct StunServerError;

impl FromStr for StunServer {
    type Err = StunServerError;

    fn from_str(text: &str) -> Result<Self, StunServerError> {
        let text = text.trim().strip_prefix("stun:").unwrap_or(text.trim());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(StunServerError)?,
            None => match text.find(':') {
                // More than one colon without brackets is an IPv6 address.
                Some(at) if !text[at + 1..].contains(':') => text.split_at(at),
                _ => (text, ""),
            },
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or(StunServerError)?,
            None if port.is_empty() => DEFAULT_PORT,
            None => return Err(StunServerError),
        };
        let is_host = |character: char| character.is_ascii_alphanumeric() || ".-_:".contains(character);
        if host.is_empty() || host.len() > MAX_HOST_BYTES || !host.chars().all(is_host) {
            return Err(StunServerError);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for StunServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_server_is_read_and_written_back() {
        for (text, expected) in [
            ("stun.example.org", "stun.example.org:3478"),
            ("stun:stun.example.org:19302", "stun.example.org:19302"),
            (" 192.0.2.1:1 ", "192.0.2.1:1"),
            ("2001:db8::1", "[2001:db8::1]:3478"),
            ("[2001:db8::1]:5", "[2001:db8::1]:5"),
            ("[2001:db8::1]", "[2001:db8::1]:3478"),
        ] {
            assert_eq!(text.parse::<StunServer>().map(|server| server.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_names_no_server_is_refused() {
        let long = "a".repeat(254);
        for text in ["", ":3478", "host:", "host:0", "host:65536", "ho st", "stun://host", "[::1", "[::1]x", "host/path", &long] {
            assert_eq!(text.parse::<StunServer>(), Err(StunServerError), "{text}");
        }
    }
}
