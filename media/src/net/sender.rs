//! From the outbox to the kernel: neighbours of equal size to one address become one run (UDP GSO), and many runs one system call
//! where the system has that (Linux: `mmsg.rs`), else a call each.

use std::io;

use super::port::UdpPort;
use crate::outbox::{Outbox, Transmit};

/// The most datagrams that one run may join; the kernel's own limit is 64 (UDP_MAX_SEGMENTS).
const MAX_SEGMENTS: usize = 64;
/// The most bytes that one run may join: a UDP payload ends below 64 KiB.
const MAX_RUN_BYTES: usize = 60_000;

pub(super) struct Sender {
    max_segments: usize,
    #[cfg(target_os = "linux")]
    batch: super::mmsg::Batch,
}

impl Sender {
    pub(super) fn new(max_segments: usize) -> Self {
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

    /// Sends a batch of runs from the front; how many datagrams are done with.
    #[cfg(target_os = "linux")]
    fn send_some(
        &mut self,
        port: &UdpPort,
        outbox: &Outbox,
        rest: &[Transmit],
        sent: &mut impl FnMut(&[Transmit], io::Result<()>),
    ) -> usize {
        let mut runs: [&[Transmit]; super::mmsg::MAX_RUNS] = [&[]; super::mmsg::MAX_RUNS];
        let (mut left, mut count) = (rest, 0);
        while let Some((first, slot)) = left.first().zip(runs.get_mut(count)) {
            (*slot, left) = left.split_at(run_length(self.max_segments, left, first));
            count += 1;
        }
        let mut runs = &runs[..count];
        let mut done = 0;
        while let Some((first, others)) = runs.split_first() {
            match self.batch.send(&port.io, port.is_ipv6, outbox, runs) {
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
