//! For `webcall doctor`: what this machine has and what its kernel grants, gathered as the media core gathers it at start. The STUN and
//! TURN messages of the same purpose are in [`crate::turn::probe`].
//!
//! Owns nothing and decides nothing; [`crate::addresses::decide`] does.

use std::io;
use std::net::IpAddr;

use crate::addresses::{Situation, StunServer, may_ask};
use crate::net::{ask_stun, own_interfaces, own_place};

/// What this machine has. The servers are asked only where their word would count; blocks for a second at most.
pub fn situation(configured: &[IpAddr], stun_servers: &[StunServer]) -> Situation {
    let mut situation =
        Situation { interfaces: own_interfaces(), configured: configured.to_vec(), place: own_place(), mapped: Vec::new() };
    if may_ask(&situation) && !stun_servers.is_empty() {
        situation.mapped = ask_stun(stun_servers);
    }
    situation
}

/// The addresses from which these servers see this machine, the first answer first. Blocks for a second at most.
pub fn mapped_addresses(stun_servers: &[StunServer]) -> Vec<IpAddr> {
    ask_stun(stun_servers)
}

/// The receive and send buffers that a UDP port gets when it asks for so many bytes.
pub fn granted_buffers(bytes: usize) -> io::Result<(usize, usize)> {
    crate::net::granted_buffers(bytes)
}
