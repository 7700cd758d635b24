//! A certificate from an authority (RFC 8555), obtained at the first start and renewed when two thirds of its life are over. The orders
//! are the work of rustls-acme; this drives them, one attempt after the other, until the server stops.
//!
//! An attempt that failed is thrown away and another begun after a wait, rather than going on in rustls-acme's own rhythm: that one
//! asks again within seconds after a refusal, at once after a certificate it cannot read, and never after a connection that hangs.

use std::fs;
use std::io::Error;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::acme::{Auth, Identifier, Order};
use rustls_acme::{AcmeState, EventError, EventOk, OrderError, UseChallenge};

use super::cache::Cache;
use super::challenges::Challenges;
use super::error::TlsError;
use super::files::read_file;
use super::handshake::provider;
use super::served::{CertificateStatus, Served};
use super::timing::{Fault, Timing};
use crate::config::{AcmeChallenge, AcmeConfig, DomainName};
use crate::shutdown::Shutdown;
use crate::time::{Clock, Timestamp};

/// The folder in the data folder.
const FOLDER: &str = "acme";
/// The most of an authority's words that is kept. They go to a log and to the status.
const MAX_PROBLEM_CHARACTERS: usize = 400;

/// Obtains and renews one certificate.
pub(super) struct Acme {
    settings: AcmeConfig,
    folder: PathBuf,
    trust: Option<Arc<ClientConfig>>,
    served: Arc<Served>,
    challenges: Arc<Challenges>,
    timing: Timing,
}

/// Why an attempt ended.
struct Failure {
    fault: Fault,
    problem: String,
}

impl Acme {
    /// Makes the folder and reads the roots; asks nobody yet.
    pub(super) fn prepare(
        settings: &AcmeConfig,
        data_dir: &Path,
        served: Arc<Served>,
        challenges: Arc<Challenges>,
        timing: Timing,
    ) -> Result<Self, TlsError> {
        let folder = data_dir.join(FOLDER);
        make_private(&folder).map_err(|source| TlsError::File { path: folder.clone(), source })?;
        let trust = settings.ca_file.as_deref().map(trusting).transpose()?;
        Ok(Self { settings: settings.clone(), folder, trust, served, challenges, timing })
    }

    /// Keeps a certificate until the server stops.
    pub(super) async fn run(self, shutdown: Shutdown) {
        let mut failures = 0;
        loop {
            let failure = tokio::select! {
                failure = self.attempt(&mut failures) => failure,
                () = shutdown.begun() => return,
            };
            failures = failures.saturating_add(1);
            let wait = self.timing.retry(failures, failure.fault);
            tracing::warn!(problem = failure.problem, again_in_s = wait.as_secs(), "no certificate could be obtained");
            self.served.failed(failure.problem);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.begun() => return,
            }
        }
    }

    /// Serves what there is and orders what is due, again and again, until that fails. What the folder does not keep is served all the
    /// same, and what it does not give is ordered anew.
    async fn attempt(&self, failures: &mut u32) -> Failure {
        let mut state = self.state();
        self.challenges.replace(state.resolver());
        loop {
            let limit = order_due_in(&self.served.status(), Clock::System.now()) + self.timing.order_limit;
            let Ok(Some(event)) = tokio::time::timeout(limit, state.next()).await else {
                return Failure::trouble("the authority did not answer in time");
            };
            match event {
                Ok(EventOk::DeployedCachedCert | EventOk::DeployedNewCert | EventOk::AccountCacheStore) => continue,
                Ok(EventOk::CertCacheStore) => {}
                Err(EventError::Order(error)) => return Failure::of(&error),
                Err(EventError::NewCertParse(error)) => return Failure::trouble(&error.to_string()),
                Err(error) => {
                    tracing::warn!(error = printable(&error.to_string()), "the folder of ACME certificates cannot be used");
                    if !matches!(error, EventError::CertCacheStore(_)) {
                        continue;
                    }
                }
            }
            let status = self.served.status();
            if order_due_in(&status, Clock::System.now()).is_zero() {
                return Failure::refused(
                    "the certificate obtained is due for renewal already: this machine's clock may be wrong",
                );
            }
            tracing::info!(names = ?status.names, "a certificate was obtained");
            *failures = 0;
        }
    }

    fn state(&self) -> AcmeState<Error> {
        let names: Vec<&str> = self.settings.names.iter().map(DomainName::as_str).collect();
        let config = match &self.trust {
            Some(trust) => rustls_acme::AcmeConfig::new_with_client_config(names, Arc::clone(trust)),
            None => rustls_acme::AcmeConfig::new_with_provider(names, provider()),
        };
        let challenge = match self.settings.challenge {
            AcmeChallenge::TlsAlpn01 => UseChallenge::TlsAlpn01,
            AcmeChallenge::Http01 => UseChallenge::Http01,
        };
        config
            .cache(Cache::new(self.folder.clone(), Arc::clone(&self.served)))
            .directory(&self.settings.directory)
            .contact(self.settings.email.iter().map(|email| format!("mailto:{email}")))
            .challenge_type(challenge)
            .state()
    }
}

/// When rustls-acme orders: at once without a certificate, else when a third of its life is left.
fn order_due_in(status: &CertificateStatus, now: Timestamp) -> Duration {
    match (status.not_before, status.not_after) {
        (Some(from), Some(until)) => until.minus(until.since(from) / 3).since(now),
        _ => Duration::ZERO,
    }
}

impl Failure {
    fn trouble(problem: &str) -> Self {
        Self { fault: Fault::Trouble, problem: printable(problem) }
    }

    fn refused(problem: &str) -> Self {
        Self { fault: Fault::Refused, problem: printable(problem) }
    }

    fn of(error: &OrderError) -> Self {
        match error {
            OrderError::BadAuth(auth) => Self::refused(&refusal(auth)),
            OrderError::BadOrder(Order { error, .. }) => {
                let detail = error.as_ref().and_then(|problem| problem.detail.as_deref()).unwrap_or("without a reason");
                Self::refused(&format!("the authority refused the order: {detail}"))
            }
            OrderError::TooManyAttemptsAuth(name) => Self::refused(&format!("the authority came to no verdict on {name}")),
            OrderError::ProcessingTimeout(_) => Self::trouble("the authority did not finish the order in time"),
            OrderError::Acme(error) => Self::trouble(&error.to_string()),
            OrderError::Rcgen(error) => Self::trouble(&error.to_string()),
        }
    }
}

fn refusal(auth: &Auth) -> String {
    let Identifier::Dns(name) = &auth.identifier;
    let problem = auth.challenges.iter().find_map(|challenge| challenge.error.as_ref());
    let detail = problem.and_then(|problem| problem.detail.as_deref()).unwrap_or("without a reason");
    format!("the authority did not accept the proof for {name}: {detail}")
}

/// Words from outside, for a log: of bounded length and on one line.
fn printable(text: &str) -> String {
    text.chars().take(MAX_PROBLEM_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn make_private(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// Settings of a client that trusts the roots of a PEM file and no others.
fn trusting(path: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let unusable = |problem: &str| TlsError::Roots { path: path.to_owned(), problem: problem.to_owned() };
    let pem = read_file(path)?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&pem) {
        let root = root.map_err(|_| unusable("is no text in PEM form"))?;
        roots.add(root).map_err(|_| unusable("holds a certificate that cannot be a root"))?;
    }
    if roots.is_empty() {
        return Err(unusable("holds no certificate in PEM form"));
    }
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests;
