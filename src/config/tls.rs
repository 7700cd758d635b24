//! TLS from the environment: `DOMAIN` alone turns it on, with certificates by ACME; `TLS_CERT` and `TLS_KEY` name files instead.
//! Decides also on which ports pages are served. Settings that contradict each other are refused; files are read in `crate::tls`.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use hyper::Uri;

use super::environment::{Variables, items};
use super::{ConfigError, parse_port};

/// The port without `PORT` and without TLS.
const DEFAULT_PORT: u16 = 8080;
/// The port without `PORT` and with TLS: where browsers look for `https:`.
const DEFAULT_TLS_PORT: u16 = 443;
/// The port without `HTTP_PORT` when pages are at [`DEFAULT_TLS_PORT`]: where browsers look for `http:`.
const DEFAULT_HTTP_PORT: u16 = 80;
/// The CA without `ACME_DIRECTORY`.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Names of one certificate. More would still be issued (Let's Encrypt takes 100), but each is proved in turn, a second or more each.
const MAX_NAMES: usize = 20;
/// RFC 1035 §2.3.4, without the dot of the root.
const MAX_NAME_LEN: usize = 253;
const MAX_LABEL_LEN: usize = 63;
/// RFC 5321 §4.5.3.1.3, without the brackets.
const MAX_EMAIL_LEN: usize = 254;
/// What has a meaning only together with `DOMAIN`.
const ACME_VARIABLES: [&str; 4] = ["ACME_EMAIL", "ACME_DIRECTORY", "ACME_CA_FILE", "ACME_CHALLENGE"];

/// Where certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsConfig {
    /// Nowhere: plain HTTP, for a developer's machine or behind a proxy.
    Off,
    /// From two PEM files that somebody else renews.
    Files {
        /// The certificate and its chain.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
        /// The names of this server, when `DOMAIN` gives them.
        names: Vec<DomainName>,
    },
    /// From a certificate authority (RFC 8555).
    Acme(AcmeConfig),
}

/// How to obtain certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeConfig {
    /// The names that the certificate is for, at least one; the first names the server.
    pub names: Vec<DomainName>,
    /// Whom the authority may write to.
    pub email: Option<String>,
    /// Where the authority's directory lies: an `https:` address.
    pub directory: String,
    /// PEM file of the roots trusted for the directory; without it those that browsers trust.
    pub ca_file: Option<PathBuf>,
    /// How the authority is shown that the names lead here.
    pub challenge: AcmeChallenge,
}

/// How the authority is shown that the names lead here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcmeChallenge {
    /// In a TLS handshake on port 443 (RFC 8737).
    #[default]
    TlsAlpn01,
    /// By a plain request on port 80 (RFC 8555 §8.3).
    Http01,
}

/// A name in the DNS, in lower case: letters, digits and hyphens, no address, no wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainName(String);

impl DomainName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase();
        let refused = |problem: &str| Err(format!("`{text}` {problem}"));
        if name.starts_with("*.") {
            return refused("is a wildcard: name each host");
        }
        if !name.is_ascii() {
            return refused("must be written in its ASCII form, which begins with xn--");
        }
        let is_numeric = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
        if name.parse::<IpAddr>().is_ok() || name.rsplit('.').next().is_some_and(is_numeric) {
            return refused("is an address: a certificate needs a name");
        }
        if name.len() > MAX_NAME_LEN || !name.split('.').all(is_label) {
            return refused("is not a name like call.example.org");
        }
        Ok(Self(name))
    }
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL_LEN).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// What the environment says about TLS and the ports that depend on it.
pub(super) struct Listening {
    pub(super) tls: TlsConfig,
    pub(super) domain: Option<String>,
    pub(super) port: u16,
    pub(super) http_port: Option<u16>,
}

impl Listening {
    pub(super) fn from_variables(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let names = variables.parse("DOMAIN", parse_names)?.unwrap_or_default();
        let domain = names.first().map(ToString::to_string);
        let tls = from_variables(variables, names)?;
        let is_on = tls != TlsConfig::Off;
        let default_port = if is_on { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
        let port = variables.parse("PORT", parse_port)?.unwrap_or(default_port);
        let http_port = match variables.parse("HTTP_PORT", parse_port)? {
            Some(0) => None,
            Some(_) if !is_on => {
                return refused("HTTP_PORT", "is for leading browsers to TLS, which is off: set DOMAIN, or unset it");
            }
            Some(http_port) if http_port == port => return refused("HTTP_PORT", "must differ from PORT"),
            Some(http_port) => Some(http_port),
            None => (is_on && port == DEFAULT_TLS_PORT).then_some(DEFAULT_HTTP_PORT),
        };
        let needs_http = matches!(&tls, TlsConfig::Acme(acme) if acme.challenge == AcmeChallenge::Http01);
        if needs_http && http_port.is_none() {
            return refused(
                "ACME_CHALLENGE",
                "http-01 is asked on a plain port: set HTTP_PORT, which port 80 of DOMAIN must lead to",
            );
        }
        Ok(Self { tls, domain, port, http_port })
    }
}

fn from_variables(variables: &Variables<'_>, names: Vec<DomainName>) -> Result<TlsConfig, ConfigError> {
    let acme = AcmeConfig {
        names: names.clone(),
        email: variables.parse("ACME_EMAIL", parse_email)?,
        directory: variables.parse("ACME_DIRECTORY", parse_directory)?.unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
        ca_file: variables.text("ACME_CA_FILE").map(PathBuf::from),
        challenge: variables.parse("ACME_CHALLENGE", parse_challenge)?.unwrap_or_default(),
    };
    match (variables.text("TLS_CERT"), variables.text("TLS_KEY")) {
        (Some(cert), Some(key)) => return Ok(TlsConfig::Files { cert: cert.into(), key: key.into(), names }),
        (Some(_), None) => return refused("TLS_KEY", "must name the private key of the certificate in TLS_CERT"),
        (None, Some(_)) => return refused("TLS_CERT", "must name the certificate of the private key in TLS_KEY"),
        (None, None) => {}
    }
    if names.is_empty() {
        return match ACME_VARIABLES.into_iter().find(|name| variables.text(name).is_some()) {
            Some(name) => refused(name, "is set without DOMAIN, which says what to obtain a certificate for"),
            None => Ok(TlsConfig::Off),
        };
    }
    let unknown_to_all = names.iter().find(|name| !name.as_str().contains('.'));
    if let Some(name) = unknown_to_all.filter(|_| acme.directory == LETS_ENCRYPT) {
        let problem =
            format!("`{name}` is no public name: Let's Encrypt knows those only; ACME_DIRECTORY names another authority");
        return Err(ConfigError::Variable { name: "DOMAIN", problem });
    }
    Ok(TlsConfig::Acme(acme))
}

fn refused<T>(name: &'static str, problem: &str) -> Result<T, ConfigError> {
    Err(ConfigError::Variable { name, problem: problem.to_owned() })
}

fn parse_names(text: &str) -> Result<Vec<DomainName>, String> {
    let mut names: Vec<DomainName> = Vec::new();
    for item in items(text) {
        let name = item.parse()?;
        if names.contains(&name) {
            return Err(format!("`{item}` is there twice"));
        }
        names.push(name);
    }
    match names.len() {
        0 => Err("must be a name like call.example.org".to_owned()),
        1..=MAX_NAMES => Ok(names),
        _ => Err(format!("may hold {MAX_NAMES} names")),
    }
}

fn parse_email(text: &str) -> Result<String, String> {
    let is_plain = text.chars().all(|c| c.is_ascii_graphic() && !",?%".contains(c));
    match text.split_once('@') {
        Some((user, host)) if is_plain && !user.is_empty() && !host.contains('@') && text.len() <= MAX_EMAIL_LEN => {
            let host: DomainName = host.parse()?;
            Ok(format!("{user}@{host}"))
        }
        _ => Err("must be one e-mail address like admin@example.org".to_owned()),
    }
}

fn parse_directory(text: &str) -> Result<String, String> {
    match text.parse::<Uri>() {
        Ok(uri) if uri.scheme_str() == Some("https") && uri.host().is_some() => Ok(text.to_owned()),
        _ => Err(format!("must be an address like {LETS_ENCRYPT}")),
    }
}

fn parse_challenge(text: &str) -> Result<AcmeChallenge, String> {
    match text {
        "tls-alpn-01" => Ok(AcmeChallenge::TlsAlpn01),
        "http-01" => Ok(AcmeChallenge::Http01),
        _ => Err("must be `tls-alpn-01` or `http-01`".to_owned()),
    }
}

#[cfg(test)]
mod tests;
