//! The raw relay loop as a process of its own, under the same load as the server. It prints its ports, is told on its standard input who
//! is relayed to whom, and relays until that ends.
//!
//! ```text
//! > ports FRONT RELAY RELAY ...
//! < pair DEVICE PEER                 (for each relay)
//! < go
//! > going
//! ```

use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use tokio::io::{AsyncBufReadExt, BufReader};
use webcall_media::load::turn::{RawRelay, Relayed};

use super::options::Options;
use crate::bench::floor::{SOCKET_BUFFER_BYTES, when_input_ends};
use crate::bench::machine::Processors;
use crate::bench::measure::Measured;
use crate::bench::server::spawn_on;
use crate::bench::{BenchError, RAW_RELAY};

/// As large as those of the server's relays.
const RELAY_BUFFER_BYTES: usize = 256 << 10;

/// The raw loop's process, which is told on its command line how many relays it has.
pub(in crate::bench) fn run_raw_relay(relays: Option<&str>) -> Result<(), BenchError> {
    let wrong = |what: &str| BenchError::call("reading the raw relay loop's plan", what);
    let relays = relays.and_then(|relays| relays.parse().ok()).ok_or_else(|| wrong("the number of relays"))?;
    let raw = RawRelay::bind(relays, SOCKET_BUFFER_BYTES, RELAY_BUFFER_BYTES)?;
    let ports = raw.ports()?.iter().fold("ports".to_owned(), |text, port| format!("{text} {port}"));
    println!("{ports}");
    let mut pairs = Vec::with_capacity(relays);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line == "go" {
            break;
        }
        pairs.push(read_pair(&line).ok_or_else(|| wrong(&line))?);
    }
    let is_over = when_input_ends();
    println!("going");
    Ok(raw.run(&pairs, || is_over.load(Ordering::Relaxed))?)
}

fn read_pair(line: &str) -> Option<[SocketAddr; 2]> {
    let (device, peer) = line.strip_prefix("pair ")?.split_once(' ')?;
    Some([device.parse().ok()?, peer.parse().ok()?])
}

fn read_ports(line: &str) -> Option<Vec<SocketAddr>> {
    let port = |word: &str| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, word.parse().ok()?)));
    line.strip_prefix("ports ")?.split(' ').map(port).collect()
}

/// Puts the load of `options` on the raw loop and measures it.
pub(super) async fn measure_raw_relay(options: &Options, processors: Option<&Processors>) -> Result<Measured, BenchError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", RAW_RELAY, &options.allocations.to_string()]).env_clear();
    let mut child = spawn_on(command.stdin(Stdio::piped()).stdout(Stdio::piped()), processors)?;
    let measured = drive(&mut child, options).await;
    // Its input ends with this process at the latest; it has nothing to keep.
    let _ = child.kill();
    let _ = child.wait();
    measured
}

async fn drive(child: &mut std::process::Child, options: &Options) -> Result<Measured, BenchError> {
    let lost = || BenchError::call("starting the raw relay loop", "it ended");
    let mut input = child.stdin.take().ok_or_else(lost)?;
    let output = tokio::process::ChildStdout::from_std(child.stdout.take().ok_or_else(lost)?)?;
    let mut lines = BufReader::new(output).lines();
    let ports = lines.next_line().await?.and_then(|line| read_ports(&line)).ok_or_else(lost)?;
    let (front, relays) = ports.split_first().ok_or_else(lost)?;
    let relayed = Relayed::directly(*front, relays)?;
    let mut text = String::new();
    for [device, peer] in relayed.addresses()? {
        let _ = writeln!(text, "pair {device} {peer}");
    }
    text.push_str("go\n");
    input.write_all(text.as_bytes())?;
    lines.next_line().await?.ok_or_else(lost)?;
    let (_, measured) = super::measure(relayed, options, Some(child.id())).await?;
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_raw_loop_and_its_driver_tell_each_other_is_read_as_it_was_written_and_nothing_else_is() {
        let [device, peer]: [SocketAddr; 2] = ["127.0.0.1:5000", "127.0.0.1:5001"].map(|text| text.parse().unwrap());
        assert_eq!(read_pair(&format!("pair {device} {peer}")), Some([device, peer]));
        assert_eq!(read_ports("ports 5000 5001"), Some(vec![device, peer]));
        for line in ["", "pair", "pair 127.0.0.1:5000", "pair 1 2", "go"] {
            assert_eq!(read_pair(line), None, "{line}");
        }
        for line in ["", "ports", "ports x", "ports 70000"] {
            assert_eq!(read_ports(line), None, "{line}");
        }
    }
}
