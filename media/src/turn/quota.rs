//! Who has how many allocations: by user, by address, in all. Counted when one is made, released on every way that it ends.
//!
//! An entry exists only as long as its allocations do, so that the tables are bounded by the number of allocations.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

use slab::Slab;

use super::auth::UserId;
use super::config::LimitsConfig;
use super::pace::Meter;
use super::wire::Code;

/// What one user has, or one network.
struct Share<Owner> {
    owner: Owner,
    allocations: u32,
    meter: Meter,
}

/// The shares of all users, or of all networks.
struct Shares<Owner> {
    all: Slab<Share<Owner>>,
    by_owner: HashMap<Owner, usize>,
}

/// Where the shares are kept that an allocation has a part in, as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ShareKey {
    user: usize,
    network: usize,
}

#[derive(Default)]
pub(super) struct Quotas {
    users: Shares<UserId>,
    networks: Shares<IpAddr>,
    total: usize,
}

impl Quotas {
    /// Counts one more allocation, or says why there may be none.
    pub(super) fn admit(&mut self, now: Instant, user: &UserId, ip: IpAddr, limits: &LimitsConfig) -> Result<ShareKey, Code> {
        if self.total >= limits.max_allocations {
            return Err(Code::InsufficientCapacity);
        }
        let network = network(ip);
        let (of_user, of_network) = (self.users.allocations(user), self.networks.allocations(&network));
        if of_user >= limits.max_allocations_per_user || of_network >= limits.max_allocations_per_ip {
            return Err(Code::QuotaReached);
        }
        self.total += 1;
        Ok(ShareKey { user: self.users.count(now, user), network: self.networks.count(now, &network) })
    }

    /// Takes back what [`Self::admit`] counted.
    pub(super) fn release(&mut self, key: ShareKey) {
        self.users.release(key.user);
        self.networks.release(key.network);
        self.total -= 1;
    }

    /// The bandwidth of the user, and of the network.
    pub(super) fn meters(&mut self, key: ShareKey) -> [Option<&mut Meter>; 2] {
        [self.users.meter(key.user), self.networks.meter(key.network)]
    }

    /// Everything that is counted: users, networks, allocations.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 5] {
        let (users, networks) = (&self.users, &self.networks);
        [users.all.len(), users.by_owner.len(), networks.all.len(), networks.by_owner.len(), self.total]
    }
}

impl<Owner> Default for Shares<Owner> {
    fn default() -> Self {
        Self { all: Slab::new(), by_owner: HashMap::new() }
    }
}

impl<Owner: Clone + Eq + Hash> Shares<Owner> {
    fn allocations(&self, owner: &Owner) -> u32 {
        self.by_owner.get(owner).map_or(0, |key| self.all[*key].allocations)
    }

    /// Counts one more allocation.
    fn count(&mut self, now: Instant, owner: &Owner) -> usize {
        let key = self.by_owner.get(owner).copied().unwrap_or_else(|| {
            let key = self.all.insert(Share { owner: owner.clone(), allocations: 0, meter: Meter::new(now) });
            self.by_owner.insert(owner.clone(), key);
            key
        });
        self.all[key].allocations += 1;
        key
    }

    fn release(&mut self, key: usize) {
        let Some(share) = self.all.get_mut(key) else { return };
        share.allocations -= 1;
        if share.allocations == 0 {
            let share = self.all.remove(key);
            self.by_owner.remove(&share.owner);
        }
    }

    fn meter(&mut self, key: usize) -> Option<&mut Meter> {
        self.all.get_mut(key).map(|share| &mut share.meter)
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
        quotas.release(first);
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
