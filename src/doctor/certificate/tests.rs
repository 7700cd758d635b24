//! Certificates made here, at times and for names of the table.

use std::time::SystemTime;

use rcgen::{CertificateParams, DistinguishedName, DnType, Issuer, KeyPair};

use super::*;
use crate::doctor::finding::Severity;

const DAY: Duration = Duration::from_secs(86_400);
/// 2026-06-01.
const NOW: Timestamp = Timestamp::from_millis(1_780_272_000_000);

/// A certificate for `calls.example` and what it stands beside, from 30 days ago until so many days from now.
fn pem(names: &[&str], from_days: i64, to_days: i64, self_signed: bool) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.as_millis().unsigned_abs());
    let at = |days: i64| (now - 400 * DAY + Duration::from_secs(((400 + days) * 86_400) as u64)).into();
    (params.not_before, params.not_after) = (at(from_days), at(to_days));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "server");
    if self_signed {
        return params.self_signed(&key).unwrap().pem();
    }
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name = DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, "authority");
    params.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap().pem()
}

fn judged(pem: &str, name: &str) -> (Severity, &'static str) {
    let certificate = CertificateFacts::from_pem(pem.as_bytes()).map_err(|error| error.to_string());
    let finding = judge(&Facts { place: "here".to_owned(), name: Some(name.to_owned()), certificate, now: NOW });
    (finding.severity, finding.code)
}

#[test]
fn each_certificate_has_its_finding() {
    let names = &["calls.example", "*.wild.example", "192.0.2.1"];
    for (from, to, self_signed, name, severity, code) in [
        (-30, 60, false, "calls.example", Severity::Ok, "ok"),
        (-30, 60, false, "CALLS.example.", Severity::Ok, "ok"),
        (-30, 60, false, "a.wild.example", Severity::Ok, "ok"),
        (-30, 60, false, "192.0.2.1", Severity::Ok, "ok"),
        (-30, 60, false, "a.b.wild.example", Severity::Fault, "certificate_wrong_name"),
        (-30, 60, false, "wild.example", Severity::Fault, "certificate_wrong_name"),
        (-30, 60, false, "192.0.2.2", Severity::Fault, "certificate_wrong_name"),
        (-30, -1, false, "calls.example", Severity::Fault, "certificate_expired"),
        (-30, -1, false, "other.example", Severity::Fault, "certificate_expired"),
        (1, 60, false, "calls.example", Severity::Fault, "certificate_not_yet_valid"),
        (-30, 13, false, "calls.example", Severity::Warning, "certificate_soon"),
        (-30, 60, true, "calls.example", Severity::Warning, "certificate_self_signed"),
    ] {
        assert_eq!(judged(&pem(names, from, to, self_signed), name), (severity, code), "{from} {to} {name}");
    }
}

#[test]
fn what_is_no_certificate_is_said_to_be_none() {
    for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE"] {
        assert_eq!(judged(text, "calls.example").1, "certificate_unreadable", "{text}");
    }
}

#[test]
fn the_places_come_from_the_options_and_else_from_the_settings() {
    let examination = |tls: Option<&str>, domain: Option<&str>| Examination {
        args: crate::config::Args { data_dir: "data".into(), turn_config: None },
        stun: Vec::new(),
        tls: tls.map(str::to_owned),
        domain: domain.map(str::to_owned),
        time_url: String::new(),
    };
    let places = |tls, domain, variables: &[(&str, &str)]| {
        let look = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let examination = examination(tls, domain);
        let config = Config::inspect(&examination.args, look).unwrap();
        let Places { shown_at, file, name } = Places::of(&examination, Some(&config));
        (shown_at.unwrap_or_default(), file.unwrap_or_default().display().to_string(), name.unwrap_or_default())
    };
    let expected = |at: &str, file: &str, name: &str| (at.to_owned(), file.to_owned(), name.to_owned());
    let files = [("DOMAIN", "d.example"), ("TLS_CERT", "/c"), ("TLS_KEY", "/k"), ("PORT", "8443")];
    assert_eq!(places(None, None, &files), expected("d.example:8443", "/c", "d.example"));
    assert_eq!(places(Some("h:1"), None, &[]), expected("h:1", "", "h"));
    assert_eq!(places(Some("[::1]:1"), Some("n"), &[("DOMAIN", "d.example")]), expected("[::1]:1", "", "n"));
    assert_eq!(places(None, None, &[("DOMAIN", " ")]), expected("", "", ""));
}
