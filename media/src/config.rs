//! What the media core needs to know at start. The server reads it from `turn.toml` and checks it; nothing here touches a file.

use std::net::IpAddr;

use crate::addresses::StunServer;
use crate::turn::TurnConfig;

/// Settings of the media core. Every limit is enforced where the thing it limits is created.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Media threads, 64 at most. Calls are spread over them; each has a UDP port of its own.
    pub workers: usize,
    /// UDP port of the first worker; worker `n` listens on `udp_port + n`. 0 lets the system choose a port for each.
    pub udp_port: u16,
    /// Addresses put into ICE candidates. Empty: those of the interfaces, loopback last.
    pub advertised: Vec<IpAddr>,
    /// STUN servers that are asked at start for this machine's outer address, when no interface has a public one and `advertised` is
    /// empty. Empty: nobody is asked. Eight at most.
    pub stun_servers: Vec<StunServer>,
    /// UDP port put into ICE candidates instead of the bound one, for a port mapping or a test proxy; worker `n` advertises
    /// `advertised_port + n`.
    pub advertised_port: Option<u16>,
    /// TCP port on which the server takes connections for media and TURN ([`crate::Media::connect_ice`]), told to browsers; `None` when it
    /// takes none.
    pub tcp_port: Option<u16>,
    /// Participants in one call.
    pub max_participants: usize,
    /// Participants of one call that one worker takes before others take some. Fewer spreads small calls, whose packets are then handed
    /// from thread to thread; more lets one thread work while the others idle.
    pub participants_per_worker: usize,
    /// Receive buffer asked of the kernel, in bytes. Smaller loses packets in bursts, larger only costs memory.
    pub socket_buffer_bytes: usize,
    /// The TURN server; `None` for none.
    pub turn: Option<TurnSettings>,
}

/// The TURN server of the media threads.
#[derive(Clone, Debug)]
pub struct TurnSettings {
    /// UDP port of TURN, shared by all workers. 0 lets the system choose.
    pub udp_port: u16,
    /// What all engines have in common. The addresses of relays, own addresses and each engine's share of the ports are filled in at start.
    pub common: TurnConfig,
    /// TCP ports of this process, which no peer may have.
    pub own_tcp_ports: Vec<u16>,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            udp_port: 50_000,
            advertised: Vec::new(),
            stun_servers: Vec::new(),
            advertised_port: None,
            tcp_port: None,
            max_participants: 200,
            participants_per_worker: 32,
            socket_buffer_bytes: 4 << 20,
            turn: None,
        }
    }
}
