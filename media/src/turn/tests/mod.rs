//! The TURN server as its clients and peers see it, in virtual time: [`net::Net`] is the world (an engine, its sockets, a clock),
//! [`client::Client`] speaks TURN by the messages of `rtc-stun` and shares no reading or writing with the engine, `oracle` runs the whole
//! client of `rtc-turn`. The list of security tests that this follows has 28 groups:
//!
//! * peers: 1 ranges, 2 embedded IPv4, 3 families, 4 own addresses, 5 what comes in, 6 rules, 7 ports (`peer_filter`, `reload`, `peers/tests`)
//! * authentication: 8 refusals, 9 nonces, 10 time-limited credentials, 11 owners (`authentication`); 12, the downgrade to MD5, cannot be,
//!   because SHA-256 is not offered
//! * exhaustion: 13 quotas (`quotas`, `properties`), 14 permissions and channels, 15 bandwidth, 16 TCP (`tcp`, `turn/tcp`, `net/pipe`), 17 ports, 18 hashing
//!   and 19 floods (`flood`; nothing here can log)
//! * reflection: 20 size and rate, 21 nobody answered who is nobody, 22 loops (`reflection`), 23 is 7; 24, hop limits, is a socket's
//! * protocol: 25 any bytes (`flood`, `wire/differential`, `fuzzing`), 26 codes, lifetimes, families, reservations, repetition (`codes`,
//!   `lifetimes`, `families`, `ports`, `allocations`, `wire/vectors`), 27 ends (`lifetimes`, `tcp`), 28 secrets (`reload`)

mod allocations;
mod authentication;
mod bandwidth;
mod client;
mod codes;
mod data;
mod families;
mod flood;
mod lifetimes;
mod model;
mod net;
mod oracle;
mod peer_filter;
mod permissions;
mod ports;
mod probe;
mod properties;
mod quotas;
mod reflection;
mod reload;
mod requester;
mod sfu;
mod tcp;
