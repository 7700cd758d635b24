//! What certificates write into the log, at the most talkative level: each fault once, and no key.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use webcall::config::{AcmeChallenge, TlsConfig};
use webcall::shutdown::Shutdown;
use webcall::tls::{Timing, Tls};

use crate::acme::{LONG_S, World};
use crate::authority::Authority;
use crate::front::{Front, Ports, Proof};
use crate::until;

/// Everything that any test of this program logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
            tracing::subscriber::set_global_default(subscriber.with_writer(move || writer.clone()).finish()).unwrap();
            log
        })
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The Base64 of the private keys in a text in PEM form.
fn key_lines(pem: &str) -> Vec<&str> {
    let begin = pem.find("-----BEGIN PRIVATE KEY-----").unwrap();
    let key = &pem[begin..pem.find("-----END PRIVATE KEY-----").unwrap()];
    key.lines().skip(1).filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn a_pair_that_cannot_be_used_is_logged_once_and_no_key_of_it() {
    let log = Log::listen();
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (good, other) = (authority.issue(&["call.test"], 2050), authority.issue(&["call.test"], 2050));
    let (cert, key) = good.write(folder.path());
    let config = TlsConfig::Files { cert: cert.clone(), key: key.clone(), names: Vec::new() };
    let tls = Tls::start(&config, Path::new("unused"), &Shutdown::default()).unwrap().unwrap();
    std::fs::write(&key, &other.key).unwrap();
    for _ in 0..3 {
        tls.reload().await;
    }
    let text = log.text();
    let about = cert.to_str().unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("the former one is still served") && line.contains(about)).count(), 1);
    for pem in [&good.key, &other.key] {
        assert!(key_lines(pem).iter().all(|line| !text.contains(line)));
    }
}

#[tokio::test]
async fn no_key_of_an_obtained_certificate_is_logged() {
    let log = Log::listen();
    let ports = Ports::open().await;
    let world = World::new(AcmeChallenge::TlsAlpn01, &ports, LONG_S).await;
    let data_dir = world.data_dir.path();
    let timing = Timing { refused_pause: std::time::Duration::ZERO, ..Timing::default() };
    let tls = Tls::start_with(&TlsConfig::Acme(world.settings.clone()), data_dir, &world.shutdown, timing).unwrap().unwrap();
    let front = Front::start_on(ports, &tls, Proof::Wrong);
    until(&tls, |status| status.last_error.is_some()).await;
    front.prove(Proof::Right);
    until(&tls, |status| status.not_after.is_some()).await;
    let text = log.text();
    assert!(text.contains("a certificate is being obtained") && text.contains("no certificate could be obtained"), "{text}");
    let kept: Vec<_> = data_dir.join("acme").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    let pem = kept.iter().find(|path| path.extension().is_some_and(|extension| extension == "pem")).unwrap();
    assert!(key_lines(&std::fs::read_to_string(pem).unwrap()).iter().all(|line| !text.contains(line)));
    world.shutdown.begin();
}
