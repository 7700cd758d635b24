//! From the outbox, or from runs that are made already, to the kernel: neighbours of equal size to one address become one run (UDP GSO),
//! and many runs one system call where the system has that (Linux: `mmsg.rs`), else a call each.

use std::io;

use super::port::UdpPort;
use crate::outbox::{Outbox, Transmit};
use crate::transport::Path;

/// The most datagrams that one run may join; the kernel's own limit is 64 (UDP_MAX_SEGMENTS).
const MAX_SEGMENTS: usize = 64;
/// The most bytes that one run may join: a UDP payload ends below 64 KiB.
const MAX_RUN_BYTES: usize = 60_000;

/// Runs that are worth being collected for one call.
#[cfg(target_os = "linux")]
pub(crate) const MAX_RUNS: usize = super::mmsg::MAX_RUNS;
#[cfg(not(target_os = "linux"))]
pub(crate) const MAX_RUNS: usize = 1;

/// Datagrams for one destination, one behind the other: each of `segment_bytes`, but the last, which may be shorter.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) path: Path,
    pub(crate) contents: &'a [u8],
    pub(crate) segment_bytes: usize,
}

impl<'a> Run<'a> {
    /// Neighbours in the outbox; `None` when there are none.
    #[cfg(target_os = "linux")]
    fn of(outbox: &'a Outbox, run: &[Transmit]) -> Option<Self> {
        let first = run.first()?;
        Some(Self { path: first.path, contents: outbox.contents(run), segment_bytes: first.len() })
    }

    /// Whether it is more than one.
    pub(super) fn is_joined(&self) -> bool {
        self.contents.len() > self.segment_bytes
    }
}

pub(crate) struct Sender {
    max_segments: usize,
    #[cfg(target_os = "linux")]
    batch: super::mmsg::Batch,
}

impl Sender {
    pub(crate) fn new(max_segments: usize) -> Self {
        Self {
            max_segments: max_segments.clamp(1, MAX_SEGMENTS),
            #[cfg(target_os = "linux")]
            batch: super::mmsg::Batch::default(),
        }
    }

    /// Sends everything; `sent` learns of each run whether it went out.
    pub(super) fn send(&mut self, port: &UdpPort, outbox: &Outbox, mut sent: impl FnMut(&[Transmit], io::Result<()>)) {
        let mut rest = outbox.transmits();
        while !rest.is_empty() {
            let done = self.send_some(port, outbox, rest, &mut sent);
            rest = &rest[done..];
        }
    }

    /// Sends runs. What the system does not take is lost, as on any network.
    #[cfg(target_os = "linux")]
    pub(crate) fn send_runs(&mut self, port: &UdpPort, mut runs: &[Run<'_>]) {
        while let Some((first, others)) = runs.split_first() {
            match self.batch.send(&port.io, port.is_ipv6, runs.iter().copied()) {
                Ok(accepted) => runs = runs.get(accepted.max(1)..).unwrap_or_default(),
                Err(error) => {
                    if first.is_joined() && is_refusal_of_runs(&error) {
                        let _ = port.send(first.path, first.contents, first.segment_bytes);
                    }
                    runs = others;
                }
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn send_runs(&mut self, port: &UdpPort, runs: &[Run<'_>]) {
        for run in runs {
            let _ = port.send(run.path, run.contents, run.segment_bytes);
        }
    }

    /// Sends a batch of runs from the front; how many datagrams are done with.
    #[cfg(target_os = "linux")]
    fn send_some(
        &mut self,
        port: &UdpPort,
        outbox: &Outbox,
        rest: &[Transmit],
        sent: &mut impl FnMut(&[Transmit], io::Result<()>),
    ) -> usize {
        let mut runs: [&[Transmit]; MAX_RUNS] = [&[]; MAX_RUNS];
        let (mut left, mut count) = (rest, 0);
        while let Some((first, slot)) = left.first().zip(runs.get_mut(count)) {
            (*slot, left) = left.split_at(run_length(self.max_segments, left, first));
            count += 1;
        }
        let mut runs = &runs[..count];
        let mut done = 0;
        while let Some((first, others)) = runs.split_first() {
            match self.batch.send(&port.io, port.is_ipv6, runs.iter().filter_map(|run| Run::of(outbox, run))) {
                Ok(accepted) => {
                    let (accepted, others) = runs.split_at(accepted.clamp(1, runs.len()));
                    for run in accepted {
                        sent(run, Ok(()));
                        done += run.len();
                    }
                    runs = others;
                }
                Err(error) if first.len() > 1 && is_refusal_of_runs(&error) => {
                    // The network interface cannot cut runs: from here on a datagram each.
                    self.max_segments = 1;
                    return done;
                }
                Err(error) => {
                    sent(first, Err(error));
                    done += first.len();
                    runs = others;
                }
            }
        }
        done
    }

    #[cfg(not(target_os = "linux"))]
    fn send_some(
        &mut self,
        port: &UdpPort,
        outbox: &Outbox,
        rest: &[Transmit],
        sent: &mut impl FnMut(&[Transmit], io::Result<()>),
    ) -> usize {
        let first = &rest[0];
        let run = &rest[..run_length(self.max_segments, rest, first)];
        sent(run, port.send(first.path, outbox.contents(run), first.len()));
        run.len()
    }
}

/// How many datagrams from the front one run can take: same path, equal sizes, only the last may be shorter, nothing in between.
fn run_length(max_segments: usize, rest: &[Transmit], first: &Transmit) -> usize {
    let most = max_segments.min(MAX_RUN_BYTES / first.len().max(1)).max(1);
    let mut length = 1;
    for next in rest.iter().take(most).skip(1) {
        let previous = &rest[length - 1];
        if next.path != first.path || next.len() > first.len() || !next.follows(previous) {
            break;
        }
        length += 1;
        if next.len() < first.len() {
            break;
        }
    }
    length
}

/// EIO: no checksum offload; EINVAL: no such option, or a segment larger than the path's MTU.
#[cfg(target_os = "linux")]
fn is_refusal_of_runs(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::net::Buffers;

    /// A bound that only a machine in trouble reaches.
    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn runs_beyond_one_call_arrive_whole_and_in_order_and_a_destination_that_is_none_stops_no_other() {
        let bind = || UdpPort::bind((Ipv4Addr::LOCALHOST, 0).into(), 1 << 20).unwrap();
        let (port, mut receiver) = (bind(), bind());
        let mut poll = mio::Poll::new().unwrap();
        poll.registry().register(&mut receiver.io, mio::Token(0), mio::Interest::READABLE).unwrap();
        let path = Path::udp(receiver.io.local_addr().unwrap(), None);
        let nowhere = Path::udp("255.255.255.255:9".parse().unwrap(), None);
        let contents: Vec<u8> = (0..200).collect();
        let run = |at: usize| match at % 4 {
            0 => Run { path, contents: &contents[at..=at], segment_bytes: 1 },
            1 => Run { path: nowhere, contents: &contents[at..=at], segment_bytes: 1 },
            2 => Run { path, contents: &contents[at..at + 5], segment_bytes: 2 },
            _ => Run { path, contents: &[], segment_bytes: 0 },
        };
        let runs: Vec<_> = (0..2 * MAX_RUNS.max(16) + 1).map(run).collect();
        let expected: Vec<Vec<u8>> = runs.iter().filter(|run| run.path == path).flat_map(datagrams).collect();
        Sender::new(port.state.max_gso_segments()).send_runs(&port, &runs);
        let (mut buffers, mut received) = (Buffers::default(), Vec::new());
        let mut ready = mio::Events::with_capacity(1);
        while received.len() < expected.len() {
            poll.poll(&mut ready, Some(PATIENCE)).unwrap();
            assert!(!ready.is_empty(), "{} of {}", received.len(), expected.len());
            while receiver.receive(&mut buffers, |_, datagram| received.push(datagram.to_vec())).is_ok() {}
        }
        assert_eq!(received, expected);
    }

    fn datagrams(run: &Run<'_>) -> Vec<Vec<u8>> {
        if run.contents.is_empty() {
            return vec![Vec::new()];
        }
        run.contents.chunks(run.segment_bytes).map(<[u8]>::to_vec).collect()
    }
}
