//! Media and TURN over TCP: whether the port that browsers are told reaches this server directly, or something before it speaks HTTP. A
//! Binding request (RFC 8489 §6.2.2) tells: the server answers it, a web proxy does not.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use webcall_media::turn::probe::BindingProbe;

use super::finding::Finding;
use crate::config::{Config, TcpPort};

const CHECK: &str = "media over TCP";
/// How long a connection with its answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// An answer is some forty bytes.
const MAX_ANSWER_BYTES: usize = 256;

/// What a port said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// It answers STUN.
    Stun,
    /// It takes connections and speaks something else.
    Other,
    /// It takes none.
    Closed,
}

/// The port that browsers are told, or why none is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Port(u16),
    /// Switched off, or without a TURN server that could answer.
    Unasked,
    /// A proxy that speaks HTTP stands before the port of the pages.
    BehindProxy,
}

/// What the settings say.
pub(super) fn told(config: &Config) -> Told {
    let is_behind_proxy = !config.trusted_proxies.is_empty() && !config.proxy_protocol;
    let own = match config.tcp.port {
        TcpPort::Off => return Told::Unasked,
        TcpPort::Shared if is_behind_proxy => return Told::BehindProxy,
        TcpPort::Shared => config.port,
        TcpPort::Own(port) => port,
    };
    match config.tcp.advertised_port.unwrap_or(own) {
        0 => Told::Unasked,
        _ if config.media.turn.is_none() => Told::Unasked,
        port => Told::Port(port),
    }
}

/// Asks every address.
pub(super) async fn ask_all(addresses: &[SocketAddr]) -> Vec<(SocketAddr, Answer)> {
    join_all(addresses.iter().map(|address| async move { (*address, ask(*address).await) })).await
}

async fn ask(address: SocketAddr) -> Answer {
    let Some(probe) = BindingProbe::new() else { return Answer::Other };
    let Ok(Ok(connection)) = timeout(PATIENCE, TcpStream::connect(address)).await else { return Answer::Closed };
    let answered = timeout(PATIENCE, exchange(connection, &probe)).await.ok().flatten();
    if answered.is_some() { Answer::Stun } else { Answer::Other }
}

async fn exchange(mut connection: TcpStream, probe: &BindingProbe) -> Option<SocketAddr> {
    connection.write_all(&probe.request()).await.ok()?;
    let mut answer = Vec::new();
    while answer.len() < MAX_ANSWER_BYTES {
        if connection.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        if let Some(seen) = probe.read(&answer) {
            return Some(seen);
        }
    }
    None
}

/// Why nothing was asked.
pub(super) fn judge_unasked(told: Told) -> Option<Finding> {
    match told {
        Told::Port(_) => None,
        Told::Unasked => Some(Finding::note(CHECK, "tcp_unasked", "no port of it is told, or none that could be asked")),
        Told::BehindProxy => Some(
            Finding::warning(CHECK, "tcp_behind_proxy", "a proxy speaks HTTP before the port of the pages")
                .means("people whose network lets no UDP through cannot call")
                .todo("set `[tcp] port` in turn.toml to a port that is open in the firewall, or let the proxy pass connections on as they are (PROXY_PROTOCOL)"),
        ),
    }
}

/// What the answers mean.
pub(super) fn judge(answers: &[(SocketAddr, Answer)]) -> Finding {
    let of = |wanted: Answer| answers.iter().filter(move |(_, answer)| *answer == wanted).map(|(address, _)| address.to_string());
    let (other, closed): (Vec<_>, Vec<_>) = (of(Answer::Other).collect(), of(Answer::Closed).collect());
    let means = "people whose network lets no UDP through cannot call";
    if !other.is_empty() {
        return Finding::fault(
            CHECK,
            "tcp_not_direct",
            format!("TCP {} speaks something else than this server", other.join(", ")),
        )
        .means(means)
        .todo("let what stands before it pass connections on as they are, or set `[tcp] port` in turn.toml to another port");
    }
    if !closed.is_empty() {
        return Finding::fault(CHECK, "tcp_closed", format!("no connection to TCP {}", closed.join(", ")))
            .means(means)
            .todo("open the port in the firewall of this machine");
    }
    Finding::ok(CHECK, format!("answers on this machine: TCP {}", of(Answer::Stun).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[tokio::test]
    async fn a_web_server_is_told_from_a_closed_port() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        });
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = free.local_addr().unwrap();
        drop(free);
        assert_eq!(ask_all(&[web, closed]).await, [(web, Answer::Other), (closed, Answer::Closed)]);
    }

    #[test]
    fn each_answer_has_its_finding() {
        let at = SocketAddr::from(([192, 0, 2, 1], 443));
        let code = |answer| judge(&[(at, answer)]).code;
        assert_eq!([Answer::Other, Answer::Closed].map(code), ["tcp_not_direct", "tcp_closed"]);
        assert_eq!(judge(&[(at, Answer::Stun)]).severity, Severity::Ok);
        assert_eq!(judge_unasked(Told::BehindProxy).unwrap().code, "tcp_behind_proxy");
        assert_eq!(judge_unasked(Told::Port(443)), None);
    }
}
