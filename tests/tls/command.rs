//! The command itself with one line of configuration: it proves its name on the port that everything shares, or on the plain one, and
//! serves its pages with what it got.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::acme::{LONG_S, visitor_of};
use crate::pebble::{Pebble, Proving};

/// A running `webcall`; dropping it ends it.
struct Running {
    child: Child,
    _folder: TempDir,
}

impl Running {
    fn start(pebble: &Pebble, port: u16, http_port: u16, challenge: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("turn.toml"), "[media]\nworkers = 1\nudp_port = 0\n\n[turn]\nenabled = false\n")
            .unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_webcall"))
            .current_dir(folder.path())
            .env_clear()
            .env("DOMAIN", "call.test")
            .env("ACME_DIRECTORY", pebble.directory())
            .env("ACME_CA_FILE", pebble.ca_file())
            .env("ACME_CHALLENGE", challenge)
            .env("PORT", port.to_string())
            .env("HTTP_PORT", http_port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert_eq!(first, format!("WebCall is ready: https://call.test:{port}\n"));
        Self { child, _folder: folder }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// Several threads: one waits for the command while another answers the authority's questions about names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_of_configuration_gets_a_certificate_on_the_port_that_everything_shares() {
    obtains("tls-alpn-01").await;
}

// Several threads: one waits for the command while another answers the authority's questions about names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_of_configuration_gets_a_certificate_by_the_plain_port() {
    obtains("http-01").await;
}

async fn obtains(challenge: &str) {
    let (port, http_port) = free_ports();
    let pebble = Pebble::start(Proving { tls_port: port, http_port, validity_s: LONG_S }).await;
    let _running = Running::start(&pebble, port, http_port, challenge);
    let visitor = visitor_of(&pebble).await;
    let served = async {
        loop {
            // Handshakes fail until there is a certificate.
            match visitor.visit(port, "call.test").await {
                Ok(visit) => return visit.get("/healthz").await,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let body = tokio::time::timeout(Duration::from_secs(120), served).await.expect("a certificate is obtained");
    assert_eq!(body, "ok");

    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for plain in [http_port, port] {
        let answer = browser.get(format!("http://127.0.0.1:{plain}/rooms/1?x=2")).send().await.unwrap();
        assert_eq!(answer.status(), 308);
        assert_eq!(answer.headers()["location"], format!("https://call.test:{port}/rooms/1?x=2"));
    }
}

/// Free a moment ago: the authority must know them before the server starts.
fn free_ports() -> (u16, u16) {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (one, other) = (listen(), listen());
    (one.local_addr().unwrap().port(), other.local_addr().unwrap().port())
}
