//! What this machine has: its interfaces, and whether this process runs in a container. What follows from it is decided in
//! `addresses`; called at start and by `webcall doctor`.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

use crate::addresses::{Interface, Place};

/// Files that container engines put into every container: Docker, Podman.
const CONTAINER_FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];
/// Words in the control group of a process that runs in a container (cgroup v1; v2 shows a container nothing but `/`).
const CONTAINER_GROUPS: [&str; 5] = ["/docker/", "/docker-", "/kubepods", "/libpod", "/lxc/"];
/// Linux: temporary 0x01, duplicate 0x08, deprecated 0x20, tentative 0x40 (`linux/if_addr.h`).
const PASSING_FLAGS: u32 = 0x01 | 0x08 | 0x20 | 0x40;

/// The interfaces that are up. None when the system does not say.
pub(crate) fn own_interfaces() -> Vec<Interface> {
    let passing = fs::read_to_string("/proc/net/if_inet6").map(|text| passing_addresses(&text)).unwrap_or_default();
    let interface = |found: if_addrs::Interface| {
        let ip = found.ip();
        // Linux; elsewhere there are no containers that would be mistaken.
        let is_hardware = Path::new("/sys/class/net").join(&found.name).join("device").exists();
        Interface { is_passing: passing.contains(&ip), is_hardware, name: found.name, ip }
    };
    if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(interface).collect()
}

/// Where this process runs.
pub(crate) fn own_place() -> Place {
    let has_file = CONTAINER_FILES.iter().any(|file| Path::new(file).exists());
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    if has_file || CONTAINER_GROUPS.iter().any(|word| group.contains(word)) { Place::Container } else { Place::Machine }
}

/// The addresses of `/proc/net/if_inet6` that will be others soon: 32 digits, index, prefix length, scope, flags, name.
fn passing_addresses(text: &str) -> HashSet<IpAddr> {
    let read = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let ip = u128::from_str_radix(words.next()?, 16).ok()?;
        let flags = u32::from_str_radix(words.nth(3)?, 16).ok()?;
        (flags & PASSING_FLAGS != 0).then_some(IpAddr::V6(Ipv6Addr::from(ip)))
    };
    text.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_and_deprecated_addresses_are_passing_and_lasting_ones_are_not() {
        let text = "\
2a001450000000000000000000000001 02 40 00 80     eth0
2a001450000000000000000000000077 02 40 00 01     eth0
2a001450000000000000000000000078 02 40 00 20     eth0
nonsense
00000000000000000000000000000001 01 80 10 80       lo
";
        let passing: Vec<IpAddr> = ["2a00:1450::77", "2a00:1450::78"].map(|ip| ip.parse().unwrap()).into();
        assert_eq!(passing_addresses(text), passing.into_iter().collect::<HashSet<_>>());
    }

    #[test]
    fn a_machine_has_its_loopback_interface() {
        assert!(own_interfaces().iter().any(|interface| interface.ip.is_loopback()));
    }
}
