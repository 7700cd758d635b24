//! The certificate that browsers meet: its time and its names. Looked at where it is shown (`--tls`, else port 443 of DOMAIN) and in the
//! file of TLS_CERT. Whether browsers trust who issued it is not judged, but for one that nobody issued.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::finding::Finding;
use super::options::Examination;
use super::{http, tls};
use crate::config::{Config, TlsConfig};
use crate::time::{Clock, Timestamp};
use crate::tls::CertificateFacts;

const CHECK: &str = "certificate";
/// Renewals are due a month before the end at most issuers; two weeks leave time to mend one that fails.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// Where certificates are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Places {
    /// Shown at this `host:port`.
    shown_at: Option<String>,
    /// Kept in this file.
    file: Option<PathBuf>,
    /// The name that it must have.
    name: Option<String>,
}

impl Places {
    /// From the options, else from the settings, where those can be read.
    pub(super) fn of(examination: &Examination, config: Option<&Config>) -> Self {
        let domain = config.and_then(|config| config.domain.clone());
        let of_domain = || Some(format!("{}:{}", domain.as_ref()?, config.map_or(443, |config| config.port)));
        let shown_at = examination.tls.clone().or_else(of_domain);
        let name = examination.domain.clone().or(domain).or_else(|| examination.tls.as_deref().map(|at| host(at).to_owned()));
        let file = match config.map(|config| &config.tls) {
            Some(TlsConfig::Files { cert, .. }) => Some(cert.clone()),
            _ => None,
        };
        Self { shown_at, file, name }
    }
}

/// What was read, and where.
pub(super) struct Facts {
    place: String,
    name: Option<String>,
    certificate: Result<CertificateFacts, String>,
    now: Timestamp,
}

/// Reads every certificate there is.
pub(super) async fn gather(places: &Places) -> Vec<Facts> {
    let mut found = Vec::new();
    let facts = |place: String, certificate| Facts { place, name: places.name.clone(), certificate, now: Clock::System.now() };
    if let Some(file) = &places.file {
        let certificate = match tokio::fs::read(file).await {
            Ok(bytes) => CertificateFacts::from_pem(&bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        found.push(facts(file.display().to_string(), certificate));
    }
    if let Some(authority) = &places.shown_at {
        let name = places.name.as_deref().unwrap_or_else(|| host(authority));
        found.push(facts(authority.clone(), shown(authority, name).await));
    }
    found
}

async fn shown(authority: &str, name: &str) -> Result<CertificateFacts, String> {
    let greeted = tls::handshake(http::connect(authority).await?, name).await?;
    let shown = tls::shown_certificate(&greeted).ok_or("no certificate was shown")?;
    CertificateFacts::from_der(&shown).map_err(|error| error.to_string())
}

fn host(authority: &str) -> &str {
    authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']'])
}

/// Without any certificate to look at.
pub(super) fn judge_none() -> Finding {
    Finding::note(CHECK, "certificate_none", "neither DOMAIN, TLS_CERT nor --tls names one")
        .means("browsers give camera and microphone to https:// pages and to http://localhost only")
        .todo("behind a reverse proxy, look at what it shows: webcall doctor --tls HOST:443")
}

/// What it means.
pub(super) fn judge(facts: &Facts) -> Finding {
    let Facts { place, name, certificate, now } = facts;
    let certificate = match certificate {
        Ok(certificate) => certificate,
        Err(why) => {
            return Finding::warning(CHECK, "certificate_unreadable", format!("{place}: {why}"))
                .means("nobody can open the page there")
                .todo("check the name, the port and the file");
        }
    };
    let days = |time: Timestamp| (time.as_millis() - now.as_millis()).max(0) / 86_400_000;
    let renew = "renew it, and let that happen by itself";
    if certificate.not_after <= *now {
        return Finding::fault(CHECK, "certificate_expired", format!("{place}: it has expired"))
            .means("browsers refuse the page")
            .todo(renew);
    }
    if certificate.not_before > *now {
        return Finding::fault(
            CHECK,
            "certificate_not_yet_valid",
            format!("{place}: it begins in {} days", days(certificate.not_before)),
        )
        .means("browsers refuse the page")
        .todo("check the clock of this machine and of whoever issued it");
    }
    if let Some(name) = name.as_deref().filter(|name| !certificate.covers(name)) {
        return Finding::fault(
            CHECK,
            "certificate_wrong_name",
            format!("{place}: it is for {}, not for {name}", names_text(certificate)),
        )
        .means("browsers refuse the page")
        .todo(format!("get one for {name}, or open the page by a name that it has"));
    }
    let left = days(certificate.not_after);
    if certificate.not_after <= now.plus(SOON) {
        return Finding::warning(CHECK, "certificate_soon", format!("{place}: it expires in {left} days"))
            .means("browsers will refuse the page")
            .todo(renew);
    }
    if certificate.is_self_signed {
        return Finding::warning(CHECK, "certificate_self_signed", format!("{place}: nobody but its owner vouches for it"))
            .means("browsers warn of the page, and phones refuse it")
            .todo("get one from an authority that browsers know, like Let's Encrypt");
    }
    Finding::ok(CHECK, format!("{place}: for {}, good for {left} days", names_text(certificate)))
}

fn names_text(certificate: &CertificateFacts) -> String {
    let addresses = certificate.addresses.iter().map(IpAddr::to_string);
    let all: Vec<String> = certificate.names.iter().cloned().chain(addresses).collect();
    if all.is_empty() { "no name".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests;
