//! The raw loop: receive, open, copy, seal, send in batches, and nothing else. No room, no rewriting, no repair, no RTCP. What it
//! forwards for a second of processor time is what the machine can do; a server is measured by how near it comes.
//!
//! It shares with the server what is no room logic: the socket with its batches, and the ciphers.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use crate::net::{Buffers, MediaSocket};
use crate::outbox::Outbox;
use crate::rtp::{OutHeader, RtpHeader, write_header};
use crate::synthetic::DirectKeys;
use crate::transport::{DtlsRole, InboundIndex, MAX_RTP_OVERHEAD_BYTES, Path, SrtpOpener, SrtpSealer, direct_keys};
use crate::units::Ssrc;

const SOCKET: mio::Token = mio::Token(0);
/// The header that subscribers get: fixed part and one CSRC, as the server's.
const HEADER_BYTES: usize = 16;
/// Batches received before what they held is sent, as in the server.
const MAX_BATCHES: usize = 8;
/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Who sends and who receives.
#[derive(Default)]
pub struct FloorPlan {
    /// The keys of those who send.
    pub publishers: Vec<DirectKeys>,
    /// Those who receive.
    pub subscribers: Vec<FloorSubscriber>,
    /// What is forwarded.
    pub routes: Vec<FloorRoute>,
}

/// Somebody who receives.
pub struct FloorSubscriber {
    /// Where.
    pub address: SocketAddr,
    /// With which keys.
    pub keys: DirectKeys,
}

/// One SSRC on its way to all who receive it.
pub struct FloorRoute {
    /// The publisher's place in the plan.
    pub publisher: usize,
    /// What it sends with.
    pub ssrc: u32,
    /// The subscribers' places in the plan, and the SSRC that each gets.
    pub to: Vec<(usize, u32)>,
}

/// The raw loop, its port bound.
pub struct Floor {
    socket: MediaSocket,
    poll: mio::Poll,
}

impl Floor {
    /// Binds a port of the system's choice.
    pub fn bind(socket_buffer_bytes: usize) -> io::Result<Self> {
        let mut socket = MediaSocket::bind(0, socket_buffer_bytes)?;
        let poll = mio::Poll::new()?;
        poll.registry().register(socket.source(), SOCKET, mio::Interest::READABLE)?;
        Ok(Self { socket, poll })
    }

    /// The bound port.
    pub fn port(&self) -> io::Result<u16> {
        self.socket.port()
    }

    /// Forwards until told to stop.
    pub fn run(mut self, plan: &FloorPlan, mut is_over: impl FnMut() -> bool) -> io::Result<()> {
        let mut forwarder = Forwarder::new(plan).ok_or(io::ErrorKind::InvalidInput)?;
        let mut ready = mio::Events::with_capacity(8);
        let (mut outbox, mut buffers, mut has_more) = (Outbox::default(), Buffers::default(), true);
        while !is_over() {
            let wait = if has_more { Duration::ZERO } else { LOOK };
            if let Err(error) = self.poll.poll(&mut ready, Some(wait))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            has_more |= !ready.is_empty();
            for _ in 0..MAX_BATCHES {
                has_more = has_more && self.socket.receive(&mut buffers, |path, datagram| forwarder.open(path, datagram)).is_ok();
                self.forward(&mut forwarder, &mut outbox);
                if !has_more {
                    break;
                }
            }
            self.flush(&mut outbox);
        }
        Ok(())
    }

    /// What one batch held.
    fn forward(&mut self, forwarder: &mut Forwarder, outbox: &mut Outbox) {
        forwarder.equalise();
        for receiver in 0..forwarder.receivers.len() {
            forwarder.forward(receiver, outbox);
            if outbox.is_full() {
                self.flush(outbox);
            }
        }
        forwarder.clear();
    }

    fn flush(&mut self, outbox: &mut Outbox) {
        self.socket.send(outbox, |_, _| {});
        outbox.clear_transmits();
    }
}

/// A packet that was opened, until the turn ends.
struct Opened {
    route: usize,
    header: RtpHeader,
    index: u64,
    payload: Range<usize>,
    padding_bytes: u8,
}

struct Inbound {
    route: usize,
    publisher: usize,
    state: InboundIndex,
}

struct Receiver {
    path: Path,
    sealer: SrtpSealer,
    /// By route: the SSRC that this one gets.
    ssrcs: Vec<Option<u32>>,
}

struct Forwarder {
    openers: Vec<SrtpOpener>,
    inbound: HashMap<u32, Inbound>,
    receivers: Vec<Receiver>,
    opened: Vec<Opened>,
    payloads: Vec<u8>,
}

impl Forwarder {
    fn new(plan: &FloorPlan) -> Option<Self> {
        let keys = |keys: &DirectKeys| direct_keys(&keys.0, DtlsRole::Server).ok();
        let openers = plan.publishers.iter().map(|publisher| Some(keys(publisher)?.1)).collect::<Option<Vec<_>>>()?;
        let inbound = |(route, from): (usize, &FloorRoute)| {
            (from.ssrc, Inbound { route, publisher: from.publisher, state: InboundIndex::default() })
        };
        let receiver = |(place, subscriber): (usize, &FloorSubscriber)| {
            let ssrc = |route: &FloorRoute| route.to.iter().find(|(to, _)| *to == place).map(|(_, ssrc)| *ssrc);
            let path = Path::udp(subscriber.address, None);
            Some(Receiver { path, sealer: keys(&subscriber.keys)?.0, ssrcs: plan.routes.iter().map(ssrc).collect() })
        };
        Some(Self {
            openers,
            inbound: plan.routes.iter().enumerate().map(inbound).collect(),
            receivers: plan.subscribers.iter().enumerate().map(receiver).collect::<Option<Vec<_>>>()?,
            opened: Vec::new(),
            payloads: Vec::new(),
        })
    }

    fn open(&mut self, _: Path, packet: &mut [u8]) {
        let Some(header) = RtpHeader::parse(packet) else { return };
        let Some(inbound) = self.inbound.get_mut(&header.ssrc.0) else { return };
        let opener = &mut self.openers[inbound.publisher];
        let Ok(opened) = opener.open_rtp(packet, usize::from(header.header_len), &mut inbound.state) else { return };
        let start = self.payloads.len();
        self.payloads.extend_from_slice(&packet[opened.payload]);
        self.opened.push(Opened {
            route: inbound.route,
            header,
            index: opened.index,
            payload: start..self.payloads.len(),
            padding_bytes: 0,
        });
    }

    /// Pads by a byte what breaks a run for a byte, as the server does.
    fn equalise(&mut self) {
        for at in 1..self.opened.len() {
            let [earlier, later] = [&self.opened[at - 1], &self.opened[at]];
            if earlier.route == later.route && earlier.payload.len() + 1 == later.payload.len() {
                let (route, shorter) = (earlier.route, earlier.payload.len());
                let run = self.opened[..at].iter_mut().rev();
                run.take_while(|p| p.route == route && p.payload.len() == shorter).for_each(|p| p.padding_bytes = 1);
            }
        }
    }

    fn forward(&mut self, receiver: usize, out: &mut Outbox) {
        let receiver = &mut self.receivers[receiver];
        for packet in &self.opened {
            let Some(ssrc) = receiver.ssrcs[packet.route] else { continue };
            let payload = &self.payloads[packet.payload.clone()];
            let header = OutHeader {
                marker: packet.header.marker,
                payload_type: packet.header.payload_type,
                seq: packet.header.seq,
                timestamp: packet.header.timestamp,
                ssrc: Ssrc(ssrc),
                csrcs: &[1],
                extensions: &[],
                padding_bytes: packet.padding_bytes,
            };
            let len = HEADER_BYTES + payload.len() + usize::from(packet.padding_bytes);
            out.write(receiver.path, len + MAX_RTP_OVERHEAD_BYTES, |buffer| {
                let header_len = write_header(buffer, &header)?;
                buffer[header_len..header_len + payload.len()].copy_from_slice(payload);
                buffer[header_len + payload.len()..len].fill(packet.padding_bytes);
                receiver.sealer.seal_rtp(buffer, header_len, len, packet.index).ok()
            });
        }
    }

    fn clear(&mut self) {
        self.opened.clear();
        self.payloads.clear();
    }
}
