//! Certificates from an authority.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use webcall::config::{AcmeChallenge, AcmeConfig, TlsConfig};
use webcall::shutdown::Shutdown;
use webcall::tls::{CertificateFacts, CertificateSource, Timing, Tls};

use crate::authority::Authority;
use crate::front::{Front, Ports, Proof};
use crate::pebble::{Pebble, Proving};
use crate::until;
use crate::visitor::Visitor;

/// 90 days, as Let's Encrypt gives them.
pub(crate) const LONG_S: u64 = 90 * 86_400;
/// Renewed after two thirds; long enough that a loaded machine still meets it valid.
const SHORT_S: u64 = 20;

const TIMING: Timing = Timing {
    file_poll: Duration::from_secs(10),
    order_limit: Duration::from_secs(1_800),
    first_retry: Duration::from_millis(100),
    refused_pause: Duration::ZERO,
};

/// An authority that proves names at the front, and the certificates of the data folder.
pub(crate) struct World {
    pub(crate) data_dir: TempDir,
    pub(crate) settings: AcmeConfig,
    pub(crate) shutdown: Shutdown,
    pebble: Pebble,
}

/// Somebody who trusts what Pebble issues.
pub(crate) async fn visitor_of(pebble: &Pebble) -> Visitor {
    let own = std::fs::read_to_string(pebble.ca_file()).unwrap();
    let visitor = Visitor::trusting(&own);
    let listening = async {
        loop {
            match visitor.visit(pebble.management_port(), "localhost").await {
                Ok(management) => return management,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let management = tokio::time::timeout(Duration::from_secs(60), listening).await.expect("Pebble starts");
    Visitor::trusting(&management.get("/roots/0").await)
}

impl World {
    /// Proofs of `challenge` are looked for at these ports.
    pub(crate) async fn new(challenge: AcmeChallenge, ports: &Ports, validity_s: u64) -> Self {
        let proving = Proving { tls_port: ports.tls(), http_port: ports.http(), validity_s };
        let pebble = Pebble::start(proving).await;
        let settings = AcmeConfig {
            names: ["call.test", "www.call.test"].map(|name| name.parse().unwrap()).to_vec(),
            email: Some("admin@call.test".to_owned()),
            directory: pebble.directory(),
            ca_file: Some(pebble.ca_file()),
            challenge,
        };
        Self { pebble, data_dir: tempfile::tempdir().unwrap(), settings, shutdown: Shutdown::default() }
    }

    fn start(&self) -> Tls {
        start(&self.settings, self.data_dir.path(), &self.shutdown)
    }

    /// Somebody who trusts what Pebble issues.
    async fn visitor(&self) -> Visitor {
        visitor_of(&self.pebble).await
    }
}

fn start(settings: &AcmeConfig, data_dir: &Path, shutdown: &Shutdown) -> Tls {
    start_with(settings, data_dir, shutdown, TIMING)
}

fn start_with(settings: &AcmeConfig, data_dir: &Path, shutdown: &Shutdown, timing: Timing) -> Tls {
    Tls::start_with(&TlsConfig::Acme(settings.clone()), data_dir, shutdown, timing).unwrap().unwrap()
}

/// From nothing to a certificate that somebody who connects verifies, for each name.
async fn obtained_by(challenge: AcmeChallenge) {
    let ports = Ports::open().await;
    let world = World::new(challenge, &ports, LONG_S).await;
    let tls = world.start();
    let front = Front::start_on(ports, &tls, Proof::Right);
    let status = until(&tls, |status| status.not_after.is_some()).await;
    assert_eq!((status.source, status.last_error), (CertificateSource::Acme, None));

    let visitor = world.visitor().await.offering(&["h2"]);
    for name in ["call.test", "www.call.test"] {
        let mut visit = visitor.visit(front.port, name).await.unwrap();
        visit.echo("hello").await;
        let facts = CertificateFacts::from_der(&visit.certificate()).unwrap();
        assert!(facts.covers(name));
        assert_eq!((Some(facts.not_after), &facts.names), (status.not_after, &status.names));
    }
    assert!(visitor.visit(front.port, "other.test").await.is_err());
    world.shutdown.begin();
    world.shutdown.finished().await;
}

#[tokio::test]
async fn a_certificate_is_obtained_by_tls_alpn_01() {
    obtained_by(AcmeChallenge::TlsAlpn01).await;
}

#[tokio::test]
async fn a_certificate_is_obtained_by_http_01() {
    obtained_by(AcmeChallenge::Http01).await;
}

#[tokio::test]
async fn a_second_start_serves_the_kept_certificate_and_asks_nobody() {
    let ports = Ports::open().await;
    let world = World::new(AcmeChallenge::TlsAlpn01, &ports, LONG_S).await;
    let tls = world.start();
    let front = Front::start_on(ports, &tls, Proof::Right);
    until(&tls, |status| status.not_after.is_some()).await;
    let visitor = world.visitor().await;
    let first = visitor.visit(front.port, "call.test").await.unwrap().certificate();
    world.shutdown.begin();
    world.shutdown.finished().await;

    let World { pebble, data_dir, settings, .. } = world;
    let ca = std::fs::read(pebble.ca_file()).unwrap();
    let ca_file = data_dir.path().join("ca.pem");
    std::fs::write(&ca_file, ca).unwrap();
    drop((pebble, front, tls));
    let shutdown = Shutdown::default();
    let tls = start(&AcmeConfig { ca_file: Some(ca_file), ..settings }, data_dir.path(), &shutdown);
    let front = Front::start(&tls).await;
    let status = until(&tls, |status| status.not_after.is_some()).await;
    assert_eq!(status.last_error, None);
    assert_eq!(visitor.visit(front.port, "call.test").await.unwrap().certificate(), first);
    shutdown.begin();
}

#[tokio::test]
async fn a_certificate_is_renewed_before_it_expires_and_open_connections_go_on() {
    let ports = Ports::open().await;
    let world = World::new(AcmeChallenge::TlsAlpn01, &ports, SHORT_S).await;
    let tls = world.start();
    let front = Front::start_on(ports, &tls, Proof::Right);
    let first_until = until(&tls, |status| status.not_after.is_some()).await.not_after;
    let visitor = world.visitor().await;
    let mut before = visitor.visit(front.port, "call.test").await.unwrap();
    before.echo("before").await;

    until(&tls, |status| status.not_after > first_until).await;

    let after = visitor.visit(front.port, "call.test").await.unwrap();
    assert_ne!(after.certificate(), before.certificate());
    before.echo("still here").await;
    world.shutdown.begin();
}

/// Refused while the front answers wrongly, obtained once it answers rightly.
async fn refused_by(challenge: AcmeChallenge) {
    let ports = Ports::open().await;
    let world = World::new(challenge, &ports, LONG_S).await;
    let tls = world.start();
    let front = Front::start_on(ports, &tls, Proof::Wrong);
    // Of the two names the authority takes either first.
    let refused =
        |problem: &str| problem.starts_with("the authority did not accept the proof for ") && problem.contains("call.test: ");
    let status = until(&tls, |status| status.last_error.as_deref().is_some_and(refused)).await;
    assert_eq!(status.not_after, None);
    assert!(
        Visitor::trusting(&std::fs::read_to_string(world.pebble.ca_file()).unwrap())
            .visit(front.port, "call.test")
            .await
            .is_err()
    );

    front.prove(Proof::Right);
    let status = until(&tls, |status| status.not_after.is_some()).await;
    assert_eq!(status.last_error, None);
    world.shutdown.begin();
}

#[tokio::test]
async fn a_wrong_proof_by_tls_alpn_01_is_refused_until_it_is_right() {
    refused_by(AcmeChallenge::TlsAlpn01).await;
}

#[tokio::test]
async fn a_wrong_proof_by_http_01_is_refused_until_it_is_right() {
    refused_by(AcmeChallenge::Http01).await;
}

#[tokio::test]
async fn a_kept_certificate_that_cannot_be_read_is_ordered_anew() {
    let ports = Ports::open().await;
    let world = World::new(AcmeChallenge::TlsAlpn01, &ports, LONG_S).await;
    let folder = world.data_dir.path().join("acme");
    let first_shutdown = Shutdown::default();
    let first = start(&world.settings, world.data_dir.path(), &first_shutdown);
    let front = Front::start_on(ports, &first, Proof::Right);
    until(&first, |status| status.not_after.is_some()).await;
    let first_cert = world.visitor().await.visit(front.port, "call.test").await.unwrap().certificate();
    first_shutdown.begin();
    first_shutdown.finished().await;
    let kept: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let kept = kept.iter().find(|path| path.extension().unwrap() == "pem").unwrap();
    let text = std::fs::read_to_string(kept).unwrap();
    std::fs::write(kept, &text[..text.len() - 100]).unwrap();

    let second = world.start();
    front.serve(&second);
    assert_eq!(until(&second, |status| status.not_after.is_some()).await.last_error, None);
    let second_cert = world.visitor().await.visit(front.port, "call.test").await.unwrap().certificate();
    assert_ne!(second_cert, first_cert);
    assert_ne!(std::fs::read_to_string(kept).unwrap(), text, "the new one is kept in place of the broken one");
    world.shutdown.begin();
}

#[tokio::test]
async fn until_there_is_a_certificate_handshakes_end_with_an_alert() {
    let (ports, data_dir, shutdown) = (Ports::open().await, tempfile::tempdir().unwrap(), Shutdown::default());
    let authority = Authority::new();
    let tls = start(&asking(ports.http(), &authority, data_dir.path()), data_dir.path(), &shutdown);
    let front = Front::start_on(ports, &tls, Proof::Right);
    for protocols in [&[][..], &["h2"], &["acme-tls/1"]] {
        let visitor = Visitor::trusting(authority.root_pem()).offering(protocols);
        let refused = visitor.visit(front.port, "call.test").await.err().unwrap().to_string();
        assert!(refused.contains("alert"), "{refused}");
    }
    until(&tls, |status| status.last_error.is_some()).await;
    assert_eq!(tls.status().not_after, None);
    shutdown.begin();
    shutdown.finished().await;
}

#[tokio::test]
async fn an_authority_that_never_answers_is_given_up() {
    let (data_dir, shutdown) = (tempfile::tempdir().unwrap(), Shutdown::default());
    // The system takes connections that nobody accepts.
    let silent = Ports::open().await;
    let settings = asking(silent.http(), &Authority::new(), data_dir.path());
    let tls = start_with(&settings, data_dir.path(), &shutdown, Timing { order_limit: Duration::from_millis(50), ..TIMING });
    let status = until(&tls, |status| status.last_error.is_some()).await;
    assert_eq!(status.last_error.as_deref(), Some("the authority did not answer in time"));
    shutdown.begin();
    shutdown.finished().await;
}

/// Settings that ask at a port on which nobody is an authority.
fn asking(port: u16, authority: &Authority, folder: &Path) -> AcmeConfig {
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, authority.root_pem()).unwrap();
    AcmeConfig {
        names: vec!["call.test".parse().unwrap()],
        email: None,
        directory: format!("https://localhost:{port}/dir"),
        ca_file: Some(ca_file),
        challenge: AcmeChallenge::TlsAlpn01,
    }
}
