//! The TURN server as its clients and peers see it, in virtual time. The numbers of the groups are those of the list of security tests
//! (`research/turn.md` §3): 1 to 7 peers, 8 to 12 authentication, 13 to 19 exhaustion, 20 to 24 reflection, 25 to 28 protocol.
//!
//! [`net::Net`] is the world: an engine, its sockets, a clock. [`client::Client`] speaks TURN by the messages of `rtc-stun`, and shares no
//! reading or writing with the engine. `oracle` runs the whole client of `rtc-turn` against it. Group 12 has no test: SHA-256 is not
//! offered. Groups 3 (IPV6_V6ONLY), 24 (TTL) and the TLS part of 16 are about sockets, which are the host's.

mod allocations;
mod authentication;
mod bandwidth;
mod client;
mod codes;
mod data;
mod families;
mod flood;
mod lifetimes;
mod net;
mod oracle;
mod peer_filter;
mod permissions;
mod ports;
mod properties;
mod quotas;
mod reflection;
mod reload;
mod sfu;
mod tcp;
