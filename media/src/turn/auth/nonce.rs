//! Nonces without a table: each carries the time it was made and a MAC over that, the client's address and the listener, so that whoever
//! asks for a million of them leaves nothing behind (the flaw of others: pion/turn#361).
//!
//! Bound to the address and not to the port, because a NAT may give another. The key is changed once a lifetime, and the one before
//! stays good for as long as what it made.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::issued::base64;
use crate::turn::codec::{Crypto, SHA256_BYTES, is_same};
use crate::turn::link::ListenerId;

/// Bytes of the MAC: with the time 15 bytes, 20 characters without padding. Longer makes the refusals longer, which must not be twice
/// what they refuse.
const MAC_BYTES: usize = 11;
const TIME_BYTES: usize = 4;
/// Characters of a nonce.
pub(super) const NONCE_CHARS: usize = (TIME_BYTES + MAC_BYTES) * 4 / 3;

type MacKey = [u8; SHA256_BYTES];

pub(super) struct Nonces {
    crypto: Crypto,
    lifetime: Duration,
    current: MacKey,
    previous: Option<MacKey>,
    changed: Instant,
}

impl Nonces {
    /// `None` when there is no source of randomness.
    pub(super) fn new(crypto: &Crypto, lifetime: Duration, now: Instant) -> Option<Self> {
        Some(Self { crypto: crypto.clone(), lifetime, current: fresh_key(crypto)?, previous: None, changed: now })
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }

    /// A nonce for a client.
    pub(super) fn issue(&mut self, now: Instant, unix_s: u64, from: (IpAddr, ListenerId)) -> Option<Vec<u8>> {
        self.change_key(now);
        // Wraps in 2106 as the comparison does.
        write(&self.crypto, &self.current, unix_s as u32, from)
    }

    /// Whether this is a nonce that we made for this address and listener, not too long ago.
    pub(super) fn is_good(&mut self, now: Instant, unix_s: u64, nonce: &[u8], from: (IpAddr, ListenerId)) -> bool {
        self.change_key(now);
        let Some(made) = read_time(nonce) else { return false };
        let age_s = (unix_s as u32).wrapping_sub(made);
        if u64::from(age_s) > self.lifetime.as_secs() {
            return false;
        }
        let keys = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        keys.filter_map(|key| write(&self.crypto, key, made, from)).any(|expected| is_same(&expected, nonce))
    }

    /// Without random bytes the old key stays: weaker than a change, better than a key that can be guessed.
    fn change_key(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.changed);
        if age < self.lifetime {
            return;
        }
        if let Some(key) = fresh_key(&self.crypto) {
            let replaced = std::mem::replace(&mut self.current, key);
            // What a key made that was not asked for a whole lifetime has ended.
            self.previous = (age < self.lifetime * 2).then_some(replaced);
            self.changed = now;
        }
    }
}

fn fresh_key(crypto: &Crypto) -> Option<MacKey> {
    let mut key = [0; SHA256_BYTES];
    crypto.fill(&mut key).then_some(key)
}

fn write(crypto: &Crypto, key: &MacKey, made: u32, (ip, listener): (IpAddr, ListenerId)) -> Option<Vec<u8>> {
    let ip = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let made = made.to_be_bytes();
    let tag = crypto.hmac_sha256(key, &[&made, &ip.octets(), &listener.0.to_be_bytes()])?;
    let mut bytes = [0; TIME_BYTES + MAC_BYTES];
    bytes[..TIME_BYTES].copy_from_slice(&made);
    bytes[TIME_BYTES..].copy_from_slice(&tag[..MAC_BYTES]);
    Some(base64(&bytes).into_bytes())
}

/// The time in front, from as many characters as hold it. Anything else in the nonce is compared as a whole.
fn read_time(nonce: &[u8]) -> Option<u32> {
    let digits: &[u8; NONCE_CHARS] = nonce.try_into().ok()?;
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let bits = digits[..6].iter().try_fold(0_u64, |bits, digit| Some(bits << 6 | u64::from(value(*digit)?)))?;
    // Six characters are 36 bits; the time is the first 32.
    u32::try_from(bits >> 4).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTENER: ListenerId = ListenerId(1);
    const LIFETIME: Duration = Duration::from_secs(600);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn nonces(start: Instant) -> Nonces {
        Nonces::new(&Crypto::new().unwrap(), LIFETIME, start).unwrap()
    }

    /// Group 9 of the security tests.
    #[test]
    fn a_nonce_is_good_for_its_address_and_listener_and_for_no_other() {
        let start = Instant::now();
        let mut nonces = nonces(start);
        let from = (ip("1.2.3.4"), LISTENER);
        let nonce = nonces.issue(start, 1_000, from).unwrap();
        assert_eq!(nonce.len(), NONCE_CHARS);
        assert!(nonces.is_good(start, 1_000, &nonce, from));
        assert!(nonces.is_good(start, 1_000, &nonce, (ip("::ffff:1.2.3.4"), LISTENER)), "the same address, written otherwise");
        assert!(!nonces.is_good(start, 1_000, &nonce, (ip("1.2.3.5"), LISTENER)));
        assert!(!nonces.is_good(start, 1_000, &nonce, (ip("1.2.3.4"), ListenerId(2))));
    }

    #[test]
    fn a_nonce_with_any_byte_changed_or_another_length_is_bad() {
        let start = Instant::now();
        let mut nonces = nonces(start);
        let from = (ip("2a00::1"), LISTENER);
        let nonce = nonces.issue(start, 1_000, from).unwrap();
        for at in 0..nonce.len() {
            for flip in 0..8 {
                let mut changed = nonce.clone();
                changed[at] ^= 1 << flip;
                assert!(!nonces.is_good(start, 1_000, &changed, from));
            }
        }
        assert!(!nonces.is_good(start, 1_000, &nonce[..19], from));
        assert!(!nonces.is_good(start, 1_000, &[&nonce[..], b"="].concat(), from));
        assert!(!nonces.is_good(start, 1_000, b"", from));
    }

    #[test]
    fn a_nonce_ends_with_its_lifetime_and_outlives_a_change_of_the_key() {
        let start = Instant::now();
        let mut nonces = nonces(start);
        let from = (ip("1.2.3.4"), LISTENER);
        let at = |second: u64| (start + Duration::from_secs(second), 1_000 + second);
        // Made just before the key changes.
        let (now, unix_s) = at(599);
        let nonce = nonces.issue(now, unix_s, from).unwrap();
        for second in [600, 900, 1_199] {
            let (now, unix_s) = at(second);
            assert!(nonces.is_good(now, unix_s, &nonce, from), "second {second}");
        }
        let (now, unix_s) = at(1_200);
        assert!(!nonces.is_good(now, unix_s, &nonce, from));
    }

    #[test]
    fn a_nonce_from_the_future_is_bad() {
        let start = Instant::now();
        let mut nonces = nonces(start);
        let from = (ip("1.2.3.4"), LISTENER);
        let nonce = nonces.issue(start, 5_000, from).unwrap();
        assert!(!nonces.is_good(start, 4_000, &nonce, from));
    }

    #[test]
    fn two_servers_do_not_take_each_others_nonces() {
        let start = Instant::now();
        let from = (ip("1.2.3.4"), LISTENER);
        let nonce = nonces(start).issue(start, 1_000, from).unwrap();
        assert!(!nonces(start).is_good(start, 1_000, &nonce, from));
    }
}
