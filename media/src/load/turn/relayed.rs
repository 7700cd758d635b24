//! The sockets of the load: for each allocation a device's, which allocates and binds a channel (RFC 8656 §7, §10, §12), and a peer's,
//! which talks to the relayed address. One after the other, before anything is measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Account, TurnLoadError};
use crate::net::{PlainBuffers, PlainSocket};
use crate::turn::{Ask, Reply, Requester};

/// The channel of every allocation: numbers are the 5-tuple's own (RFC 8656 §12).
const CHANNEL: u16 = 0x4000;
/// How long an answer is waited for before the request is sent again, the recommended RTO (RFC 8489 §6.2.1).
const REPEAT: Duration = Duration::from_millis(500);
/// How often it is sent before the server counts as silent.
const MAX_SENDS: u32 = 6;
/// The port of a device may be one of which the server still has an allocation; another is tried then (RFC 8656 §7.4).
const ALLOCATION_MISMATCH: u16 = 437;
/// Ports that are tried for one device. So many in a row are taken only where a server forgets nothing.
const MAX_PORTS: usize = 4;
/// Nonces that the server may ask for in a row: without one, with a stale one, and one that ends meanwhile.
const MAX_CHALLENGES: usize = 3;

/// Sockets between which packets can be relayed.
pub struct Relayed {
    /// Two for each allocation: the device's, then the peer's. What is sent on one arrives on the other.
    pub(super) sockets: Vec<PlainSocket>,
    /// What devices put in front; `None` for the raw loop, which relays what it gets.
    pub(super) channel: Option<u16>,
    dialogue: Option<Dialogue>,
}

impl Relayed {
    /// Makes so many allocations of one user; `progress` hears how many there are.
    pub fn allocate(account: &Account, count: usize, mut progress: impl FnMut(usize)) -> Result<Self, TurnLoadError> {
        let requester = Requester::new(&account.username, account.password.clone()).ok_or(TurnLoadError::NoCryptography)?;
        let dialogue = Dialogue { requester, poll: mio::Poll::new()?, buffers: PlainBuffers::default() };
        let mut relayed = Self { sockets: Vec::with_capacity(2 * count), channel: Some(CHANNEL), dialogue: Some(dialogue) };
        for made in 1..=count {
            if let Err(error) = relayed.add(account.server) {
                // What was made so far would count against the user for minutes; the first error is the one to tell.
                let _ = relayed.release();
                return Err(error);
            }
            progress(made);
        }
        Ok(relayed)
    }

    fn add(&mut self, server: SocketAddr) -> Result<(), TurnLoadError> {
        let Some(dialogue) = &mut self.dialogue else { return Ok(()) };
        let (device, relayed) = dialogue.allocate(server)?;
        let peer = PlainSocket::connect(relayed)?;
        let address = peer.local_address()?;
        self.sockets.extend([device, peer]);
        let device = self.sockets.len() - 2;
        dialogue.ask(&mut self.sockets[device], Ask::Permit(address))?;
        dialogue.ask(&mut self.sockets[device], Ask::BindChannel(CHANNEL, address))?;
        Ok(())
    }

    /// For the raw loop: devices talk to its front, and each peer to one of its relays.
    pub fn directly(front: SocketAddr, relays: &[SocketAddr]) -> Result<Self, TurnLoadError> {
        let mut sockets = Vec::with_capacity(2 * relays.len());
        for relay in relays {
            sockets.extend([PlainSocket::connect(front)?, PlainSocket::connect(*relay)?]);
        }
        Ok(Self { sockets, channel: None, dialogue: None })
    }

    /// The addresses of each device and its peer.
    pub fn addresses(&self) -> std::io::Result<Vec<[SocketAddr; 2]>> {
        let pair = |pair: &[PlainSocket]| Ok([pair[0].local_address()?, pair[1].local_address()?]);
        self.sockets.chunks_exact(2).map(pair).collect()
    }

    /// Gives the allocations back, so that a server that goes on has none of them.
    pub fn release(mut self) -> Result<(), TurnLoadError> {
        let Some(dialogue) = &mut self.dialogue else { return Ok(()) };
        for device in self.sockets.iter_mut().step_by(2) {
            dialogue.ask(device, Ask::Release)?;
        }
        Ok(())
    }
}

/// Requests and their answers, one at a time.
struct Dialogue {
    requester: Requester,
    poll: mio::Poll,
    buffers: PlainBuffers,
}

impl Dialogue {
    /// A device with an allocation, and its relayed address.
    fn allocate(&mut self, server: SocketAddr) -> Result<(PlainSocket, SocketAddr), TurnLoadError> {
        let mut refused = 0;
        for _ in 0..MAX_PORTS {
            let mut device = PlainSocket::connect(server)?;
            match self.ask(&mut device, Ask::Allocate) {
                Ok(Some(relayed)) => return Ok((device, relayed)),
                Err(TurnLoadError::Refused { code, .. }) if code == ALLOCATION_MISMATCH => refused = code,
                Err(error) => return Err(error),
                Ok(None) => return Err(TurnLoadError::NoAddress),
            }
        }
        Err(TurnLoadError::Refused { act: act(Ask::Allocate), code: refused })
    }

    /// The relayed address, if the answer has one.
    fn ask(&mut self, socket: &mut PlainSocket, ask: Ask) -> Result<Option<SocketAddr>, TurnLoadError> {
        self.poll.registry().register(&mut socket.io, mio::Token(0), mio::Interest::READABLE)?;
        let answered = self.ask_registered(socket, ask);
        self.poll.registry().deregister(&mut socket.io)?;
        answered
    }

    fn ask_registered(&mut self, socket: &PlainSocket, ask: Ask) -> Result<Option<SocketAddr>, TurnLoadError> {
        let mut code = 0;
        for _ in 0..MAX_CHALLENGES {
            let request = self.requester.write(ask).ok_or(TurnLoadError::NoCryptography)?;
            match self.exchange(socket, ask, &request)? {
                Reply::Granted(relayed) => return Ok(relayed),
                Reply::Refused(refused) => return Err(TurnLoadError::Refused { act: act(ask), code: refused }),
                Reply::AskAgain(challenge) => code = challenge,
                Reply::Stray => {}
            }
        }
        Err(TurnLoadError::Refused { act: act(ask), code })
    }

    fn exchange(&mut self, socket: &PlainSocket, ask: Ask, request: &[u8]) -> Result<Reply, TurnLoadError> {
        let mut ready = mio::Events::with_capacity(1);
        for _ in 0..MAX_SENDS {
            socket.send(request);
            let end = Instant::now() + REPEAT;
            while let Some(wait) = end.checked_duration_since(Instant::now()) {
                // An interrupted wait is a short one.
                let _ = self.poll.poll(&mut ready, Some(wait));
                let (requester, mut reply) = (&mut self.requester, Reply::Stray);
                while socket.receive(&mut self.buffers, |_, datagram| {
                    if reply == Reply::Stray {
                        reply = requester.read(ask, datagram);
                    }
                }) {}
                if reply != Reply::Stray {
                    return Ok(reply);
                }
            }
        }
        Err(TurnLoadError::Silent { act: act(ask), patience: REPEAT * MAX_SENDS })
    }
}

fn act(ask: Ask) -> &'static str {
    match ask {
        Ask::Allocate => "allocate",
        Ask::Permit(_) => "permit a peer",
        Ask::BindChannel(..) => "bind a channel",
        Ask::Release => "end an allocation",
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::turn::Secret;

    /// An answer of this class to a request, with one attribute.
    fn answer(request: &[u8], class: [u8; 2], kind: u16, value: &[u8]) -> Vec<u8> {
        let typ = [request[0] | class[0], request[1] | class[1]];
        let attribute = [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat();
        [&typ[..], &(attribute.len() as u16).to_be_bytes(), &request[4..20], &attribute].concat()
    }

    /// A server that asks for no credentials and answers each request with what `say` makes of it and its number.
    fn server(
        requests: usize,
        say: impl Fn(usize, &[u8]) -> Vec<u8> + Send + 'static,
    ) -> (Account, std::thread::JoinHandle<Vec<u16>>) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let account =
            Account { server: socket.local_addr().unwrap(), username: "bob".to_owned(), password: Secret::new("builder") };
        let serve = move || {
            let mut buffer = [0; 1_500];
            let answered = |number| {
                let (len, from) = socket.recv_from(&mut buffer).unwrap();
                socket.send_to(&say(number, &buffer[..len]), from).unwrap();
                from.port()
            };
            (0..requests).map(answered).collect()
        };
        (account, std::thread::spawn(serve))
    }

    #[test]
    fn a_device_whose_port_is_taken_tries_another_and_its_peer_talks_to_the_relayed_address() {
        let relay = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = relay.local_addr().unwrap().port() ^ 0x2112;
        // XOR-RELAYED-ADDRESS of 127.0.0.1, XORed with the magic cookie.
        let relayed = [&[0, 1][..], &port.to_be_bytes(), &[127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42]].concat();
        let (account, server) = server(4, move |number, request| match number {
            0 => answer(request, [1, 0x10], 0x0009, &[0, 0, 4, 37]),
            1 => answer(request, [1, 0], 0x0016, &relayed),
            _ => answer(request, [1, 0], 0x8022, b"name"),
        });
        let made = Relayed::allocate(&account, 1, |_| {}).unwrap();
        let ports = server.join().unwrap();
        let [device, _] = made.addresses().unwrap()[0];
        assert_ne!(ports[0], ports[1]);
        assert_eq!(ports[1..], [device.port(); 3], "what follows belongs to the allocation");
        made.sockets[1].send(b"hello");
        let mut buffer = [0; 16];
        assert_eq!(relay.recv(&mut buffer).unwrap(), 5);
    }

    #[test]
    fn a_refusal_names_what_was_asked_for_and_the_code_and_what_was_granted_is_given_back() {
        let relayed = [0, 1, 0x21 ^ 0x10, 0x12, 127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42];
        let (account, server) = server(5, move |number, request| match number {
            0 => answer(request, [1, 0], 0x0016, &relayed),
            3 => answer(request, [1, 0x10], 0x0009, &[0, 0, 4, 86]),
            4 => {
                assert_eq!(request[..2], [0, 4], "a Refresh");
                answer(request, [1, 0], 0x000d, &[0; 4])
            }
            _ => answer(request, [1, 0], 0x8022, b"name"),
        });
        let refused = Relayed::allocate(&account, 2, |_| {}).err().unwrap().to_string();
        assert!(refused.starts_with("the TURN server refuses to allocate with code 486: its limits"), "{refused}");
        let ports = server.join().unwrap();
        assert_eq!(ports[0], ports[4], "of the first, which was granted");
    }
}
