//! What a message asks for, as types: the methods of RFC 8656 with their attributes checked against each other.
//!
//! Called for messages that are authenticated already (but Binding and Send, which need not be). An error here is an answer.

use std::net::SocketAddr;

use super::address::{IPV4, IPV6};
use super::answer::Code;
use super::channel_data::ChannelNumber;
use super::message::Message;
use crate::turn::codec::{attribute, method};

/// The protocol number of UDP (RFC 8656 §18.8): the only one that is relayed.
const UDP: u8 = 17;
/// The top bit of EVEN-PORT: reserve the next port too (RFC 8656 §18.7).
const RESERVE_NEXT: u8 = 0x80;

/// A request, by its method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::turn) enum Request {
    Binding,
    Allocate(AllocateWish),
    Refresh(RefreshWish),
    CreatePermission(Vec<SocketAddr>),
    ChannelBind { channel: ChannelNumber, peer: SocketAddr },
}

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::turn) enum Family {
    V4,
    V6,
}

impl Family {
    pub(in crate::turn) const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub(in crate::turn) fn of(address: SocketAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Its number in attributes (RFC 8489 §14.1).
    pub(in crate::turn) fn number(self) -> u8 {
        match self {
            Self::V4 => IPV4,
            Self::V6 => IPV6,
        }
    }
}

/// The families of the relayed addresses that are wished for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::turn) enum FamilyWish {
    One(Family),
    /// One of each; one alone will do (ADDITIONAL-ADDRESS-FAMILY, RFC 8656 §7.1).
    Both,
}

/// EVEN-PORT (RFC 8656 §18.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::turn) enum EvenPort {
    Alone,
    /// The next port is to be kept for a later allocation.
    WithNext,
}

/// An Allocate request (RFC 8656 §7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::turn) struct AllocateWish {
    pub(in crate::turn) families: FamilyWish,
    pub(in crate::turn) lifetime_s: Option<u32>,
    pub(in crate::turn) even_port: Option<EvenPort>,
    pub(in crate::turn) reservation: Option<[u8; 8]>,
}

/// A Refresh request (RFC 8656 §8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::turn) struct RefreshWish {
    pub(in crate::turn) lifetime_s: Option<u32>,
    /// Only the relayed address of this family.
    pub(in crate::turn) family: Option<Family>,
}

impl Request {
    /// Reads a request; `Ok(None)` for a method that TURN over UDP relays does not have.
    pub(in crate::turn) fn read(message: &Message<'_>) -> Result<Option<Self>, Code> {
        Ok(Some(match message.method {
            method::BINDING => Self::Binding,
            method::ALLOCATE => Self::Allocate(allocate(message)?),
            method::REFRESH => Self::Refresh(RefreshWish { lifetime_s: lifetime(message)?, family: requested_family(message)? }),
            method::CREATE_PERMISSION => Self::CreatePermission(peers(message)?),
            method::CHANNEL_BIND => channel_bind(message)?,
            _ => return Ok(None),
        }))
    }
}

/// The peer and payload of a Send indication (RFC 8656 §11.2); `None` for one that is to be dropped.
pub(in crate::turn) fn send_indication<'a>(message: &Message<'a>) -> Option<(SocketAddr, &'a [u8])> {
    if !message.unknown.types().is_empty() {
        return None;
    }
    Some((message.peers().next()??, message.data()?))
}

fn allocate(message: &Message<'_>) -> Result<AllocateWish, Code> {
    match message.attribute(attribute::REQUESTED_TRANSPORT) {
        Some(&[UDP, _, _, _]) => {}
        Some(&[_, _, _, _]) => return Err(Code::UnsupportedTransport),
        _ => return Err(Code::BadRequest),
    }
    if message.attribute(attribute::MOBILITY_TICKET).is_some() {
        return Err(Code::MobilityForbidden);
    }
    let even_port = match message.attribute(attribute::EVEN_PORT) {
        None => None,
        Some(&[flags]) if flags & RESERVE_NEXT != 0 => Some(EvenPort::WithNext),
        Some(&[_]) => Some(EvenPort::Alone),
        Some(_) => return Err(Code::BadRequest),
    };
    let reservation = match message.attribute(attribute::RESERVATION_TOKEN) {
        None => None,
        Some(token) => Some(token.try_into().map_err(|_| Code::BadRequest)?),
    };
    let (requested, additional) = (requested_family(message)?, additional_family(message)?);
    let families = match (requested, additional) {
        (Some(_), Some(_)) => return Err(Code::BadRequest),
        (None, Some(_)) if even_port == Some(EvenPort::WithNext) => return Err(Code::BadRequest),
        (None, Some(_)) => FamilyWish::Both,
        (requested, None) => FamilyWish::One(requested.unwrap_or(Family::V4)),
    };
    // A reservation says by itself which port and family it is for (RFC 8656 §7.2).
    if reservation.is_some() && (even_port.is_some() || requested.is_some() || additional.is_some()) {
        return Err(Code::BadRequest);
    }
    Ok(AllocateWish { families, lifetime_s: lifetime(message)?, even_port, reservation })
}

fn channel_bind(message: &Message<'_>) -> Result<Request, Code> {
    let Some(&[high, low, ..]) = message.attribute(attribute::CHANNEL_NUMBER).filter(|value| value.len() == 4) else {
        return Err(Code::BadRequest);
    };
    let channel = ChannelNumber::new(u16::from_be_bytes([high, low])).ok_or(Code::BadRequest)?;
    let peer = message.peers().next().flatten().ok_or(Code::BadRequest)?;
    Ok(Request::ChannelBind { channel, peer })
}

fn peers(message: &Message<'_>) -> Result<Vec<SocketAddr>, Code> {
    let peers: Option<Vec<_>> = message.peers().collect();
    peers.filter(|peers| !peers.is_empty()).ok_or(Code::BadRequest)
}

fn lifetime(message: &Message<'_>) -> Result<Option<u32>, Code> {
    let Some(value) = message.attribute(attribute::LIFETIME) else { return Ok(None) };
    value.try_into().map(|bytes| Some(u32::from_be_bytes(bytes))).map_err(|_| Code::BadRequest)
}

fn requested_family(message: &Message<'_>) -> Result<Option<Family>, Code> {
    match message.attribute(attribute::REQUESTED_ADDRESS_FAMILY) {
        None => Ok(None),
        Some(&[IPV4, _, _, _]) => Ok(Some(Family::V4)),
        Some(&[IPV6, _, _, _]) => Ok(Some(Family::V6)),
        Some(&[_, _, _, _]) => Err(Code::UnsupportedFamily),
        Some(_) => Err(Code::BadRequest),
    }
}

/// Only IPv6 may be asked for in addition (RFC 8656 §7.2).
fn additional_family(message: &Message<'_>) -> Result<Option<Family>, Code> {
    match message.attribute(attribute::ADDITIONAL_ADDRESS_FAMILY) {
        None => Ok(None),
        Some(&[IPV6, _, _, _]) => Ok(Some(Family::V6)),
        Some(_) => Err(Code::BadRequest),
    }
}
