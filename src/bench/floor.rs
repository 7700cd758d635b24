//! The raw loop as a process of its own, under the same load as the server: who sends and who receives is told to it on its standard
//! input, line by line, and it forwards until that ends.
//!
//! ```text
//! publisher KEYS
//! subscriber ADDRESS KEYS
//! route PUBLISHER SSRC SUBSCRIBER:SSRC ...
//! go
//! ```

use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use webcall_media::load::{Floor, FloorPlan, FloorRoute, FloorSubscriber, Generator};
use webcall_media::synthetic::{Direct, DirectKeys, Identity, Participant};

use super::BenchError;
use super::machine::Processors;
use super::measure::{Measured, measure};
use super::options::Options;
use super::plan::Plan;
use super::server::spawn_on;

/// As large as those of the server that is measured.
pub(super) const SOCKET_BUFFER_BYTES: usize = 16 << 20;
/// How long the loop runs before it is measured.
const WARMUP: Duration = Duration::from_secs(2);
const KEY_BYTES: usize = size_of::<DirectKeys>();

/// The raw loop's process: reads the plan, forwards, ends with its input.
pub(super) fn run_floor() -> Result<(), BenchError> {
    let floor = Floor::bind(SOCKET_BUFFER_BYTES)?;
    println!("port {}", floor.port()?);
    let mut lines = std::io::stdin().lock().lines();
    let mut plan = FloorPlan::default();
    for line in lines.by_ref() {
        let line = line?;
        if line == "go" {
            break;
        }
        read_line(&mut plan, &line).ok_or_else(|| BenchError::call("reading the raw loop's plan", line))?;
    }
    drop(lines);
    let is_over = when_input_ends();
    println!("going");
    Ok(floor.run(&plan, || is_over.load(Ordering::Relaxed))?)
}

/// Becomes true when the standard input ends.
pub(super) fn when_input_ends() -> Arc<AtomicBool> {
    let is_over = Arc::new(AtomicBool::new(false));
    let end = is_over.clone();
    std::thread::spawn(move || {
        while std::io::stdin().lock().lines().next().is_some() {}
        end.store(true, Ordering::Relaxed);
    });
    is_over
}

fn read_line(plan: &mut FloorPlan, line: &str) -> Option<()> {
    let mut words = line.split(' ');
    match words.next()? {
        "publisher" => plan.publishers.push(read_keys(words.next()?)?),
        "subscriber" => {
            let address = words.next()?.parse().ok()?;
            plan.subscribers.push(FloorSubscriber { address, keys: read_keys(words.next()?)? });
        }
        "route" => {
            let (publisher, ssrc) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            let pair = |word: &str| word.split_once(':').and_then(|(to, ssrc)| Some((to.parse().ok()?, ssrc.parse().ok()?)));
            plan.routes.push(FloorRoute { publisher, ssrc, to: words.map(pair).collect::<Option<_>>()? });
        }
        _ => return None,
    }
    Some(())
}

fn read_keys(hex: &str) -> Option<DirectKeys> {
    let mut keys = [0; KEY_BYTES];
    for (at, byte) in keys.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    (hex.len() == 2 * KEY_BYTES).then_some(DirectKeys(keys))
}

/// Puts the load of `options` on the raw loop and measures it.
pub(super) async fn measure_floor(options: &Options, processors: Option<&Processors>) -> Result<Measured, BenchError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", super::RAW_LOOP]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = spawn_on(&mut command, processors)?;
    let measured = drive(&mut child, options).await;
    // Its input ends with this process at the latest; it has nothing to keep.
    let _ = child.kill();
    let _ = child.wait();
    measured
}

async fn drive(child: &mut std::process::Child, options: &Options) -> Result<Measured, BenchError> {
    let lost = || BenchError::call("starting the raw loop", "it ended");
    let mut input = child.stdin.take().ok_or_else(lost)?;
    let output = tokio::process::ChildStdout::from_std(child.stdout.take().ok_or_else(lost)?)?;
    let mut lines = BufReader::new(output).lines();
    let first = lines.next_line().await?.ok_or_else(lost)?;
    let port: u16 = first.strip_prefix("port ").and_then(|port| port.parse().ok()).ok_or_else(lost)?;
    let generator = Generator::start()?;
    let identity = Identity::generate()?;
    let (mut text, mut directs) = (String::new(), Vec::new());
    for room in 0..options.rooms {
        add_room(&Plan::new(options, room), port, (&generator, &identity), options, &mut text, &mut directs)?;
    }
    text.push_str("go\n");
    input.write_all(text.as_bytes())?;
    lines.next_line().await?.ok_or_else(lost)?;
    generator.ask(move |now, people| -> Result<(), BenchError> {
        people.zip(&directs).try_for_each(|(participant, direct)| Ok(participant.connect_directly(now, direct)?))
    })??;
    tokio::time::sleep(WARMUP).await;
    measure(&generator, Some(child.id()), options.measured).await
}

fn add_room(
    plan: &Plan,
    port: u16,
    (generator, identity): (&Generator, &Identity),
    options: &Options,
    text: &mut String,
    directs: &mut Vec<Direct>,
) -> Result<(), BenchError> {
    let first = directs.len();
    let (epoch, unix_time) = generator.epoch();
    let mut ssrcs = Vec::new();
    let mut room = Vec::new();
    for (place, settings) in plan.people.iter().enumerate() {
        let keys = random_keys()?;
        let seats: Vec<(u32, u32)> =
            (0..plan.received_by(place).len() as u32).map(|seat| ssrc_pair((first + place) as u32, seat)).collect();
        room.push(Direct { keys, codec: options.codec, seats });
        let seed = u64::from(settings.source);
        let participant = Participant::new(epoch, unix_time, settings.clone(), identity, seed)?;
        ssrcs.push(participant.own_ssrcs());
        let address = generator.add(participant, ([127, 0, 0, 1], port).into())?;
        let _ = writeln!(text, "subscriber {address} {}", hex(&keys));
        let _ = writeln!(text, "publisher {}", hex(&keys));
    }
    for (sender, own) in ssrcs.iter().enumerate().take(plan.senders) {
        let sends = [(own.microphone, 0), (own.layers.get(plan.layer).copied(), 1)];
        for (ssrc, line) in sends {
            let Some(ssrc) = ssrc else { continue };
            let _ = write!(text, "route {} {ssrc}", first + sender);
            for (viewer, direct) in room.iter().enumerate() {
                let Some(seat) = plan.received_by(viewer).iter().position(|from| *from == sender) else { continue };
                let (sound, picture) = direct.seats[seat];
                let _ = write!(text, " {}:{}", first + viewer, if line == 0 { sound } else { picture });
            }
            text.push('\n');
        }
    }
    directs.append(&mut room);
    Ok(())
}

/// SSRCs that nobody else has.
fn ssrc_pair(person: u32, seat: u32) -> (u32, u32) {
    let base = 0x1000 + (person * 64 + seat) * 2;
    (base, base + 1)
}

fn random_keys() -> Result<DirectKeys, BenchError> {
    use ring::rand::SecureRandom;
    let mut keys = [0; KEY_BYTES];
    ring::rand::SystemRandom::new().fill(&mut keys).map_err(|_| BenchError::call("making keys", "no random numbers"))?;
    Ok(DirectKeys(keys))
}

fn hex(keys: &DirectKeys) -> String {
    keys.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_was_written_and_nothing_else_is() {
        let keys = random_keys().unwrap();
        let mut plan = FloorPlan::default();
        let lines = [
            format!("publisher {}", hex(&keys)),
            format!("subscriber 127.0.0.1:5000 {}", hex(&keys)),
            "route 0 77 0:4096 3:4100".to_owned(),
        ];
        lines.iter().for_each(|line| read_line(&mut plan, line).unwrap());
        assert_eq!(plan.publishers[0].0, keys.0);
        assert_eq!(plan.subscribers[0].address.port(), 5_000);
        assert_eq!((plan.routes[0].ssrc, &plan.routes[0].to[..]), (77, &[(0, 4_096), (3, 4_100)][..]));
        for line in ["", "publisher", "publisher 00", "route 1 x", "dance"] {
            assert_eq!(read_line(&mut plan, line), None, "{line}");
        }
    }
}
