//! Whether the server runs here, and which process it is: by its TCP port, which answers `/readyz` as WebCall does, plainly or by TLS.
//! The other checks look at a running server when there is one.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use tokio::net::TcpListener;

use super::finding::Finding;
use super::{http, tls};

const CHECK: &str = "TCP port";

/// Who has the port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Occupant {
    /// Nobody.
    Nobody,
    /// WebCall.
    Server(Readiness),
    /// Another program, or one that does not answer as WebCall does.
    Other,
    /// The settings let the system choose, or the system forbids the port.
    Unknown(String),
}

/// What the server says of itself (`/readyz`).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(super) struct Readiness {
    pub(super) database: String,
    pub(super) media: String,
    pub(super) stopping: bool,
}

/// The server's TCP port as it is.
pub(super) struct Facts {
    pub(super) port: u16,
    pub(super) occupant: Occupant,
    /// The process that listens there, when this one may see it.
    pub(super) process: Option<Process>,
}

/// A process of this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Process {
    pub(super) id: u32,
    pub(super) name: String,
}

/// Looks who has the port.
pub(super) async fn gather(port: u16) -> Facts {
    let occupant = occupant(port).await;
    let process = match &occupant {
        Occupant::Server(_) | Occupant::Other => listener_of(port),
        _ => None,
    };
    Facts { port, occupant, process }
}

impl Facts {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.occupant, Occupant::Server(_))
    }
}

/// What it means.
pub(super) fn judge(facts: &Facts) -> Finding {
    let port = facts.port;
    match &facts.occupant {
        Occupant::Server(ready) if ready.media != "ok" => {
            Finding::fault(CHECK, "media_failing", format!("the server answers on TCP port {port}, but its media threads do not"))
                .means("calls cannot be joined")
                .todo("look into the server's log and start it again")
        }
        Occupant::Server(_) => Finding::ok(CHECK, format!("the server answers on TCP port {port}")),
        Occupant::Nobody => {
            Finding::note(CHECK, "server_not_running", format!("TCP port {port} is free: the server does not run"))
                .means("what only a running server shows is left out below")
                .todo("start the server and ask again")
        }
        Occupant::Other => {
            let who = facts.process.as_ref().map(|process| format!(" (process {}, `{}`)", process.id, process.name));
            Finding::fault(CHECK, "port_taken", format!("another program has TCP port {port}{}", who.unwrap_or_default()))
                .means("the server cannot start")
                .todo("stop that program, or set PORT to another port")
        }
        Occupant::Unknown(why) => Finding::note(CHECK, "port_unknown", why.clone()),
    }
}

async fn occupant(port: u16) -> Occupant {
    if port == 0 {
        return Occupant::Unknown("PORT is 0, so the system chooses the port at each start".to_owned());
    }
    if let Some(ready) = readiness(port).await {
        return Occupant::Server(ready);
    }
    // As the server binds: both families, else IPv4.
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Ok(_) => return Occupant::Nobody,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Occupant::Other,
        Err(_) => {}
    }
    match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await {
        Ok(_) => Occupant::Nobody,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Occupant::Other,
        Err(error) => Occupant::Unknown(format!("TCP port {port} cannot be opened by this user: {error}")),
    }
}

async fn readiness(port: u16) -> Option<Readiness> {
    let authority = format!("127.0.0.1:{port}");
    let plain = async {
        let connection = http::connect(&authority).await.ok()?;
        http::get(connection, &authority, "/readyz").await.ok()
    };
    let parse = |answer: http::Answer| serde_json::from_slice(&answer.body).ok();
    if let Some(ready) = plain.await.and_then(parse) {
        return Some(ready);
    }
    let connection = http::connect(&authority).await.ok()?;
    let greeted = tls::handshake(connection, "localhost").await.ok()?;
    http::get(greeted, &authority, "/readyz").await.ok().and_then(parse)
}

/// Who listens on a TCP port, by Linux's tables.
fn listener_of(port: u16) -> Option<Process> {
    let tables = ["/proc/self/net/tcp6", "/proc/self/net/tcp"].map(|file| fs::read_to_string(file).unwrap_or_default());
    let socket = format!("socket:[{}]", tables.iter().find_map(|table| listening_inode(table, port))?);
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut owners = processes.filter(|id| {
        let files = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == socket.as_str())
    });
    let id = owners.next()?;
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim().to_owned();
    Some(Process { id, name })
}

/// The inode of the listening socket (state 0A) of a port in `/proc/net/tcp`.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (_, local_port) = words.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(local_port, 16).ok()? == port && *words.get(3)? == "0A";
        is_it.then(|| words.get(9)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    #[test]
    fn each_occupant_has_its_finding() {
        let ready = |media: &str| Readiness { database: "ok".to_owned(), media: media.to_owned(), stopping: false };
        for (occupant, severity, code) in [
            (Occupant::Server(ready("ok")), Severity::Ok, "ok"),
            (Occupant::Server(ready("failing")), Severity::Fault, "media_failing"),
            (Occupant::Nobody, Severity::Note, "server_not_running"),
            (Occupant::Other, Severity::Fault, "port_taken"),
            (Occupant::Unknown("why".to_owned()), Severity::Note, "port_unknown"),
        ] {
            let finding = judge(&Facts { port: 8080, occupant, process: None });
            assert_eq!((finding.severity, finding.code), (severity, code));
        }
    }

    #[test]
    fn whoever_takes_the_port_is_named() {
        let process = Some(Process { id: 7, name: "nginx".to_owned() });
        let finding = judge(&Facts { port: 8080, occupant: Occupant::Other, process });
        assert!(finding.found.contains("8080 (process 7, `nginx`)"), "{}", finding.found);
    }

    #[test]
    fn only_a_listening_socket_of_that_port_is_found_in_the_table() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0 20
   1: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100
   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100
   broken
";
        assert_eq!(listening_inode(table, 8080), Some(333));
        assert_eq!(listening_inode(table, 1), None);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_port_of_this_process_is_another_programs_and_this_process_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // Whoever connects is cut off at once.
        std::thread::spawn(move || while listener.accept().is_ok() {});
        let facts = gather(port).await;
        assert_eq!((facts.occupant, facts.process.map(|process| process.id)), (Occupant::Other, Some(std::process::id())));
    }
}
