//! The UDP ports. Of a running server every one must answer a Binding request on every address of this machine that is advertised;
//! without a server they must be free. What a firewall in front of this machine does is seen from outside only (`outside.rs`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use futures_util::future::join_all;
use webcall_media::MediaConfig;

use super::finding::Finding;
use super::udp;

const CHECK: &str = "UDP ports";
/// Questions that are asked at once: each is a socket for a second and a half. More addresses than this covers go unasked.
const MAX_QUESTIONS: usize = 256;

/// What a port is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    Media,
    Turn,
}

/// A question and whether it was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Answered {
    pub(super) address: SocketAddr,
    pub(super) purpose: Use,
    pub(super) is_answered: bool,
}

/// The ports of the settings: media first. Those that the system chooses are not among them.
pub(super) fn configured(media: &MediaConfig) -> Vec<(u16, Use)> {
    let first = media.udp_port;
    let count = if first == 0 { 0 } else { media.workers };
    let media_ports = (0..count).map(|worker| (first.saturating_add(worker as u16), Use::Media));
    let turn = media.turn.as_ref().map(|turn| (turn.udp_port, Use::Turn)).filter(|(port, _)| *port != 0);
    media_ports.chain(turn).collect()
}

/// Asks every port at every address.
pub(super) async fn ask(addresses: &[IpAddr], ports: &[(u16, Use)]) -> Vec<Answered> {
    let all = addresses.iter().flat_map(|ip| ports.iter().map(|(port, purpose)| (SocketAddr::new(*ip, *port), *purpose)));
    let question = |(address, purpose): (SocketAddr, Use)| async move {
        Answered { address, purpose, is_answered: udp::ask(address).await.is_some() }
    };
    join_all(all.take(MAX_QUESTIONS).map(question)).await
}

/// The ports, of those of the settings, that another program has.
pub(super) fn taken(ports: &[(u16, Use)]) -> Vec<u16> {
    let is_taken = |port: u16| {
        let both = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port)).or_else(|_| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)));
        both.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
    };
    ports.iter().map(|(port, _)| *port).filter(|port| is_taken(*port)).collect()
}

/// Of a running server.
pub(super) fn judge_running(answers: &[Answered]) -> Finding {
    if answers.is_empty() {
        return Finding::note(CHECK, "port_unknown", "the settings let the system choose the UDP ports at each start");
    }
    let silent: Vec<&Answered> = answers.iter().filter(|answer| !answer.is_answered).collect();
    if silent.is_empty() {
        return Finding::ok(CHECK, format!("all {} answer on this machine: UDP {}", answers.len(), list(answers.iter())));
    }
    let is_turn = silent.iter().all(|answer| answer.purpose == Use::Turn);
    let means = match is_turn {
        true => "browsers that cannot reach the media ports find no TURN server",
        false => "browsers connect to the call and neither hear nor see anything, but for those that TURN carries",
    };
    Finding::fault(CHECK, "udp_closed", format!("no answer from UDP {}", list(silent.into_iter())))
        .means(means)
        .todo("open these UDP ports in the firewall of this machine (nft list ruleset, ufw status); check that the server runs with the turn.toml that was read here")
}

/// Without a server.
pub(super) fn judge_stopped(ports: &[(u16, Use)], taken: &[u16]) -> Finding {
    let numbers = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    if !taken.is_empty() {
        return Finding::fault(CHECK, "port_taken", format!("another program has UDP port {}", numbers(taken)))
            .means("the server cannot start")
            .todo("stop that program (ss -lunp names it), or set `udp_port` in turn.toml to other ports");
    }
    let all: Vec<u16> = ports.iter().map(|(port, _)| *port).collect();
    Finding::note(CHECK, "server_not_running", format!("free, and unasked without a server: UDP {}", numbers(&all)))
}

fn list<'a>(answers: impl Iterator<Item = &'a Answered>) -> String {
    let name = |answer: &Answered| format!("{}{}", answer.address, if answer.purpose == Use::Turn { " (TURN)" } else { "" });
    answers.map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    fn answer(address: &str, purpose: Use, is_answered: bool) -> Answered {
        Answered { address: address.parse().unwrap(), purpose, is_answered }
    }

    #[test]
    fn a_port_that_is_silent_on_one_address_is_closed_and_named() {
        let answers = [
            answer("192.0.2.1:50000", Use::Media, true),
            answer("192.0.2.1:50001", Use::Media, false),
            answer("192.0.2.1:3478", Use::Turn, true),
        ];
        let finding = judge_running(&answers);
        assert_eq!((finding.severity, finding.code), (Severity::Fault, "udp_closed"));
        assert!(finding.found.contains("192.0.2.1:50001") && !finding.found.contains("50000"), "{}", finding.found);
        assert_eq!(judge_running(&answers[..1]).severity, Severity::Ok);
        assert_eq!(judge_running(&[]).code, "port_unknown");
    }

    #[test]
    fn the_ports_of_the_settings_are_one_a_worker_and_the_turn_port() {
        let media = MediaConfig { workers: 3, udp_port: 50_000, ..MediaConfig::default() };
        assert_eq!(configured(&media), [(50_000, Use::Media), (50_001, Use::Media), (50_002, Use::Media)]);
        assert_eq!(configured(&MediaConfig { udp_port: 0, ..media }), []);
    }

    #[test]
    fn a_port_of_another_program_is_taken_and_a_free_one_is_not() {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let ports = [(port, Use::Media)];
        assert_eq!(judge_stopped(&ports, &taken(&ports)).code, "port_taken");
        drop(socket);
        assert_eq!(judge_stopped(&ports, &taken(&ports)).code, "server_not_running");
    }
}
