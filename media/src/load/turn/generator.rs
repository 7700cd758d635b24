//! The thread that sends and receives the load: marked packets on every allocation in turn, as many under way as the closed loop allows,
//! each checked when it arrives. It never sleeps, so that the server never pays for waking it.
//!
//! A datagram's time of arrival is the kernel's, so that the generator's own queue is in no figure.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use super::flow::{Arrival, Flow};
use super::mark::{Mark, Marker};
use super::{MAX_PAYLOAD_BYTES, Relayed, TurnLoad, TurnLoadError, Ways};
use crate::net::PlainBuffers;
use crate::synthetic::Latency;

/// Packets under way at a time: enough that the server has the next before it is done with the last, and few enough for the receive
/// buffer that a server gets of a kernel with its default limits (208 KiB, doubled, hold 184 packets of 1200 bytes with their overhead).
const MAX_UNDER_WAY: u64 = 128;
/// Of one allocation in one direction: what relay sockets of 64 KiB, doubled, hold of the largest packets is 56 (coturn has such).
const MAX_UNDER_WAY_PER_FLOW: u64 = 32;
/// Bursts sent before it is looked for what came: more lets arrivals wait, fewer costs system calls.
const BURSTS_PER_TURN: usize = 16;
/// Sockets reported by one wait; the others are reported by the next.
const READY: usize = 256;
/// How often it is looked for packets that will not come. Shorter gives up what a busy machine delivers late, which only counts as a
/// packet more under way; longer leaves the loop short of those that were lost.
const LOOK: Duration = Duration::from_millis(250);
/// How far a set rate may fall behind and catch up: longer sends more at once after the system let the generator wait, shorter sends less
/// than what was set.
const MAX_BEHIND: Duration = Duration::from_millis(100);
const CHANNEL_HEADER_BYTES: usize = 4;

/// What came of it so far.
#[derive(Debug, Clone)]
pub struct Totals {
    /// When this was so.
    pub at: Instant,
    /// Packets sent.
    pub sent: u64,
    /// Packets that arrived whole where they should, each counted once.
    pub received: u64,
    /// Packets that were overtaken by later ones, or did not come for long, and have not come since.
    pub missing: u64,
    /// Whatever else arrived: changed, twice, of another allocation, of nobody.
    pub damaged: u64,
    /// How long there was nothing to receive and nothing that might be sent: with none of it, the generator was the bottleneck.
    pub idle: Duration,
    /// From the sending of a packet to its arrival, since the totals before these.
    pub latency: Latency,
}

/// The running load. It ends with this value.
pub struct TurnGenerator {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<JoinHandle<Relayed>>,
}

enum Order {
    Tell(mpsc::Sender<Totals>),
    FallSilent,
}

impl TurnGenerator {
    /// Starts to send.
    pub fn start(relayed: Relayed, load: TurnLoad) -> Result<Self, TurnLoadError> {
        let (orders, receiver) = mpsc::channel();
        let engine = Engine::new(relayed, load, receiver)?;
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(move || engine.run())?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// What came of it so far.
    pub fn totals(&self) -> Result<Totals, TurnLoadError> {
        let (reply, answer) = mpsc::channel();
        self.order(Order::Tell(reply))?;
        answer.recv().map_err(|_| TurnLoadError::Gone)
    }

    /// Sends nothing any more; what is under way still arrives.
    pub fn fall_silent(&self) -> Result<(), TurnLoadError> {
        self.order(Order::FallSilent)
    }

    /// Ends it; the sockets are as good as before.
    pub fn stop(mut self) -> Result<Relayed, TurnLoadError> {
        self.orders = None;
        let thread = self.thread.take().ok_or(TurnLoadError::Gone)?;
        thread.join().map_err(|_| TurnLoadError::Gone)
    }

    fn order(&self, order: Order) -> Result<(), TurnLoadError> {
        self.orders.as_ref().and_then(|orders| orders.send(order).ok()).ok_or(TurnLoadError::Gone)
    }
}

impl Drop for TurnGenerator {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Flow `n` is sent on socket `n` and arrives on socket `n ^ 1`: even ones go up, odd ones down.
struct Engine {
    relayed: Relayed,
    load: TurnLoad,
    orders: mpsc::Receiver<Order>,
    poll: mio::Poll,
    buffers: PlainBuffers,
    marker: Marker,
    flows: Vec<Flow>,
    /// The flows that are sent, and whose turn it is.
    sending: Vec<usize>,
    turn: usize,
    under_way: u64,
    damaged: u64,
    idle: Duration,
    latency: Latency,
    burst: Vec<u8>,
    /// With a set rate: when the next burst is due.
    next_burst: Instant,
    next_look: Instant,
    is_silent: bool,
}

impl Engine {
    fn new(mut relayed: Relayed, load: TurnLoad, orders: mpsc::Receiver<Order>) -> Result<Self, TurnLoadError> {
        let poll = mio::Poll::new()?;
        for (index, socket) in relayed.sockets.iter_mut().enumerate() {
            poll.registry().register(&mut socket.io, mio::Token(index), mio::Interest::READABLE)?;
        }
        let is_sent = |flow: &usize| match load.ways {
            Ways::Up => flow.is_multiple_of(2),
            Ways::Down => !flow.is_multiple_of(2),
            Ways::Both => true,
        };
        let seed = unix_ns();
        let now = Instant::now();
        Ok(Self {
            sending: (0..relayed.sockets.len()).filter(is_sent).collect(),
            flows: vec![Flow::default(); relayed.sockets.len()],
            burst: vec![0; load.burst * (CHANNEL_HEADER_BYTES + MAX_PAYLOAD_BYTES)],
            relayed,
            load,
            orders,
            poll,
            buffers: PlainBuffers::default(),
            marker: Marker::new(seed),
            turn: 0,
            under_way: 0,
            damaged: 0,
            idle: Duration::ZERO,
            latency: Latency::default(),
            next_burst: now,
            next_look: now + LOOK,
            is_silent: false,
        })
    }

    fn run(mut self) -> Relayed {
        let mut ready = mio::Events::with_capacity(READY);
        let mut last = Instant::now();
        while self.obey() {
            // An interrupted wait is a short one.
            let _ = self.poll.poll(&mut ready, Some(Duration::ZERO));
            for event in &ready {
                self.receive(event.token().0);
            }
            let bursts = self.send();
            let now = Instant::now();
            if ready.is_empty() && bursts == 0 {
                self.idle += now - last;
            }
            last = now;
            self.look_for_lost(now);
        }
        for socket in &mut self.relayed.sockets {
            // One that cannot be taken out is closed soon.
            let _ = self.poll.registry().deregister(&mut socket.io);
        }
        self.relayed
    }

    /// Whether to go on.
    fn obey(&mut self) -> bool {
        match self.orders.try_recv() {
            Ok(Order::Tell(reply)) => {
                // Whoever asked may have gone.
                let _ = reply.send(self.totals());
                true
            }
            Ok(Order::FallSilent) => {
                self.is_silent = true;
                true
            }
            Err(mpsc::TryRecvError::Empty) => true,
            Err(mpsc::TryRecvError::Disconnected) => false,
        }
    }

    fn totals(&mut self) -> Totals {
        let sum = |of: fn(&Flow) -> u64| self.flows.iter().map(of).sum();
        Totals {
            at: Instant::now(),
            sent: sum(Flow::next),
            received: sum(Flow::received),
            missing: sum(Flow::missing),
            damaged: self.damaged,
            idle: self.idle,
            latency: std::mem::take(&mut self.latency),
        }
    }

    fn receive(&mut self, socket: usize) {
        let Self { relayed, load, buffers, marker, flows, under_way, damaged, latency, .. } = self;
        let from = socket ^ 1;
        let (Some(socket), Some(flow)) = (relayed.sockets.get(socket), flows.get_mut(from)) else { return };
        // Down, the server puts a channel's header in front.
        let channel = relayed.channel.filter(|_| !from.is_multiple_of(2));
        while socket.receive(buffers, |arrived, datagram| {
            let payload = channel.map_or(Some(&*datagram), |channel| unwrapped(channel, datagram));
            let mark = payload.and_then(|payload| marker.read(payload, load.payload_bytes));
            match mark.filter(|mark| mark.flow as usize == from).map(|mark| (flow.receive(mark.seq), mark.sent_ns)) {
                Some((Arrival::New { settled }, sent_ns)) => {
                    *under_way -= settled;
                    let arrived_ns = arrived.map_or_else(unix_ns, |since_1970| since_1970.as_nanos() as u64);
                    latency.record(arrived_ns.saturating_sub(sent_ns) / 1_000);
                }
                Some((Arrival::Wrong, _)) | None => *damaged += 1,
            }
        }) {}
    }

    /// How many bursts went out.
    fn send(&mut self) -> usize {
        for sent in 0..BURSTS_PER_TURN {
            if self.is_silent || self.under_way + self.load.burst as u64 > MAX_UNDER_WAY || !self.is_due() {
                return sent;
            }
            let Some(flow) = self.next_flow() else { return sent };
            self.send_burst(flow);
        }
        BURSTS_PER_TURN
    }

    fn is_due(&mut self) -> bool {
        let Some(pps) = self.load.pps else { return true };
        let now = Instant::now();
        if now < self.next_burst {
            return false;
        }
        let bursts_per_second = f64::from(pps) * self.sending.len() as f64 / self.load.burst as f64;
        let behind = now.checked_sub(MAX_BEHIND).unwrap_or(now);
        self.next_burst = self.next_burst.max(behind) + Duration::from_secs_f64(1.0 / bursts_per_second);
        true
    }

    /// The next one in turn that may have a burst more under way.
    fn next_flow(&mut self) -> Option<usize> {
        for _ in 0..self.sending.len() {
            let flow = self.sending[self.turn];
            self.turn = (self.turn + 1) % self.sending.len();
            if self.flows[flow].under_way() + self.load.burst as u64 <= MAX_UNDER_WAY_PER_FLOW {
                return Some(flow);
            }
        }
        None
    }

    fn send_burst(&mut self, flow: usize) {
        let payload_bytes = self.load.payload_bytes;
        let channel = self.relayed.channel.filter(|_| flow.is_multiple_of(2));
        let head_bytes = if channel.is_some() { CHANNEL_HEADER_BYTES } else { 0 };
        let datagram_bytes = head_bytes + payload_bytes;
        let (first, sent_ns) = (self.flows[flow].next(), unix_ns());
        let burst = &mut self.burst[..self.load.burst * datagram_bytes];
        for (seq, datagram) in (first..).zip(burst.chunks_exact_mut(datagram_bytes)) {
            if let Some(channel) = channel {
                datagram[..2].copy_from_slice(&channel.to_be_bytes());
                datagram[2..4].copy_from_slice(&(payload_bytes as u16).to_be_bytes());
            }
            self.marker.write(&mut datagram[head_bytes..], Mark { flow: flow as u32, seq, sent_ns });
        }
        // What the system did not take was never sent.
        let sent = self.relayed.sockets[flow].send_run(burst, datagram_bytes) as u64;
        self.flows[flow].sent(sent);
        self.under_way += sent;
    }

    fn look_for_lost(&mut self, now: Instant) {
        if now >= self.next_look {
            self.next_look = now + LOOK;
            self.under_way -= self.flows.iter_mut().map(Flow::give_up).sum::<u64>();
        }
    }
}

/// The payload of a datagram on a channel (RFC 8656 §12.4), which may be padded to a multiple of four.
fn unwrapped(channel: u16, datagram: &[u8]) -> Option<&[u8]> {
    let (&[c0, c1, len0, len1], rest) = datagram.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes([len0, len1]));
    let is_ours = u16::from_be_bytes([c0, c1]) == channel && rest.len() < len + 4;
    rest.get(..len).filter(|_| is_ours)
}

fn unix_ns() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::load::turn::RawRelay;

    /// A bound that only a machine in trouble reaches.
    const PATIENCE: Duration = Duration::from_secs(20);
    const LOAD: TurnLoad = TurnLoad { payload_bytes: 300, burst: 3, ways: Ways::Both, pps: None };

    fn local(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn wait_for(generator: &TurnGenerator, is_so: impl Fn(&Totals) -> bool) -> Totals {
        let began = Instant::now();
        loop {
            let totals = generator.totals().unwrap();
            if is_so(&totals) {
                return totals;
            }
            assert!(began.elapsed() < PATIENCE, "{totals:?}");
        }
    }

    #[test]
    fn all_that_is_sent_through_the_raw_loop_arrives_once_and_whole_and_silence_ends_it() {
        let raw = RawRelay::bind(3, 1 << 20, 1 << 18).unwrap();
        let ports: Vec<SocketAddr> = raw.ports().unwrap().into_iter().map(local).collect();
        let relayed = Relayed::directly(ports[0], &ports[1..]).unwrap();
        let (pairs, is_over) = (relayed.addresses().unwrap(), Arc::new(AtomicBool::new(false)));
        let over = is_over.clone();
        let relaying = std::thread::spawn(move || raw.run(&pairs, || over.load(Ordering::Relaxed)));
        let generator = TurnGenerator::start(relayed, LOAD).unwrap();
        wait_for(&generator, |totals| totals.received > 3_000);
        generator.fall_silent().unwrap();
        let end = wait_for(&generator, |totals| totals.received == totals.sent);
        assert_eq!((end.damaged, end.missing), (0, 0));
        let relayed = generator.stop().unwrap();
        assert_eq!(relayed.sockets.len(), 6);
        is_over.store(true, Ordering::Relaxed);
        relaying.join().unwrap().unwrap();
    }

    /// Of four packets the first arrives twice, the second with a byte changed, the third not at all.
    #[test]
    fn doubles_and_changed_packets_are_damage_and_those_that_do_not_come_are_missing() {
        let [front, relay] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let address = |socket: &UdpSocket| socket.local_addr().unwrap();
        let relayed = Relayed::directly(address(&front), &[address(&relay)]).unwrap();
        let [_, peer] = relayed.addresses().unwrap()[0];
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let relaying = std::thread::spawn(move || {
            let mut packet = [0; 1_500];
            for number in 0.. {
                let len = front.recv(&mut packet).unwrap();
                if over.load(Ordering::Relaxed) {
                    return;
                }
                packet[100] ^= u8::from(number % 4 == 1);
                for _ in 0..[2, 1, 0, 1][number % 4] {
                    relay.send_to(&packet[..len], peer).unwrap();
                }
            }
        });
        let load = TurnLoad { burst: 1, ways: Ways::Up, ..LOAD };
        let generator = TurnGenerator::start(relayed, load).unwrap();
        wait_for(&generator, |totals| totals.sent > 400);
        generator.fall_silent().unwrap();
        let end = wait_for(&generator, |totals| totals.received + totals.missing == totals.sent);
        // Of every four: two are whole, two never come whole, and two are damage.
        let is_about = |figure: u64, of: u64| figure.abs_diff(of) <= 2;
        assert!(is_about(end.received, end.sent / 2), "{end:?}");
        assert!(is_about(end.missing, end.sent / 2), "{end:?}");
        assert!(is_about(end.damaged, end.sent / 2), "{end:?}");
        is_over.store(true, Ordering::Relaxed);
        let relayed = generator.stop().unwrap();
        relayed.sockets[0].send(b"end");
        relaying.join().unwrap();
    }

    #[test]
    fn a_datagram_of_another_channel_or_length_is_not_unwrapped() {
        assert_eq!(unwrapped(0x4000, &[0x40, 0, 0, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(unwrapped(0x4000, &[0x40, 0, 0, 2, 7, 8, 0, 0]), Some(&[7, 8][..]), "padded");
        for wrong in [&[0x40, 1, 0, 2, 7, 8][..], &[0x40, 0, 0, 3, 7, 8], &[0x40, 0, 0, 2, 7, 8, 0, 0, 0, 0], &[0x40, 0, 0]] {
            assert_eq!(unwrapped(0x4000, wrong), None, "{wrong:?}");
        }
    }
}
