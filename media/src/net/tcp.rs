//! The TCP connections of one worker: TURN's, whose messages go to the engine, and those of participants whose network lets no UDP
//! through, whose packets go to the SFU as datagrams would (RFC 6544). Others accept them, read and write them ([`super::pipe`]).
//!
//! A connection that comes to nothing ends: one of TURN by the times of [`TcpTimes`], one of a participant when no check of theirs
//! authenticates, or when they have left.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::pipe::{Weight, WorkerEnd};
use crate::demux::{Protocol, classify};
use crate::id::TcpId;
use crate::transport::{PacketFraming, Path, length_of};
use crate::turn::{AdmissionLimits, Link, TcpFraming, TcpTimes};

/// How often it is looked which connections have come to nothing.
const UPKEEP: Duration = Duration::from_secs(1);
/// How long a connection to the SFU may be nobody's. Browsers send their check at once.
const NOBODYS: Duration = Duration::from_secs(10);
/// The type of a Data indication (RFC 8656 §17).
const DATA_INDICATION: [u8; 2] = [0x00, 0x17];

/// A connection on its way to its worker.
pub(crate) struct TcpConnection {
    pub(crate) end: WorkerEnd,
    pub(crate) speaks: Speaks,
}

/// What a connection carries.
pub(crate) enum Speaks {
    Turn {
        link: Link,
    },
    /// Packets for the SFU.
    Packets {
        path: Path,
    },
}

/// What came in on a connection.
pub(super) enum Received<'a> {
    Turn(&'a Link, &'a [u8]),
    Packet(Path, &'a mut [u8]),
}

/// Whether a connection is of use, as its user tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    InUse,
    Idle,
}

/// A connection that is no more; where TURN was spoken its engine has to know.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Ended {
    pub(super) link: Option<Link>,
}

#[derive(Default)]
pub(super) struct TcpConnections {
    open: HashMap<TcpId, Open>,
    /// How many of them are TURN's.
    of_turn: usize,
    /// Connections that nobody has looked at yet; what they rang for may have been taken for somebody unknown.
    fresh: Vec<TcpId>,
    /// Connections that something was pushed to.
    fuller: Vec<TcpId>,
    next_upkeep: Option<Instant>,
    dropped: u64,
}

struct Open {
    end: WorkerEnd,
    state: State,
}

enum State {
    Turn { link: Link, framing: TcpFraming, times: TcpTimes },
    Packets { path: Path, framing: PacketFraming, is_someones_at: Instant },
}

/// The bytes cannot be cut into messages any more.
struct Unreadable;

impl TcpConnections {
    pub(super) fn add(&mut self, now: Instant, connection: TcpConnection) {
        let state = match connection.speaks {
            Speaks::Turn { link } => {
                // TLS was agreed on before the connection came here.
                let mut times = TcpTimes::new(now, link.transport(), &AdmissionLimits::default());
                times.handshake_done(now);
                self.of_turn += 1;
                State::Turn { link, framing: TcpFraming::default(), times }
            }
            Speaks::Packets { path } => State::Packets { path, framing: PacketFraming::default(), is_someones_at: now },
        };
        self.fresh.push(connection.end.id());
        self.open.insert(connection.end.id(), Open { end: connection.end, state });
        self.next_upkeep.get_or_insert(now + UPKEEP);
    }

    /// The connections that came since the last call.
    pub(super) fn take_fresh(&mut self) -> Vec<TcpId> {
        std::mem::take(&mut self.fresh)
    }

    /// Hands on what a connection has received. `Some` when it has ended.
    pub(super) fn receive(&mut self, now: Instant, id: TcpId, handle: impl FnMut(Received<'_>)) -> Option<Ended> {
        let open = self.open.get_mut(&id)?;
        match open.receive(now, handle) {
            Ok(true) => None,
            Ok(false) | Err(Unreadable) => self.close(id),
        }
    }

    /// Writes a message of TURN.
    pub(super) fn push_message(&mut self, id: TcpId, message: &[u8]) {
        let is_media = matches!(message.first(), Some(0x40..=0x7f)) || message.starts_with(&DATA_INDICATION);
        self.push(id, if is_media { Weight::Media } else { Weight::Answer }, [message, &[]]);
    }

    /// Writes a packet of the SFU.
    pub(super) fn push_packet(&mut self, id: TcpId, packet: &[u8]) {
        let is_media = matches!(classify(packet), Protocol::Rtp | Protocol::Rtcp);
        let Some(length) = length_of(packet) else { return };
        self.push(id, if is_media { Weight::Media } else { Weight::Answer }, [&length, packet]);
    }

    fn push(&mut self, id: TcpId, weight: Weight, parts: [&[u8]; 2]) {
        // One that has ended is as gone as a client that left.
        let Some(open) = self.open.get_mut(&id) else { return };
        if open.end.push(weight, parts) {
            self.fuller.push(id);
        } else {
            self.dropped += 1;
        }
    }

    /// Has the connections write what was pushed.
    pub(super) fn flush(&mut self) {
        for id in self.fuller.drain(..) {
            if let Some(open) = self.open.get_mut(&id) {
                open.end.flush();
            }
        }
    }

    /// When [`Self::look_after`] has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next_upkeep
    }

    /// Ends the connections that have come to nothing. `of_turn` and `of_sfu` tell which are of use.
    pub(super) fn look_after(
        &mut self,
        now: Instant,
        of_turn: impl Fn(&Link) -> Use,
        of_sfu: impl Fn(Path) -> Use,
    ) -> Vec<Ended> {
        if self.next_upkeep.is_none_or(|at| now < at) {
            return Vec::new();
        }
        let is_over = |(id, open): (&TcpId, &mut Open)| open.is_over(now, &of_turn, &of_sfu).then_some(*id);
        let over: Vec<TcpId> = self.open.iter_mut().filter_map(is_over).collect();
        let ended = over.into_iter().filter_map(|id| self.close(id)).collect();
        self.next_upkeep = (!self.open.is_empty()).then_some(now + UPKEEP);
        ended
    }

    fn close(&mut self, id: TcpId) -> Option<Ended> {
        let link = match self.open.remove(&id)?.state {
            State::Turn { link, .. } => {
                self.of_turn -= 1;
                Some(link)
            }
            State::Packets { .. } => None,
        };
        Some(Ended { link })
    }

    /// Ends all.
    pub(super) fn close_all(&mut self) {
        *self = Self { dropped: self.dropped, ..Self::default() };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Connections of TURN and to the SFU.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.of_turn, self.open.len() - self.of_turn)
    }

    /// Messages and packets that were dropped since the last call because a client reads too slowly.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

impl Open {
    fn receive(&mut self, now: Instant, mut handle: impl FnMut(Received<'_>)) -> Result<bool, Unreadable> {
        match &mut self.state {
            State::Turn { link, framing, times } => self.end.receive(|bytes| {
                let each = |message: &[u8]| {
                    times.message_received(now);
                    handle(Received::Turn(link, message));
                };
                framing.receive(bytes, each).map_err(|_| Unreadable)
            }),
            State::Packets { path, framing, .. } => self.end.receive(|bytes| {
                framing.receive(bytes, |packet| handle(Received::Packet(*path, packet))).map_err(|_| Unreadable)
            }),
        }
    }

    fn is_over(&mut self, now: Instant, of_turn: &impl Fn(&Link) -> Use, of_sfu: &impl Fn(Path) -> Use) -> bool {
        match &mut self.state {
            State::Turn { link, times, .. } => {
                match of_turn(link) {
                    Use::InUse => times.allocated(now),
                    Use::Idle => times.allocation_ended(now),
                }
                times.deadline().is_some_and(|at| at <= now)
            }
            State::Packets { path, is_someones_at, .. } => {
                if of_sfu(*path) == Use::InUse {
                    *is_someones_at = now;
                }
                now >= *is_someones_at + NOBODYS
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use super::super::{Mailbox, TcpInlet, TcpOutlet, pipe};
    use super::*;
    use crate::turn::{ListenerId, Transport};

    const CLIENT: ([u8; 4], u16) = ([8, 8, 8, 8], 4000);

    struct Bench {
        tcp: TcpConnections,
        mailbox: Arc<Mailbox>,
        _poll: mio::Poll,
        start: Instant,
        link: Link,
        path: Path,
    }

    impl Bench {
        fn new() -> Self {
            let poll = mio::Poll::new().unwrap();
            let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap()));
            let (remote, tcp) = (SocketAddr::from(CLIENT), TcpConnections::default());
            let link = Link::Tcp { connection: TcpId(1), listener: ListenerId(1), remote, transport: Transport::Tcp };
            let path = Path { remote, local_ip: None, tcp: Some(TcpId(2)) };
            Self { tcp, mailbox, _poll: poll, start: Instant::now(), link, path }
        }

        fn open(&mut self, id: u64, speaks: Speaks) -> (TcpInlet, TcpOutlet) {
            let (inlet, outlet, end) = pipe(TcpId(id), self.mailbox.clone());
            self.tcp.add(self.start, TcpConnection { end, speaks });
            (inlet, outlet)
        }

        fn after(&mut self, seconds: u64, of_turn: Use, of_sfu: Use) -> Vec<Ended> {
            let now = self.start + Duration::from_secs(seconds);
            self.tcp.look_after(now, |_| of_turn, |_| of_sfu)
        }
    }

    #[tokio::test]
    async fn messages_and_packets_are_handed_on_whole_and_bad_bytes_end_a_connection() {
        let mut bench = Bench::new();
        let (turn, sfu) = (Speaks::Turn { link: bench.link }, Speaks::Packets { path: bench.path });
        let ((mut turn, _turn_out), (mut sfu, _sfu_out)) = (bench.open(1, turn), bench.open(2, sfu));
        assert!(turn.write(&[0x40, 0, 0, 1, 7, 0, 0, 0, 0x40]).await && sfu.write(&[0, 2, 0x80, 0x90, 0]).await);
        let mut seen = Vec::new();
        assert_eq!(bench.tcp.take_fresh(), [TcpId(1), TcpId(2)], "both are looked at, whatever was rung before they were known");
        for id in bench.mailbox.take_ready() {
            let ended = bench.tcp.receive(bench.start, id, |received| match received {
                Received::Turn(link, message) => seen.push((link.remote(), message.to_vec())),
                Received::Packet(path, packet) => seen.push((path.remote, packet.to_vec())),
            });
            assert_eq!(ended, None);
        }
        let from = SocketAddr::from(CLIENT);
        assert_eq!(seen, [(from, vec![0x40, 0, 0, 1, 7, 0, 0, 0]), (from, vec![0x80, 0x90])]);
        assert!(turn.write(&[0xff; 9]).await);
        let ended = bench.tcp.receive(bench.start, TcpId(1), |_| {});
        assert_eq!(ended, Some(Ended { link: Some(bench.link) }));
        assert_eq!(bench.tcp.count(), (0, 1));
        assert!(!turn.write(&[0]).await, "the connection learns that it has ended");
    }

    #[test]
    fn a_connection_that_comes_to_nothing_ends_and_one_of_use_stays() {
        let mut bench = Bench::new();
        let (turn, sfu) = (Speaks::Turn { link: bench.link }, Speaks::Packets { path: bench.path });
        let _ends = (bench.open(1, turn), bench.open(2, sfu));
        assert_eq!(bench.after(4, Use::Idle, Use::InUse), []);
        assert_eq!(bench.after(6, Use::Idle, Use::InUse), [Ended { link: Some(bench.link) }], "no message in five seconds");
        assert_eq!(bench.after(15, Use::Idle, Use::InUse), []);
        assert_eq!(bench.after(24, Use::Idle, Use::Idle), []);
        assert_eq!(bench.after(26, Use::Idle, Use::Idle), [Ended { link: None }], "ten seconds after its participant left");
        assert_eq!((bench.tcp.count(), bench.tcp.poll_timeout()), ((0, 0), None));
    }

    #[test]
    fn what_ends_with_the_connection_is_told() {
        let mut bench = Bench::new();
        let turn = Speaks::Turn { link: bench.link };
        drop(bench.open(1, turn));
        assert_eq!(bench.tcp.receive(bench.start, TcpId(1), |_| {}), Some(Ended { link: Some(bench.link) }));
    }
}
