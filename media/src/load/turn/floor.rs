//! The raw relay loop: what comes in on the front from a device goes out on its relay to the peer, and the other way round, as it is. No
//! message is read, no permission looked up, no bandwidth counted. It shares with the server the sockets and their batches.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use crate::net::{Buffers, MAX_RUNS, Run, Sender, Sharing, UdpPort, has_more};
use crate::transport::Path;

const FRONT: mio::Token = mio::Token(usize::MAX);
/// Batches taken from one socket before others get their turn, as in the server.
const MAX_BATCHES: usize = 4;
/// Sockets reported by one wait, as in the server.
const READY: usize = 64;
/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// The raw loop, its ports bound.
pub struct RawRelay {
    front: UdpPort,
    sender: Sender,
    relays: Vec<UdpPort>,
    poll: mio::Poll,
    to_devices: Collected,
}

/// What goes to devices, until a turn ends: all of it leaves by the front, many runs in one call, as in the server.
#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    runs: Vec<(SocketAddr, Range<usize>, usize)>,
}

impl RawRelay {
    /// Binds a front and so many relays on ports of the system's choice.
    pub fn bind(relays: usize, front_buffer_bytes: usize, relay_buffer_bytes: usize) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let mut front = UdpPort::bind_all(0, front_buffer_bytes, Sharing::Alone)?;
        poll.registry().register(&mut front.io, FRONT, mio::Interest::READABLE)?;
        let relay = |index| {
            let mut relay = UdpPort::bind((Ipv4Addr::LOCALHOST, 0).into(), relay_buffer_bytes)?;
            poll.registry().register(&mut relay.io, mio::Token(index), mio::Interest::READABLE)?;
            Ok(relay)
        };
        let relays = (0..relays).map(relay).collect::<io::Result<_>>()?;
        Ok(Self { sender: Sender::new(front.state.max_gso_segments()), front, relays, poll, to_devices: Collected::default() })
    }

    /// The port of the front, then those of the relays.
    pub fn ports(&self) -> io::Result<Vec<u16>> {
        std::iter::once(&self.front).chain(&self.relays).map(UdpPort::port).collect()
    }

    /// Relays between each device and its peer, in the order of the relays, until told to stop.
    pub fn run(mut self, pairs: &[[SocketAddr; 2]], mut is_over: impl FnMut() -> bool) -> io::Result<()> {
        let by_device: HashMap<SocketAddr, usize> = pairs.iter().enumerate().map(|(index, pair)| (pair[0], index)).collect();
        let mut ready = mio::Events::with_capacity(READY);
        let (mut buffers, mut full): (_, Vec<mio::Token>) = (Buffers::default(), Vec::new());
        while !is_over() {
            let wait = if full.is_empty() { LOOK } else { Duration::ZERO };
            if let Err(error) = self.poll.poll(&mut ready, Some(wait))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            let fresh = ready.iter().map(mio::event::Event::token).filter(|token| !full.contains(token)).collect::<Vec<_>>();
            full.extend(fresh);
            full.retain(|token| (0..MAX_BATCHES).all(|_| self.relay(*token, &mut buffers, pairs, &by_device)));
            self.send_to_devices();
        }
        Ok(())
    }

    /// Relays one batch of a socket; whether it may hold more.
    fn relay(
        &mut self,
        token: mio::Token,
        buffers: &mut Buffers,
        pairs: &[[SocketAddr; 2]],
        by_device: &HashMap<SocketAddr, usize>,
    ) -> bool {
        if token == FRONT {
            let received = self.front.receive_runs(buffers, |path, joined, segment_bytes| {
                let Some(&index) = by_device.get(&path.remote) else { return };
                let Some((relay, [_, peer])) = self.relays.get(index).zip(pairs.get(index)) else { return };
                // What the system does not take is lost, as on any network, and counted by whoever waits for it.
                let _ = relay.send(to(*peer), joined, segment_bytes);
            });
            return has_more(&received);
        }
        let Some((relay, [device, _])) = self.relays.get(token.0).zip(pairs.get(token.0)) else { return false };
        let Collected { bytes, runs } = &mut self.to_devices;
        relay.receive_few_runs(buffers, |_, joined, segment_bytes| {
            let start = bytes.len();
            bytes.extend_from_slice(joined);
            runs.push((*device, start..bytes.len(), segment_bytes));
        })
    }

    fn send_to_devices(&mut self) {
        let Collected { bytes, runs } = &mut self.to_devices;
        for some in runs.chunks(MAX_RUNS) {
            let mut out = [Run { path: to(SocketAddr::from(([0; 4], 0))), contents: &[], segment_bytes: 0 }; MAX_RUNS];
            for (place, (device, range, segment_bytes)) in out.iter_mut().zip(some) {
                *place = Run { path: to(*device), contents: &bytes[range.clone()], segment_bytes: *segment_bytes };
            }
            self.sender.send_runs(&self.front, &out[..some.len()]);
        }
        bytes.clear();
        runs.clear();
    }
}

fn to(remote: SocketAddr) -> Path {
    Path::udp(remote, None)
}
