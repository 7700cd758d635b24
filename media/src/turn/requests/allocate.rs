//! Allocate (RFC 8656 §7.2): a relayed address, or one of each family.
//!
//! Whatever fails on the way gives back all that was taken before it.

use std::net::SocketAddr;
use std::time::Instant;

use super::Exchange;
use crate::turn::Turn;
use crate::turn::allocation::{Allocation, Granted, Leg, LegSocket};
use crate::turn::auth::Scope;
use crate::turn::channels::Channels;
use crate::turn::pace::Meter;
use crate::turn::permissions::Permissions;
use crate::turn::ports::{Token, Wanted};
use crate::turn::sockets::{OpenError, RelaySockets};
use crate::turn::wire::{AllocateWish, Answer, Code, EvenPort, Fact, Family, FamilyWish};

/// Ports that are tried when others hold them. More find one on a crowded machine, and cost a system call each.
const MAX_OPEN_TRIES: usize = 8;

/// What was opened for an allocation.
#[derive(Default)]
struct Opened {
    legs: [Option<Leg>; 2],
    /// What else the answer says.
    facts: Vec<Fact>,
}

impl Turn {
    pub(super) fn allocate(&mut self, exchange: &Exchange<'_>, wish: AllocateWish, sockets: &mut dyn RelaySockets) -> Answer {
        if let Some(key) = self.table.of_link(exchange.link) {
            match self.table.get(key) {
                Some(allocation) if !allocation.is_live(exchange.now) => self.close(exchange.now, key, sockets),
                // The answer was lost and the request is repeated (RFC 8656 §7.2).
                Some(allocation) if allocation.granted.transaction == exchange.transaction => {
                    return match self.owned(exchange) {
                        Ok(_) => self
                            .table
                            .get(key)
                            .map_or(Code::AllocationMismatch.into(), |a| Answer::Success(a.granted.facts.clone())),
                        Err(code) => code.into(),
                    };
                }
                _ => return Code::AllocationMismatch.into(),
            }
        }
        self.allocate_new(exchange, wish, sockets).map_or_else(Answer::from, Answer::Success)
    }

    fn allocate_new(
        &mut self,
        exchange: &Exchange<'_>,
        wish: AllocateWish,
        sockets: &mut dyn RelaySockets,
    ) -> Result<Vec<Fact>, Code> {
        let (now, remote) = (exchange.now, exchange.link.remote());
        let share = self.quotas.admit(now, &exchange.principal.user, remote.ip(), &self.config.limits)?;
        let lifetime = self.lifetime(exchange, wish.lifetime_s);
        let opened = match self.open_legs(exchange, wish, now + lifetime, sockets) {
            Ok(opened) => opened,
            Err(code) => {
                self.quotas.release(share);
                return Err(code);
            }
        };
        let mut facts: Vec<Fact> = opened.legs.iter().flatten().map(|leg| Fact::Relayed(leg.relayed)).collect();
        facts.push(Fact::Mapped((remote.ip().to_canonical(), remote.port()).into()));
        facts.push(Fact::Lifetime(lifetime.as_secs() as u32));
        facts.extend(opened.facts);
        let transport = exchange.link.transport();
        Family::BOTH
            .iter()
            .filter(|family| opened.legs[**family as usize].is_some())
            .for_each(|f| self.counters.leg_opened(transport, *f));
        self.counters.allocation_made();
        self.table.insert(Allocation {
            link: *exchange.link,
            user: exchange.principal.user.clone(),
            share,
            scope: exchange.principal.scope,
            legs: opened.legs,
            permissions: Permissions::default(),
            channels: Channels::default(),
            meter: Meter::new(now),
            granted: Granted { transaction: exchange.transaction, facts: facts.clone() },
        });
        self.count_ports();
        Ok(facts)
    }

    fn open_legs(
        &mut self,
        exchange: &Exchange<'_>,
        wish: AllocateWish,
        ends: Instant,
        sockets: &mut dyn RelaySockets,
    ) -> Result<Opened, Code> {
        if let Some(token) = wish.reservation {
            return self.open_reserved(exchange, token, ends, sockets);
        }
        let wanted = match wish.even_port {
            None => Wanted::Any,
            Some(EvenPort::Alone) => Wanted::Even,
            Some(EvenPort::WithNext) if !self.config.relay.has_reservations => return Err(Code::InsufficientCapacity),
            Some(EvenPort::WithNext) => Wanted::EvenWithNext,
        };
        let mut opened = Opened::default();
        match wish.families {
            FamilyWish::One(family) => {
                let leg = self.open_leg(exchange, family, wanted, ends, sockets)?;
                opened.legs[family as usize] = Some(leg);
                if wanted == Wanted::EvenWithNext {
                    opened.facts.extend(self.reserve(exchange.now, family, leg.relayed.port()));
                }
            }
            FamilyWish::Both => {
                // One of them alone is a success too, and says why there is no other (RFC 8656 §7.2).
                let legs = Family::BOTH.map(|family| (family, self.open_leg(exchange, family, wanted, ends, sockets)));
                if let [(_, Err(code)), (_, Err(_))] = legs {
                    return Err(code);
                }
                for (family, leg) in legs {
                    match leg {
                        Ok(leg) => opened.legs[family as usize] = Some(leg),
                        Err(code) => opened.facts.push(Fact::NoAddress(family, code)),
                    }
                }
            }
        }
        Ok(opened)
    }

    fn open_leg(
        &mut self,
        exchange: &Exchange<'_>,
        family: Family,
        wanted: Wanted,
        ends: Instant,
        sockets: &mut dyn RelaySockets,
    ) -> Result<Leg, Code> {
        self.relay_address(family).ok_or(Code::UnsupportedFamily)?;
        for _ in 0..MAX_OPEN_TRIES {
            let port =
                self.ports[family as usize].take(exchange.now, &mut self.random, wanted).ok_or(Code::InsufficientCapacity)?;
            match self.open_port(exchange, family, port, ends, sockets) {
                Ok(leg) => return Ok(leg),
                // Somebody else has it: not to be tried again soon.
                Err(OpenError::PortInUse) => self.ports[family as usize].give_back(exchange.now, port),
                Err(OpenError::Unavailable) => {
                    self.ports[family as usize].put_back(port);
                    break;
                }
            }
        }
        Err(Code::InsufficientCapacity)
    }

    fn open_reserved(
        &mut self,
        exchange: &Exchange<'_>,
        token: Token,
        ends: Instant,
        sockets: &mut dyn RelaySockets,
    ) -> Result<Opened, Code> {
        let kept =
            Family::BOTH.into_iter().find_map(|family| Some((family, self.ports[family as usize].claim(exchange.now, token)?)));
        let (family, port) = kept.ok_or(Code::InsufficientCapacity)?;
        let Ok(leg) = self.open_port(exchange, family, port, ends, sockets) else {
            self.ports[family as usize].give_back(exchange.now, port);
            return Err(Code::InsufficientCapacity);
        };
        let mut opened = Opened::default();
        opened.legs[family as usize] = Some(leg);
        Ok(opened)
    }

    /// Opens a port that has been taken. A credential for the SFU only needs no socket: the SFU is reached in the process.
    fn open_port(
        &mut self,
        exchange: &Exchange<'_>,
        family: Family,
        port: u16,
        ends: Instant,
        sockets: &mut dyn RelaySockets,
    ) -> Result<Leg, OpenError> {
        let address = self.relay_address(family).ok_or(OpenError::Unavailable)?;
        let socket = match exchange.principal.scope {
            Scope::Sfu => LegSocket::None,
            Scope::Any => {
                sockets.open(self.table.next_relay(family), SocketAddr::new(address.bind, port))?;
                LegSocket::Open
            }
        };
        Ok(Leg { relayed: SocketAddr::new(address.advertised, port), socket, ends })
    }

    /// Keeps the next port for whoever shows the token; without one there is no way to claim it (RFC 8656 §7.2).
    fn reserve(&mut self, now: Instant, family: Family, port: u16) -> Option<Fact> {
        let mut token = [0; 8];
        let is_kept = self.auth.crypto().fill(&mut token) && self.ports[family as usize].reserve_next(now, port, token);
        is_kept.then_some(Fact::Reservation(token))
    }
}
