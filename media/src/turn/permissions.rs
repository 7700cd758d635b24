//! The permissions of one allocation: by address, without the port (RFC 8656 §9). Sorted, so that a look costs the same at the limit as
//! any other; an expired one is as good as none and makes room for the next.

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long a permission lives (RFC 8656 §9: exactly this).
pub(super) const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Permissions(Vec<(IpAddr, Instant)>);

impl Permissions {
    pub(super) fn is_live(&self, now: Instant, ip: IpAddr) -> bool {
        self.at(ip).is_ok_and(|at| now < self.0[at].1)
    }

    /// Installs or refreshes all of them, or none when they would be more than `max`; false then.
    #[must_use]
    pub(super) fn install(&mut self, now: Instant, ips: &[IpAddr], max: usize) -> bool {
        self.0.retain(|(_, ends)| now < *ends);
        let is_new = |(number, ip): &(usize, &IpAddr)| self.at(**ip).is_err() && !ips[..*number].contains(ip);
        if self.0.len() + ips.iter().enumerate().filter(is_new).count() > max {
            return false;
        }
        for ip in ips {
            match self.at(*ip) {
                Ok(at) => self.0[at].1 = now + PERMISSION_LIFETIME,
                Err(at) => self.0.insert(at, (*ip, now + PERMISSION_LIFETIME)),
            }
        }
        true
    }

    /// Takes back those that do not pass; how many.
    pub(super) fn keep(&mut self, mut passes: impl FnMut(IpAddr) -> bool) -> usize {
        let before = self.0.len();
        self.0.retain(|(ip, _)| passes(*ip));
        before - self.0.len()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn at(&self, ip: IpAddr) -> Result<usize, usize> {
        self.0.binary_search_by_key(&ip, |(ip, _)| *ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([8, 8, 8, last])
    }

    #[test]
    fn a_permission_lives_for_five_minutes_and_is_refreshed() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut permissions = Permissions::default();
        assert!(permissions.install(start, &[ip(1), ip(2)], 2));
        assert!(permissions.is_live(at(299), ip(1)) && !permissions.is_live(at(300), ip(1)));
        assert!(permissions.install(at(200), &[ip(1)], 2));
        assert!(permissions.is_live(at(499), ip(1)) && !permissions.is_live(at(499), ip(2)));
        assert!(!permissions.is_live(start, ip(3)));
    }

    #[test]
    fn more_than_the_limit_are_refused_as_a_whole_and_expired_ones_make_room() {
        let start = Instant::now();
        let mut permissions = Permissions::default();
        assert!(permissions.install(start, &[ip(1), ip(1), ip(2)], 2));
        assert!(!permissions.install(start, &[ip(1), ip(3)], 2));
        assert!(!permissions.is_live(start, ip(3)));
        assert!(permissions.install(start + PERMISSION_LIFETIME, &[ip(3), ip(4)], 2));
        assert_eq!(permissions.len(), 2);
        assert_eq!(permissions.keep(|each| each != ip(3)), 1);
    }
}
