//! How long a connection may take to become worth keeping. A connection that only waits, or sends a byte now and then, ends.

use std::time::Instant;

use super::admission::AdmissionLimits;
use crate::turn::link::Transport;

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpPhase {
    /// TLS is being agreed on.
    Handshake,
    /// Nothing whole was received.
    FirstMessage,
    /// There were messages, and there is no allocation.
    Allocating,
    /// It has an allocation, which ends by itself.
    Allocated,
}

/// The time limit of one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpTimes {
    limits: AdmissionLimits,
    phase: TcpPhase,
    since: Instant,
}

impl TcpTimes {
    /// Begins with a connection.
    pub fn new(now: Instant, transport: Transport, limits: &AdmissionLimits) -> Self {
        let phase = if transport == Transport::Tls { TcpPhase::Handshake } else { TcpPhase::FirstMessage };
        Self { limits: *limits, phase, since: now }
    }

    /// The handshake is done.
    pub fn handshake_done(&mut self, now: Instant) {
        self.advance(now, TcpPhase::Handshake, TcpPhase::FirstMessage);
    }

    /// A whole message was received. Only the first makes a difference.
    pub fn message_received(&mut self, now: Instant) {
        self.advance(now, TcpPhase::FirstMessage, TcpPhase::Allocating);
    }

    /// The engine has an allocation for it ([`super::super::Turn::has_allocation`]).
    pub fn allocated(&mut self, now: Instant) {
        self.advance(now, TcpPhase::Allocating, TcpPhase::Allocated);
    }

    /// Its allocation has ended.
    pub fn allocation_ended(&mut self, now: Instant) {
        self.advance(now, TcpPhase::Allocated, TcpPhase::Allocating);
    }

    /// When it is to be closed if nothing more happens; `None` while it has an allocation.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            TcpPhase::Handshake => Some(self.since + self.limits.handshake),
            TcpPhase::FirstMessage => Some(self.since + self.limits.first_message),
            TcpPhase::Allocating => Some(self.since + self.limits.allocation),
            TcpPhase::Allocated => None,
        }
    }

    /// How far it has come.
    pub fn phase(&self) -> TcpPhase {
        self.phase
    }

    fn advance(&mut self, now: Instant, from: TcpPhase, to: TcpPhase) {
        if self.phase == from {
            (self.phase, self.since) = (to, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Group 16 of the security tests.
    #[test]
    fn each_phase_has_its_limit_and_messages_do_not_prolong_it() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let limits = AdmissionLimits::default();
        let mut times = TcpTimes::new(start, Transport::Tls, &limits);
        assert_eq!(times.deadline(), Some(at(5)));
        times.message_received(at(1));
        assert_eq!(times.deadline(), Some(at(5)), "not before the handshake");
        times.handshake_done(at(2));
        assert_eq!(times.deadline(), Some(at(7)));
        times.message_received(at(3));
        times.message_received(at(9));
        assert_eq!((times.phase(), times.deadline()), (TcpPhase::Allocating, Some(at(13))));
        times.allocated(at(10));
        assert_eq!(times.deadline(), None);
        times.allocation_ended(at(700));
        assert_eq!(times.deadline(), Some(at(710)));
    }

    #[test]
    fn a_plain_connection_has_no_handshake_to_wait_for() {
        let start = Instant::now();
        let times = TcpTimes::new(start, Transport::Tcp, &AdmissionLimits::default());
        assert_eq!((times.phase(), times.deadline()), (TcpPhase::FirstMessage, Some(start + Duration::from_secs(5))));
    }
}
