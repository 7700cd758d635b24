//! A real ACME server (RFC 8555) of the test's own: Pebble, by the people of Let's Encrypt (Debian's package `pebble`). It proves names
//! by connecting to 127.0.0.1, at the ports that the test gives; its DNS is answered here. Its directory is reached over HTTPS with a
//! certificate of [`Authority`], whose root `ca_file` holds.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::authority::Authority;

/// Where a name is to be proved, and for how long its certificate is valid.
#[derive(Clone, Copy)]
pub(crate) struct Proving {
    pub(crate) tls_port: u16,
    pub(crate) http_port: u16,
    pub(crate) validity_s: u64,
}

/// A running server; dropping it stops it.
pub(crate) struct Pebble {
    process: Child,
    folder: TempDir,
    dns: JoinHandle<()>,
    port: u16,
    management_port: u16,
}

impl Pebble {
    pub(crate) async fn start(proving: Proving) -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        std::fs::write(folder.path().join("root.pem"), authority.root_pem()).unwrap();
        let (certificate, private_key) = authority.issue(&["localhost"], 2100).write(folder.path());
        let (port, management_port) = two_free_ports();
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management_port}"),
            "certificate": certificate,
            "privateKey": private_key,
            "tlsPort": proving.tls_port,
            "httpPort": proving.http_port,
            "certificateValidityPeriod": proving.validity_s,
        }});
        let config_file = folder.path().join("pebble.json");
        std::fs::write(&config_file, config.to_string()).unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let dns_server = socket.local_addr().unwrap().to_string();
        let dns = tokio::spawn(answer_names(socket));
        let mut process = Command::new("pebble")
            .args(["-strict", "-dnsserver", &dns_server, "-config"])
            .arg(config_file)
            // Each proof is asked for at once and each time; no nonce is refused by chance.
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_AUTHZREUSE", "0"), ("PEBBLE_WFE_NONCEREJECT", "0")])
            .stdout(Stdio::piped())
            .spawn()
            .expect("Pebble is needed: apt-get install pebble");
        print_lines(&mut process);
        Self { process, folder, dns, port, management_port }
    }

    /// For `ACME_DIRECTORY`.
    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// For `ACME_CA_FILE`.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// Where `/roots/0` is the root of what it issues, over HTTPS.
    pub(crate) fn management_port(&self) -> u16 {
        self.management_port
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.dns.abort();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What Pebble says is shown with a test that fails; its pipe must be emptied anyway.
fn print_lines(process: &mut Child) {
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
}

/// Free a moment ago: Pebble cannot be told to let the system choose.
fn two_free_ports() -> (u16, u16) {
    let listen = || StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (one, other) = (listen(), listen());
    (one.local_addr().unwrap().port(), other.local_addr().unwrap().port())
}

/// A DNS in which every name leads to 127.0.0.1 (RFC 1035 §4.1).
async fn answer_names(socket: UdpSocket) {
    let mut packet = [0; 512];
    while let Ok((len, from)) = socket.recv_from(&mut packet).await {
        if let Some(answer) = dns_answer(&packet[..len]) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

fn dns_answer(query: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let name_len = query.get(HEADER..)?.iter().position(|byte| *byte == 0)? + 1;
    let question = query.get(HEADER..HEADER + name_len + 4)?;
    let asks_for_address = question[name_len..] == [0, 1, 0, 1];
    let mut answer = query[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(asks_for_address), 0, 0, 0, 0]);
    answer.extend(question);
    if asks_for_address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
