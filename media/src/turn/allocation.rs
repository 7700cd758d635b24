//! One allocation: a client, its relayed addresses, and what it may use them for. Holds state only; what happens to it is decided in
//! `requests/`, `relay.rs` and `lifecycle.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use super::auth::{Scope, UserId};
use super::channels::Channels;
use super::codec::TransactionId;
use super::link::Link;
use super::pace::Meter;
use super::permissions::Permissions;
use super::quota::ShareKey;
use super::wire::{Code, Fact, Family};

pub(super) struct Allocation {
    pub(super) link: Link,
    pub(super) user: UserId,
    pub(super) share: ShareKey,
    pub(super) scope: Scope,
    /// IPv4, IPv6.
    pub(super) legs: [Option<Leg>; 2],
    pub(super) permissions: Permissions,
    pub(super) channels: Channels,
    pub(super) meter: Meter,
    pub(super) granted: Granted,
}

/// A relayed address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leg {
    /// What peers and the client are told.
    pub(super) relayed: SocketAddr,
    pub(super) socket: LegSocket,
    pub(super) ends: Instant,
}

/// Whether the host has opened a socket for a relayed address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LegSocket {
    Open,
    /// The credential is for the SFU only, which is reached in the process: the address is a name and no more.
    None,
}

/// What the Allocate request was answered, so that its repetition is answered alike (RFC 8656 §7.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Granted {
    pub(super) transaction: TransactionId,
    pub(super) facts: Vec<Fact>,
}

impl Allocation {
    pub(super) fn leg(&self, family: Family) -> Option<&Leg> {
        self.legs[family as usize].as_ref()
    }

    /// The relayed address of a family that has not ended.
    pub(super) fn live_leg(&self, now: Instant, family: Family) -> Option<&Leg> {
        self.leg(family).filter(|leg| now < leg.ends)
    }

    pub(super) fn is_live(&self, now: Instant) -> bool {
        self.legs.iter().flatten().any(|leg| now < leg.ends)
    }

    /// When the next of its relayed addresses ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.legs.iter().flatten().map(|leg| leg.ends).min()
    }

    /// Whether peers of this address can be reached: 443 otherwise (RFC 8656 §10.2).
    pub(super) fn check_family(&self, now: Instant, peer: SocketAddr) -> Result<(), Code> {
        self.live_leg(now, Family::of(peer)).map(|_| ()).ok_or(Code::FamilyMismatch)
    }
}
