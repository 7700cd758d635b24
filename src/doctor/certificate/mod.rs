//! The certificate that browsers meet: its time and its names. Looked at where it is shown (`--tls`, else port 443 of DOMAIN) and in the
//! file of TLS_CERT. Whether browsers trust who issued it is not judged, but for one that nobody issued.

mod reading;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::finding::Finding;
use super::options::Examination;
use super::{http, tls};

pub(super) use reading::Certificate;

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
    /// From the options, else from the environment.
    pub(super) fn of(examination: &Examination, variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let domain = variable("DOMAIN");
        let shown_at = examination.tls.clone().or_else(|| domain.as_ref().map(|domain| format!("{domain}:443")));
        let name = examination.domain.clone().or(domain).or_else(|| examination.tls.as_deref().map(|at| host(at).to_owned()));
        Self { shown_at, file: variable("TLS_CERT").map(PathBuf::from), name }
    }
}

/// What was read, and where.
pub(super) struct Facts {
    place: String,
    name: Option<String>,
    certificate: Result<Certificate, String>,
    now: SystemTime,
}

/// Reads every certificate there is.
pub(super) async fn gather(places: &Places) -> Vec<Facts> {
    let mut found = Vec::new();
    let facts = |place: String, certificate| Facts { place, name: places.name.clone(), certificate, now: SystemTime::now() };
    if let Some(file) = &places.file {
        let certificate = match tokio::fs::read(file).await {
            Ok(bytes) => Certificate::of_pem(&bytes),
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

async fn shown(authority: &str, name: &str) -> Result<Certificate, String> {
    let greeted = tls::handshake(http::connect(authority).await?, name).await?;
    Certificate::of_der(&tls::shown_certificate(&greeted).ok_or("no certificate was shown")?)
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
    let days = |time: SystemTime| time.duration_since(*now).map_or(0, |left| left.as_secs() / 86_400);
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
    if let Some(name) = name.as_deref().filter(|name| !certificate.is_for(name)) {
        return Finding::fault(
            CHECK,
            "certificate_wrong_name",
            format!("{place}: it is for {}, not for {name}", certificate.names_text()),
        )
        .means("browsers refuse the page")
        .todo(format!("get one for {name}, or open the page by a name that it has"));
    }
    let left = days(certificate.not_after);
    if certificate.not_after <= *now + SOON {
        return Finding::warning(CHECK, "certificate_soon", format!("{place}: it expires in {left} days"))
            .means("browsers will refuse the page")
            .todo(renew);
    }
    if certificate.is_self_signed {
        return Finding::warning(CHECK, "certificate_self_signed", format!("{place}: nobody but its owner vouches for it"))
            .means("browsers warn of the page, and phones refuse it")
            .todo("get one from an authority that browsers know, like Let's Encrypt");
    }
    Finding::ok(CHECK, format!("{place}: for {}, good for {left} days", certificate.names_text()))
}

/// Whether a name of a certificate stands for a host (RFC 6125 §6.4.3: a star is a whole leftmost label).
fn is_name_for(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.trim_end_matches('.'), host.trim_end_matches('.'));
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            host.split_once('.').is_some_and(|(label, of_host)| !label.is_empty() && of_host.eq_ignore_ascii_case(rest))
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

impl Certificate {
    fn is_for(&self, host: &str) -> bool {
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => self.addresses.contains(&ip),
            Err(_) => self.names.iter().any(|pattern| is_name_for(pattern, host)),
        }
    }

    fn names_text(&self) -> String {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        let all: Vec<String> = self.names.iter().cloned().chain(addresses).collect();
        if all.is_empty() { "no name".to_owned() } else { all.join(", ") }
    }
}

#[cfg(test)]
mod tests;
