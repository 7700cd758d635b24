//! One measurement: samples of all participants and of the server at the ends of a window.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use webcall_media::load::Generator;
use webcall_media::synthetic::{Latency, Participant};

use super::BenchError;
use super::machine::{self, Usage};

/// How long what is under way may take once nobody sends any more.
const DRAIN: Duration = Duration::from_millis(1_500);

/// Before everybody fell silent: so lately a line of a crowd must have been heard to be judged.
const RECENT: Duration = Duration::from_millis(200);

/// What a measurement found.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    pub(super) seconds: f64,
    /// Packets that reached a subscriber, each counted once.
    pub(super) forwarded_packets: u64,
    /// `None` where the server's process cannot be looked at.
    pub(super) server_cpu_seconds: Option<f64>,
    pub(super) generator_cpu_seconds: Option<f64>,
    /// How long the generator had nothing to do, where it tells.
    pub(super) generator_idle_seconds: Option<f64>,
    pub(super) rss_bytes: Option<u64>,
    /// Packets that never came, and lines that end before what was sent does.
    pub(super) lost: u64,
    /// What a decoder could not use, and whatever else a receiver would call broken.
    pub(super) undecodable: u64,
    pub(super) latency: Latency,
    pub(super) keyframes: u64,
}

impl Measured {
    pub(super) fn packets_per_cpu_second(&self) -> Option<f64> {
        self.server_cpu_seconds.filter(|seconds| *seconds > 0.0).map(|seconds| self.forwarded_packets as f64 / seconds)
    }
}

/// The sums over all participants at a moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    at: Option<Instant>,
    received: u64,
    missing: u64,
    damaged: u64,
    keyframes: u64,
}

/// Measures for so long, then lets everybody fall silent and looks whether all that was sent has come.
pub(super) async fn measure(generator: &Generator, pid: Option<u32>, window: Duration) -> Result<Measured, BenchError> {
    let before = generator.ask(|now, people| {
        let sample = |participant: &mut Participant| {
            participant.forget_latency();
            sample_of(participant)
        };
        Sample { at: Some(now), ..people.map(sample).fold(Sample::default(), Sample::plus) }
    })?;
    let usage_before = usages(pid);
    tokio::time::sleep(window).await;
    let usage_after = usages(pid);
    let (after, latency) = generator.ask(|now, people| {
        let (mut sum, mut latency) = (Sample { at: Some(now), ..Sample::default() }, Latency::default());
        for participant in people {
            sum = sum.plus(sample_of(participant));
            latency.merge(participant.latency());
        }
        (sum, latency)
    })?;
    let end = fall_silent(generator).await?;
    let cpu = |[before, after]: [Option<Usage>; 2]| Some(after?.cpu_seconds - before?.cpu_seconds);
    Ok(Measured {
        seconds: after.at.zip(before.at).map_or(0.0, |(after, before)| after.duration_since(before).as_secs_f64()),
        forwarded_packets: after.received - before.received,
        server_cpu_seconds: cpu([usage_before[0], usage_after[0]]),
        generator_cpu_seconds: cpu([usage_before[1], usage_after[1]]),
        generator_idle_seconds: None,
        rss_bytes: usage_after[0].map(|usage| usage.rss_bytes),
        lost: end.missing.saturating_sub(before.missing),
        undecodable: end.damaged - before.damaged,
        latency,
        keyframes: after.keyframes - before.keyframes,
    })
}

/// Of the server and of this process.
fn usages(pid: Option<u32>) -> [Option<Usage>; 2] {
    [pid.and_then(machine::usage), machine::usage(std::process::id())]
}

async fn fall_silent(generator: &Generator) -> Result<Sample, BenchError> {
    generator.ask(|now, people| {
        for participant in people {
            participant.set_microphone(None);
            participant.stop_camera(now);
        }
    })?;
    tokio::time::sleep(DRAIN).await;
    Ok(generator.ask(|now, people| {
        let people: Vec<&mut Participant> = people.collect();
        let unfinished = unfinished(now, &people);
        let mut sum = people.into_iter().map(sample_of).fold(Sample::default(), Sample::plus);
        sum.missing += unfinished;
        sum
    })?)
}

/// Lines of viewers on which the newest frame is not the newest that its sender sent. In a crowd only those count on which somebody was
/// heard at the end: who is heard changes there.
fn unfinished(now: Instant, people: &[&mut Participant]) -> u64 {
    let newest: HashMap<u32, _> = people.iter().map(|participant| participant.newest_frames()).map(|f| (f.source, f)).collect();
    let voices = newest.values().filter(|sent| sent.sound.is_some()).count();
    let mut unfinished = 0;
    for participant in people {
        let is_crowd = participant.seats() < voices;
        for seat in 0..participant.seats() {
            let shown = participant.video(seat).last_shown;
            let is_last_shown = |shown: webcall_media::synthetic::Shown| {
                let sent =
                    newest.get(&shown.source).and_then(|sent| sent.layers.get(usize::from(shown.layer)).copied().flatten());
                sent == Some(shown.frame)
            };
            unfinished += u64::from(shown.is_some_and(|shown| !is_last_shown(shown)));
            let audio = participant.audio(seat);
            let is_recent = |at| now.saturating_duration_since(at) < DRAIN + RECENT;
            let heard = audio.newest.filter(|_| !is_crowd || audio.last_packet.is_some_and(is_recent));
            let is_last_heard = |(source, frame)| newest.get(&source).and_then(|sent| sent.sound) == Some(frame);
            unfinished += u64::from(heard.is_some_and(|heard| !is_last_heard(heard)));
        }
    }
    unfinished
}

fn sample_of(participant: &mut Participant) -> Sample {
    let transport = participant.transport();
    let mut sample =
        Sample { damaged: transport.forged + transport.unknown, keyframes: participant.sent().keyframes, ..Sample::default() };
    for seat in 0..participant.seats() {
        let (video, audio) = (participant.video(seat), participant.audio(seat));
        sample.received += video.packets - video.duplicates + video.repaired + audio.packets;
        sample.missing += video.missing + audio.missing.max(0).cast_unsigned();
        sample.damaged += video.faults.total() + video.cut + video.awaiting_keyframe + video.duplicates;
        sample.damaged += audio.faults.total() + audio.duplicates;
    }
    sample
}

impl Sample {
    fn plus(self, other: Self) -> Self {
        Self {
            at: self.at.or(other.at),
            received: self.received + other.received,
            missing: self.missing + other.missing,
            damaged: self.damaged + other.damaged,
            keyframes: self.keyframes + other.keyframes,
        }
    }
}
