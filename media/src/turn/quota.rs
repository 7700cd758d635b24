//! Who has how many allocations: by user, by address, in all. Counted when one is made, released on every way that it ends.
//!
//! An entry exists only as long as its allocations do, so that the tables are bounded by the number of allocations.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

use slab::Slab;

use super::auth::UserId;
use super::config::LimitsConfig;
use super::pace::Meter;
use super::wire::Code;

/// What one user has.
struct UserShare {
    user: UserId,
    allocations: u32,
    meter: Meter,
}

/// Where a user's share is kept, as long as one of their allocations lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ShareKey(usize);

#[derive(Default)]
pub(super) struct Quotas {
    shares: Slab<UserShare>,
    by_user: HashMap<UserId, ShareKey>,
    by_network: HashMap<IpAddr, u32>,
    total: usize,
}

impl Quotas {
    /// Counts one more allocation, or says why there may be none.
    pub(super) fn admit(&mut self, now: Instant, user: &UserId, ip: IpAddr, limits: &LimitsConfig) -> Result<ShareKey, Code> {
        if self.total >= limits.max_allocations {
            return Err(Code::InsufficientCapacity);
        }
        let network = network(ip);
        let share = self.by_user.get(user).copied();
        let of_user = share.map_or(0, |key| self.shares[key.0].allocations);
        let of_network = self.by_network.get(&network).copied().unwrap_or(0);
        if of_user >= limits.max_allocations_per_user || of_network >= limits.max_allocations_per_ip {
            return Err(Code::QuotaReached);
        }
        let key = share.unwrap_or_else(|| {
            let key = ShareKey(self.shares.insert(UserShare { user: user.clone(), allocations: 0, meter: Meter::new(now) }));
            self.by_user.insert(user.clone(), key);
            key
        });
        self.shares[key.0].allocations += 1;
        *self.by_network.entry(network).or_default() += 1;
        self.total += 1;
        Ok(key)
    }

    /// Takes back what [`Self::admit`] counted.
    pub(super) fn release(&mut self, key: ShareKey, ip: IpAddr) {
        let Some(share) = self.shares.get_mut(key.0) else { return };
        share.allocations -= 1;
        if share.allocations == 0 {
            let share = self.shares.remove(key.0);
            self.by_user.remove(&share.user);
        }
        let network = network(ip);
        if let Some(count) = self.by_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.by_network.remove(&network);
            }
        }
        self.total -= 1;
    }

    /// The bandwidth of a user.
    pub(super) fn meter(&mut self, key: ShareKey) -> Option<&mut Meter> {
        self.shares.get_mut(key.0).map(|share| &mut share.meter)
    }

    /// Everything that is counted: users, networks, allocations.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 4] {
        [self.shares.len(), self.by_user.len(), self.by_network.len(), self.total]
    }
}

/// Whoever has an IPv6 address has a /64 of them.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::Issued(name.into())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_limit_refuses_with_its_code_and_a_release_makes_room() {
        let now = Instant::now();
        let limits =
            LimitsConfig { max_allocations: 4, max_allocations_per_user: 2, max_allocations_per_ip: 3, ..Default::default() };
        let mut quotas = Quotas::default();
        let first = quotas.admit(now, &user("a"), ip("2a00::1"), &limits).unwrap();
        quotas.admit(now, &user("a"), ip("2a00::2"), &limits).unwrap();
        assert_eq!(quotas.admit(now, &user("a"), ip("9.9.9.9"), &limits), Err(Code::QuotaReached), "the user");
        quotas.admit(now, &user("b"), ip("2a00::3"), &limits).unwrap();
        assert_eq!(quotas.admit(now, &user("b"), ip("2a00::4"), &limits), Err(Code::QuotaReached), "the /64");
        quotas.admit(now, &user("c"), ip("2a00:0:0:1::1"), &limits).unwrap();
        assert_eq!(quotas.admit(now, &user("d"), ip("8.8.8.8"), &limits), Err(Code::InsufficientCapacity), "all");
        quotas.release(first, ip("2a00::1"));
        quotas.admit(now, &user("a"), ip("2a00::9"), &limits).unwrap();
    }

    #[test]
    fn a_user_with_a_password_and_a_credential_of_the_same_name_are_two() {
        let limits = LimitsConfig { max_allocations_per_user: 1, ..LimitsConfig::default() };
        let mut quotas = Quotas::default();
        quotas.admit(Instant::now(), &UserId::Static("a".into()), ip("1.1.1.1"), &limits).unwrap();
        quotas.admit(Instant::now(), &user("a"), ip("1.1.1.1"), &limits).unwrap();
    }
}
