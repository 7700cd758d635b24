//! A certificate from two files that somebody else renews: checked at the start, read again when they change. A pair that cannot be
//! used leaves the one that is served, and is reported once. Contents are compared rather than dates, so that links which are turned
//! (as certbot and Kubernetes do) and two writes within one tick of the file system are seen.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ring::digest::{Context, SHA256};
use tokio::time::MissedTickBehavior;

use super::certificate::CertificateFacts;
use super::error::TlsError;
use super::pair::Pair;
use super::served::Served;
use crate::config::DomainName;
use crate::shutdown::Shutdown;
use crate::time::Clock;

/// The most that is read of one file. A chain has some kilobytes; more lets a wrong path fill the memory.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What reading the files again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// They are as they were at the last look.
    Unchanged,
    /// There is a new pair, and it is served.
    Replaced,
    /// There is something new that cannot be used; the former pair is still served.
    Kept,
}

/// The two files.
pub(super) struct Files {
    cert: PathBuf,
    key: PathBuf,
    names: Vec<DomainName>,
    served: Arc<Served>,
    last: Mutex<Seen>,
}

/// What the last look saw.
#[derive(PartialEq, Eq)]
enum Seen {
    /// Files with this content, usable or not.
    Content([u8; 32]),
    /// Files that could not be read, for this reason.
    Unreadable(String),
}

/// What is in both.
struct Content {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    /// Reads, checks and serves them.
    pub(super) fn open(cert: &Path, key: &Path, names: &[DomainName], served: Arc<Served>) -> Result<Self, TlsError> {
        let content = Content::read(cert, key)?;
        let last = Mutex::new(Seen::Content(content.digest()));
        let files = Self { cert: cert.to_owned(), key: key.to_owned(), names: names.to_vec(), served, last };
        files.serve(&content)?;
        Ok(files)
    }

    /// Looks at them now and then until the server stops.
    pub(super) async fn watch(self: Arc<Self>, every: Duration, shutdown: Shutdown) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = shutdown.begun() => return,
            }
            Arc::clone(&self).reload().await;
        }
    }

    /// Looks at them now.
    pub(super) async fn reload(self: Arc<Self>) -> Reload {
        let looked = tokio::task::spawn_blocking(move || self.look()).await;
        looked.unwrap_or(Reload::Kept) // The runtime is stopping.
    }

    fn look(&self) -> Reload {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let read = Content::read(&self.cert, &self.key);
        let seen = match &read {
            Ok(content) => Seen::Content(content.digest()),
            Err(error) => Seen::Unreadable(error.to_string()),
        };
        if seen == *last {
            return Reload::Unchanged;
        }
        *last = seen;
        match read.and_then(|content| self.serve(&content)) {
            Ok(()) => Reload::Replaced,
            Err(error) => {
                tracing::warn!(%error, "the new certificate cannot be used; the former one is still served");
                self.served.failed(error.to_string());
                Reload::Kept
            }
        }
    }

    fn serve(&self, content: &Content) -> Result<(), TlsError> {
        let pair = Pair::from_pem(&content.cert, &content.key).map_err(|problem| TlsError::Pair {
            cert: self.cert.clone(),
            key: self.key.clone(),
            problem,
        })?;
        self.warn_of(&pair.facts);
        tracing::info!(names = ?pair.facts.names, valid_until_s = pair.facts.not_after.as_secs(), "a certificate was read");
        self.served.replace(pair);
        Ok(())
    }

    /// What browsers will not accept, though it can be served.
    fn warn_of(&self, facts: &CertificateFacts) {
        let now = Clock::System.now();
        if facts.not_after <= now {
            tracing::warn!(file = %self.cert.display(), "the certificate has expired: browsers will refuse it");
        }
        if now < facts.not_before {
            tracing::warn!(file = %self.cert.display(), "the certificate is not valid yet: browsers will refuse it");
        }
        for name in self.names.iter().filter(|name| !facts.covers(name.as_str())) {
            tracing::warn!(file = %self.cert.display(), %name, "the certificate is not for this name of DOMAIN");
        }
    }
}

impl Content {
    fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self { cert: read_file(cert)?, key: read_file(key)? })
    }

    fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(&(self.cert.len() as u64).to_be_bytes());
        context.update(&self.cert);
        context.update(&self.key);
        context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

/// A file of at most [`MAX_FILE_BYTES`].
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    let at_path = |source| TlsError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(at_path)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(at_path)?;
    match bytes.len() as u64 > MAX_FILE_BYTES {
        true => Err(at_path(std::io::Error::new(ErrorKind::InvalidData, "the file is too large for a certificate or key"))),
        false => Ok(bytes),
    }
}
