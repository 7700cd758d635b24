//! What only somebody outside can see: whether UDP comes through the firewalls and routers in front of this machine. This command does it
//! on a second machine (`--probe`); a browser does it on the page /diagnostics.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::finding::Finding;
use super::ports::Use;
use super::udp;

const CHECK: &str = "from outside";
/// How long looking a name up may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses of a host that are asked: the first of each family is what browsers try first.
const MAX_ADDRESSES: usize = 4;

/// How to look from outside, said on the server.
pub(super) fn advice(ports: &[(u16, Use)], name: &str) -> Finding {
    let numbers: Vec<String> = ports.iter().map(|(port, _)| port.to_string()).collect();
    Finding::note(CHECK, "look_from_outside", "firewalls and routers in front of this machine are seen from outside only").todo(format!(
        "on a machine in another network run `webcall doctor --probe {name} --ports {}`, or open the page /diagnostics of this server in a browser there",
        numbers.join(",")
    ))
}

/// Asks the ports of another machine.
pub(super) async fn probe(host: &str, ports: &[u16]) -> Vec<Finding> {
    let addresses: Vec<SocketAddr> = match timeout(PATIENCE, lookup_host((host, 0))).await {
        Ok(Ok(found)) => found.take(MAX_ADDRESSES).collect(),
        Ok(Err(error)) => return vec![unknown_host(host, &error.to_string())],
        Err(_) => return vec![unknown_host(host, "no answer in time")],
    };
    let questions = addresses.iter().flat_map(|address| ports.iter().map(|port| SocketAddr::new(address.ip(), *port)));
    join_all(questions.map(|address| async move { judge(address, udp::ask(address).await) })).await
}

fn unknown_host(host: &str, why: &str) -> Finding {
    Finding::fault(CHECK, "host_unknown", format!("{host} has no address: {why}"))
        .means("browsers cannot find the server")
        .todo("check the name and its A and AAAA records")
}

fn judge(address: SocketAddr, seen: Option<SocketAddr>) -> Finding {
    match seen {
        Some(seen) => Finding::ok(CHECK, format!("UDP {address} answers, and sees this machine as {seen}")),
        None => Finding::fault(CHECK, "udp_closed", format!("no answer from UDP {address}"))
            .means("browsers in this network cannot reach that port")
            .todo("open it in the firewall of the server and of its provider, and forward it in its router; check that the server runs, and that this network lets UDP out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[tokio::test]
    async fn a_port_where_nobody_is_is_closed_and_a_name_without_address_is_unknown() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        let findings = probe("127.0.0.1", &[port]).await;
        assert_eq!(
            findings.iter().map(|finding| (finding.severity, finding.code)).collect::<Vec<_>>(),
            [(Severity::Fault, "udp_closed")]
        );
        assert_eq!(probe("nobody.invalid", &[1]).await[0].code, "host_unknown");
    }

    #[test]
    fn the_advice_names_the_ports() {
        let advice = advice(&[(50_000, Use::Media), (3_478, Use::Turn)], "calls.example");
        assert!(advice.todo.contains("--probe calls.example --ports 50000,3478"), "{}", advice.todo);
    }
}
