//! Asks STUN servers from which address they see this machine (RFC 8489 §7, the 1:1 NAT of clouds). One request to each at once, repeated
//! twice, and an end after a second, whatever the network does: a server that is silent must not keep the calls of a whole house waiting.
//!
//! Threads, because looking up a name has no end of its own: one that hangs is left behind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::addresses::StunServer;
use crate::turn::probe::BindingProbe;

/// How long all of it may take. Longer delays a start behind a firewall that drops; shorter loses servers on other continents.
const PATIENCE: Duration = Duration::from_secs(1);
/// When the request is repeated: two losses in a row are survived.
const REPEAT: Duration = Duration::from_millis(300);
/// Servers that are asked at most; each is a thread for a second.
const MAX_SERVERS: usize = 8;
/// The largest answer that is read; a longer one is cut and then none.
const MAX_ANSWER_BYTES: usize = 1_500;

/// The addresses from which the servers saw this machine, the first answer first. Blocks for a second at most.
pub(crate) fn ask_stun(servers: &[StunServer]) -> Vec<IpAddr> {
    let deadline = Instant::now() + PATIENCE;
    let (answers, received) = mpsc::channel();
    for server in servers.iter().take(MAX_SERVERS) {
        let (server, answers) = (server.clone(), answers.clone());
        // A thread that cannot be started is a server that does not answer.
        let _ = std::thread::Builder::new().name("stun".to_owned()).spawn(move || {
            // Nobody listens any more once the second is over.
            let _ = answers.send(ask(&server, deadline));
        });
    }
    drop(answers);
    let mut seen: Vec<IpAddr> = Vec::new();
    while let Ok(answer) = received.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        if let Some(ip) = answer.filter(|ip| !seen.contains(ip)) {
            seen.push(ip);
        }
    }
    seen
}

/// IPv4 first: it is what networks translate.
fn ask(server: &StunServer, deadline: Instant) -> Option<IpAddr> {
    let all: Vec<SocketAddr> = (server.host.as_str(), server.port).to_socket_addrs().ok()?.collect();
    let address = all.iter().find(|address| address.is_ipv4()).or(all.first())?;
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(address).ok()?;
    let probe = BindingProbe::new()?;
    let mut answer = [0; MAX_ANSWER_BYTES];
    let mut repeat_at = Instant::now();
    while Instant::now() < deadline {
        if Instant::now() >= repeat_at {
            // A refusal of the last one comes back here; the next may arrive.
            let _ = socket.send(&probe.request());
            repeat_at += REPEAT;
        }
        let wait = repeat_at.min(deadline).saturating_duration_since(Instant::now());
        socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).ok()?;
        let mapped = socket.recv(&mut answer).ok().and_then(|len| probe.read(&answer[..len]));
        if let Some(mapped) = mapped {
            return Some(mapped.ip());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::plain_answer;

    /// Answers as a server that sees this machine at `seen`; ignores the first `losses` requests.
    fn server(seen: &str, losses: usize) -> StunServer {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let seen = seen.parse().unwrap();
        std::thread::spawn(move || {
            let mut request = [0; 100];
            for _ in 0..losses {
                socket.recv_from(&mut request).unwrap();
            }
            let (len, from) = socket.recv_from(&mut request).unwrap();
            socket.send_to(&plain_answer(&request[..len], seen).unwrap(), from).unwrap();
        });
        StunServer { host: "127.0.0.1".to_owned(), port }
    }

    #[test]
    fn what_servers_saw_is_known_each_address_once_also_when_the_first_requests_are_lost() {
        let servers = [server("93.184.216.34:5", 0), server("93.184.216.34:6", 2)];
        assert_eq!(ask_stun(&servers), ["93.184.216.34".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn servers_that_are_silent_or_have_no_name_give_nothing_and_keep_nobody() {
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = silent.local_addr().unwrap().port();
        let unknown = StunServer { host: "nobody.invalid".to_owned(), port: 3478 };
        assert_eq!(ask_stun(&[StunServer { host: "127.0.0.1".to_owned(), port }, unknown]), [] as [IpAddr; 0]);
        assert_eq!(ask_stun(&[]), [] as [IpAddr; 0]);
    }
}
