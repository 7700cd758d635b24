//! What the system says of a process, and which processors it keeps to.

use std::fs;

/// Processor time and memory of a process, in all its threads.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) rss_bytes: u64,
}

/// What a process has used so far. `None` where the system does not tell (it is gone, or this is not Linux).
pub(super) fn usage(pid: u32) -> Option<Usage> {
    let cpu_seconds = cpu_seconds(pid)?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok())?;
    Some(Usage { cpu_seconds, rss_bytes: kilobytes * 1024 })
}

/// By the process's own clock: to the nanosecond, and with the threads that have ended.
#[cfg(target_os = "linux")]
fn cpu_seconds(pid: u32) -> Option<f64> {
    use nix::time::{clock_getcpuclockid, clock_gettime};
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).ok()?);
    let time = clock_gettime(clock_getcpuclockid(pid).ok()?).ok()?;
    Some(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

#[cfg(not(target_os = "linux"))]
fn cpu_seconds(_: u32) -> Option<f64> {
    None
}

/// How the processors are shared: the generator has the first, the server the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Processors {
    pub(super) generator: Vec<usize>,
    pub(super) server: Vec<usize>,
}

impl Processors {
    /// Shares those that this process may use; `None` with a single one, or where threads cannot be kept to a processor.
    pub(super) fn share() -> Option<Self> {
        let (first, rest) = allowed().split_first().map(|(first, rest)| (*first, rest.to_vec()))?;
        (!rest.is_empty()).then_some(Self { generator: vec![first], server: rest })
    }
}

#[cfg(target_os = "linux")]
fn allowed() -> Vec<usize> {
    use nix::sched::{CpuSet, sched_getaffinity};
    let Ok(set) = sched_getaffinity(nix::unistd::Pid::from_raw(0)) else { return Vec::new() };
    (0..CpuSet::count()).filter(|processor| set.is_set(*processor).unwrap_or(false)).collect()
}

/// Keeps this thread, and those that it starts, to these processors. Whether the system agreed.
#[cfg(target_os = "linux")]
pub(super) fn keep_to(processors: &[usize]) -> bool {
    use nix::sched::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    processors.iter().all(|processor| set.set(*processor).is_ok())
        && sched_setaffinity(nix::unistd::Pid::from_raw(0), &set).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Vec<usize> {
    Vec::new()
}

/// Elsewhere threads run where the system puts them.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_to(_: &[usize]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_uses_more_time_the_longer_it_works() {
        let before = usage(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while usage(std::process::id()).unwrap().cpu_seconds < before.cpu_seconds + 0.01 {
            sum = (0..1_000_000_u64).fold(sum, u64::wrapping_add);
        }
        assert!(before.rss_bytes > 1 << 20, "{before:?} {sum}");
        assert_eq!(usage(u32::MAX), None);
    }
}
