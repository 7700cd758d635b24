//! A certificate from two files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use webcall::config::TlsConfig;
use webcall::shutdown::Shutdown;
use webcall::tls::{CertificateFacts, CertificateSource, Reload, Timing, Tls, TlsError};

use crate::authority::{Authority, Issued};
use crate::front::Front;
use crate::until;
use crate::visitor::{ONLY_1_2, ONLY_1_3, Visitor};

/// Never looked at by itself within a test.
const BY_HAND: Duration = Duration::from_secs(86_400);

fn start_with(cert: PathBuf, key: PathBuf, file_poll: Duration) -> Result<Tls, TlsError> {
    let names = vec!["call.test".parse().unwrap()];
    let timing = Timing { file_poll, ..Timing::default() };
    let started = Tls::start_with(&TlsConfig::Files { cert, key, names }, Path::new("unused"), &Shutdown::default(), timing)?;
    Ok(started.unwrap())
}

fn start(folder: &TempDir, issued: &Issued, file_poll: Duration) -> Tls {
    let (cert, key) = issued.write(folder.path());
    start_with(cert, key, file_poll).unwrap()
}

fn facts(issued: &Issued) -> CertificateFacts {
    CertificateFacts::from_pem(issued.cert.as_bytes()).unwrap()
}

#[tokio::test]
async fn each_version_and_protocol_is_served_with_the_certificate_of_the_files() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let issued = authority.issue(&["call.test"], 2060);
    let tls = start(&folder, &issued, BY_HAND);
    let front = Front::start(&tls).await;
    for versions in [ONLY_1_2, ONLY_1_3] {
        for (offered, expected) in [
            (&[][..], None),
            (&["http/1.1", "h2"], Some("h2")),
            (&["http/1.1"], Some("http/1.1")),
            (&["stun.turn"], Some("stun.turn")),
            (&["http/1.1", "stun.turn"], Some("stun.turn")),
            (&["stun.nat-discovery"], Some("stun.nat-discovery")),
        ] {
            let visitor = Visitor::trusting(authority.root_pem()).with(versions).offering(offered);
            let mut visit = visitor.visit(front.port, "call.test").await.unwrap();
            assert_eq!(visit.protocol().as_deref(), expected);
            visit.echo("hello").await;
        }
    }
    for unknown in ["acme-tls/1", "spdy/1"] {
        let visitor = Visitor::trusting(authority.root_pem()).offering(&[unknown]);
        let refused = visitor.visit(front.port, "call.test").await.err().unwrap().to_string();
        assert!(refused.contains("NoApplicationProtocol"), "{refused}");
    }
    let status = tls.status();
    assert_eq!((status.source, status.names), (CertificateSource::Files, vec!["call.test".to_owned()]));
    assert_eq!((status.not_after, status.last_error), (Some(facts(&issued).not_after), None));
    assert!(tls.acme_config().is_none() && tls.http01("token").is_none());
}

#[tokio::test]
async fn changed_files_are_served_to_new_connections_and_open_ones_go_on() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let tls = start(&folder, &authority.issue(&["call.test"], 2050), Duration::from_millis(10));
    let front = Front::start(&tls).await;
    let visitor = Visitor::trusting(authority.root_pem());
    let mut before = visitor.visit(front.port, "call.test").await.unwrap();
    before.echo("before").await;

    let renewed = authority.issue(&["call.test"], 2060);
    renewed.write(folder.path());
    until(&tls, |status| status.not_after == Some(facts(&renewed).not_after) && status.last_error.is_none()).await;

    let after = visitor.visit(front.port, "call.test").await.unwrap();
    assert_eq!(CertificateFacts::from_der(&after.certificate()).unwrap(), facts(&renewed));
    assert_ne!(after.certificate(), before.certificate());
    before.echo("still here").await;
}

#[tokio::test]
async fn a_new_pair_that_cannot_be_used_leaves_the_former_one_and_is_reported_once() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let first = authority.issue(&["call.test"], 2050);
    let tls = start(&folder, &first, BY_HAND);
    let front = Front::start(&tls).await;
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    assert_eq!(tls.reload().await, Reload::Unchanged);

    let another = authority.issue(&["call.test"], 2060);
    for (file, text, expected) in [
        (&cert, another.cert.as_str(), "not the certificate's"),
        (&cert, "nonsense", "no certificate"),
        (&cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no X.509 certificate"),
        (&key, "", "no private key"),
    ] {
        first.write(folder.path());
        tls.reload().await;
        std::fs::write(file, text).unwrap();
        assert_eq!(tls.reload().await, Reload::Kept);
        assert_eq!(tls.reload().await, Reload::Unchanged, "the same fault is reported once");
        let problem = tls.status().last_error.unwrap();
        assert!(problem.contains(expected) && problem.contains("cert.pem"), "{problem}");
        assert!(!key_lines(&first).any(|line| problem.contains(line)), "a key must not be repeated");
    }
    std::fs::remove_file(&key).unwrap();
    assert_eq!(tls.reload().await, Reload::Kept);
    assert_eq!(tls.reload().await, Reload::Unchanged);

    let visitor = Visitor::trusting(authority.root_pem());
    let visit = visitor.visit(front.port, "call.test").await.unwrap();
    assert_eq!(CertificateFacts::from_der(&visit.certificate()).unwrap(), facts(&first));

    another.write(folder.path());
    assert_eq!(tls.reload().await, Reload::Replaced);
    assert_eq!(tls.status().last_error, None);
    let visit = visitor.visit(front.port, "call.test").await.unwrap();
    assert_eq!(CertificateFacts::from_der(&visit.certificate()).unwrap(), facts(&another));
}

fn key_lines(issued: &Issued) -> impl Iterator<Item = &str> {
    issued.key.lines().filter(|line| !line.starts_with('-') && !line.is_empty())
}

#[tokio::test]
async fn files_that_are_no_pair_stop_the_start_with_their_names() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (one, other) = (authority.issue(&["call.test"], 2050), authority.issue(&["call.test"], 2050));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned();
    let cut = format!("{}{}", one.cert, &other.cert[..100]);
    let large = "x".repeat((1 << 20) + 1);
    for (cert, key, expected) in [
        (&one.cert, &other.key, "not the certificate's"),
        (&one.key, &one.key, "no certificate"),
        (&one.cert, &one.cert, "no private key"),
        (&one.cert, &encrypted, "no private key"),
        (&cut, &one.key, "cut off"),
        (&large, &one.key, "cert.pem: the file is too large"),
    ] {
        let (cert, key) = Issued { cert: cert.clone(), key: key.clone() }.write(folder.path());
        let message = start_with(cert, key, BY_HAND).err().unwrap().to_string();
        assert!(message.contains(expected) && message.contains("cert.pem"), "{message}");
    }
    let missing = start_with(folder.path().join("cert.pem"), folder.path().join("missing.pem"), BY_HAND);
    assert!(missing.is_err_and(|error| matches!(error, TlsError::File { .. })));
}

#[tokio::test]
async fn an_expired_certificate_is_served_all_the_same() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let expired = authority.issue(&["call.test"], 2021);
    let tls = start(&folder, &expired, BY_HAND);
    assert_eq!(tls.status().not_after, Some(facts(&expired).not_after));
    let front = Front::start(&tls).await;
    let refused = Visitor::trusting(authority.root_pem()).visit(front.port, "call.test").await.err().unwrap().to_string();
    assert!(refused.contains("Expired") || refused.contains("expired"), "{refused}");
}
