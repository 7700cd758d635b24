//! Rate limits of what costs the server or an account's safety: registering, logging in, making rooms, fetching
//! tickets, test calls. Each is a
//! leaky bucket (GCRA) for each address or account; what does not fit is answered `rate_limited` with the seconds to wait.
//!
//! Addresses count whole in IPv4 and by /64 in IPv6, the least that one home is given. An address is a household, an office or a
//! test run, so its buckets are deep; an account's are not.

mod e2ee;
mod together;

pub use e2ee::E2eeLimits;

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::error::Error;
use crate::id::UserId;

/// Registrations: 200 at once from one address, then 200 an hour. Each needs the registration secret and costs a quarter of a second
/// of one core, so this bounds the cost and not the guessing, which 128 random bits do.
const REGISTRATION: Bucket = Bucket { burst: 200, interval: Duration::from_secs(18) };
/// Log-ins from one address: 300 at once, then 6 a minute.
const LOGIN_FROM: Bucket = Bucket { burst: 300, interval: Duration::from_secs(10) };
/// Log-ins to one account and changes of its password: 20 at once, then 2 a minute: a guesser gets 2,880 a day.
const LOGIN_TO: Bucket = Bucket { burst: 20, interval: Duration::from_secs(30) };
/// New rooms of one account: 30 at once, then one a minute.
const ROOM_CREATION: Bucket = Bucket { burst: 30, interval: Duration::from_secs(60) };
/// WebSocket tickets of one account, for each window that it may have in a call: 12 at once, then one in 5 s.
const TICKET: Bucket = Bucket { burst: 12, interval: Duration::from_secs(5) };
/// Requests for outside TURN credentials from one address: 1,000 at once, then ten a second: a program that serves many devices.
const TURN_CREDENTIALS: Bucket = Bucket { burst: 1_000, interval: Duration::from_millis(100) };
/// Test calls of one account: 30 at once, then one in 10 s. A visit of `/diagnostics` begins three, and one more for every twelve workers.
const TEST_CALL: Bucket = Bucket { burst: 30, interval: Duration::from_secs(10) };
/// Messages that one user may write at once, as seconds of what they may for long: a day offline is sent at once.
const MESSAGE_BURST_S: u32 = 20;
/// Acts of one owner or moderator that go into a room's audit log: 300 at once, then one in 2 s. Muting a full call passes; pushing an
/// act out of the log by others takes hours, and they are there instead.
const MODERATION: Bucket = Bucket { burst: 300, interval: Duration::from_secs(2) };
/// Files that one account announces: 100 at once, then one a second. Each costs a commit.
const FILE: Bucket = Bucket { burst: 100, interval: Duration::from_secs(1) };
/// Pieces of files that one account sends: 2,000 at once, then 50 a second, which is 400 Mbit/s of the client's mebibytes. Each waits
/// for the disk and for a commit, however small it is.
const FILE_PIECE: Bucket = Bucket { burst: 2_000, interval: Duration::from_millis(20) };
/// Keys remembered for each limit, about 5 MB. When so many are not full again, unknown keys are refused until some are.
const MAX_KEYS: usize = 50_000;

struct Bucket {
    burst: u32,
    interval: Duration,
}

/// All limits.
pub struct Limits {
    registration: Keyed<IpAddr>,
    login_from: Keyed<IpAddr>,
    login_to: Keyed<String>,
    room_creation: Keyed<UserId>,
    ticket: Keyed<UserId>,
    message: Keyed<UserId>,
    turn_credentials: Keyed<IpAddr>,
    test_call: Keyed<UserId>,
    moderation: Keyed<UserId>,
    file: Keyed<UserId>,
    file_piece: Keyed<UserId>,
    /// Those of end-to-end encryption.
    pub e2ee: E2eeLimits,
}

impl Limits {
    /// Where one user may have so many windows in one call, and write so many messages a second for long.
    pub fn new(windows_per_user: usize, messages_per_second: u32) -> Self {
        let windows = u32::try_from(windows_per_user.max(1)).unwrap_or(u32::MAX);
        let ticket = Bucket { burst: TICKET.burst.saturating_mul(windows), interval: TICKET.interval / windows };
        let per_second = messages_per_second.max(1);
        let message = Bucket { burst: per_second.saturating_mul(MESSAGE_BURST_S), interval: Duration::from_secs(1) / per_second };
        Self {
            registration: Keyed::new(&REGISTRATION),
            login_from: Keyed::new(&LOGIN_FROM),
            login_to: Keyed::new(&LOGIN_TO),
            room_creation: Keyed::new(&ROOM_CREATION),
            ticket: Keyed::new(&ticket),
            message: Keyed::new(&message),
            turn_credentials: Keyed::new(&TURN_CREDENTIALS),
            test_call: Keyed::new(&TEST_CALL),
            moderation: Keyed::new(&MODERATION),
            file: Keyed::new(&FILE),
            file_piece: Keyed::new(&FILE_PIECE),
            e2ee: E2eeLimits::new(),
        }
    }

    /// Counts an attempt to register.
    pub fn registration(&self, address: IpAddr) -> Result<(), Error> {
        self.registration.count(&network(address))
    }

    /// Counts an attempt to log in from an address.
    pub fn login_from(&self, address: IpAddr) -> Result<(), Error> {
        self.login_from.count(&network(address))
    }

    /// Counts an attempt to log in to an account, whether there is one of this name or not.
    pub fn login_to(&self, username_folded: &str) -> Result<(), Error> {
        self.login_to.count(&username_folded.to_owned())
    }

    /// Counts a new room.
    pub fn room_creation(&self, user: UserId) -> Result<(), Error> {
        self.room_creation.count(&user)
    }

    /// Counts a request for outside TURN credentials.
    pub fn turn_credentials(&self, address: IpAddr) -> Result<(), Error> {
        self.turn_credentials.count(&network(address))
    }

    /// Counts a new ticket.
    pub fn ticket(&self, user: UserId) -> Result<(), Error> {
        self.ticket.count(&user)
    }

    /// Counts a message.
    pub fn message(&self, user: UserId) -> Result<(), Error> {
        self.message.count(&user)
    }

    /// Counts a new file.
    pub fn file(&self, user: UserId) -> Result<(), Error> {
        self.file.count(&user)
    }

    /// Counts a piece of a file.
    pub fn file_piece(&self, user: UserId) -> Result<(), Error> {
        self.file_piece.count(&user)
    }

    /// Counts a new test call.
    pub fn test_call(&self, user: UserId) -> Result<(), Error> {
        self.test_call.count(&user)
    }

    /// Counts an act that goes into a room's audit log.
    pub fn moderation(&self, user: UserId) -> Result<(), Error> {
        self.moderation.count(&user)
    }
}

struct Keyed<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, MonotonicClock>,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(bucket: &Bucket) -> Self {
        let burst = NonZeroU32::new(bucket.burst).expect("a bucket holds something");
        let quota = Quota::with_period(bucket.interval).expect("a bucket's interval is not zero").allow_burst(burst);
        Self { limiter: RateLimiter::new(quota, HashMapStateStore::default(), MonotonicClock) }
    }

    fn count(&self, key: &K) -> Result<(), Error> {
        self.count_many(key, NonZeroU32::MIN)
    }

    /// Counts several at once: all or none. More than a burst never pass.
    fn count_many(&self, key: &K, count: NonZeroU32) -> Result<(), Error> {
        if self.limiter.len() >= MAX_KEYS {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
            if self.limiter.len() >= MAX_KEYS {
                return Err(Error::Busy);
            }
        }
        self.limiter.check_key_n(key, count).map_err(|_insufficient| Error::Busy)?.map_err(|not_until| {
            let wait = not_until.wait_time_from(MonotonicClock.now());
            // It may have passed since: whoever is refused waits a little all the same.
            Error::RateLimited { retry_after_s: (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1) }
        })
    }
}

/// The network that counts as one sender.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_is_told_how_long_to_wait() {
        let limits = Limits::new(5, 10);
        let user = UserId::from_bytes([1; 16]);
        for _ in 0..ROOM_CREATION.burst {
            limits.room_creation(user).unwrap();
        }
        let Err(Error::RateLimited { retry_after_s }) = limits.room_creation(user) else { panic!("must be limited") };
        assert!((1..=60).contains(&retry_after_s), "{retry_after_s}");
        limits.room_creation(UserId::from_bytes([2; 16])).expect("another account has a bucket of its own");
    }

    #[test]
    fn neighbours_in_an_ipv6_network_share_a_bucket_and_mapped_addresses_are_ipv4() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(parse("2001:db8::1")), network(parse("2001:db8::ffff:1")));
        assert_ne!(network(parse("2001:db8::1")), network(parse("2001:db8:0:1::1")));
        assert_eq!(network(parse("::ffff:203.0.113.7")), parse("203.0.113.7"));
        assert_ne!(network(parse("203.0.113.7")), network(parse("203.0.113.8")));
    }
}
